using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>The database is taken away for real while somebody looks at the orders.</summary>
public sealed class LostDatabaseTests(Browser browser) : IClassFixture<Browser>
{
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
}
