using Microsoft.AspNetCore.WebUtilities;

namespace OrleansOms.Host.Ui.Stock;

/// <summary>What the list of stock shows, as its address says it: it can be shared, and the back button works.</summary>
public sealed record StockListQuery
{
    /// <summary>What was typed into the search field.</summary>
    public string? Q { get; init; }
    /// <summary>Code of the warehouse.</summary>
    public string? Warehouse { get; init; }
    /// <summary>Only stocks of which nothing can be promised.</summary>
    public bool HasNothing { get; init; }
    /// <summary>Only stocks with units that are damaged or in quarantine.</summary>
    public bool HasUnsellable { get; init; }
    /// <summary>Where this page begins; null for the first one.</summary>
    public string? Cursor { get; init; }

    /// <summary>Whether anything but the page is chosen.</summary>
    public bool IsFiltered => Q is not null || Warehouse is not null || HasNothing || HasUnsellable;

    /// <summary>Reads an address; what cannot be understood is left out.</summary>
    public static StockListQuery Read(string uri)
    {
        var query = QueryHelpers.ParseQuery(new Uri(uri).Query);
        string? Text(string name) =>
            query.TryGetValue(name, out var v) && v.ToString().Trim() is { Length: > 0 and <= 200 } text ? text : null;
        return new StockListQuery
        {
            Q = Text("q"), Warehouse = Text("warehouse"), HasNothing = Text("show") == "none", HasUnsellable = Text("show") == "unsellable",
            Cursor = query.TryGetValue("cursor", out var cursor) ? cursor.ToString() : null,
        };
    }

    /// <summary>The word for what it shows in its address; null for all.</summary>
    public string? Shows => HasNothing ? "none" : HasUnsellable ? "unsellable" : null;

    /// <summary>The address of this list.</summary>
    public string Uri() => QueryHelpers.AddQueryString("/stock", new Dictionary<string, string?>
    {
        ["q"] = Q, ["warehouse"] = Warehouse, ["show"] = Shows, ["cursor"] = Cursor,
    }.Where(p => !string.IsNullOrEmpty(p.Value)).ToDictionary());
}
