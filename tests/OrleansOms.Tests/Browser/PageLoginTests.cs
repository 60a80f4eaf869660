using Microsoft.Playwright;
using OrleansOms.Host.Security;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>An open page lasts as long as its login.</summary>
public sealed class PageLoginTests(AgeingApp ageing, Browser browser) : IClassFixture<AgeingApp>, IClassFixture<Browser>
{
    readonly OmsApp _app = ageing.App;

    /// <summary>What ends a login.</summary>
    public static TheoryData<string> Endings() => [.. AgeingApp.LoginEndings];

    [Theory, MemberData(nameof(Endings))]
    public async Task A_page_leads_to_the_login_by_itself_and_what_is_clicked_before_is_not_done(string ending)
    {
        browser.SkipIfMissing();
        var order = await _app.PlaceNew();
        var path = $"/orders/{order.Id()}";
        var before = (await _app.Released(order)).Version();
        var (cookie, end) = await ageing.LogIn(ending);
        await using var busy = await browser.Open(_app.Url + path, 1440, cookie: cookie);
        await using var idle = await busy.Beside(path);
        await idle.Alive();
        await busy.Alive();
        await busy.Page.ClickAsync("button[data-action=Cancel]");
        await busy.Page.GetByLabel("Reason").FillAsync("test");
        await busy.Page.Keyboard.PressAsync("Tab");

        await End(end);
        try
        {
            await Press(busy, ".panel");
            foreach (var tab in new[] { busy, idle })
            {
                await tab.IsAt($"/login?returnUrl={Uri.EscapeDataString(path)}");
                tab.AssertStayedOnItsHost();
            }
            Assert.Equal(before, (await _app.Read(order)).Version());
        }
        finally { ageing.Calendar.Ahead = TimeSpan.Zero; }
    }

    [Fact]
    public async Task Orders_that_were_selected_are_not_cancelled()
    {
        browser.SkipIfMissing();
        var order = await _app.PlaceNew();
        var before = (await _app.Released(order)).Version();
        await _app.CountEvents();
        var (cookie, end) = await ageing.LogIn("logout");
        await using var tab = await browser.Open($"{_app.Url}/orders?q={order["number"]}", 1440, cookie: cookie);
        await tab.Alive();
        await tab.Page.GetByLabel($"Select order {order["number"]}").ClickAsync();
        await tab.Page.ClickAsync(".bulk-bar .danger");
        await tab.Page.FillAsync("#bulk-reason", "test");
        await tab.Page.Keyboard.PressAsync("Tab");

        await End(end);
        await Press(tab, ".bulk");
        await tab.IsAt("/login");
        Assert.Equal(before, (await _app.Read(order)).Version());
    }

    [Fact]
    public async Task A_scan_waits_in_the_browser_for_the_next_login_and_counts_then()
    {
        browser.SkipIfMissing();
        var order = await _app.PlaceNew(1);
        var (sku, shipment) = (order["lines"]![0]!["sku"]!.GetValue<string>(), await _app.ShipmentOf(order));
        await _app.CountEvents();
        var (cookie, end) = await ageing.LogIn("logout");
        await using var tab = await browser.Open($"{_app.Url}/warehouse/LON/{shipment}", 1440, cookie: cookie);
        await tab.TakesScans();
        await tab.AtStation();

        await End(end);
        await tab.Scan(sku);
        await tab.IsAt("/login");
        Assert.Equal("released", (await _app.Shipment(order, shipment))["status"]!.GetValue<string>());
        await tab.Page.FillAsync("[name=name]", "admin");
        await tab.Page.FillAsync("[name=password]", OmsApp.AdminPassword);
        await tab.Page.ClickAsync("button[type=submit]");
        await tab.Says(".said", "Everything is picked.");
        Assert.Equal("picking", (await _app.Shipment(order, shipment))["status"]!.GetValue<string>());
    }

    /// <summary>Sends a form; the page may be gone already.</summary>
    static Task Press(Tab tab, string form) =>
        tab.Page.EvaluateAsync($"document.querySelector('{form} button[type=submit]')?.click()");

    async Task End(Func<Task> end)
    {
        await end();
        ageing.Memory.Ahead += FreshCopy<object>.Lifetime + TimeSpan.FromMilliseconds(1);
    }
}
