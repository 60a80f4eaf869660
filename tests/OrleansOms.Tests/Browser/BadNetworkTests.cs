using System.Globalization;
using Microsoft.Playwright;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>A scanner in a hall with a bad network: every scan counts exactly once, in order, whatever is lost on the way.</summary>
[Collection(ScreensCollection.Name)]
public sealed class BadNetworkTests(OmsApp app, Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task Scans_made_while_the_network_is_away_are_kept_and_sent()
    {
        browser.SkipIfMissing();
        var isAway = false;
        await using var relay = new Relay(() => isAway ? 1 : app.Port());
        var (sku, shipment, _) = await NewShipment(app, 3);
        await using var tab = await Open(app, relay, shipment);
        await tab.Scan(sku);
        await tab.Says(".said", $"{sku}: 1 of 3");
        await AllAreSent(tab);
        isAway = true;
        relay.Cut();
        await tab.Says(".connection", "Reconnecting… what you see is from");
        await tab.Scan(sku);
        await tab.Scan(sku);
        await tab.Says(".connection", "Go on scanning: 2 scans will be sent.");
        await tab.Picture("station-offline-360-light");
        isAway = false;
        await tab.Says(".said", "Now pack it");
        await Assertions.Expect(tab.Page.Locator(".connection")).ToBeEmptyAsync(new() { Timeout = 60_000 });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_scan_whose_answer_was_lost_with_the_wire_counts_once(bool isLast)
    {
        browser.SkipIfMissing();
        await using var relay = new Relay(app.Port);
        var (sku, shipment, order) = await NewShipment(app, isLast ? 2 : 3);
        await using var tab = await Open(app, relay, shipment);
        await tab.Scan(sku);
        await tab.Says(".tally", "1 of");
        await AllAreSent(tab);
        var said = relay.BytesToServer;
        relay.IsMute = true;
        await tab.Scan(sku);
        await LiveApp.Until(() => relay.BytesToServer > said);
        if (isLast) await OmsApp.Until(() => app.Read(order), o => o["shipments"]![0]!["status"]!.GetValue<string>() == "picking");
        relay.Cut();
        relay.IsMute = false;
        if (!isLast)
        {
            await tab.Says(".tally", "2 of 3");
            await tab.Scan(sku);
        }
        await tab.Says(".task", "Pack all of it into one box");
        await AllAreSent(tab);
        Assert.Equal(0, await tab.Page.Locator(".said .wrong").CountAsync());
    }

    [Fact]
    public async Task Wires_cut_in_the_middle_of_sending_lose_and_repeat_nothing()
    {
        browser.SkipIfMissing();
        var isAway = false;
        await using var relay = new Relay(() => isAway ? 1 : app.Port());
        var (sku, shipment, _) = await NewShipment(app, 21);
        await using var tab = await Open(app, relay, shipment);
        isAway = true;
        relay.Cut();
        await tab.Says(".connection", "Reconnecting");
        for (var i = 0; i < 20; i++) await tab.Scan(sku);
        await tab.Says(".connection", "20 scans will be sent");
        isAway = false;
        for (var cut = 1; cut <= 3; cut++)
        {
            await OmsApp.Until(() => Tally(tab), n => n >= cut * 3);
            relay.Cut();
        }
        await tab.Says(".tally", "20 of 21");
        await AllAreSent(tab);
        await tab.Says(".tally", "20 of 21");
        await tab.Scan(sku);
        await tab.Says(".said", "Now pack it");
    }

    [Fact]
    public async Task Scans_that_lead_to_the_next_shipment_are_kept_in_their_order()
    {
        browser.SkipIfMissing();
        var isAway = false;
        await using var relay = new Relay(() => isAway ? 1 : app.Port());
        var ((one, first, before), (two, second, order)) = (await NewShipment(app, 1), await NewShipment(app, 3));
        await using var tab = await Open(app, relay, first);
        isAway = true;
        relay.Cut();
        await tab.Says(".connection", "Reconnecting");
        foreach (var code in new[] { one, second, two, two }) await tab.Scan(code);
        await tab.Says(".connection", "4 scans will be sent");
        isAway = false;
        await tab.Says("h1", $"Order {order["number"]}");
        await tab.Says(".tally", "2 of 3");
        await AllAreSent(tab);
        await tab.Says(".tally", "2 of 3");
        Assert.Equal("picking", (await app.Shipment(before, first))["status"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_host_that_restarts_takes_up_the_scans_where_they_were()
    {
        browser.SkipIfMissing();
        await using var own = await OmsApp.Start();
        var isAway = false;
        await using var relay = new Relay(() => isAway ? 1 : own.Port());
        var (sku, shipment, order) = await NewShipment(own, 4);
        await using var tab = await Open(own, relay, shipment);
        await tab.Scan(sku);
        await tab.Says(".tally", "1 of 4");
        await AllAreSent(tab);
        isAway = true;
        relay.Cut();
        await tab.Says(".connection", "Reconnecting");
        await tab.Scan(sku);
        await tab.Scan(sku);
        await own.Restart();
        isAway = false;
        await tab.Says(".tally", "3 of 4");
        await AllAreSent(tab);
        await tab.Says(".tally", "3 of 4");

        // The last one is stored, but nobody is told so: neither this page nor, after a restart, the host itself.
        relay.IsMute = true;
        await tab.Scan(sku);
        await OmsApp.Until(() => own.Read(order), o => o["shipments"]![0]!["status"]!.GetValue<string>() == "picking");
        isAway = true;
        relay.Cut();
        relay.IsMute = false;
        await own.Restart();
        isAway = false;
        await tab.Says(".task", "Pack all of it into one box");
        await AllAreSent(tab);
        Assert.Equal(0, await tab.Page.Locator(".said .wrong").CountAsync());
    }

    static async Task<(string Sku, string Shipment, System.Text.Json.Nodes.JsonNode Order)> NewShipment(OmsApp app, int units)
    {
        var sku = await app.NewProduct(units);
        var order = await app.Api.Place(Api.Order((sku, units)));
        return (sku, await app.ShipmentOf(order), order);
    }

    async Task<Tab> Open(OmsApp host, Relay relay, string shipment)
    {
        var tab = await browser.Open(host, $"/warehouse/LON/{shipment}", 360, host: relay.Url, mayFail: true);
        await tab.Alive();
        await tab.AtStation();
        return tab;
    }

    /// <summary>Waits until the browser keeps no scan any more: each one was answered.</summary>
    static Task AllAreSent(Tab tab) => tab.Page.WaitForFunctionAsync(
        "() => !Object.keys(sessionStorage).some(k => k.startsWith('oms.scans'))", null, new() { Timeout = 60_000 });

    static async Task<int> Tally(Tab tab) => int.Parse(
        await tab.Page.Locator(".tally .sofar").InnerTextAsync(), CultureInfo.InvariantCulture);
}
