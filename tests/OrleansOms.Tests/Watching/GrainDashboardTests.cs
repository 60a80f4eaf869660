using Microsoft.Playwright;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;
using OrleansOms.Tests.Screens;

namespace OrleansOms.Tests.Watching;

/// <summary>The dashboard of Orleans is for admins, on every process that people reach.</summary>
[Collection(ScreensCollection.Name)]
public sealed class GrainDashboardTests(OmsApp app, Browser browser) : IClassFixture<Browser>
{
    const string Path = "/admin/grains";

    [Theory]
    [InlineData(Path), InlineData($"{Path}/"), InlineData($"{Path}/index.min.js"), InlineData($"{Path}/DashboardCounters")]
    [InlineData($"{Path}/GrainState?grainId=ord-1&grainType=OrleansOms.Grains.Orders.OrderGrain")]
    public async Task It_is_shown_to_admins_and_to_nobody_else(string path)
    {
        foreach (var nobody in (Api[])[app.Caller(null), app.Api])
        {
            var answer = await nobody.Get(path);
            Assert.Equal(302, answer.Status);
            Assert.StartsWith("/login?", answer.Http.Headers.Location!.PathAndQueryOrText(), StringComparison.Ordinal);
        }
        Assert.Equal((403, "forbidden"), await Ask(app, path, await app.Cookie()));
        Assert.InRange((await Ask(app, path, await Admin())).Status, 200, 301);
    }

    [Fact]
    public async Task Its_journal_is_not_there() => Assert.Equal(403, (await Ask(app, $"{Path}/Trace", await Admin())).Status);

    [Fact]
    public async Task A_front_end_without_grains_shows_the_silos_behind_it()
    {
        await using var web = await app.StartBeside(("Oms:Role", "web"));
        Assert.Equal(403, (await Ask(web, $"{Path}/ClusterStats", await app.Cookie())).Status);
        var counters = await web.Caller(null).Send(Request($"{Path}/DashboardCounters", await Admin()));
        Assert.Equal((200, 1), (counters.Status, counters.Json["totalActiveHostCount"]!.GetValue<int>()));
        Assert.Contains("OrleansOms.Grains.Stock.StockGrain", counters.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_works_under_the_policy_of_our_pages_and_admins_find_it()
    {
        browser.SkipIfMissing();
        await app.PlaceNew();
        await using var tab = await browser.Open($"{app.Url}/orders", 1440, cookie: await Admin());
        await tab.Page.ClickAsync("nav >> text=Grains");
        await tab.Says("#content", "Total Activations");
        await Assertions.Expect(tab.Page.Locator("#content canvas").First).ToBeVisibleAsync();
        await tab.Page.EvaluateAsync("document.fonts.ready");
        await tab.Picture("grains");
        tab.AssertStayedOnItsHost();

        await using var other = await browser.Open(app, "/orders");
        await other.Says("nav", "Warehouse");
        await Assertions.Expect(other.Page.Locator("nav >> text=Grains")).ToHaveCountAsync(0);
    }

    async Task<string> Admin() => app.Cookie(OperatorLogin.PrincipalOf((await new Operators(app.Database.Source).Find("admin"))!));

    static async Task<(int Status, string? Code)> Ask(OmsApp app, string path, string cookie)
    {
        var answer = await app.Caller(null).Send(Request(path, cookie));
        return (answer.Status, answer.Status >= 400 && answer.Text.StartsWith('{') ? answer.Code : null);
    }

    static HttpRequestMessage Request(string path, string cookie) => new(HttpMethod.Get, path) { Headers = { { "Cookie", cookie } } };
}
