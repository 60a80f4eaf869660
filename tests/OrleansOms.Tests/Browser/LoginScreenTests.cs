using Microsoft.Playwright;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>Staff's pages are behind a login that needs no scripts.</summary>
[Collection(ScreensCollection.Name)]
public sealed class LoginScreenTests(OmsApp app, Browser browser) : IClassFixture<Browser>
{
    [Theory]
    [InlineData("/orders"), InlineData("/orders/ord-00000000000000000000000000"), InlineData("/warehouse")]
    [InlineData("/warehouse/LON"), InlineData("/warehouse/LON/shp-00000000000000000000000000-1")]
    public async Task Pages_are_shown_to_nobody_without_a_login(string path)
    {
        var answer = await app.Caller(null).Get(path);
        Assert.Equal(302, answer.Status);
        Assert.StartsWith("/login?", answer.Http.Headers.Location!.PathAndQueryOrText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_works_without_scripts_and_leads_to_the_page_that_was_asked_for()
    {
        browser.SkipIfMissing();
        await using var tab = await browser.Open($"{app.Url}/orders?q=nothing-is-called-so", hasScripts: false);
        Assert.Contains("/login", tab.Page.Url);
        await LogIn(tab.Page, "wrong");
        await tab.Says("[role=alert]", "Name and password do not belong together");
        await LogIn(tab.Page, OmsApp.AdminPassword);
        Assert.EndsWith("/orders?q=nothing-is-called-so", tab.Page.Url);
        await tab.Says("h2", "No order is like this");
        await tab.Page.ClickAsync("text=Sign out");
        Assert.EndsWith("/login", tab.Page.Url);
        await tab.Page.GotoAsync($"{app.Url}/warehouse");
        Assert.Contains("/login", tab.Page.Url);
    }

    static async Task LogIn(IPage page, string password)
    {
        await page.FillAsync("[name=name]", "admin");
        await page.FillAsync("[name=password]", password);
        await page.ClickAsync("button[type=submit]");
    }
}

static class Addresses
{
    /// <summary>A redirect's address without its host.</summary>
    public static string PathAndQueryOrText(this Uri uri) => uri.IsAbsoluteUri ? uri.PathAndQuery : uri.ToString();
}
