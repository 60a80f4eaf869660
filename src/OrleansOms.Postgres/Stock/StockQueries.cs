using Npgsql;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Shared;
using OrleansOms.Postgres.Orders;

namespace OrleansOms.Postgres.Stock;

/// <summary>Lists of stocks, from the read model.</summary>
public sealed class StockQueries(NpgsqlDataSource database)
{
    const string ListName = "stock";
    const int MaxText = 320;

    /// <summary>A page of stocks by warehouse, then SKU.</summary>
    /// <param name="filter">Which of them.</param>
    /// <param name="limit">How many, 1 to 200.</param>
    /// <param name="cursor">The last page's cursor.</param>
    /// <exception cref="BadCursorException">The cursor was not made by this list.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not 1 to 200.</exception>
    public async Task<Page<StockView>> List(StockFilter filter, int limit, string? cursor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, Page<StockView>.MaxLimit);
        var after = Cursor.Read(ListName, cursor, Text.IsSku);
        var p = new Parameters();
        if (Matches(filter, p) is not var (from, where)) return new Page<StockView>([], null);
        if (after is { } place) where.Add($"(s.warehouse, s.sku) > ({p.Add(place.Key)}, {p.Add(place.Id)})");
        var rows = await ReadModelSql.Read(database, $"""
            select s.warehouse, s.sku, s.on_hand, s.reserved, s.safety_stock, s.version, s.damaged, s.quarantine from {from} {All(where)}
            order by s.warehouse, s.sku limit {limit + 1}
            """, p.Values, StockRows.Read);
        return rows.Count <= limit
            ? new Page<StockView>(rows, null)
            : new Page<StockView>(rows[..limit], Cursor.Write(ListName, rows[limit - 1].Warehouse, rows[limit - 1].Sku));
    }

    /// <summary>How many stocks there are of these.</summary>
    public async Task<long> Count(StockFilter filter)
    {
        var p = new Parameters();
        if (Matches(filter, p) is not var (from, where)) return 0;
        return (await ReadModelSql.Read(database, $"select count(*) from {from} {All(where)}", p.Values, row => row.GetInt64(0)))[0];
    }

    static string All(List<string> where) => where.Count > 0 ? "where " + string.Join(" and ", where) : "";

    /// <summary>Where they are and what is so of them; null if there can be none.</summary>
    static (string From, List<string> Where)? Matches(StockFilter filter, Parameters p)
    {
        var q = string.IsNullOrWhiteSpace(filter.Q) ? null : filter.Q.Trim();
        if (filter.Warehouses is { } codes && !codes.All(Text.IsWarehouseCode) || q is not null && !Text.IsPrintable(q, MaxText)) return null;
        List<string> where = [];
        if (filter.Warehouses is { } some) where.Add($"s.warehouse = any({p.Add(some.ToArray())})");
        if (filter.HasUnsellable) where.Add("(s.damaged > 0 or s.quarantine > 0)");
        if (filter.HasNothing) where.Add("s.on_hand - s.reserved - s.safety_stock <= 0");
        if (q is null) return ("oms.stock s", where);
        where.Add($"p.search like {p.Add(Stored.Holding(Stored.Key(q)))}");
        // The primary key begins with the warehouse: for few products, each warehouse is asked for each of them.
        return ("""
            oms.products p cross join oms.warehouses w
            join oms.stock s on s.warehouse = w.code and s.sku = p.sku
            """, where);
    }
}

/// <summary>Which stocks a list has.</summary>
public sealed record StockFilter
{
    /// <summary>Only of these warehouses; null for all.</summary>
    public IReadOnlyCollection<string>? Warehouses { get; init; }
    /// <summary>Only SKUs or product names that hold this text, whatever its case.</summary>
    public string? Q { get; init; }
    /// <summary>Only those of which nothing can be promised.</summary>
    public bool HasNothing { get; init; }
    /// <summary>Only those with units that are damaged or in quarantine.</summary>
    public bool HasUnsellable { get; init; }
}
