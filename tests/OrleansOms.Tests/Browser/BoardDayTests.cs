using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>A warehouse's board over days, by a calendar that the test turns.</summary>
public sealed class BoardDayTests(Browser browser) : IClassFixture<Browser>
{
    readonly ShiftedTime _calendar = new();

    [Fact]
    public async Task What_left_yesterday_leaves_the_open_board_at_midnight()
    {
        browser.SkipIfMissing();
        var now = DateTimeOffset.UtcNow;
        _calendar.Ahead = now.Date.AddHours(-12) - now.UtcDateTime;
        await using var app = await Start();
        var order = await app.PlaceNew();
        var number = order["number"]!.GetValue<string>();
        await app.Ship(order);
        await app.CountEvents();
        await using var tab = await browser.Open(app, "/warehouse/LON");
        await tab.TakesScans();
        await tab.Says("#shipped", number);

        _calendar.Ahead = TimeSpan.Zero;
        await tab.Says("#shipped", "Nothing has left today.");
        await Assertions.Expect(tab.Page.Locator("#shipped")).Not.ToContainTextAsync(number);
        await tab.Says("#shipped h2 .count", "0");
        tab.AssertStayedOnItsHost();
    }

    [Fact]
    public async Task A_silent_carrier_is_seen_on_the_board_and_at_the_order_until_it_is_heard()
    {
        browser.SkipIfMissing();
        _calendar.Ahead = TimeSpan.FromDays(-4);
        await using var app = await Start();
        var order = await app.PlaceNew();
        var number = order["number"]!.GetValue<string>();
        var shipment = await app.Ship(order);
        await app.CountEvents();
        _calendar.Ahead = TimeSpan.FromDays(-1.5); // not long enough yet
        await using var open = await browser.Open(app, "/warehouse/LON");
        await open.TakesScans();
        await open.Says("#shipped", "Nothing has left today.");
        await using var page = await browser.Open(app, $"/orders/{order.Id()}");
        await page.Alive();

        _calendar.Ahead = TimeSpan.Zero;
        await open.Says("#shipped .work", number);
        await app.CountEvents();
        await using var opened = await browser.Open(app, "/warehouse/LON");
        await opened.TakesScans();
        foreach (var tab in new[] { open, opened })
        {
            await tab.Says("#shipped .work", number);
            await tab.Says("#shipped .work", "No news from the carrier");
            await tab.Says("#shipped h2", "1 without news");
            await tab.Says("#shipped h2 .count", "0");
        }
        await opened.Picture("board-silent-1440");
        await page.Says(".shipment", "No news from the carrier since");
        await page.Picture("order-silent-1440");

        await app.Track(shipment, "inTransit", "Arrived at the depot", "Leeds");
        await page.Says(".shipment", "Arrived at the depot");
        await Assertions.Expect(page.Page.Locator(".shipment")).Not.ToContainTextAsync("No news");
        foreach (var tab in new[] { open, opened })
        {
            await Assertions.Expect(tab.Page.Locator("#shipped")).Not.ToContainTextAsync(number, new() { Timeout = 60_000 });
            tab.AssertStayedOnItsHost();
        }
    }

    async Task<OmsApp> Start()
    {
        var app = new OmsApp { Adjust = services => services.AddSingleton<TimeProvider>(_calendar) };
        await app.InitializeAsync();
        return app;
    }
}
