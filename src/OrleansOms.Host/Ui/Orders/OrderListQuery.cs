using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Host.Http;

namespace OrleansOms.Host.Ui.Orders;

/// <summary>What the orders' list shows, as its address says it: it can be shared, and the back button works.</summary>
public sealed record OrderListQuery
{
    const string Path = "/orders";

    /// <summary>One of these; empty means any.</summary>
    public IReadOnlyList<OrderStatus> Statuses { get; init; } = [];
    /// <summary>Code of the sales channel.</summary>
    public string? Channel { get; init; }
    /// <summary>What was typed into the search field.</summary>
    public string? Q { get; init; }
    /// <summary>First day, where the viewer is.</summary>
    public DateOnly? From { get; init; }
    /// <summary>Last day, where the viewer is.</summary>
    public DateOnly? To { get; init; }
    /// <summary>Code of the warehouse.</summary>
    public string? Warehouse { get; init; }
    /// <summary>The SKU.</summary>
    public string? Sku { get; init; }
    /// <summary>The rows' order.</summary>
    public OrderSort Sort { get; init; }
    /// <summary>Where this page begins; null for the first one.</summary>
    public string? Cursor { get; init; }

    /// <summary>Whether anything but the order of rows and the page is chosen.</summary>
    public bool IsFiltered => Statuses.Count > 0 || HasChips || Q is not null;
    /// <summary>Whether there is a chip to show.</summary>
    public bool HasChips => Channel is not null || From is not null || To is not null || Warehouse is not null || Sku is not null;

    /// <summary>Reads an address; what cannot be understood is left out.</summary>
    public static OrderListQuery Read(string uri)
    {
        var query = QueryHelpers.ParseQuery(new Uri(uri).Query);
        string? Text(string name) =>
            query.TryGetValue(name, out var v) && v.ToString().Trim() is { Length: > 0 and <= 200 } text ? text : null;
        DateOnly? Date(string name) =>
            DateOnly.TryParseExact(Text(name), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var d)
                ? d : null;
        return new OrderListQuery
        {
            Statuses = [.. (Text("status") ?? "").Split(',')
                .Select(s => WordsOf<OrderStatus>.All.TryGetValue(s, out var status) ? status : (OrderStatus?)null)
                .OfType<OrderStatus>().Distinct()],
            Channel = Text("channel"), Q = Text("q"), From = Date("from"), To = Date("to"),
            Warehouse = Text("warehouse"), Sku = Text("sku"),
            Sort = WordsOf<OrderSort>.All.GetValueOrDefault(Text("sort") ?? ""),
            Cursor = query.TryGetValue("cursor", out var cursor) ? cursor.ToString() : null,
        };
    }

    /// <summary>The address of this list.</summary>
    public string Uri() => QueryHelpers.AddQueryString(Path, Parameters());

    /// <summary>What its address says beside the path.</summary>
    public IReadOnlyDictionary<string, string?> Parameters() =>
        new Dictionary<string, string?>
        {
            ["status"] = Statuses.Count == 0 ? null : string.Join(',', Statuses.Select(WordOf)),
            ["q"] = Q, ["channel"] = Channel, ["from"] = Day(From), ["to"] = Day(To),
            ["warehouse"] = Warehouse, ["sku"] = Sku,
            ["sort"] = Sort == default ? null : WordOf(Sort), ["cursor"] = Cursor,
        }.Where(p => !string.IsNullOrEmpty(p.Value)).ToDictionary();

    /// <summary>The same list from its first row.</summary>
    public OrderListQuery FirstPage() => this with { Cursor = null };

    /// <summary>What the read model is asked for.</summary>
    /// <param name="zone">Where the viewer's days begin.</param>
    /// <param name="only">The one warehouse that the viewer is bound to; null if free to choose.</param>
    public OrderFilter Filter(TimeZoneInfo zone, string? only) => new()
    {
        Statuses = Statuses, Channel = Channel, Q = Q, Sku = Sku, Warehouse = only ?? Warehouse, Sort = Sort,
        Cursor = Cursor,
        From = From is { } from ? Midnight(from, zone) : null,
        To = To is { } to ? Midnight(to.AddDays(1), zone) : null,
    };

    static DateTimeOffset Midnight(DateOnly day, TimeZoneInfo zone)
    {
        var local = day.ToDateTime(TimeOnly.MinValue);
        // On a day whose midnight is skipped by summer time, it begins an hour later.
        if (zone.IsInvalidTime(local)) local = local.AddHours(1);
        return new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
    }

    /// <summary>A day as addresses and date fields write it.</summary>
    public static string? Day(DateOnly? day) => day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    static string WordOf<T>(T member) where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(member.ToString());

    /// <inheritdoc />
    public bool Equals(OrderListQuery? other) => other is not null && Uri() == other.Uri();

    /// <inheritdoc />
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Uri());
}
