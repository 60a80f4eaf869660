using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>The rows of the surface about master data and stock.</summary>
[Collection(ApiCollection.Name)]
public sealed class StockApiTests(OmsApp app)
{
    [Fact]
    public async Task A_warehouse_is_created_with_201_and_changed_with_200()
    {
        const string body = """
            {"name":"Leeds","address":{"line1":"1 Mill Lane","city":"Leeds","postalCode":"LS1 1AA","country":"GB"},
             "latitude":53.8,"longitude":-1.55,"active":true}
            """;
        var made = await app.Api.Send(HttpMethod.Put, "/api/v1/warehouses/LEEDS-1", body);
        Assert.Equal((201, 1), (made.Status, made.Json["version"]!.GetValue<int>()));
        Assert.Equal((53.8, true, "Leeds"), (made.Json["latitude"]!.GetValue<double>(), made.Json["active"]!.GetValue<bool>(),
            made.Json["address"]!["city"]!.GetValue<string>()));
        var same = await app.Api.Send(HttpMethod.Put, "/api/v1/warehouses/LEEDS-1", body);
        Assert.Equal((200, 1), (same.Status, same.Json["version"]!.GetValue<int>()));
        var closed = await app.Api.Send(HttpMethod.Put, "/api/v1/warehouses/LEEDS-1", body.Replace("true", "false"));
        Assert.Equal((200, 2), (closed.Status, closed.Json["version"]!.GetValue<int>()));
    }

    [Fact]
    public async Task A_product_is_created_with_201_and_changed_with_200()
    {
        var sku = $"P-{Guid.NewGuid():N}"[..16];
        var made = await app.Api.Send(HttpMethod.Put, $"/api/v1/products/{sku}", """{"name":"Holder","weightGrams":350,"barcode":"501"}""");
        Assert.Equal($$"""{"sku":"{{sku}}","version":1,"name":"Holder","weightGrams":350,"barcode":"501"}""", made.Text);
        Assert.Equal((201, $"/api/v1/products/{sku}"), (made.Status, made.Http.Headers.Location!.OriginalString));
        var changed = await app.Api.Send(HttpMethod.Put, $"/api/v1/products/{sku}", """{"name":"Light holder"}""");
        Assert.Equal((200, $$"""{"sku":"{{sku}}","version":2,"name":"Light holder"}"""), (changed.Status, changed.Text));
    }

    [Fact]
    public async Task Every_SKU_is_itself_whatever_it_looks_like_in_a_path()
    {
        string[] skus = ["x/y", "x%2Fy", "x%252Fy", "a1", "A1", "0a1", "BANK CHARGES", "50%", "ä/é?#&+", "..x", "a\\b", "\"q\""];
        for (var i = 0; i < skus.Length; i++)
        {
            var path = $"/api/v1/products/{Uri.EscapeDataString(skus[i])}";
            Assert.Equal(skus[i], (await app.Api.Must(201, HttpMethod.Put, path, new JsonObject { ["name"] = $"n{i}" }))["sku"]!.GetValue<string>());
            await app.Receive("LON", skus[i], i + 1);
        }
        for (var i = 0; i < skus.Length; i++)
        {
            var path = $"/api/v1/stock/LON/{Uri.EscapeDataString(skus[i])}";
            var stock = await app.Api.Must(200, HttpMethod.Get, path, null);
            Assert.Equal((skus[i], i + 1), (stock["sku"]!.GetValue<string>(), stock["onHand"]!.GetValue<int>()));
            var ledger = await app.Api.Must(200, HttpMethod.Get, $"{path}/ledger", null);
            Assert.Equal(skus[i], ledger["sku"]!.GetValue<string>());
            Assert.Single(ledger["entries"]!.AsArray());
        }
        var order = await app.Api.Place(Api.Order([.. skus.Select(s => (s, 1))]));
        Assert.Equal(skus, order["lines"]!.AsArray().Select(l => l!["sku"]!.GetValue<string>()));
        Assert.Equal("allocated", order["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_stock_that_never_held_anything_is_zero_and_an_unknown_one_is_404()
    {
        var sku = await app.NewProduct();
        Assert.Equal(
            $$"""{"warehouse":"MAN","sku":"{{sku}}","onHand":0,"reserved":0,"safetyStock":0,"available":0,"version":0,"damaged":0,"quarantine":0}""",
            (await app.Api.Get($"/api/v1/stock/MAN/{sku}")).Text);
        foreach (var path in new[] { $"/api/v1/stock/NOPE/{sku}", "/api/v1/stock/LON/nope", $"/api/v1/stock/lon/{sku}", "/api/v1/stock/LON/nope/ledger" })
        {
            var answer = await app.Api.Get(path);
            Assert.Equal((404, "not_found"), (answer.Status, answer.Code));
        }
    }

    [Fact]
    public async Task The_ledger_tells_every_change_with_its_cause_newest_first()
    {
        var sku = await app.NewProduct(10);
        var order = (await app.Api.Place(Api.Order((sku, 4))))["id"]!.GetValue<string>();
        await app.Api.Must(201, HttpMethod.Post, "/api/v1/stock/adjustments", JsonNode.Parse(
            $$"""{"warehouse":"LON","reason":"counted","lines":[{"sku":"{{sku}}","delta":-3}]}"""), Api.NewKey());
        await app.Api.Must(200, HttpMethod.Post, $"/api/v1/orders/{order}/cancel", JsonNode.Parse("""{"reason":"no"}"""));
        await OmsApp.Until(() => app.Api.Must(200, HttpMethod.Get, $"/api/v1/stock/LON/{sku}", null), s => s["reserved"]!.GetValue<int>() == 0);

        var entries = new List<JsonNode>();
        string? cursor = null;
        do
        {
            var page = await app.Api.Must(
                200, HttpMethod.Get, $"/api/v1/stock/LON/{sku}/ledger?limit=3{(cursor is null ? "" : $"&cursor={cursor}")}", null);
            entries.AddRange(page["entries"]!.AsArray()!);
            cursor = page["nextCursor"]?.GetValue<string>();
        }
        while (cursor is not null);
        Assert.Equal(
            [("reservationReleased", 0, -4), ("adjusted", -3, 0), ("reserved", 0, 4), ("received", 10, 0)],
            entries.Select(e => (e["type"]!.GetValue<string>(), e["delta"]!.GetValue<int>(), e["reservedDelta"]!.GetValue<int>())));
        Assert.Equal([4, 3, 2, 1], entries.Select(e => e["version"]!.GetValue<int>()));
        Assert.Equal(
            [(7, 0), (7, 4), (10, 4), (10, 0)], entries.Select(e => (e["onHand"]!.GetValue<int>(), e["reserved"]!.GetValue<int>())));
        Assert.Equal((order, "counted", "test"), (entries[2]["orderId"]!.GetValue<string>(), entries[1]["reason"]!.GetValue<string>(),
            entries[3]["reference"]!.GetValue<string>()));
        Assert.Equal("bad_cursor", (await app.Api.Get($"/api/v1/stock/LON/{sku}/ledger?cursor=x")).Code);
    }

    [Fact]
    public async Task Units_that_are_not_sellable_are_told_beside_those_that_are_and_why_they_changed_entry_by_entry()
    {
        var sku = await app.NewProduct(10);
        await app.Api.Place(Api.Order((sku, 4)));
        await Post("receipts", $$"""{"warehouse":"LON","reference":"PO-7","lines":[{"sku":"{{sku}}","quantity":5,"condition":"damaged"}]}""");
        var (key, body) = (Api.NewKey(), $$"""
            {"warehouse":"LON","reason":"box was wet","lines":[{"sku":"{{sku}}","quantity":6,"from":"sellable","to":"quarantine"}]}
            """);
        var moved = await app.Api.Must(201, HttpMethod.Post, "/api/v1/stock/condition-changes", JsonNode.Parse(body), key);
        Assert.Equal("conditionChange", (string)moved["kind"]!);
        Assert.Equal(("sellable", "quarantine"), ((string)moved["lines"]![0]!["condition"]!, (string)moved["lines"]![0]!["to"]!));
        // Sent again it is the same one; what is promised does not become something else.
        Assert.Equal(moved["id"]!.ToJsonString(), (await app.Api.Must(
            201, HttpMethod.Post, "/api/v1/stock/condition-changes", JsonNode.Parse(body), key))["id"]!.ToJsonString());
        var refused = await app.Api.Post("/api/v1/stock/condition-changes", JsonNode.Parse(body.Replace(":6,", ":1,", StringComparison.Ordinal))!, Api.NewKey());
        Assert.Equal((409, "insufficient_stock"), (refused.Status, refused.Code));
        await Post("adjustments", $$"""{"warehouse":"LON","reason":"scrapped","lines":[{"sku":"{{sku}}","delta":-2,"condition":"damaged"}]}""");
        await Post("condition-changes", $$"""
            {"warehouse":"LON","reason":"sound","lines":[{"sku":"{{sku}}","quantity":1,"from":"quarantine","to":"sellable"}]}
            """);

        var stock = await app.Api.Must(200, HttpMethod.Get, $"/api/v1/stock/LON/{sku}", null);
        Assert.Equal([5, 4, 1, 3, 5], ((string[])["onHand", "reserved", "available", "damaged", "quarantine"]).Select(n => (int)stock[n]!));
        var entries = (await app.Api.Must(200, HttpMethod.Get, $"/api/v1/stock/LON/{sku}/ledger", null))["entries"]!.AsArray();
        Assert.Equal(
            [
                ("quarantine", "sellable", "sound", 1, 0, -1), ("damaged", null, "scrapped", 0, -2, 0),
                ("sellable", "quarantine", "box was wet", -6, 0, 6), (null, "damaged", "PO-7", 0, 5, 0),
            ],
            entries.Take(4).Select(e => ((string?)e!["from"], (string?)e["to"], (string?)e["reason"], (int)e["delta"]!,
                (int)e["damagedDelta"]!, (int)e["quarantineDelta"]!)));
        Assert.All(entries.Take(4), e => Assert.Equal("conditionChanged", (string)e!["type"]!));

        Task<JsonNode> Post(string what, string json) =>
            app.Api.Must(201, HttpMethod.Post, $"/api/v1/stock/{what}", JsonNode.Parse(json), Api.NewKey());
    }

    [Fact]
    public async Task Availability_names_the_nearest_warehouse_first()
    {
        var (one, two) = (await app.NewProduct(7), await app.NewProduct());
        await app.Receive("MAN", one, 5);
        var answer = await OmsApp.Until(
            () => app.Api.Must(200, HttpMethod.Get, $"/api/v1/availability?sku={one}&sku={two}&country=GB&postalCode=LS1", null),
            a => a["items"]![0]!["available"]!.GetValue<int>() == 12);
        var held = answer["items"]![0]!["warehouses"]!.AsArray();
        Assert.Equal([("MAN", 5), ("LON", 7)], held.Where(w => w!["available"]!.GetValue<int>() > 0)
            .Select(w => (w!["warehouse"]!.GetValue<string>(), w["available"]!.GetValue<int>())));
        Assert.Equal(held.Select(w => w!["kilometres"]!.GetValue<double>()).Order(), held.Select(w => w!["kilometres"]!.GetValue<double>()));
        Assert.Equal((two, 0), (answer["items"]![1]!["sku"]!.GetValue<string>(), answer["items"]![1]!["available"]!.GetValue<int>()));

        Assert.Equal((422, "unknown_sku"), await Code("sku=nope"));
        Assert.Equal((422, "unknown_country"), await Code($"sku={one}&country=XX"));
        Assert.Equal((400, "invalid_request"), await Code(""));

        async Task<(int, string?)> Code(string query)
        {
            var a = await app.Api.Get($"/api/v1/availability?{query}");
            return (a.Status, a.Code);
        }
    }
}
