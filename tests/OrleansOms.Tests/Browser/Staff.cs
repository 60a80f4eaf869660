using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>Tests of the staff's screens: they share one running program and each use orders of their own.</summary>
[CollectionDefinition(Name)]
public sealed class ScreensCollection : ICollectionFixture<OmsApp>
{
    public const string Name = "screens";
}

/// <summary>What staff do at a screen, and what is asked of every screen.</summary>
static class Staff
{
    static string AxeFile => Path.Combine(JavaScript.Folder, "node_modules", "axe-core", "axe.min.js");

    /// <summary>Opens a page as an operator who may see everything.</summary>
    public static async Task<Tab> Open(
        this Browser browser, OmsApp app, string path, int width = 1440, ColorScheme scheme = ColorScheme.Light,
        string? host = null, bool mayFail = false)
    {
        var tab = await browser.Open((host ?? app.Url) + path, width, scheme, mayFail: mayFail, cookie: await app.Cookie());
        return tab;
    }

    /// <summary>Types into the scan field as a scanner does: all at once, and Enter.</summary>
    public static async Task Scan(this Tab tab, string code)
    {
        await Assertions.Expect(tab.Page.Locator("#scan")).ToBeFocusedAsync();
        await tab.Page.Keyboard.TypeAsync(code);
        await tab.Page.Keyboard.PressAsync("Enter");
    }

    /// <summary>Opens a station and waits until it can be scanned into.</summary>
    public static async Task AtStation(this Tab tab) =>
        await Assertions.Expect(tab.Page.Locator("#scan")).ToBeFocusedAsync(new() { Timeout = 60_000 });

    /// <summary>
    /// Waits until a page with a scan field follows its warehouse: what it shows before that is from the server's first
    /// answer.
    /// </summary>
    public static Task TakesScans(this Tab tab) =>
        Assertions.Expect(tab.Page.Locator("#scan[data-ready]")).ToHaveCountAsync(1, new() { Timeout = 60_000 });

    /// <summary>Waits until a page answers to clicks: its circuit is there.</summary>
    public static Task Alive(this Tab tab) => Assertions.Expect(tab.Page.Locator("html[data-alive]")).ToHaveCountAsync(1, new() { Timeout = 60_000 });

    /// <summary>axe finds nothing to say about the page, by the rules of WCAG 2.2 AA.</summary>
    /// <param name="colours">
    /// Whether axe has looked at it in the other scheme: schemes differ in the values of colours and in nothing else.
    /// </param>
    public static async Task AssertAccessible(this Tab tab, bool colours = false)
    {
        if (!await tab.Page.EvaluateAsync<bool>("'axe' in window")) await tab.Page.EvaluateAsync(await File.ReadAllTextAsync(AxeFile));
        var found = await tab.Page.EvaluateAsync<JsonElement>(
            """
            async colours => (await axe.run({ runOnly: colours
                    ? { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }
                    : ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }))
                .violations.map(v => `${v.id}: ${v.nodes.map(n => n.html + ' ' + n.failureSummary).join('; ')}`)
            """, colours);
        Assert.Empty(found.EnumerateArray().Select(v => v.GetString()));
    }

    /// <summary>
    /// Pictures of an open page at the three widths, light and dark, with what a machine can say of each: it fits, and axe
    /// is content where it is here.
    /// </summary>
    public static async Task Pictures(this Tab tab, string name, JavaScript js)
    {
        foreach (var width in new[] { 360, 768, 1440 })
        {
            await tab.Page.SetViewportSizeAsync(width, 800);
            await tab.LightAndDark($"{name}-{width}", width, js);
        }
    }

    /// <summary>The same at the width that it has.</summary>
    public static async Task LightAndDark(this Tab tab, string name, int width, JavaScript js)
    {
        foreach (var scheme in new[] { ColorScheme.Dark, ColorScheme.Light })
        {
            await tab.Page.EmulateMediaAsync(new() { ColorScheme = scheme });
            await tab.Picture($"{name}-{scheme.ToString().ToLowerInvariant()}");
            if (js.Missing is null) await tab.AssertAccessible(colours: scheme == ColorScheme.Light);
        }
        await tab.AssertFits(width);
    }

    /// <summary>Nothing sticks out to the right, and nothing is cut off there.</summary>
    public static async Task AssertFits(this Tab tab, int width)
    {
        Assert.Equal(width, await tab.Page.EvaluateAsync<int>("Math.max(innerWidth, document.documentElement.scrollWidth)"));
        Assert.Equal(0, await tab.Page.EvaluateAsync<int>(
            "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).length"));
    }

    /// <summary>Tab reaches every link, button and field that can be seen, and each shows that it has the focus.</summary>
    public static async Task AssertKeyboard(this Tab tab)
    {
        await tab.Page.EvaluateAsync("document.activeElement?.blur(); scrollTo(0, 0)");
        var all = await tab.Page.EvaluateAsync<int>(
            """
            () => {
                window.toReach = [...document.querySelectorAll('a[href], button, input, select, summary')]
                    .filter(e => e.checkVisibility() && !e.disabled && e.type !== 'hidden' && e.getClientRects().length > 0)
                    .filter(e => e.type !== 'radio' || e.checked); // arrows reach the others of a group
                return window.toReach.length;
            }
            """);
        for (var i = 0; i < all * 2 + 20; i++)
        {
            await tab.Page.Keyboard.PressAsync("Tab");
            var seen = await tab.Page.EvaluateAsync<string>(
                """
                () => {
                    const e = document.activeElement;
                    if (!e || e === document.body) return 'on';
                    window.toReach = window.toReach.filter(t => t !== e);
                    const s = getComputedStyle(e);
                    if (s.outlineStyle === 'none' || parseFloat(s.outlineWidth) < 2) return e.outerHTML.slice(0, 200);
                    return window.toReach.length === 0 ? 'all' : 'on';
                }
                """);
            Assert.True(seen is "on" or "all", $"Nobody sees that this has the focus: {seen}");
            if (seen == "all") return;
        }
        var missed = await tab.Page.EvaluateAsync<string[]>("window.toReach.map(e => e.outerHTML.slice(0, 200))");
        Assert.Empty(missed);
    }

    /// <summary>The order's shipment, once it is released.</summary>
    public static async Task<string> ShipmentOf(this OmsApp app, JsonNode order) =>
        (await app.Released(order))["shipments"]![0]!.Id();

    /// <summary>A shipment as stored, with every consequence of what happened so far.</summary>
    public static async Task<JsonNode> Shipment(this OmsApp app, JsonNode order, string id)
    {
        await app.CountEvents();
        var answer = await app.Api.Get($"/api/v1/shipments?order={order.Id()}&limit=10");
        return answer.Json["items"]!.AsArray().Single(s => s!.Id() == id)!;
    }

    /// <summary>Creates a product with a name, a weight and a barcode, and brings units of it to London.</summary>
    public static async Task<string> Product(this OmsApp app, string sku, string name, int grams, string barcode, int units)
    {
        var answer = await app.Api.Send(HttpMethod.Put, $"/api/v1/products/{sku}", new JsonObject
        {
            ["name"] = name, ["weightGrams"] = grams, ["barcode"] = barcode,
        }.ToJsonString());
        Assert.InRange(answer.Status, 200, 201);
        await app.Receive("LON", sku, units);
        return sku;
    }
}
