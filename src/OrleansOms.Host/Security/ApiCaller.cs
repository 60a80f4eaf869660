using System.Collections.Frozen;

namespace OrleansOms.Host.Security;

/// <summary>What an API key may be allowed to do.</summary>
public static class Scopes
{
    /// <summary>Everything.</summary>
    public const string All = "*";
    /// <summary>See orders.</summary>
    public const string OrdersRead = "orders:read";
    /// <summary>Place, cancel and pay orders.</summary>
    public const string OrdersWrite = "orders:write";
    /// <summary>See stock and what can be promised.</summary>
    public const string StockRead = "stock:read";
    /// <summary>Receive and adjust stock.</summary>
    public const string StockWrite = "stock:write";
    /// <summary>See shipments.</summary>
    public const string ShipmentsRead = "shipments:read";
    /// <summary>Pick, pack, ship and track.</summary>
    public const string ShipmentsWrite = "shipments:write";
    /// <summary>Put products and warehouses.</summary>
    public const string CatalogueWrite = "catalogue:write";

    /// <summary>Every scope that a key can be given.</summary>
    public static IReadOnlyList<string> Known { get; } =
        [All, OrdersRead, OrdersWrite, StockRead, StockWrite, ShipmentsRead, ShipmentsWrite, CatalogueWrite];
}

/// <summary>A program or a person that was recognised.</summary>
/// <param name="Id">Whose idempotency keys these are: <c>key:…</c> or <c>operator:…</c>.</param>
/// <param name="Actor">How histories name the caller: <c>key:</c> or <c>operator:</c> and the name.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="Warehouses">Codes of those it may see; null for all.</param>
public sealed record ApiCaller(
    string Id, string Actor, FrozenSet<string> Scopes, FrozenSet<string>? Warehouses)
{
    /// <summary>Whether a person is calling.</summary>
    public bool IsOperator => Actor.StartsWith("operator:", StringComparison.Ordinal);

    /// <summary>Whether it may do this.</summary>
    public bool May(string scope) => Scopes.Contains(scope) || Scopes.Contains(Security.Scopes.All);

    /// <summary>Whether it may see what belongs to a warehouse.</summary>
    public bool MaySee(string warehouse) => Warehouses is null || Warehouses.Contains(warehouse);

    /// <summary>Whether it may see what belongs to any of these warehouses.</summary>
    public bool MaySeeAny(IEnumerable<string> warehouses) => Warehouses is null || warehouses.Any(Warehouses.Contains);
}
