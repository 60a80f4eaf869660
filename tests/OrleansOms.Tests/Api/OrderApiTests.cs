using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>Tests that share one running program.</summary>
[CollectionDefinition(Name)]
public sealed class ApiCollection : ICollectionFixture<OmsApp>
{
    /// <summary>Its name.</summary>
    public const string Name = "api";
}

/// <summary>The rows of the surface about orders.</summary>
[Collection(ApiCollection.Name)]
public sealed class OrderApiTests(OmsApp app)
{
    [Fact]
    public async Task A_placed_order_answers_201_with_its_place_and_everything_about_it()
    {
        var sku = await app.NewProduct(100);
        var request = Api.Order((sku, 6));
        var answer = await app.Api.Post("/api/v1/orders", request, Api.NewKey());

        Assert.Equal(201, answer.Status);
        var order = answer.Json;
        Assert.Equal($"/api/v1/orders/{order["id"]}", answer.Http.Headers.Location!.OriginalString);
        Assert.Equal("application/json; charset=utf-8", answer.Http.Content.Headers.ContentType!.ToString());
        Assert.Matches("^ord-[0-9a-z]{26}$", order["id"]!.GetValue<string>());
        Assert.Matches("^[0-9]+$", order["number"]!.GetValue<string>());
        Assert.Equal(("allocated", "paid", 3), (order["status"]!.GetValue<string>(),
            order["paymentStatus"]!.GetValue<string>(), order["version"]!.GetValue<int>()));
        Assert.Equal("""{"goods":15.30,"discount":0,"tax":3.06,"shipping":3.95,"grand":22.31}""",
            order["totals"]!.ToJsonString());
        Assert.Equal("""[{"warehouse":"LON","quantity":6}]""", order["lines"]![0]!["allocations"]!.ToJsonString());
        Assert.StartsWith("http://oms.test/track/", order["trackingUrl"]!.GetValue<string>());
        Assert.Equal(request["externalId"]!.GetValue<string>(), order["externalId"]!.GetValue<string>());
        Assert.Equal("Jane Doe", order["customer"]!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task What_is_not_in_stock_is_backordered_or_refused_by_the_stock_policy()
    {
        var sku = await app.NewProduct(2);
        var order = Api.Order((sku, 5));
        order["stockPolicy"] = "reject";
        var key = Api.NewKey();
        var refused = await app.Api.Post("/api/v1/orders", order, key);
        Assert.Equal((409, "insufficient_stock"), (refused.Status, refused.Code));
        Assert.Equal(refused.Code, (await app.Api.Post("/api/v1/orders", order, key)).Code);
        Assert.Equal(2, (await Stock(sku))["available"]!.GetValue<int>());

        order["stockPolicy"] = "backorder";
        var placed = await app.Api.Place(order);
        Assert.Equal(("partiallyAllocated", 2, 3), (placed["status"]!.GetValue<string>(),
            placed["lines"]![0]!["allocated"]!.GetValue<int>(), placed["lines"]![0]!["backordered"]!.GetValue<int>()));
        Assert.NotNull(placed["promisedBy"]);
    }

    [Fact]
    public async Task Orders_on_terms_and_unpaid_ones_are_taken_too()
    {
        var sku = await app.NewProduct(10);
        var terms = Api.Order((sku, 1));
        terms["payment"] = new JsonObject { ["method"] = "terms", ["days"] = 30 };
        Assert.Equal("onTerms", (await app.Api.Place(terms))["paymentStatus"]!.GetValue<string>());

        var waiting = Api.Order((sku, 1));
        waiting["payment"] = new JsonObject { ["method"] = "prepaid", ["status"] = "pending" };
        var placed = await app.Api.Place(waiting);
        Assert.Equal("awaitingPayment", placed["status"]!.GetValue<string>());
        Assert.NotNull(placed["paymentDueAt"]);
    }

    [Fact]
    public async Task An_order_is_read_as_it_is_now_and_tells_its_history_in_words()
    {
        var sku = await app.NewProduct(10);
        var id = (await app.Api.Place(Api.Order((sku, 6))))["id"]!.GetValue<string>();
        var order = await OmsApp.Until(
            () => app.Api.Must(200, HttpMethod.Get, $"/api/v1/orders/{id}", null),
            o => o["shipments"]!.AsArray().Count == 1);
        Assert.Equal("inFulfilment", order["status"]!.GetValue<string>());

        var timeline = await app.Api.Must(200, HttpMethod.Get, $"/api/v1/orders/{id}/timeline", null);
        var events = timeline["events"]!.AsArray();
        Assert.Equal(Enumerable.Range(1, events.Count), events.Select(e => e!["version"]!.GetValue<int>()));
        Assert.Equal(["placed", "paymentRecorded", "allocated", "shipmentReleased"],
            events.Select(e => e!["type"]!.GetValue<string>()));
        Assert.Equal($"Reserved 6 × {sku} in LON: one warehouse has everything", events[2]!["what"]!.GetValue<string>());
        Assert.Equal(["bootstrap", "bootstrap", "bootstrap", "system"], events.Select(e => e!["who"]!.GetValue<string>()));
        Assert.DoesNotContain("Jane", timeline.ToJsonString());
        Assert.DoesNotContain("High Street", timeline.ToJsonString());
    }

    [Fact]
    public async Task The_list_filters_sorts_and_pages()
    {
        var sku = await app.NewProduct(100);
        var ids = new List<string>();
        for (var i = 0; i < 5; i++) ids.Add((await app.Api.Place(Api.Order((sku, i + 1))))["id"]!.GetValue<string>());
        await app.CountEvents();

        var listed = new List<string>();
        string? cursor = null;
        do
        {
            var page = await app.Api.Must(200, HttpMethod.Get,
                $"/api/v1/orders?sku={sku}&limit=2&sort=placedAt{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}", null);
            listed.AddRange(page["items"]!.AsArray().Select(o => o!["id"]!.GetValue<string>()));
            cursor = page["nextCursor"]?.GetValue<string>();
        }
        while (cursor is not null);
        Assert.Equal(ids, listed);

        async Task<int> Count(string query) => (await app.Api.Must(
            200, HttpMethod.Get, $"/api/v1/orders?sku={sku}&{query}", null))["items"]!.AsArray().Count;
        Assert.Equal(5, await Count("status=inFulfilment,shipped&channel=web&warehouse=LON"));
        Assert.Equal(5, await Count("status=inFulfilment&status=shipped"));
        Assert.Equal(0, await Count("status=cancelled"));
        Assert.Equal(0, await Count("channel=phone"));
        Assert.Equal(0, await Count("to=2010-12-01"));
        Assert.Equal(5, await Count("from=2010-12-01T08:26:00Z&q=jane"));
    }

    [Theory]
    [InlineData("limit=0", "limit"), InlineData("limit=201", "limit"), InlineData("limit=x", "limit")]
    [InlineData("status=lost", "status"), InlineData("sort=name", "sort"), InlineData("from=yesterday", "from")]
    [InlineData("cursor=nonsense", "cursor"), InlineData("channel=a&channel=b", "channel")]
    [InlineData("stauts=shipped&limit=1", "stauts")]
    public Task A_bad_query_names_its_member(string query, string member) => IsBad($"/api/v1/orders?{query}", member);

    [Theory]
    [InlineData("/api/v1/shipments?orderId=ord-1", "orderId"), InlineData("/api/v1/stock/LON/A?at=now", "at")]
    [InlineData("/api/v1/availability?sku=A&zip=E16", "zip")]
    public Task A_filter_that_does_not_exist_is_refused_and_lets_not_everything_through(string path, string member) =>
        IsBad(path, member);

    async Task IsBad(string path, string member)
    {
        var answer = await app.Api.Get(path);
        Assert.Equal(400, answer.Status);
        Assert.NotNull(answer.Json["errors"]![member]);
    }

    [Fact]
    public async Task An_order_that_is_paid_in_full_because_units_were_cancelled_goes_to_the_warehouse()
    {
        var request = Api.Order((await app.NewProduct(10), 6));
        request["payment"] = JsonNode.Parse("""{"method":"prepaid","status":"pending"}""");
        var order = await app.Api.Place(request);
        var id = order["id"]!.GetValue<string>();
        await app.Api.Must(200, HttpMethod.Post, $"/api/v1/orders/{id}/payments",
            JsonNode.Parse("""{"status":"paid","amount":16.19,"reference":"pi_part"}"""));
        var fewer = await app.Api.Must(200, HttpMethod.Post, $"/api/v1/orders/{id}/cancel",
            JsonNode.Parse("""{"reason":"fewer","lines":[{"lineId":1,"quantity":2}]}"""));
        Assert.Equal("paid", fewer["paymentStatus"]!.GetValue<string>());
        var released = await OmsApp.Until(
            () => app.Api.Must(200, HttpMethod.Get, $"/api/v1/orders/{id}", null), o => o["shipments"]!.AsArray().Count > 0);
        Assert.Equal(4, released["shipments"]![0]!["lines"]![0]!["quantity"]!.GetValue<int>());
    }

    [Fact]
    public async Task Cancelling_releases_stock_once_and_a_retry_is_answered_as_done()
    {
        var sku = await app.NewProduct(10);
        var id = (await app.Api.Place(Api.Order((sku, 6))))["id"]!.GetValue<string>();
        var two = JsonNode.Parse("""{"reason":"fewer","lines":[{"lineId":1,"quantity":2}]}""")!;
        var key = Api.NewKey();
        var first = await app.Api.Must(200, HttpMethod.Post, $"/api/v1/orders/{id}/cancel", two, key);
        Assert.Equal(2, first["lines"]![0]!["cancelled"]!.GetValue<int>());
        var again = await app.Api.Must(200, HttpMethod.Post, $"/api/v1/orders/{id}/cancel", two, key);
        Assert.Equal(2, again["lines"]![0]!["cancelled"]!.GetValue<int>());
        await OmsApp.Until(() => Stock(sku), s => s["reserved"]!.GetValue<int>() == 4);

        var other = await app.Api.Post($"/api/v1/orders/{id}/cancel", JsonNode.Parse("""{"reason":"all"}""")!, key);
        Assert.Equal((422, "idempotency_key_reused"), (other.Status, other.Code));

        var all = await app.Api.Must(
            200, HttpMethod.Post, $"/api/v1/orders/{id}/cancel", JsonNode.Parse("""{"reason":"all"}""")!);
        Assert.Equal("cancelled", all["status"]!.GetValue<string>());
        await OmsApp.Until(() => Stock(sku), s => s["available"]!.GetValue<int>() == 10);
        var nothing = await app.Api.Post($"/api/v1/orders/{id}/cancel", two);
        Assert.Equal((409, "order_not_cancellable"), (nothing.Status, nothing.Code));
    }

    [Fact]
    public async Task Payments_are_recorded_once_and_never_above_what_is_due()
    {
        var sku = await app.NewProduct(10);
        var order = Api.Order((sku, 6));
        order["payment"] = new JsonObject { ["method"] = "prepaid", ["status"] = "pending" };
        var id = (await app.Api.Place(order))["id"]!.GetValue<string>();
        Task<Answer> Pay(string body) => app.Api.Send(HttpMethod.Post, $"/api/v1/orders/{id}/payments", body);

        Assert.Equal(200, (await Pay("""{"status":"failed","amount":0,"reference":"p0"}""")).Status);
        var part = await Pay("""{"status":"paid","amount":10,"reference":"p1"}""");
        Assert.Equal("partiallyPaid", part.Json["paymentStatus"]!.GetValue<string>());
        Assert.Equal(200, (await Pay("""{"status":"paid","amount":10,"reference":"p1"}""")).Status);
        Assert.Equal("payment_reference_reused", (await Pay("""{"status":"paid","amount":11,"reference":"p1"}""")).Code);
        Assert.Equal("amount_too_high", (await Pay("""{"status":"paid","amount":12.32,"reference":"p2"}""")).Code);
        Assert.Equal(400, (await Pay("""{"status":"paid","amount":1.001,"reference":"p3"}""")).Status);
        Assert.Equal(400, (await Pay("""{"status":"pending","amount":1,"reference":"p3"}""")).Status);
        var rest = await Pay("""{"status":"paid","amount":12.31,"reference":"p4"}""");
        Assert.Equal("paid", rest.Json["paymentStatus"]!.GetValue<string>());
        Assert.Equal((409, "order_not_payable"), await Pay("""{"status":"paid","amount":1,"reference":"p5"}""")
            .ContinueWith(t => (t.Result.Status, t.Result.Code!)));
    }

    [Fact]
    public async Task A_payment_that_fails_after_its_authorization_keeps_the_goods_here_and_retries_are_answered_as_done()
    {
        var sku = await app.NewProduct();
        var order = Api.Order((sku, 6));
        order["payment"] = new JsonObject { ["method"] = "prepaid", ["status"] = "pending" };
        var id = (await app.Api.Place(order))["id"]!.GetValue<string>();
        Task<JsonNode> Pay(string status, string reference) => app.Api.Must(200, HttpMethod.Post, $"/api/v1/orders/{id}/payments",
            JsonNode.Parse($$"""{"status":"{{status}}","amount":22.31,"reference":"{{reference}}"}"""), $"{status}-{reference}");

        Assert.Equal("authorized", (string?)(await Pay("authorized", "p1"))["paymentStatus"]);
        Assert.Equal("pending", (string?)(await Pay("failed", "p1"))["paymentStatus"]);
        var again = await Pay("authorized", "p1");
        Assert.Equal(("pending", "awaitingPayment"), ((string?)again["paymentStatus"], (string?)again["status"]));
        await app.Receive("LON", sku, 6);
        await OmsApp.Until(
            () => app.Api.Must(200, HttpMethod.Get, $"/api/v1/orders/{id}", null), o => (int)o["lines"]![0]!["allocated"]! == 6);
        await app.CountEvents();
        var waiting = await app.Api.Must(200, HttpMethod.Get, $"/api/v1/orders/{id}", null);
        Assert.Empty(waiting["shipments"]!.AsArray());
        await Pay("authorized", "p2");
        await OmsApp.Until(
            () => app.Api.Must(200, HttpMethod.Get, $"/api/v1/orders/{id}", null), o => o["shipments"]!.AsArray().Count == 1);
        Assert.Equal(3, await app.Database.Ask<long>(
            $"select count(*) from oms.event where stream = '{id}' and type = 'order.payment-recorded.v1'"));
    }

    [Fact]
    public async Task A_failure_that_comes_again_under_its_key_takes_nothing_back_and_a_new_one_does()
    {
        var order = Api.Order((await app.NewProduct(6), 6));
        order["payment"] = new JsonObject { ["method"] = "prepaid", ["status"] = "pending" };
        var id = (await app.Api.Place(order))["id"]!.GetValue<string>();
        async Task<string?> Pay(string status, string key) => (string?)(await app.Api.Must(
            200, HttpMethod.Post, $"/api/v1/orders/{id}/payments",
            JsonNode.Parse($$"""{"status":"{{status}}","amount":22.31,"reference":"p1"}"""), key))["paymentStatus"];

        var (declined, voided) = (Api.NewKey(), Api.NewKey());
        Assert.Equal("pending", await Pay("failed", declined));
        Assert.Equal("authorized", await Pay("authorized", Api.NewKey()));
        Assert.Equal("authorized", await Pay("failed", declined));
        Assert.Equal("pending", await Pay("failed", voided));
        Assert.Equal("pending", await Pay("failed", voided));
        Assert.Equal(3, await app.Database.Ask<long>(
            $"select count(*) from oms.event where stream = '{id}' and type = 'order.payment-recorded.v1'"));
    }

    async Task<JsonNode> Stock(string sku) => await app.Api.Must(200, HttpMethod.Get, $"/api/v1/stock/LON/{sku}", null);
}
