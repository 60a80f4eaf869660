using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Orders;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>The database is taken away for real while somebody looks at a screen.</summary>
public sealed class LostDatabaseTests(Browser browser, JavaScript js) : IClassFixture<Browser>, IClassFixture<JavaScript>
{
    const int OnFirstPage = Page<OrderSummary>.DefaultLimit;

    [Fact]
    public async Task The_list_of_orders_says_that_it_cannot_be_read_and_comes_back_by_itself()
    {
        browser.SkipIfMissing();
        await using var app = await OmsApp.Start();
        var order = await app.PlaceNew();
        var number = order["number"]!.GetValue<string>();
        await app.CountEvents();
        await using var open = await browser.Open(app, "/orders");
        await open.Says(".orders tbody tr", number);
        await open.Alive();

        var cookie = await app.Cookie();
        await app.Database.TakeAway();
        await using var tab = await browser.Open($"{app.Url}/orders", width: 1440, cookie: cookie);
        await tab.Says("main [role=alert]", "The orders could not be read");
        await tab.Says("main [role=alert]", "Nothing is lost");
        await tab.Alive();
        await tab.Page.ClickAsync("text=Try again");
        await tab.Says("main [role=alert]", "The orders could not be read");
        Assert.Equal(0, await tab.Page.Locator(".orders").CountAsync());

        // What is on the page already stays there, and its next step says what is wrong.
        await open.Says(".orders tbody tr", number);
        await open.Page.ClickAsync("text=Shipped");
        await open.Says("main [role=alert]", "The orders could not be read");

        await app.Database.GiveBack();
        await tab.Says(".orders tbody tr", number);
        await open.Says("main h2", "No order is like this");
        Assert.Equal(0, await tab.Page.Locator("main [role=alert]").CountAsync());
        tab.AssertStayedOnItsHost();
    }

    [Fact]
    public async Task What_a_later_page_missed_is_read_anew_before_the_list_calls_itself_current()
    {
        browser.SkipIfMissing();
        await using var app = await OmsApp.Start();
        var order = await app.PlaceNew();
        var sku = await app.NewProduct(OnFirstPage);
        for (var i = 0; i < OnFirstPage; i++) await app.Api.Place(Api.Order((sku, 1)));
        await app.Released(order);
        await app.CountEvents();
        await using var tab = await browser.Open(app, "/orders", mayFail: true);
        await tab.Alive();
        // The next page is served, and its circuit begins only when the database is away.
        var mayBegin = new TaskCompletionSource();
        await tab.Page.RouteAsync("**/_blazor/negotiate*", async route =>
        {
            await mayBegin.Task;
            await route.ContinueAsync();
        });
        await tab.Page.GotoAsync(app.Url + await tab.Page.GetAttributeAsync(".pager a:has-text('Next')", "href"));
        await tab.Says(".orders tbody .c-status", "In fulfilment");
        await app.Ship(order);
        await app.CountEvents();
        await app.Database.TakeAway();
        mayBegin.SetResult();
        await tab.Says("main .message", "The database has not answered since");

        await app.Database.GiveBack();
        await Assertions.Expect(tab.Page.Locator("main .message")).ToHaveCountAsync(0, new() { Timeout = 60_000 });
        Assert.Equal("Shipped", (await tab.Page.Locator(".orders tbody .c-status").InnerTextAsync()).Trim());
    }

    [Fact]
    public async Task The_list_the_board_the_station_and_the_order_say_since_when_they_are_old_and_catch_up()
    {
        browser.SkipIfMissing();
        await using var app = await OmsApp.Start();
        var order = await app.PlaceNew();
        var shipment = await app.ShipmentOf(order);
        await app.CountEvents();
        await using var board = await browser.Open(app, "/warehouse/LON");
        await using var station = await browser.Open(app, $"/warehouse/LON/{shipment}", 360);
        await using var page = await browser.Open(app, $"/orders/{order.Id()}");
        await using var list = await browser.Open(app, "/orders");
        await board.TakesScans();
        await station.TakesScans();
        await page.Alive();
        await list.Alive();
        Tab[] tabs = [board, station, page, list];
        foreach (var tab in tabs) await Assertions.Expect(Old(tab)).ToHaveCountAsync(0);

        var before = DateTimeOffset.UtcNow;
        await app.Database.TakeAway();
        foreach (var tab in tabs)
        {
            await Assertions.Expect(Old(tab)).ToBeVisibleAsync(new() { Timeout = 60_000 });
            var since = await Old(tab).Locator("time").GetAttributeAsync("datetime");
            Assert.InRange(DateTimeOffset.Parse(since!, CultureInfo.InvariantCulture), before.AddSeconds(-30), DateTimeOffset.UtcNow);
        }
        await board.Pictures("board-old", js);
        await station.Pictures("station-old", js);
        await page.Pictures("order-old", js);
        await list.Pictures("orders-old", js);

        await app.Database.GiveBack();
        foreach (var tab in tabs) await Assertions.Expect(Old(tab)).ToHaveCountAsync(0, new() { Timeout = 60_000 });
        var sku = order["lines"]![0]!["sku"]!.GetValue<string>();
        var picked = JsonNode.Parse($$"""{"lines":[{"sku":"{{sku}}","quantity":3}]}""")!;
        await OmsApp.Until(() => app.Api.Post($"/api/v1/shipments/{shipment}/pick", picked), a => a.Status == 200);
        await board.Says("#picking", order["number"]!.GetValue<string>());
        await station.Says(".task", "Pack all of it into one box");
        await page.Says(".shipment", "Picking");
        await list.Says(".orders tbody tr", order["number"]!.GetValue<string>());
        foreach (var tab in tabs) tab.AssertStayedOnItsHost();
        js.SkipIfMissing();

        static ILocator Old(Tab tab) =>
            tab.Page.Locator("main .message", new() { HasText = "The database has not answered since" });
    }
}
