using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>The rows of the surface about shipments.</summary>
[Collection(ApiCollection.Name)]
public sealed class ShipmentApiTests(OmsApp app)
{
    [Fact]
    public async Task A_shipment_goes_from_the_shelf_to_the_door()
    {
        var (sku, order, id) = await Released(6);
        var listed = await OmsApp.Until(
            () => app.Api.Must(200, HttpMethod.Get, $"/api/v1/shipments?warehouse=LON&status=released&order={order}", null),
            l => l["items"]!.AsArray().Count == 1);
        Assert.Equal(id, listed["items"]![0]!["id"]!.GetValue<string>());

        Assert.Equal("picking", await Do(id, "pick", $$"""{"lines":[{"sku":"{{sku}}","quantity":6}]}"""));
        Assert.Equal("packed", await Do(id, "pack", $$"""{"packages":[{"weightGrams":900,"lines":[{"sku":"{{sku}}","quantity":6}]}]}"""));
        Assert.Equal("shipped", await Do(id, "ship", """{"carrier":"Royal Mail","service":"48","trackingNumber":"RM1"}"""));
        Assert.Equal("inTransit", await Track(id, "inTransit", "2026-01-02T05:10:00Z", "e1"));
        Assert.Equal("delivered", await Track(id, "delivered", "2026-01-03T10:00:00Z", "e2"));
        Assert.Equal("delivered", await Track(id, "inTransit", "2026-01-02T06:00:00Z", "e3"));
        Assert.Equal("delivered", await Track(id, "delivered", "2026-01-03T10:00:00Z", "e2"));

        var view = await OmsApp.Until(
            () => app.Api.Must(200, HttpMethod.Get, $"/api/v1/orders/{order}", null), o => o["status"]!.GetValue<string>() == "delivered");
        Assert.Equal((6, 6, "RM1"), (view["lines"]![0]!["shipped"]!.GetValue<int>(), view["lines"]![0]!["delivered"]!.GetValue<int>(),
            view["shipments"]![0]!["trackingNumber"]!.GetValue<string>()));
        var stock = await OmsApp.Until(
            () => app.Api.Must(200, HttpMethod.Get, $"/api/v1/stock/LON/{sku}", null), s => s["reserved"]!.GetValue<int>() == 0);
        Assert.Equal(0, stock["onHand"]!.GetValue<int>());
    }

    [Fact]
    public async Task Commands_in_the_wrong_state_or_with_the_wrong_contents_are_refused()
    {
        var (sku, _, id) = await Released(4);
        Assert.Equal((409, "shipment_not_packable"), await Code(id, "pack", $$"""{"packages":[{"weightGrams":9,"lines":[{"sku":"{{sku}}","quantity":4}]}]}"""));
        Assert.Equal((409, "shipment_not_packed"), await Code(id, "ship", """{"carrier":"c","service":"s"}"""));
        Assert.Equal((409, "shipment_not_shipped"), await Code(id, "tracking",
            """{"status":"delivered","description":"x","occurredAt":"2026-01-03T10:00:00Z","eventId":"e"}"""));
        Assert.Equal((422, "sku_not_in_shipment"), await Code(id, "pick", """{"lines":[{"sku":"nope","quantity":1}]}"""));
        Assert.Equal((422, "too_many_units"), await Code(id, "pick", $$"""{"lines":[{"sku":"{{sku}}","quantity":5}]}"""));
        await Do(id, "pick", $$"""{"lines":[{"sku":"{{sku}}","quantity":4}]}""");
        Assert.Equal((409, "already_picked"), await Code(id, "pick", $$"""{"lines":[{"sku":"{{sku}}","quantity":3}]}"""));
        Assert.Equal("picking", await Do(id, "pick", $$"""{"lines":[{"sku":"{{sku}}","quantity":4}]}"""));
        Assert.Equal((422, "contents_do_not_match"), await Code(id, "pack", $$"""{"packages":[{"weightGrams":9,"lines":[{"sku":"{{sku}}","quantity":3}]}]}"""));
    }

    [Fact]
    public async Task Units_cancelled_out_of_a_packed_shipment_send_it_back_to_be_packed()
    {
        var (sku, order, id) = await Released(4);
        string Boxes(int units) => $$"""{"packages":[{"weightGrams":900,"lines":[{"sku":"{{sku}}","quantity":{{units}}}]}]}""";
        const string cancel = """{"reason":"too many","lines":[{"lineId":1,"quantity":1}]}""";
        await Do(id, "pick", $$"""{"lines":[{"sku":"{{sku}}","quantity":4}]}""");
        await Do(id, "pack", Boxes(4));
        var cancelled = await app.Api.Must(200, HttpMethod.Post, $"/api/v1/orders/{order}/cancel", JsonNode.Parse(cancel), "c");
        Assert.Equal((1, "inFulfilment"), ((int)cancelled["lines"]![0]!["cancelled"]!, (string?)cancelled["status"]));
        Assert.Equal(1, (int)(await app.Api.Must(200, HttpMethod.Get, $"/api/v1/stock/LON/{sku}", null))["available"]!);

        await app.CountEvents();
        var listed = (await app.Api.Get($"/api/v1/shipments?order={order}&status=picking")).Json["items"]![0]!;
        Assert.Equal((0, 3, 3), (listed["packages"]!.AsArray().Count, (int)listed["lines"]![0]!["quantity"]!, (int)listed["lines"]![0]!["picked"]!));
        var events = (await app.Api.Get($"/api/v1/orders/{order}/timeline")).Json["events"]!.AsArray();
        Assert.Contains(events, e => (string?)e!["what"] == $"{id} is picking: opened to take units out, to be packed again");
        Assert.Equal((409, "shipment_not_packed"), await Code(id, "ship", """{"carrier":"c","service":"s"}"""));
        Assert.Equal((422, "contents_do_not_match"), await Code(id, "pack", Boxes(4)));

        Assert.Equal("packed", await Do(id, "pack", Boxes(3)));
        Assert.Equal("shipped", await Do(id, "ship", """{"carrier":"c","service":"s"}"""));
        var again = await app.Api.Send(HttpMethod.Post, $"/api/v1/orders/{order}/cancel", cancel, "c");
        Assert.Equal((200, 1), (again.Status, (int)again.Json["lines"]![0]!["cancelled"]!));
        var late = await app.Api.Send(HttpMethod.Post, $"/api/v1/orders/{order}/cancel", cancel, "d");
        Assert.Equal((409, "order_not_cancellable"), (late.Status, late.Code));
        var stock = await OmsApp.Until(
            () => app.Api.Must(200, HttpMethod.Get, $"/api/v1/stock/LON/{sku}", null), s => (int)s["reserved"]! == 0);
        Assert.Equal((1, 1), ((int)stock["onHand"]!, (int)stock["available"]!));
    }

    [Fact]
    public async Task A_retried_command_is_answered_as_done_also_when_units_were_cancelled_since()
    {
        var (sku, order, id) = await Released(6);
        var pick = $$"""{"lines":[{"sku":"{{sku}}","quantity":6}]}""";
        string Boxes(int units) => $$"""{"packages":[{"weightGrams":900,"lines":[{"sku":"{{sku}}","quantity":{{units}}}]}]}""";
        Task<JsonNode> Send(string path, string body, string key) =>
            app.Api.Must(200, HttpMethod.Post, $"/api/v1/{path}", JsonNode.Parse(body), key);
        Task<JsonNode> Cancel(int units) => Send($"orders/{order}/cancel",
            $$"""{"reason":"fewer","lines":[{"lineId":1,"quantity":{{units}}}]}""", $"cancel-{units}");
        static (string?, int, int) What(JsonNode s) => ((string?)s["status"],
            s["lines"]!.AsArray().Sum(l => (int)l!["quantity"]!), s["packages"]!.AsArray().Count);

        Assert.Equal(("picking", 6, 0), What(await Send($"shipments/{id}/pick", pick, "pick")));
        await Cancel(2);
        Assert.Equal(("picking", 4, 0), What(await Send($"shipments/{id}/pick", pick, "pick")));
        Assert.Equal((409, "already_picked"), await Code(id, "pick", pick));
        Assert.Equal(("packed", 4, 1), What(await Send($"shipments/{id}/pack", Boxes(4), "pack")));
        await Cancel(1);
        Assert.Equal(("picking", 3, 0), What(await Send($"shipments/{id}/pack", Boxes(4), "pack")));
        await Cancel(3);
        Assert.Equal(("cancelled", 0, 0), What(await Send($"shipments/{id}/pick", pick, "pick")));
        Assert.Equal(("cancelled", 0, 0), What(await Send($"shipments/{id}/pack", Boxes(4), "pack")));
        Assert.Equal(6, (int)(await Cancel(2))["lines"]![0]!["cancelled"]!);
        Assert.Equal((1, 1, 3), (
            await Count(id, "shipment.units-picked.v1"), await Count(id, "shipment.packed.v1"),
            await Count(order, "order.units-cancelled.v1")));
    }

    [Fact]
    public async Task A_retry_that_comes_after_the_end_is_answered_as_done()
    {
        var (sku, order, id) = await Released(1);
        (string Path, string Body)[] commands =
        [
            ($"shipments/{id}/pick", $$"""{"lines":[{"sku":"{{sku}}","quantity":1}]}"""),
            ($"shipments/{id}/pack", $$"""{"packages":[{"weightGrams":9,"lines":[{"sku":"{{sku}}","quantity":1}]}]}"""),
            ($"shipments/{id}/ship", """{"carrier":"c","service":"s"}"""),
            ($"shipments/{id}/tracking", """{"status":"inTransit","description":"d","occurredAt":"2026-01-03T10:00:00Z","eventId":"e"}"""),
        ];
        foreach (var (path, body) in commands)
            Assert.Equal(200, (await app.Api.Send(HttpMethod.Post, $"/api/v1/{path}", body, path)).Status);
        Assert.Equal("delivered", await Track(id, "delivered", "2026-01-04T10:00:00Z", "e2"));
        foreach (var (path, body) in commands)
        {
            var again = await app.Api.Send(HttpMethod.Post, $"/api/v1/{path}", body, path);
            Assert.Equal((200, "delivered"), (again.Status, (string?)again.Json["status"]));
        }
        Assert.Equal(6, await app.Database.Ask<long>($"select count(*) from oms.event where stream = '{id}'"));
    }

    [Theory]
    [InlineData("pick", """{"lines":[]}""", "lines"), InlineData("pick", """{"lines":[{"sku":"A","quantity":-1}]}""", "lines[0].quantity")]
    [InlineData("pick", """{"lines":[null]}""", "lines[0].sku")]
    [InlineData("pack", """{"packages":[]}""", "packages")]
    [InlineData("pack", """{"packages":[{"weightGrams":0,"lines":[{"sku":"A","quantity":1}]}]}""", "packages[0].weightGrams")]
    [InlineData("pack", """{"packages":[{"weightGrams":1,"lines":[{"sku":"A","quantity":0}]}]}""", "packages[0].lines[0].quantity")]
    [InlineData("ship", """{"carrier":" ","service":"s"}""", "carrier"), InlineData("ship", """{"carrier":"c"}""", "service")]
    [InlineData("tracking", """{"status":"shipped","description":"x","occurredAt":"2026-01-03T10:00:00Z","eventId":"e"}""", "status")]
    [InlineData("tracking", """{"status":"delivered","description":"x","occurredAt":"2026-01-03T10:00:00","eventId":"e"}""", "occurredAt")]
    [InlineData("tracking", """{"status":"delivered","description":"x","occurredAt":"2026-01-03T10:00:00Z"}""", "eventId")]
    public async Task A_malformed_command_names_its_member(string verb, string body, string member)
    {
        var answer = await app.Api.Send(HttpMethod.Post, $"/api/v1/shipments/shp-{new string('0', 26)}-1/{verb}", body);
        Assert.Equal(400, answer.Status);
        Assert.True(answer.Json["errors"]?[member] is not null, answer.Text);
    }

    [Theory]
    [InlineData("shp-00000000000000000000000000-1"), InlineData("nonsense"), InlineData("ord-00000000000000000000000000")]
    public async Task An_unknown_shipment_is_404(string id) =>
        Assert.Equal((404, "not_found"), await Code(id, "ship", """{"carrier":"c","service":"s"}"""));

    async Task<(string Sku, string Order, string Shipment)> Released(int units)
    {
        var sku = await app.NewProduct(units);
        var id = (await app.Api.Place(Api.Order((sku, units))))["id"]!.GetValue<string>();
        var order = await OmsApp.Until(
            () => app.Api.Must(200, HttpMethod.Get, $"/api/v1/orders/{id}", null), o => o["shipments"]!.AsArray().Count > 0);
        return (sku, id, order["shipments"]![0]!["id"]!.GetValue<string>());
    }

    async Task<string> Do(string id, string verb, string body) =>
        (await app.Api.Must(200, HttpMethod.Post, $"/api/v1/shipments/{id}/{verb}", JsonNode.Parse(body)))["status"]!.GetValue<string>();

    Task<string> Track(string id, string status, string at, string eventId) => Do(id, "tracking",
        $$"""{"status":"{{status}}","description":"said so","location":"Gatwick","occurredAt":"{{at}}","eventId":"{{eventId}}"}""");

    Task<long> Count(string stream, string type) =>
        app.Database.Ask<long>($"select count(*) from oms.event where stream = '{stream}' and type = '{type}'");

    async Task<(int, string?)> Code(string id, string verb, string body)
    {
        var answer = await app.Api.Send(HttpMethod.Post, $"/api/v1/shipments/{id}/{verb}", body);
        return (answer.Status, answer.Code);
    }
}
