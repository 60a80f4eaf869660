using OrleansOms.Domain.Shared;

namespace OrleansOms.Connectors.Channels.OnlineRetail;

/// <summary>A warehouse of the imported shop. The file names none: these three are our own choice.</summary>
public sealed record RetailWarehouse(string Code, string Name, Address Address, GeoPoint Location);

/// <summary>Units of one SKU to receive.</summary>
public readonly record struct StockLine(string Sku, int Quantity);

/// <summary>
/// The stock that the shop starts with, so that every order of the file can be shipped. Most SKUs lie in all three
/// warehouses: as many as are sold in London and in Manchester, half in Rotterdam; so most orders fit into one. One
/// SKU in <see cref="SingleIn"/>, chosen by its letters, lies in one warehouse only, so that some orders must split.
/// </summary>
public static class OpeningStock
{
    /// <summary>One SKU in so many lies in one warehouse only.</summary>
    public const int SingleIn = 25;
    /// <summary>Units received at most of one SKU in one warehouse; sales beyond it are backordered.</summary>
    public const int MaxUnits = 1_000_000;

    /// <summary>London, Manchester and Rotterdam.</summary>
    public static IReadOnlyList<RetailWarehouse> Warehouses { get; } =
    [
        new("LON", "London", new Address("London warehouse", "1 Dock Road", null, "London", null, "E16 2QU", "GB"),
            new GeoPoint(51.508, 0.029)),
        new("MAN", "Manchester",
            new Address("Manchester warehouse", "1 Canal Road", null, "Manchester", null, "M17 1AB", "GB"),
            new GeoPoint(53.468, -2.315)),
        new("RTM", "Rotterdam",
            new Address("Rotterdam warehouse", "1 Havenweg", null, "Rotterdam", null, "3089 JH", "NL"),
            new GeoPoint(51.886, 4.427)),
    ];

    /// <summary>What one of <see cref="Warehouses"/> receives, by SKU.</summary>
    public static IReadOnlyList<StockLine> For(string warehouse, IReadOnlyList<RetailProduct> products) =>
        [.. products.Select(p => new StockLine(p.Sku, Units(warehouse, p))).Where(l => l.Quantity > 0)];

    static int Units(string warehouse, RetailProduct product)
    {
        var sold = (int)Math.Min(product.Units, MaxUnits);
        var choice = FixedChoice.Of(product.Sku);
        if (choice % SingleIn == 0)
            return Warehouses[(int)(choice / SingleIn % (ulong)Warehouses.Count)].Code == warehouse ? sold : 0;
        return warehouse == "RTM" ? (sold + 1) / 2 : sold;
    }
}

/// <summary>Chooses by a text, always the same on every machine: FNV-1a over its UTF-8 bytes, mixed.</summary>
static class FixedChoice
{
    public static ulong Of(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in System.Text.Encoding.UTF8.GetBytes(text)) hash = (hash ^ b) * 1099511628211UL;
        hash ^= hash >> 33; // FNV alone leaves the low bits of similar texts alike
        hash *= 0xff51afd7ed558ccdUL;
        return hash ^ (hash >> 33);
    }
}
