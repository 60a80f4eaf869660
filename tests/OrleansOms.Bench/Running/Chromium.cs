using System.Net;
using System.Text.Json;
using Microsoft.Playwright;

namespace OrleansOms.Bench.Running;

/// <summary>The system's browser, with visitors that have nothing in their caches.</summary>
public sealed class Chromium : IAsyncDisposable
{
    static readonly string[] Places =
    [
        "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ];

    static readonly TimeSpan SeenWithin = TimeSpan.FromSeconds(60);

    // Two frames: what is there when the first one begins has been drawn when the second one does.
    const string Watch = """
        window.seen = SELECTORS.map(selector => new Promise(drawn => {
            const look = () => document.querySelector(selector)
                ? requestAnimationFrame(() => drawn(performance.now())) : requestAnimationFrame(look);
            look();
        }));
        """;

    readonly IPlaywright _playwright;
    readonly IBrowser _browser;

    Chromium(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <summary>Starts it.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static async Task<Chromium> Start()
    {
        var path = Places.FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("There is no Chromium or Google Chrome here.");
        var playwright = await Playwright.CreateAsync();
        return new Chromium(playwright, await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = path,
            Args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"],
        }));
    }

    /// <summary>Somebody who has never been here but is logged in.</summary>
    public async Task<IBrowserContext> Visitor(Uri server, CookieContainer cookies)
    {
        var visitor = await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = 1440, Height = 900 }, TimezoneId = "Europe/London", Locale = "en-GB",
        });
        await visitor.AddCookiesAsync(cookies.GetCookies(server).Select(c =>
            new Microsoft.Playwright.Cookie { Name = c.Name, Value = c.Value, Domain = server.Host, Path = "/" }));
        return visitor;
    }

    /// <summary>Opens a page in a new tab, and closes it.</summary>
    /// <returns>Milliseconds from the click until each thing was drawn, in the order of the selectors.</returns>
    public static async Task<double[]> Open(IBrowserContext visitor, Uri page, params string[] selectors)
    {
        var tab = await visitor.NewPageAsync();
        var wanted = JsonSerializer.Serialize(selectors);
        await tab.AddInitScriptAsync(Watch.Replace("SELECTORS", wanted, StringComparison.Ordinal));
        await tab.GotoAsync(page.ToString(), new PageGotoOptions { WaitUntil = WaitUntilState.Commit });
        var seen = await tab.EvaluateAsync<double[]>("() => Promise.all(window.seen)").WaitAsync(SeenWithin);
        await tab.CloseAsync();
        return seen;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
