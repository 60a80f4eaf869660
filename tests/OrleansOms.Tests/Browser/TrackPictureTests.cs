using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Host.Security;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>The customer's page in each of its states, at three widths, light and dark, as <see cref="PictureTests"/>.</summary>
public sealed class TrackPictureTests(Parcels parcels, Browser browser, JavaScript js)
    : IClassFixture<Parcels>, IClassFixture<Browser>, IClassFixture<JavaScript>
{
    [Theory]
    [InlineData(360), InlineData(768), InlineData(1440)]
    public async Task It_is_good_to_look_at_and_to_use(int width)
    {
        browser.SkipIfMissing();
        foreach (var (name, link) in parcels.All)
        {
            var isAway = false;
            await using var relay = new Relay(() => isAway ? 1 : parcels.App.Port());
            await using var tab = await browser.Open(
                $"{relay.Url}/track/{link}", width, mayFail: name is "expired" or "broken");
            if (name != "expired") await tab.Says("#live", "This page is live");
            if (name == "broken")
            {
                isAway = true;
                relay.Cut();
                await tab.Says("#live", "Reconnecting");
            }
            await tab.LightAndDark($"track-{name}-{width}", width, js);
            await tab.AssertKeyboard();
            tab.AssertStayedOnItsHost();
        }
        // Without axe everything else has been looked at, and nobody is told that the whole was.
        js.SkipIfMissing();
    }
}

/// <summary>Parcels of the demo company in every state that a customer can see.</summary>
public sealed class Parcels : IAsyncLifetime
{
    readonly DemoShop _shop = new();

    /// <summary>The program.</summary>
    public OmsApp App => _shop.App;

    /// <summary>Each parcel: its name and the token of its link.</summary>
    public IReadOnlyList<(string Name, string Link)> All { get; private set; } = [];

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        await _shop.InitializeAsync();
        const string tea = "TEA-EARL", white = "TEA-WHITE"; // nobody has white tea
        var app = App;
        await app.Name(white, "White tea, 50 g");
        var now = DateTimeOffset.UtcNow;
        var way = await _shop.Place("Amara", "web", (tea, 6), ("CUP-BLUE", 2));
        var wayParcel = await app.Ship(way);
        await app.Track(wayParcel, "inTransit", "Collected by the carrier", "London", now.AddMinutes(1));
        await app.Track(wayParcel, "inTransit", "Sorted, on the way to your delivery office", "Gatwick", now.AddMinutes(2));

        // Each warehouse lacks one of these.
        var split = await _shop.Place("Tom", "web", ("CUP-SET4", 2), ("POT-1L", 1), ("POT-500", 1));
        await OmsApp.Until(() => app.Read(split), o => o["shipments"]!.AsArray().Count == 2);
        await app.ShipAlone(split, 0);

        var done = await _shop.Place("Lotte", "web", (tea, 1));
        await app.Track(await app.Ship(done), "delivered", "Handed to a resident", "Utrecht", now.AddMinutes(3));
        var late = await _shop.Place("Jonas", "web", (tea, 1));
        await app.Track(await app.Ship(late), "exception", "Address could not be found", "Hamburg", now.AddMinutes(3));
        var waits = await app.Api.Place(Api.Order((white, 2)));
        var fresh = await _shop.Place("Claire", "web", (tea, 1));
        var gone = await _shop.Place("Priya", "web", (tea, 1));
        await app.CancelOne(gone);
        foreach (var order in new[] { done, late })
            await OmsApp.Until(() => app.Read(order), o => o["shipments"]![0]!["status"]!.GetValue<string>() is "delivered" or "exception");
        All =
        [
            ("on-its-way", way.Token()), ("partly", split.Token()), ("delivered", done.Token()), ("delayed", late.Token()),
            ("waiting", waits.Token()), ("new", fresh.Token()), ("cancelled", gone.Token()), ("broken", way.Token()),
            ("expired", app.Services.GetRequiredService<TrackingLinks>().TokenFor(way.Id(), now.AddYears(-20))),
        ];
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _shop.DisposeAsync();
}
