using Microsoft.AspNetCore.Components;

namespace OrleansOms.Host.Ui.Warehouse;

/// <summary>A scan as <c>app.js</c> hands it over: again and again, until the page says that it was taken.</summary>
public sealed class ScanEventArgs : EventArgs
{
    /// <summary>The scan's own name, 32 characters; the same one when it is handed over again.</summary>
    public string Id { get; set; } = "";
    /// <summary>What was read.</summary>
    public string Text { get; set; } = "";
}

/// <summary>What the browser's tab has kept of a page that was lost.</summary>
public sealed class ResumeEventArgs : EventArgs
{
    /// <summary>The page's memory; null if there is none.</summary>
    public string? Memory { get; set; }
    /// <summary>Carrier and service that were used last, a line each; null before the first time.</summary>
    public string? Carrier { get; set; }
}

/// <summary>Events of the scan field beside those that browsers have.</summary>
[EventHandler("onscan", typeof(ScanEventArgs), true, true)]
[EventHandler("onresume", typeof(ResumeEventArgs), true, true)]
public static class EventHandlers { }

/// <summary>
/// What became of the scans of one circuit, whichever page took them. The browser keeps a scan until it reads its name
/// here; no answer can be lost, because it is a part of the page, and what a page shows is sent until it has arrived.
/// </summary>
public sealed class ScanReceipts
{
    /// <summary>The scan that was accepted last; handed over again, it does nothing.</summary>
    public string? Seen { get; set; }
    /// <summary>The last one that is done: the browser forgets it.</summary>
    public string? Taken { get; set; }
    /// <summary>The last one that opened another page: the scans behind it are meant for that page.</summary>
    public string? Led { get; set; }
    /// <summary>The page that it opened. On the way there the browser is asked to go, and that can be lost.</summary>
    public string? LedTo { get; set; }
}
