using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.ApiTests;

/// <summary>Stock for carts, as storefronts hold it, keep it, give it up and order it.</summary>
[Collection(ApiCollection.Name)]
public sealed class ReservationApiTests(OmsApp app)
{
    const string Path = "/api/v1/reservations";

    static JsonObject Cart(string sku, int quantity, int seconds = 600) => new()
    {
        ["lines"] = new JsonArray(new JsonObject { ["sku"] = sku, ["quantity"] = quantity }), ["expiresInSeconds"] = seconds,
    };

    Task<JsonNode> Held(string sku, int quantity, int seconds = 600, string? key = null) =>
        app.Api.Must(201, HttpMethod.Post, Path, Cart(sku, quantity, seconds), key ?? Api.NewKey());

    async Task<(int, int)> Counts(string sku)
    {
        var stock = await app.Api.Must(200, HttpMethod.Get, $"/api/v1/stock/LON/{sku}", null);
        return (stock["onHand"]!.GetValue<int>(), stock["reserved"]!.GetValue<int>());
    }

    [Fact]
    public async Task What_is_held_is_nobody_elses_until_it_is_given_up()
    {
        var sku = await app.NewProduct(5);
        var key = Api.NewKey();
        var made = await app.Api.Post(Path, Cart(sku, 5), key);
        var cart = made.Json;
        var path = $"{Path}/{cart.Id()}";
        Assert.Equal((201, path), (made.Status, made.Http.Headers.Location!.OriginalString));
        Assert.Equal(made.Text, (await app.Api.Post(Path, Cart(sku, 5), key)).Text);
        Assert.Equal(made.Text, (await app.Api.Get(path)).Text);
        Assert.Equal(
            $$"""[{"lineId":1,"sku":"{{sku}}","quantity":5,"reserved":5,"allocations":[{"warehouse":"LON","quantity":5}]}]""",
            cart["lines"]!.ToJsonString());
        Assert.Equal("insufficient_stock", (await app.Api.Post(Path, Cart(sku, 1), Api.NewKey())).Code);
        Assert.Equal((5, 5), await Counts(sku));
        var later = await app.Api.Must(200, HttpMethod.Post, $"{path}/extend", JsonNode.Parse("""{"expiresInSeconds":3600}"""));
        Assert.True(later["expiresAt"]!.GetValue<DateTimeOffset>() > cart["expiresAt"]!.GetValue<DateTimeOffset>().AddMinutes(40));
        Assert.Equal("released", (string?)(await app.Api.Must(200, HttpMethod.Post, $"{path}/release", null))["status"]);
        Assert.Equal("released", (string?)(await app.Api.Must(200, HttpMethod.Post, $"{path}/release", null))["status"]);
        Assert.Equal((5, 0), await Counts(sku));
        Assert.Equal("reservation_over", (await app.Api.Post($"{path}/extend", new JsonObject())).Code);
        Assert.Equal(404, (await app.Api.Get($"/api/v1/orders/{cart.Id()}")).Status);
    }

    [Fact]
    public async Task It_ends_by_itself_and_tells_so()
    {
        var sku = await app.NewProduct(2);
        var cart = await Held(sku, 2, seconds: 1);
        var ended = await OmsApp.Until(
            () => app.Api.Must(200, HttpMethod.Get, $"{Path}/{cart.Id()}", null), c => (string?)c["status"] == "expired");
        Assert.Equal(0, ended["lines"]![0]!["reserved"]!.GetValue<int>());
        // Its stock is told when that is stored.
        await OmsApp.Until(() => Counts(sku), c => c == (2, 0));
        var ledger = await app.Api.Must(200, HttpMethod.Get, $"/api/v1/stock/LON/{sku}/ledger", null);
        Assert.Equal("the cart's time was up", (string?)ledger["entries"]![0]!["reason"]);
    }

    [Fact]
    public async Task An_order_takes_it_over_with_its_id_and_the_same_key_gives_the_same_bytes()
    {
        var sku = await app.NewProduct(3);
        var cart = await Held(sku, 3);
        var request = Api.Order((sku, 2));
        request["reservation"] = cart.Id();
        var key = Api.NewKey();
        var placed = await app.Api.Post("/api/v1/orders", request, key);
        Assert.Equal((201, $"/api/v1/orders/{cart.Id()}"), (placed.Status, placed.Http.Headers.Location!.OriginalString));
        Assert.Equal(2, placed.Json["lines"]![0]!["allocated"]!.GetValue<int>());
        Assert.Equal(placed.Text, (await app.Api.Post("/api/v1/orders", request.DeepClone(), key)).Text);
        await OmsApp.Until(() => Counts(sku), c => c == (3, 2));
        Assert.Equal("ordered", (string?)(await app.Api.Must(200, HttpMethod.Get, $"{Path}/{cart.Id()}", null))["status"]);
        var words = (await app.Api.Must(200, HttpMethod.Get, $"/api/v1/orders/{cart.Id()}/timeline", null))["events"]!.AsArray()
            .Select(e => (string)e!["what"]!).ToList();
        Assert.StartsWith("Held 3 units for a cart until", words[0], StringComparison.Ordinal);
        Assert.Equal("Ordered with 2 units that the cart held; 1 unit is free again", words[1]);
        foreach (var (body, code) in ((JsonObject, string)[])[(Order(cart.Id()), "reservation_over"), (Order("ord-nope"), "unknown_reservation"),
            (Order($"stk-LON/{sku}"), "unknown_reservation")])
            Assert.Equal(code, (await app.Api.Post("/api/v1/orders", body, Api.NewKey())).Code);

        JsonObject Order(string reservation)
        {
            var order = Api.Order((sku, 1));
            order["reservation"] = reservation;
            return order;
        }
    }

    [Fact]
    public async Task The_same_key_holds_stock_and_places_an_order()
    {
        var sku = await app.NewProduct(3);
        var key = Api.NewKey();
        var cart = await Held(sku, 1, key: key);
        var order = await app.Api.Place(Api.Order((sku, 1)), key);
        Assert.NotEqual(cart.Id(), order.Id());
    }

    [Fact]
    public async Task Only_who_may_place_orders_holds_stock()
    {
        var sku = await app.NewProduct(3);
        var reader = await app.NewCaller(["orders:read"]);
        Assert.Equal(403, (await reader.Post(Path, Cart(sku, 1), Api.NewKey())).Status);
        var elsewhere = await app.NewCaller(["orders:read", "orders:write"], [await app.NewWarehouse()]);
        var cart = await Held(sku, 1);
        Assert.Equal(404, (await elsewhere.Get($"{Path}/{cart.Id()}")).Status);
        Assert.Equal(404, (await elsewhere.Post($"{Path}/{cart.Id()}/release", new JsonObject())).Status);
        var taken = Api.Order((sku, 1));
        taken["reservation"] = cart.Id();
        Assert.Equal("unknown_reservation", (await elsewhere.Post("/api/v1/orders", taken, Api.NewKey())).Code);
        Assert.Equal((3, 1), await Counts(sku));
        // Who may see its warehouse sees it also when it is over.
        var here = await app.NewCaller(["orders:read", "orders:write"], ["LON"]);
        foreach (var _ in (int[])[1, 2])
            Assert.Equal("released", (string?)(await here.Send(HttpMethod.Post, $"{Path}/{cart.Id()}/release", null)).Json["status"]);
    }

    [Theory]
    [InlineData("""{}""", 400, "invalid_request", "lines")]
    [InlineData("""{"lines":[]}""", 400, "invalid_request", "lines")]
    [InlineData("""{"lines":[null]}""", 400, "invalid_request", "lines[0].sku")]
    [InlineData("""{"lines":[{"sku":"SKU","quantity":0}]}""", 400, "invalid_request", "lines[0].quantity")]
    [InlineData("""{"lines":[{"sku":"SKU","quantity":1000001}]}""", 400, "invalid_request", "lines[0].quantity")]
    [InlineData("""{"lines":[{"sku":"SKU","quantity":1,"price":1}]}""", 400, "invalid_request", "lines[0].price")]
    [InlineData("""{"lines":[{"sku":"SKU","quantity":1}],"expiresInSeconds":0}""", 400, "invalid_request", "expiresInSeconds")]
    [InlineData("""{"lines":[{"sku":"SKU","quantity":1}],"expiresInSeconds":86401}""", 400, "invalid_request", "expiresInSeconds")]
    [InlineData("""{"lines":[{"sku":"SKU","quantity":1}],"allOrNothing":"yes"}""", 400, "invalid_request", "allOrNothing")]
    [InlineData("""{"lines":[{"sku":"SKU","quantity":1}],"country":"XX"}""", 422, "unknown_country", null)]
    [InlineData("""{"lines":[{"sku":"NOPE","quantity":1}]}""", 422, "unknown_sku", null)]
    public async Task Bad_requests_hold_nothing(string body, int status, string code, string? member)
    {
        var sku = await app.NewProduct(3);
        var answer = await app.Api.Send(HttpMethod.Post, Path, body.Replace("SKU", sku, StringComparison.Ordinal), Api.NewKey());
        Assert.True((status, code) == (answer.Status, answer.Code), answer.ToString());
        if (member is not null) Assert.True(answer.Json["errors"]?[member] is not null, answer.ToString());
        Assert.Equal((3, 0), await Counts(sku));
    }

    [Fact]
    public async Task What_is_not_there_cannot_be_changed()
    {
        var order = await app.Api.Place(Api.Order((await app.NewProduct(1), 1)));
        foreach (var id in (string[])["nope", "ord-00000000000000000000000000", order.Id()])
        {
            Assert.Equal(404, (await app.Api.Get($"{Path}/{id}")).Status);
            Assert.Equal(404, (await app.Api.Post($"{Path}/{id}/extend", new JsonObject())).Status);
            Assert.Equal(404, (await app.Api.Send(HttpMethod.Post, $"{Path}/{id}/release", null)).Status);
        }
        var cart = await Held(await app.NewProduct(1), 1);
        Assert.Equal(400, (await app.Api.Post($"{Path}/{cart.Id()}/extend", JsonNode.Parse("""{"expiresInSeconds":-1}""")!)).Status);
    }
}
