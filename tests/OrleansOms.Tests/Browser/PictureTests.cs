using System.Text.Json.Nodes;
using Microsoft.Playwright;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>
/// Every screen at three widths, light and dark: a picture for people to look at, and what a machine can say of it: it
/// fits, axe is content, the keyboard reaches everything, nothing complains and nothing is asked of another host.
/// </summary>
[Collection(ScreensCollection.Name)]
public sealed class PictureTests(OmsApp app, Browser browser, JavaScript js) : IClassFixture<Browser>, IClassFixture<JavaScript>
{
    static readonly SemaphoreSlim Once = new(1, 1);
    static List<(string Name, string Path, string? Then)>? _scenes;

    [Theory]
    [InlineData(360, ColorScheme.Light), InlineData(360, ColorScheme.Dark)]
    [InlineData(768, ColorScheme.Light), InlineData(768, ColorScheme.Dark)]
    [InlineData(1440, ColorScheme.Light), InlineData(1440, ColorScheme.Dark)]
    public async Task Every_screen_is_good_to_look_at_and_to_use(int width, ColorScheme scheme)
    {
        browser.SkipIfMissing();
        foreach (var (name, path, then) in await Scenes())
        {
            await using var tab = await browser.Open(app, path, width, scheme, mayFail: name == "not-found");
            if (!path.StartsWith("/login", StringComparison.Ordinal)) await tab.Alive();
            if (path.StartsWith("/warehouse/", StringComparison.Ordinal)) await tab.AtStation();
            await Assertions.Expect(tab.Page.Locator(".skeleton")).ToHaveCountAsync(0);
            if (then is not null) await Do(tab, then);
            await tab.Picture($"{name}-{width}-{scheme.ToString().ToLowerInvariant()}");
            await tab.AssertFits(width);
            if (js.Missing is null) await tab.AssertAccessible();
            // Which keys reach what does not depend on the colours.
            if (scheme == ColorScheme.Light) await tab.AssertKeyboard();
            tab.AssertStayedOnItsHost();
        }
        // Without axe everything else has been looked at, and nobody is told that the whole was.
        js.SkipIfMissing();
    }

    [Fact]
    public async Task What_is_pressed_on_the_floor_is_large_enough_for_a_glove()
    {
        browser.SkipIfMissing();
        foreach (var (_, path, _) in (await Scenes()).Where(s => s.Path.StartsWith("/warehouse/", StringComparison.Ordinal)))
        {
            await using var tab = await browser.Open(app, path, 360);
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

    async Task<List<(string Name, string Path, string? Then)>> Scenes()
    {
        await Once.WaitAsync();
        try { return _scenes ??= await Prepare(); }
        finally { Once.Release(); }
    }

    async Task<List<(string Name, string Path, string? Then)>> Prepare()
    {
        var candle = await app.Product("PIC-85123A", "White hanging heart T-light holder", 210, "5010001000011", 400);
        var bottle = await app.Product("PIC-84029E", "Red woolly hottie white heart", 760, "5010001000028", 400);
        var cards = await app.Product("PIC-22752", "Set of 7 Babushka nesting boxes", 540, "5010001000035", 3);
        var split = await Place("Amara Okafor", (candle, 6), (bottle, 2), (cards, 8));
        var unpaid = Api.Order((bottle, 4));
        unpaid["payment"] = new JsonObject { ["method"] = "prepaid", ["status"] = "pending" };
        var waits = await app.Api.Place(unpaid);
        var done = await Place("Claire Martin", (candle, 2));
        await app.Track(await app.Ship(done), "delivered", "Handed to a resident", "Worthing", DateTimeOffset.UtcNow.AddMinutes(1));
        await app.Ship(await Place("Jonas Weber", (bottle, 1)));
        await app.Api.Must(200, HttpMethod.Post, $"/api/v1/orders/{(await Place("Isla Grant", (candle, 1))).Id()}/cancel",
            new JsonObject { ["reason"] = "ordered twice" });
        var toPick = await app.ShipmentOf(await Place("Priya Shah", (candle, 6), (bottle, 1)));
        var toPack = await Begun("pick", (candle, 3), (bottle, 2));
        var toShip = await Begun("pack", (bottle, 2));
        await app.CountEvents();
        return
        [
            ("login", "/login", null), ("login-wrong", "/login?error=invalid", null),
            ("orders", "/orders", null),
            ("orders-filtered", "/orders?channel=web&from=2020-01-01&sku=PIC-85123A&warehouse=LON", null),
            ("orders-selected", "/orders", "tbody tr:nth-child(2) .pick|tbody tr:nth-child(3) .pick|see 2 orders selected"),
            ("orders-cancel", "/orders", "tbody tr:nth-child(1) .pick|tbody tr:nth-child(3) .pick|tbody tr:nth-child(5) .pick|see 3 orders selected|.bulk-bar .danger|see Reason"),
            ("orders-empty", "/orders?q=nothing-is-called-so", null),
            ("order", $"/orders/{split.Id()}", null), ("order-unpaid", $"/orders/{waits.Id()}", "button[data-action=RecordPayment]"),
            ("order-cancel", $"/orders/{split.Id()}", "button[data-action=Cancel]"),
            ("order-delivered", $"/orders/{done.Id()}", null), ("not-found", "/orders/ord-none", null),
            ("warehouses", "/warehouse", null), ("board", "/warehouse/LON", null),
            ("station-pick", $"/warehouse/LON/{toPick}", $"scan {candle}|see 1 of 6"),
            ("station-wrong", $"/warehouse/LON/{toPick}", $"scan {cards}|see is not part of this shipment"),
            ("station-short", $"/warehouse/LON/{toPick}", $"scan {candle}|scan SHORT|see not on the shelf"),
            ("station-pack", $"/warehouse/LON/{toPack}", null), ("station-ship", $"/warehouse/LON/{toShip}", null),
        ];
    }

    async Task<JsonNode> Place(string name, params (string Sku, int Quantity)[] lines)
    {
        var order = Api.Order(lines);
        order["customer"] = new JsonObject { ["name"] = name, ["email"] = "jane@example.com" };
        return await app.Api.Place(order);
    }

    /// <summary>A shipment that was picked, and packed if asked so.</summary>
    async Task<string> Begun(string until, params (string Sku, int Quantity)[] lines)
    {
        var shipment = await app.ShipmentOf(await Place("Lotte de Vries", lines));
        JsonArray Lines() => new([.. lines.Select(l => (JsonNode)new JsonObject { ["sku"] = l.Sku, ["quantity"] = l.Quantity })]);
        await app.Api.Must(200, HttpMethod.Post, $"/api/v1/shipments/{shipment}/pick", new JsonObject { ["lines"] = Lines() });
        if (until == "pack")
            await app.Api.Must(200, HttpMethod.Post, $"/api/v1/shipments/{shipment}/pack", new JsonObject
            {
                ["packages"] = new JsonArray(new JsonObject { ["weightGrams"] = 1600, ["lines"] = Lines() }),
            });
        return shipment;
    }
}
