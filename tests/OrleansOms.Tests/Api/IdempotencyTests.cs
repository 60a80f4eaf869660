using System.Text.Json.Nodes;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Tests.Fixtures;
using Microsoft.Extensions.DependencyInjection;

namespace OrleansOms.Tests.ApiTests;

/// <summary>One key is one thing that happens, whatever is sent how often.</summary>
public sealed class IdempotencyTests : IAsyncLifetime
{
    readonly SlowLog _slow = new();
    OmsApp _app = null!;

    public async ValueTask InitializeAsync()
    {
        _app = new OmsApp { Adjust = services => services.AddSingleton(_slow.Around(services)) };
        await _app.InitializeAsync();
        await _app.Receive("LON", "A", 1000);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    [Fact]
    public async Task The_same_key_and_body_give_the_same_answer_byte_for_byte_also_after_a_restart()
    {
        var (body, key) = (Api.Order(("A", 6)).ToJsonString(), Api.NewKey());
        var first = await _app.Api.Send(HttpMethod.Post, "/api/v1/orders", body, key);
        Assert.Equal(201, first.Status);
        var events = await _app.CountEvents();
        var second = await Again();
        Assert.Equal(first.Text, second.Text);
        Assert.Equal(first.Http.Headers.Location, second.Http.Headers.Location);

        // The order has moved on since; its first answer has not.
        var id = first.Json["id"]!.GetValue<string>();
        await _app.Api.Must(200, HttpMethod.Post, $"/api/v1/orders/{id}/cancel", JsonNode.Parse("""{"reason":"x"}"""));
        Assert.Equal(first.Text, (await Again()).Text);
        await _app.Restart();
        Assert.Equal(first.Text, (await Again()).Text);
        Assert.True(await _app.CountEvents() > events);

        // A follower may be working on the order just now; then the retry is told to come again.
        Task<Answer> Again() => OmsApp.Until(
            () => _app.Api.Send(HttpMethod.Post, "/api/v1/orders", body, key), a => a.Code is not "request_in_progress");
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_refused_and_changes_nothing()
    {
        var key = Api.NewKey();
        await _app.Api.Place(Api.Order(("A", 6)), key);
        var before = await _app.CountEvents();
        var answer = await OmsApp.Until(
            () => _app.Api.Post("/api/v1/orders", Api.Order(("A", 7)), key), a => a.Code is not "request_in_progress");
        Assert.Equal((422, "idempotency_key_reused"), (answer.Status, answer.Code));
        var orders = await _app.CountEvents() - before;
        Assert.Equal(0, orders);
    }

    [Fact]
    public async Task Two_callers_may_use_the_same_key()
    {
        var other = await _app.NewCaller(["orders:write"]);
        var key = Api.NewKey();
        var first = await _app.Api.Place(Api.Order(("A", 1)), key);
        var second = await other.Place(Api.Order(("A", 1)), key);
        Assert.NotEqual(first["id"]!.GetValue<string>(), second["id"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_retry_while_the_first_request_runs_is_told_so()
    {
        var (body, key) = (Api.Order(("A", 6)).ToJsonString(), Api.NewKey());
        using var held = _slow.HoldAppendsOf("ord-");
        var first = _app.Api.Send(HttpMethod.Post, "/api/v1/orders", body, key);
        await held.Reached;
        var second = await _app.Api.Send(HttpMethod.Post, "/api/v1/orders", body, key);
        Assert.Equal((409, "request_in_progress"), (second.Status, second.Code));
        held.Dispose();
        Assert.Equal(201, (await first).Status);
    }

    [Fact]
    public async Task Fifty_requests_with_one_key_at_once_make_one_order()
    {
        var (body, key) = (Api.Order(("A", 1)).ToJsonString(), Api.NewKey());
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ =>
            _app.Api.Send(HttpMethod.Post, "/api/v1/orders", body, key)));
        Assert.All(answers, a => Assert.True(a.Status == 201 || a.Code == "request_in_progress", a.ToString()));
        Assert.Single(answers.Where(a => a.Status == 201).Select(a => a.Text).Distinct());
        Assert.Equal(1, await _app.Database.Ask<long>(
            $"select count(*) from oms.event where type = 'order.placed.v1' and data->>'externalId' = '{JsonNode.Parse(body)!["externalId"]}'"));
    }

    [Fact]
    public async Task Fifty_keys_with_one_external_id_at_once_make_one_order_and_the_others_name_it()
    {
        var body = Api.Order(("A", 2)).ToJsonString();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ =>
            _app.Api.Send(HttpMethod.Post, "/api/v1/orders", body, Api.NewKey())));
        var placed = Assert.Single(answers, a => a.Status == 201).Json["id"]!.GetValue<string>();
        Assert.All(answers.Where(a => a.Status != 201), a =>
            Assert.Equal((409, "duplicate_order", placed), (a.Status, a.Code, a.Json["orderId"]?.GetValue<string>())));
        // What the others reserved for a moment is given back.
        var units = await _app.Database.Ask<long>(
            "select coalesce(sum((l->>'quantity')::int), 0) from oms.event, json_array_elements(data->'allocations') l where type = 'order.allocated.v1'");
        await OmsApp.Until(
            () => _app.Api.Must(200, HttpMethod.Get, "/api/v1/stock/LON/A", null), s => s["reserved"]!.GetValue<long>() <= units);
    }

    [Fact]
    public async Task Receipts_and_adjustments_follow_the_same_rules()
    {
        var sku = await _app.NewProduct();
        var receipt = Receipt(5);
        var key = Api.NewKey();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ =>
            _app.Api.Send(HttpMethod.Post, "/api/v1/stock/receipts", receipt, key)));
        Assert.All(answers, a => Assert.True(a.Status == 201 || a.Code == "request_in_progress", a.ToString()));
        Assert.Equal(5, await OnHand());
        var other = await _app.Api.Send(
            HttpMethod.Post, "/api/v1/stock/receipts", Receipt(6), key);
        Assert.Equal((422, "idempotency_key_reused"), (other.Status, other.Code));

        var adjustment = Adjustment(-2);
        var adjusted = Api.NewKey();
        Assert.Equal(201, (await _app.Api.Send(HttpMethod.Post, "/api/v1/stock/adjustments", adjustment, adjusted)).Status);
        Assert.Equal(201, (await _app.Api.Send(HttpMethod.Post, "/api/v1/stock/adjustments", adjustment, adjusted)).Status);
        Assert.Equal(3, await OnHand());
        var tooMuch = await _app.Api.Send(HttpMethod.Post, "/api/v1/stock/adjustments",
            Adjustment(-4), Api.NewKey());
        Assert.Equal((409, "insufficient_stock"), (tooMuch.Status, tooMuch.Code));
        Assert.Equal(3, await OnHand());

        string Receipt(int units) =>
            $$"""{"warehouse":"LON","reference":"PO","lines":[{"sku":"{{sku}}","quantity":{{units}}}]}""";
        string Adjustment(int units) =>
            $$"""{"warehouse":"LON","reason":"counted","lines":[{"sku":"{{sku}}","delta":{{units}}}]}""";
        async Task<int> OnHand() =>
            (await _app.Api.Must(200, HttpMethod.Get, $"/api/v1/stock/LON/{sku}", null))["onHand"]!.GetValue<int>();
    }
}
