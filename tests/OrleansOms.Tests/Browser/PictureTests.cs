using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>
/// Every screen at three widths, light and dark, with the demo company at work: a picture for people to look at, and what
/// a machine can say of it: it fits, axe is content, the keyboard reaches everything, nothing complains and nothing is
/// asked of another host.
/// </summary>
public sealed class PictureTests(Scenes scenes, Browser browser, JavaScript js)
    : IClassFixture<Scenes>, IClassFixture<Browser>, IClassFixture<JavaScript>
{
    [Theory]
    [InlineData(360), InlineData(768), InlineData(1440)]
    public async Task Every_screen_is_good_to_look_at_and_to_use(int width)
    {
        browser.SkipIfMissing();
        await using var first = await browser.Open(scenes.App, "/orders", width);
        foreach (var (name, path, then) in scenes.All)
        {
            await using var tab = await first.Beside(path, mayFail: name == "not-found");
            if (!path.StartsWith("/login", StringComparison.Ordinal)) await tab.Alive();
            if (path.StartsWith("/warehouse/", StringComparison.Ordinal)) await tab.AtStation();
            await Assertions.Expect(tab.Page.Locator(".skeleton")).ToHaveCountAsync(0);
            if (then is not null) await Do(tab, then);
            await tab.LightAndDark($"{name}-{width}", width, js);
            await tab.AssertKeyboard();
            tab.AssertStayedOnItsHost();
        }
        // Without axe everything else has been looked at, and nobody is told that the whole was.
        js.SkipIfMissing();
    }

    [Fact]
    public async Task What_is_pressed_on_the_floor_is_large_enough_for_a_glove()
    {
        browser.SkipIfMissing();
        foreach (var (_, path, _) in scenes.All.Where(s => s.Path.StartsWith("/warehouse/", StringComparison.Ordinal)))
        {
            await using var tab = await browser.Open(scenes.App, path, 360);
            await tab.AtStation();
            var small = await tab.Page.EvaluateAsync<string[]>(
                """
                () => [...document.querySelectorAll('main a, main button, main input')]
                    .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 44).map(e => e.outerHTML.slice(0, 120))
                """);
            Assert.Empty(small);
        }
    }

    static async Task Do(Tab tab, string then)
    {
        foreach (var step in then.Split('|'))
            if (step.StartsWith("scan ", StringComparison.Ordinal)) await tab.Scan(step[5..]);
            else if (step.StartsWith("see ", StringComparison.Ordinal)) await tab.Says("body", step[4..]);
            else await tab.Page.ClickAsync(step);
    }
}

/// <summary>A morning of the demo company, with work in every state, and what is looked at of it.</summary>
public sealed class Scenes : IAsyncLifetime
{
    const string Candle = "CANDLE-B", Glass = "POT-500", Tea = "TEA-EARL", Book = "BOOK-TEA";
    // Manchester, the nearest to customers in Great Britain, has neither: such orders are London's work.
    const string Stoneware = "POT-1L", Spoon = "SPOON-T";

    readonly DemoShop _shop = new();

    /// <summary>The program.</summary>
    public OmsApp App => _shop.App;

    /// <summary>Each scene: its name, its page, and what is done there before it is looked at.</summary>
    public IReadOnlyList<(string Name, string Path, string? Then)> All { get; private set; } = [];

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        await _shop.InitializeAsync();
        var split = await Place("Tom", "b2b", (Candle, 6), (Stoneware, 2), (Glass, 120));
        var unpaid = _shop.Order("Niamh", "web", (Stoneware, 1), (Tea, 4));
        unpaid["payment"] = new JsonObject { ["method"] = "prepaid", ["status"] = "pending" };
        var waits = await App.Api.Place(unpaid);
        var done = await Place("Isla", "mobile", (Candle, 2));
        await App.Track(await App.Ship(done), "delivered", "Handed to a resident", "Aberdeen", DateTimeOffset.UtcNow.AddMinutes(1));
        await App.Ship(await Place("Amara", "web", (Stoneware, 1)));
        await App.Api.Must(200, HttpMethod.Post, $"/api/v1/orders/{(await Place("Jonas", "phone", (Book, 1))).Id()}/cancel",
            new JsonObject { ["reason"] = "ordered twice" });
        var toPick = await App.ShipmentOf(await Place("Amara", "marketplace", (Candle, 6), (Stoneware, 1)));
        var toPack = await Begun("pick", (Candle, 3), (Spoon, 2));
        var toShip = await Begun("pack", (Stoneware, 2));
        foreach (var (who, channel, sku) in new[]
            { ("Lotte", "web", Book), ("Tom", "mobile", Tea), ("Claire", "web", Candle), ("Amara", "marketplace", Stoneware) })
            await Place(who, channel, (sku, 2), ("HONEY-H", 1));
        var onTerms = _shop.Order("Priya", "phone", (Book, 2));
        onTerms["payment"] = new JsonObject { ["method"] = "terms", ["status"] = "pending", ["days"] = 30 };
        await App.Api.Place(onTerms);
        await App.Api.Must(201, HttpMethod.Post, "/api/v1/stock/condition-changes", JsonNode.Parse(
            $$"""
            {"warehouse":"LON","reason":"box was wet","lines":[{"sku":"{{Candle}}","quantity":3,"from":"sellable","to":"quarantine"},
             {"sku":"{{Tea}}","quantity":1,"from":"sellable","to":"damaged"}]}
            """), Api.NewKey());
        await App.CountEvents();
        var station = $"/warehouse/LON/{toPick}";
        var then = DateTime.UtcNow.AddMinutes(-5).ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);
        All =
        [
            ("login", "/login", null), ("login-wrong", "/login?error=invalid", null),
            ("orders", "/orders", null),
            ("orders-filtered", $"/orders?channel=web&from=2020-01-01&sku={Candle}&warehouse=LON", null),
            ("orders-selected", "/orders", "tbody tr:nth-child(2) .pick|tbody tr:nth-child(3) .pick|see 2 orders selected"),
            ("orders-cancel", "/orders", "tbody tr:nth-child(1) .pick|tbody tr:nth-child(3) .pick|tbody tr:nth-child(5) .pick|see 3 orders selected|.bulk-bar .danger|see Reason"),
            ("orders-empty", "/orders?q=nothing-is-called-so", null),
            ("order", $"/orders/{split.Id()}", null), ("order-unpaid", $"/orders/{waits.Id()}", "button[data-action=RecordPayment]"),
            ("order-cancel", $"/orders/{split.Id()}", "button[data-action=Cancel]"),
            ("order-delivered", $"/orders/{done.Id()}", null), ("not-found", "/orders/ord-none", null),
            ("stock", "/stock", null), ("stock-none", "/stock?q=nothing-is-called-so", null), ("stock-short", "/stock?show=none", null),
            ("stock-item", $"/stock/LON?sku={Candle}", null), ("stock-then", $"/stock/LON?sku={Candle}&at={then}", null),
            ("stock-condition", $"/stock/LON?sku={Candle}", "see Change condition|.conditions .button|see becomes sellable"),
            ("warehouses", "/warehouse", null), ("board", "/warehouse/LON", null),
            ("station-pick", station, $"scan {Candle}|see 1 of 6"),
            ("station-wrong", station, $"scan {Glass}|see is not part of this shipment"),
            ("station-short", station, $"scan {Candle}|scan SHORT|see not on the shelf"),
            ("station-pack", $"/warehouse/LON/{toPack}", null), ("station-ship", $"/warehouse/LON/{toShip}", null),
        ];
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _shop.DisposeAsync();

    Task<JsonNode> Place(string first, string channel, params (string Sku, int Quantity)[] lines) =>
        _shop.Place(first, channel, lines);

    /// <summary>A shipment that was picked, and packed if asked so.</summary>
    async Task<string> Begun(string until, params (string Sku, int Quantity)[] lines)
    {
        var shipment = await App.ShipmentOf(await Place("Tom", "web", lines));
        JsonArray Lines() => new([.. lines.Select(l => (JsonNode)new JsonObject { ["sku"] = l.Sku, ["quantity"] = l.Quantity })]);
        await App.Api.Must(200, HttpMethod.Post, $"/api/v1/shipments/{shipment}/pick", new JsonObject { ["lines"] = Lines() });
        if (until == "pack")
            await App.Api.Must(200, HttpMethod.Post, $"/api/v1/shipments/{shipment}/pack", new JsonObject
            {
                ["packages"] = new JsonArray(new JsonObject { ["weightGrams"] = 1600, ["lines"] = Lines() }),
            });
        return shipment;
    }
}
