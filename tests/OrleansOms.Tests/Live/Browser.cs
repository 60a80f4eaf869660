using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace OrleansOms.Tests.Live;

/// <summary>A real browser: the system's Chromium.</summary>
public sealed class Browser : IAsyncLifetime
{
    static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    IPlaywright? _playwright;
    IBrowser? _chromium;

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        if (Places.FirstOrDefault(File.Exists) is not { } path) return;
        _playwright = await Playwright.CreateAsync();
        _chromium = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = path,
            Args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"],
        });
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_chromium is not null) await _chromium.DisposeAsync();
        _playwright?.Dispose();
    }

    /// <summary>Skips the test where there is no browser, but never in CI.</summary>
    public void SkipIfMissing()
    {
        if (_chromium is null && Environment.GetEnvironmentVariable("CI") is not { Length: > 0 })
            Assert.Skip("Chromium is not installed: the page was not opened.");
        Assert.NotNull(_chromium);
    }

    /// <summary>Opens an address in a tab of its own.</summary>
    /// <param name="mayFail">Whether lost connections and a 404 are part of the test.</param>
    /// <param name="cookie">An operator's cookie, if somebody is logged in.</param>
    public async Task<Tab> Open(
        string url, int width = 360, ColorScheme scheme = ColorScheme.Light, string zone = "Europe/London",
        bool mayFail = false, string? cookie = null, bool hasScripts = true)
    {
        var context = await _chromium!.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = 800 }, ColorScheme = scheme, TimezoneId = zone,
            Locale = "en-GB", JavaScriptEnabled = hasScripts,
        });
        if (cookie?.Split('=', 2) is [var name, var value])
            await context.AddCookiesAsync([new Cookie { Name = name, Value = value, Domain = new Uri(url).Host, Path = "/" }]);
        return await Tab.Open(context, url, mayFail, isFirst: true);
    }
}

/// <summary>An open page that notes what it complains of and whom it asks.</summary>
public sealed class Tab : IAsyncDisposable
{
    readonly IBrowserContext _context;
    readonly bool _isFirst;
    readonly ConcurrentQueue<string> _complaints = new(), _strangers = new();

    Tab(IBrowserContext context, IPage page, string host, bool mayFail, bool isFirst)
    {
        (_context, Page, _isFirst) = (context, page, isFirst);
        page.Console += (_, m) =>
        {
            var isLostWire = m.Text.Contains("WebSocket", StringComparison.Ordinal)
                || m.Text.Contains("ERR_", StringComparison.Ordinal);
            if (m.Type is "error" or "warning" && !isLostWire && !mayFail) _complaints.Enqueue(m.Text);
        };
        page.PageError += (_, e) => _complaints.Enqueue(e);
        page.Request += (_, r) => Note(r.Url);
        page.WebSocket += (_, w) => Note(w.Url);

        void Note(string url)
        {
            if (new Uri(url) is { Scheme: not ("data" or "blob") } to && to.Authority != host) _strangers.Enqueue(url);
        }
    }

    internal static async Task<Tab> Open(IBrowserContext context, string url, bool mayFail, bool isFirst)
    {
        var tab = new Tab(context, await context.NewPageAsync(), new Uri(url).Authority, mayFail, isFirst);
        await tab.Page.GotoAsync(url);
        return tab;
    }

    /// <summary>
    /// Opens another tab beside this one, as the same person, who has the program's files by now. It is closed with this
    /// one, if not before.
    /// </summary>
    public Task<Tab> Beside(string path, bool mayFail = false) =>
        Open(_context, new Uri(new Uri(Page.Url), path).ToString(), mayFail, isFirst: false);

    /// <summary>The page.</summary>
    public IPage Page { get; }

    /// <summary>Waits until something on the page says this.</summary>
    public Task Says(string selector, string text) => Assertions.Expect(Page.Locator(selector).First)
        .ToContainTextAsync(text, new LocatorAssertionsToContainTextOptions { Timeout = 60_000 });

    /// <summary>
    /// Waits until its address contains this. Playwright's own wait for an address misses a change within the page that
    /// comes between its look and its wait.
    /// </summary>
    public Task IsAt(string part) => Assertions.Expect(Page).ToHaveURLAsync(
        new Regex(Regex.Escape(part)), new PageAssertionsToHaveURLOptions { Timeout = 60_000 });

    /// <summary>Keeps a picture of the whole page for people to look at.</summary>
    public Task Picture(string name) => Page.ScreenshotAsync(new PageScreenshotOptions
    {
        Path = Path.Combine(Repository.Root, "artifacts", "screens", $"{name}.png"), FullPage = true,
        Animations = ScreenshotAnimations.Disabled,
    });

    /// <summary>Nothing went wrong, and nothing was asked of another host.</summary>
    public void AssertStayedOnItsHost()
    {
        Assert.Empty(_complaints);
        Assert.Empty(_strangers);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_isFirst) await _context.DisposeAsync();
        else await Page.CloseAsync();
    }
}
