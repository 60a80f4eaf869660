using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Host.Security;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Screens;

namespace OrleansOms.Tests.Live;

/// <summary>The customer's page, read as text and opened in a real browser.</summary>
[Collection(LiveCollection.Name)]
public sealed class TrackPageTests(OmsApp app, Browser browser) : IClassFixture<Browser>
{
    const int MaxPageBytes = 100_000;

    Api Stranger => app.Caller(null);

    [Fact]
    public async Task It_tells_everything_without_scripts()
    {
        var order = await app.PlaceNew();
        var shipment = await app.Ship(order);
        await app.Track(shipment, "inTransit", "Sorted in the hub", "Gatwick");
        await OmsApp.Until(() => app.Read(order), o => o["shipments"]![0]!["status"]!.GetValue<string>() == "inTransit");

        var page = await Stranger.Get($"/track/{order.Token()}");
        Assert.Equal(200, page.Status);
        foreach (var text in new[]
        {
            "On its way", "Left our LON warehouse on", "Royal Mail", "RM123456785GB", "Sorted in the hub", "Gatwick",
            "If something is wrong", order["number"]!.GetValue<string>(), "Product T-",
        })
            Assert.Contains(text, page.Text);
        foreach (var secret in new[] { "jane@example.com", "High Street", order.Id(), "<style", "style=\"", "onclick" })
            Assert.DoesNotContain(secret, page.Text);
        Assert.True(
            page.Text.IndexOf("Sorted in the hub", StringComparison.Ordinal)
                < page.Text.IndexOf("Handed to Royal Mail", StringComparison.Ordinal), "Newest first.");
    }

    [Fact]
    public async Task It_is_told_to_nobody_else()
    {
        var order = await app.PlaceNew();
        var headers = (await Stranger.Get($"/track/{order.Token()}")).Http.Headers;
        Assert.Equal("no-referrer", Header("Referrer-Policy"));
        Assert.Contains("noindex", Header("X-Robots-Tag"));
        Assert.Contains("no-store", Header("Cache-Control"));
        Assert.Contains("script-src 'self';", Header("Content-Security-Policy"));
        Assert.DoesNotContain("unsafe-inline", Header("Content-Security-Policy"));
        Assert.Equal("nosniff", Header("X-Content-Type-Options"));
        string Header(string name) => string.Join(",", headers.GetValues(name));
    }

    [Fact]
    public async Task Links_that_open_nothing_all_look_the_same()
    {
        var order = await app.PlaceNew();
        var token = order.Token();
        var links = app.Services.GetRequiredService<TrackingLinks>();
        string[] bad =
        [
            token[..10] + (token[10] == 'A' ? 'B' : 'A') + token[11..], token[..^1], "x", order.Id(),
            links.TokenFor(order.Id(), DateTimeOffset.UtcNow.AddYears(-20)),
            links.TokenFor("ord-00000000000000000000000000", DateTimeOffset.UtcNow),
        ];
        var pages = new HashSet<string>();
        foreach (var link in bad)
            foreach (var end in new[] { "", "/now" })
            {
                var page = await Stranger.Get($"/track/{link}{end}");
                Assert.Equal(404, page.Status);
                Assert.Equal("text/html", page.Http.Content.Headers.ContentType!.MediaType);
                pages.Add(page.Text);
            }
        Assert.Single(pages);
        Assert.Contains("This link does not work", pages.Single());
    }

    [Fact]
    public async Task It_is_light_even_for_an_order_of_a_thousand_lines()
    {
        var order = await app.Api.Place(Api.Order([.. Enumerable.Range(0, 1000).Select(_ => ("C", 1))]));
        var page = await Stranger.Get($"/track/{order.Token()}");
        Assert.Contains("and 900 more lines", page.Text);
        var files = await Task.WhenAll(new[] { "track.css", "track.js", "favicon.svg" }.Select(f => Stranger.Get($"/{f}")));
        Assert.True(page.Text.Length + files.Sum(f => f.Text.Length) < MaxPageBytes);
    }

    [Fact]
    public async Task It_follows_its_order_live_and_comes_back_after_a_cut_wire()
    {
        browser.SkipIfMissing();
        await using var relay = new Relay(app.Port);
        var order = await app.PlaceNew();
        await app.Released(order);
        await using var tab = await browser.Open($"{relay.Url}/track/{order.Token()}");
        await tab.Says("h1", "Being packed");
        await tab.Says("#live", "This page is live");

        var shipment = await app.Ship(order);
        await tab.Says("h1", "On its way");
        Assert.Contains("On its way", await tab.Page.TitleAsync());

        relay.Cut();
        await app.Track(shipment, "delivered", "Left with a neighbour", "Worthing");
        await OmsApp.Until(() => app.Read(order), o => o["status"]!.GetValue<string>() == "delivered");
        await tab.Says("h1", "Delivered");
        await tab.Says("#live", "This page is live");
        await tab.Says(".events li:first-child", "Left with a neighbour");
        tab.AssertStayedOnItsHost();
    }

    [Fact]
    public async Task An_answer_that_never_comes_does_not_keep_it_from_the_next_one()
    {
        browser.SkipIfMissing();
        var order = await app.PlaceNew();
        await app.Released(order);
        await using var tab = await browser.Open($"{app.Url}/track/{order.Token()}");
        await tab.Says("#live", "This page is live");
        var asked = 0;
        await tab.Page.RouteAsync("**/now", route =>
            Interlocked.Increment(ref asked) == 1 ? Task.CompletedTask : route.ContinueAsync()); // the first one hangs
        await app.Ship(order);
        await tab.Says("h1", "On its way");
        await tab.Says("#live", "This page is live");
        Assert.True(asked > 1);
    }

    [Fact]
    public async Task It_is_not_called_live_before_it_shows_what_is_stored()
    {
        browser.SkipIfMissing();
        await using var relay = new Relay(app.Port);
        var order = await app.PlaceNew();
        await app.Released(order);
        await using var tab = await browser.Open($"{relay.Url}/track/{order.Token()}", mayFail: true);
        await tab.Says("#live", "This page is live");
        var (asked, mayAnswer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await tab.Page.RouteAsync("**/now", async route =>
        {
            asked.TrySetResult();
            await mayAnswer.Task;
            await route.ContinueAsync();
        });
        relay.Cut();
        await tab.Says("#live", "Reconnecting");
        await app.Ship(order);
        await asked.Task;
        await tab.Says("#live", "Reconnecting");
        mayAnswer.SetResult();
        await tab.Says("h1", "On its way");
        await tab.Says("#live", "This page is live");
    }

    [Fact]
    public async Task While_the_host_is_away_it_says_since_when()
    {
        browser.SkipIfMissing();
        var isAway = false;
        await using var relay = new Relay(() => isAway ? 1 : app.Port());
        var order = await app.PlaceNew();
        await using var tab = await browser.Open($"{relay.Url}/track/{order.Token()}", mayFail: true);
        await tab.Says("#live", "This page is live");
        isAway = true;
        relay.Cut();
        await tab.Says("#live", "Reconnecting");
        isAway = false;
        await tab.Says("#live", "This page is live");
    }

    [Fact]
    public async Task Moments_are_shown_in_the_viewers_zone()
    {
        browser.SkipIfMissing();
        var order = await app.PlaceNew();
        await using var tab = await browser.Open($"{app.Url}/track/{order.Token()}", zone: "Asia/Tokyo");
        var at = order["placedAt"]!.GetValue<DateTimeOffset>().ToOffset(TimeSpan.FromHours(9));
        await tab.Says(".items dl dd time", at.ToString("HH:mm", System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Whoever_is_at_its_link_stays_there_when_the_order_moves_on()
    {
        browser.SkipIfMissing();
        await using var shop = await OmsApp.Start(("Oms:Track:ContactUrl", "mailto:help@example.com"));
        var order = await shop.PlaceNew();
        await shop.Released(order);
        await using var tab = await browser.Open($"{shop.Url}/track/{order.Token()}");
        await tab.Says("#live", "This page is live");
        await tab.Page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(tab.Page.Locator(".help a")).ToBeFocusedAsync();
        await shop.Ship(order);
        await tab.Says("h1", "On its way");
        await Assertions.Expect(tab.Page.Locator(".help a")).ToBeFocusedAsync();
    }
}
