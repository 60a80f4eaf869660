using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>The warehouse's screens, worked with scans only.</summary>
[Collection(ScreensCollection.Name)]
public sealed class StationScreenTests(OmsApp app, Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task A_whole_order_goes_from_shelf_to_carrier_by_scanning()
    {
        browser.SkipIfMissing();
        var (one, two) = (await app.Product("SCAN-1", "Tea tin", 150, "4006381333931", 9), await app.Product("SCAN-2", "Teapot", 980, "4006381333948", 9));
        var order = await app.Api.Place(Api.Order((one, 3), (two, 1)));
        var shipment = await app.ShipmentOf(order);
        await app.CountEvents();
        await using var tab = await browser.Open(app, "/warehouse/LON", 360);
        await tab.AtStation();
        await tab.Scan(shipment.ToUpperInvariant());
        await tab.Says("h1", $"Order {order["number"]}");
        await tab.AtStation();

        await tab.Scan("4006381333931");
        await tab.Says(".said", "SCAN-1: 1 of 3");
        await tab.Scan("SCAN-1");
        await tab.Scan("SCAN-1");
        await tab.Says(".said", "SCAN-1: 3 picked. Go on with SCAN-2.");
        await tab.Scan("4006381333948");
        await tab.Says(".said", "Everything is picked. Now pack it.");
        await tab.Scan("BOX");
        await tab.Scan("SCAN-2");
        await tab.Says(".said", "SCAN-2 is in box 2.");
        await tab.Scan("1.2kg");
        await tab.Scan("PACK");
        await tab.Says(".said", "Packed. Now scan the carrier's label.");
        await tab.Page.GetByLabel("Carrier").FillAsync("DHL");
        await tab.Page.GetByLabel("Service").FillAsync("Express");
        await tab.Page.FocusAsync("#scan");
        await tab.Scan("JD014600006281230001");
        await tab.Says(".said", "Tracking number JD014600006281230001.");
        await tab.Scan("SHIP");
        await tab.Says(".said", "has left with DHL");

        var stored = await app.Shipment(order, shipment);
        Assert.Equal("shipped", stored["status"]!.GetValue<string>());
        Assert.Equal("JD014600006281230001", stored["trackingNumber"]!.GetValue<string>());
        Assert.Equal(2, stored["packages"]!.AsArray().Count);
        tab.AssertStayedOnItsHost();
    }

    [Fact]
    public async Task A_wrong_scan_changes_nothing_and_says_why()
    {
        browser.SkipIfMissing();
        var (wanted, other) = (await app.NewProduct(5), await app.NewProduct(5));
        var order = await app.Api.Place(Api.Order((wanted, 2)));
        var shipment = await app.ShipmentOf(order);
        var before = (await app.Shipment(order, shipment)).ToJsonString();
        await using var tab = await browser.Open(app, $"/warehouse/LON/{shipment}", 360);
        await tab.AtStation();

        await tab.Scan(other);
        await tab.Says(".said .wrong", $"{other} is not part of this shipment.");
        await tab.Scan("no-such-thing");
        await tab.Says(".said .wrong", "no-such-thing is no product that is known here.");
        await tab.Scan(wanted.ToLowerInvariant());
        await tab.Says(".said .wrong", "capitals matter");
        await tab.Scan("PACK");
        await tab.Says(".said .wrong", "PACK is no product");
        await tab.Says(".tally", "0 of 2");
        await app.CountEvents();
        Assert.Equal(before, (await app.Shipment(order, shipment)).ToJsonString());

        await tab.Scan(wanted);
        await tab.Scan(wanted);
        await tab.Says(".said", "Now pack it");
        tab.AssertStayedOnItsHost();
    }

    [Fact]
    public async Task What_is_no_tracking_number_is_not_taken_for_one()
    {
        browser.SkipIfMissing();
        var wanted = await app.Product("NO-TRACK-1", "Tea caddy", 310, "5010002000017", 5);
        var other = await app.Product("NO-TRACK-2", "Tea strainer", 40, "5010002000024", 5);
        var order = await app.Api.Place(Api.Order((wanted, 1)));
        var shipment = await app.ShipmentOf(order);
        await using var tab = await browser.Open(app, $"/warehouse/LON/{shipment}", 360);
        await tab.AtStation();
        await tab.Scan(wanted);
        await tab.Says(".said", "Now pack it");
        await tab.Scan("PACK");
        await tab.Says(".said", "Now scan the carrier's label.");
        await tab.Page.GetByLabel("Carrier").FillAsync("DHL");
        await tab.Page.GetByLabel("Service").FillAsync("Parcel");
        await tab.Page.FocusAsync("#scan");

        await Refuses("5010002000017", $"5010002000017 is the product {wanted}.");
        await Refuses(wanted, $"{wanted} is a product.");
        await Refuses(wanted.ToLowerInvariant(), $"no-track-1 is the product {wanted}.");
        await Refuses("5010002000024", $"5010002000024 is the product {other}.");
        await Refuses(shipment.ToUpperInvariant(), "This is the shipment itself.");
        await Refuses(order["number"]!.GetValue<string>(), "This is the shipment itself.");
        await Refuses("PACK", "PACK is no tracking number.");
        var field = tab.Page.GetByLabel("Tracking number", new() { Exact = true });
        await Assertions.Expect(field).ToHaveValueAsync("");
        // Scanned straight into the field, it goes through the form.
        await field.FillAsync("5010002000024");
        await field.PressAsync("Enter");
        await tab.Says(".said .wrong", $"5010002000024 is the product {other}.");
        await field.FillAsync("");
        await tab.Page.FocusAsync("#scan");
        await tab.Scan("SHIP");
        await tab.Says(".said", "has left with DHL");
        Assert.Null((await app.Shipment(order, shipment))["trackingNumber"]);
        tab.AssertStayedOnItsHost();

        async Task Refuses(string code, string why)
        {
            await tab.Scan(code);
            await tab.Says(".said .wrong", $"{why} Scan the tracking number on the carrier's label.");
            await Assertions.Expect(tab.Page.Locator("#scan[data-said*=' wrong ']")).ToHaveCountAsync(1);
        }
    }

    [Fact]
    public async Task A_carrier_has_no_longer_a_name_here_than_over_the_API()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(5);
        var shipment = await app.ShipmentOf(await app.Api.Place(Api.Order((sku, 1))));
        JsonArray Lines() => new(new JsonObject { ["sku"] = sku, ["quantity"] = 1 });
        await app.Api.Must(200, HttpMethod.Post, $"/api/v1/shipments/{shipment}/pick", new JsonObject { ["lines"] = Lines() });
        await app.Api.Must(200, HttpMethod.Post, $"/api/v1/shipments/{shipment}/pack", new JsonObject
        {
            ["packages"] = new JsonArray(new JsonObject { ["weightGrams"] = 500, ["lines"] = Lines() }),
        });
        await using var tab = await browser.Open(app, $"/warehouse/LON/{shipment}", 360);
        await tab.AtStation();
        foreach (var (field, member, most) in new[] { ("Carrier", "carrier", 50), ("Service", "service", 50), ("Tracking number", "trackingNumber", 100) })
        {
            var label = new JsonObject { ["carrier"] = "DHL", ["service"] = "Parcel", [member] = new string('x', most + 1) };
            Assert.Equal(400, (await app.Api.Post($"/api/v1/shipments/{shipment}/ship", label)).Status);
            await Assertions.Expect(tab.Page.GetByLabel(field, new() { Exact = true })).ToHaveAttributeAsync("maxlength", $"{most}");
        }
    }

    [Fact]
    public async Task A_hold_that_comes_while_the_station_is_open_is_said_there()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(5);
        var order = await app.Api.Place(Api.Order((sku, 1)));
        await using var tab = await browser.Open(app, $"/warehouse/LON/{await app.ShipmentOf(order)}", 360);
        await tab.TakesScans();
        var grain = app.Services.GetRequiredService<IGrainFactory>().GetGrain<IOrderGrain>(order.Id());
        await grain.Execute(new PlaceHold("address check", "street is missing", HoldStops.Release), new Caller(Api.NewKey(), "ann"));
        await tab.Says(".station > p.message", "The order is on hold: address check (street is missing). Ask before you send it.");
        await grain.Execute(new LiftHold("address check"), new Caller(Api.NewKey(), "ann"));
        await Assertions.Expect(tab.Page.Locator(".station")).Not.ToContainTextAsync("on hold", new() { Timeout = 60_000 });
        tab.AssertStayedOnItsHost();
    }

    [Fact]
    public async Task A_payment_that_fails_after_its_shipment_was_released_is_said_at_the_station()
    {
        browser.SkipIfMissing();
        var request = Api.Order((await app.NewProduct(5), 1));
        request["payment"] = new JsonObject { ["method"] = "prepaid", ["status"] = "authorized", ["reference"] = "pi_fails" };
        var order = await app.Api.Place(request);
        var path = $"/warehouse/LON/{await app.ShipmentOf(order)}";
        await using var tab = await browser.Open(app, path, 360);
        await tab.TakesScans();
        await app.Api.Must(200, HttpMethod.Post, $"/api/v1/orders/{order.Id()}/payments",
            new JsonObject { ["status"] = "failed", ["amount"] = 7.01m, ["reference"] = "pi_fails" });
        await tab.Says(".station > p.message", "The order is not paid any more. Ask before you send it.");
        // Also in the server's first answer.
        await using var paper = await browser.Open(app.Url + path, cookie: await app.Cookie(), hasScripts: false);
        await paper.Says(".station > p.message", "The order is not paid any more.");
        await paper.Says(".picklist", "0 of 1");
        tab.AssertStayedOnItsHost();
    }

    [Fact]
    public async Task A_shipment_of_another_warehouse_is_not_opened_here()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct();
        await app.Receive("MAN", sku, 3);
        var order = await app.Api.Place(Api.Order((sku, 1)));
        var shipment = await app.ShipmentOf(order);
        await using var tab = await browser.Open(app, "/warehouse/LON", 360);
        await tab.AtStation();
        await tab.Scan(shipment);
        await tab.Says(".said .wrong", $"The shipment of order {order["number"]} is in MAN, not here.");
    }

    [Fact]
    public async Task A_warehouse_is_headed_by_its_code_and_its_name_with_room_between()
    {
        browser.SkipIfMissing();
        var code = await app.NewWarehouse();
        await app.Api.Must(200, HttpMethod.Put, $"/api/v1/warehouses/{code}", JsonNode.Parse("""
            {"name":"Birmingham","active":true,
             "address":{"name":"Birmingham","line1":"1 Canal Street","city":"Birmingham","postalCode":"B1 1AA","country":"GB"}}
            """)!);
        await using var tab = await browser.Open(app, $"/warehouse/{code}", 360);
        await tab.Says("h1", $"{code} Birmingham");
    }

    [Fact]
    public async Task The_next_shipment_is_scanned_right_after_the_one_before()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(5);
        var (first, second) = (await app.Api.Place(Api.Order((sku, 2))), await app.Api.Place(Api.Order((sku, 1))));
        var (one, two) = (await app.ShipmentOf(first), await app.ShipmentOf(second));
        await using var tab = await browser.Open(app, $"/warehouse/LON/{one}", 360);
        await tab.AtStation();
        await tab.Scan(sku);
        await tab.Says(".tally", "1 of 2");
        await tab.Scan(two);
        await tab.Says("h1", $"Order {second["number"]}");
        await tab.AtStation();
        await tab.Scan(sku);
        await tab.Says(".said", "Now pack it");
        await tab.Scan(one);
        await tab.Says("h1", $"Order {first["number"]}");
        await tab.AtStation();
        await tab.Says(".tally", "1 of 2");
        await tab.Scan(sku);
        await tab.Says(".said", "Now pack it");
        tab.AssertStayedOnItsHost();
    }

    [Fact]
    public async Task Missing_units_are_reported_only_after_a_yes()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(5);
        var order = await app.Api.Place(Api.Order((sku, 3)));
        var shipment = await app.ShipmentOf(order);
        await using var tab = await browser.Open(app, $"/warehouse/LON/{shipment}", 360);
        await tab.AtStation();
        await tab.Scan(sku);
        await tab.Scan("SHORT");
        await tab.Says("[role=alertdialog]", $"2 of 3 of {sku} are not on the shelf? The stock of LON is corrected by 2");
        await tab.Scan(sku);
        await tab.Says(".said .wrong", "Answer YES or NO first.");
        await tab.Scan("NO");
        await tab.Says(".said", "Nothing was changed.");
        await tab.Scan("SHORT");
        await tab.Scan("YES");
        await tab.Says(".said", "Now pack it");
        Assert.Equal(1, (await app.Shipment(order, shipment))["lines"]![0]!["quantity"]!.GetValue<int>());
    }

    [Fact]
    public async Task Counted_units_survive_a_reload()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(5);
        var shipment = await app.ShipmentOf(await app.Api.Place(Api.Order((sku, 3))));
        await using var tab = await browser.Open(app, $"/warehouse/LON/{shipment}", 360);
        await tab.AtStation();
        await tab.Scan(sku);
        await tab.Scan(sku);
        await tab.Says(".tally", "2 of 3");
        await tab.Page.ReloadAsync();
        await tab.AtStation();
        await tab.Says(".tally", "2 of 3");
    }

    [Fact]
    public async Task The_board_shows_its_work_before_it_is_alive()
    {
        var sku = await app.NewProduct();
        await app.Receive("MAN", sku, 5);
        var order = await app.Api.Place(Api.Order((sku, 2)));
        var shipment = await app.ShipmentOf(order);
        await app.CountEvents();
        using var visitor = new HttpClient();
        visitor.DefaultRequestHeaders.Add("Cookie", await app.Cookie());
        var page = await visitor.GetStringAsync($"{app.Url}/warehouse/MAN");
        Assert.Contains($"href=\"/warehouse/MAN/{shipment}\"", page, StringComparison.Ordinal);
        Assert.Contains("2 units of 1 product to GB", page, StringComparison.Ordinal);
        Assert.DoesNotContain("skeleton", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_board_moves_by_itself()
    {
        browser.SkipIfMissing();
        // Not in LON: other tests leave so much work there that a new shipment is beyond the cards that are shown.
        var sku = await app.NewProduct();
        await app.Receive("MAN", sku, 5);
        await using var tab = await browser.Open(app, "/warehouse/MAN");
        await tab.AtStation();
        var order = await app.Api.Place(Api.Order((sku, 1)));
        var number = order["number"]!.GetValue<string>();
        await Assertions.Expect(tab.Page.Locator("#to-pick")).ToContainTextAsync(number, new() { Timeout = 60_000 });
        await app.Ship(order);
        await Assertions.Expect(tab.Page.Locator("#shipped")).ToContainTextAsync(number, new() { Timeout = 60_000 });
        await Assertions.Expect(tab.Page.Locator("#to-pick")).Not.ToContainTextAsync(number);
        tab.AssertStayedOnItsHost();
    }
}
