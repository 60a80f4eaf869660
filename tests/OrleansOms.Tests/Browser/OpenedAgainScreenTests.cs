using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>A packed shipment loses units: what the desk and the station are told.</summary>
[Collection(ScreensCollection.Name)]
public sealed class OpenedAgainScreenTests(OmsApp app, Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task A_station_that_is_about_to_ship_is_told_to_open_the_box_and_pack_again()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(3);
        var order = await app.Api.Place(Api.Order((sku, 3)));
        var shipment = await app.ShipmentOf(order);
        JsonArray Lines() => new(new JsonObject { ["sku"] = sku, ["quantity"] = 3 });
        await app.Api.Must(200, HttpMethod.Post, $"/api/v1/shipments/{shipment}/pick", new JsonObject { ["lines"] = Lines() });
        await app.Api.Must(200, HttpMethod.Post, $"/api/v1/shipments/{shipment}/pack", new JsonObject
        {
            ["packages"] = new JsonArray(new JsonObject { ["weightGrams"] = 800, ["lines"] = Lines() }),
        });
        await OmsApp.Until(() => app.Read(order), o => (string?)o["shipments"]![0]!["status"] == "packed");
        await using var station = await browser.Open(app, $"/warehouse/LON/{shipment}", 360);
        await station.AtStation();
        await station.Says("[aria-current=step]", "Ship");

        await using var desk = await browser.Open(app, $"/orders/{order.Id()}");
        await desk.Alive();
        await desk.Page.ClickAsync("button[data-action=Cancel]");
        await desk.Says(".panel .effect", $"takes 3 units of {sku} out of the shipment in LON and releases them there");
        await desk.Page.ClickAsync("text=some units");
        await desk.Page.FillAsync(".panel .units input", "1");
        await desk.Says(
            ".panel .effect", $"opens the packed shipment in LON, takes 1 unit of {sku} out and releases it there");
        await desk.Page.GetByLabel("Reason").FillAsync("one too many");
        await desk.Page.ClickAsync(".panel button[type=submit]");
        await desk.Says(".timeline", "opened to take units out, to be packed again");

        await station.Says(".said .wrong", "Units were cancelled. Open it");
        await station.Says("[aria-current=step]", "Pack");
        await station.Says(".box", $"2 × {sku}");
        await station.Scan("600g");
        await station.Scan("PACK");
        await station.Says(".said", "Packed. Now scan the carrier's label.");
        station.AssertStayedOnItsHost();
    }
}
