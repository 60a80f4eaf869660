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
    /// <param name="warehouse">Only of this one.</param>
    /// <param name="q">Only SKUs or product names that hold this text, whatever its case.</param>
    /// <param name="limit">How many, 1 to 200.</param>
    /// <param name="cursor">The last page's cursor.</param>
    /// <exception cref="BadCursorException">The cursor was not made by this list.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not 1 to 200.</exception>
    public async Task<Page<StockView>> List(string? warehouse, string? q, int limit, string? cursor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, Page<StockView>.MaxLimit);
        var after = Cursor.Read(ListName, cursor, Text.IsSku);
        q = string.IsNullOrWhiteSpace(q) ? null : q.Trim();
        if (warehouse is not null && !Text.IsWarehouseCode(warehouse)) return new Page<StockView>([], null);
        if (q is not null && !Text.IsPrintable(q, MaxText)) return new Page<StockView>([], null);
        var p = new Parameters();
        List<string> where = [];
        if (warehouse is not null) where.Add($"s.warehouse = {p.Add(warehouse)}");
        if (after is { } place) where.Add($"(s.warehouse, s.sku) > ({p.Add(place.Key)}, {p.Add(place.Id)})");
        var from = "oms.stock s";
        if (q is not null)
        {
            // The primary key begins with the warehouse: for few products, each warehouse is asked for each of them.
            from = """
                oms.products p cross join oms.warehouses w
                join oms.stock s on s.warehouse = w.code and s.sku = p.sku
                """;
            where.Add($"p.search like {p.Add(Stored.Holding(Stored.Key(q)))}");
        }
        var rows = await ReadModelSql.Read(database, $"""
            select s.warehouse, s.sku, s.on_hand, s.reserved, s.safety_stock, s.version from {from}
            {(where.Count > 0 ? "where " + string.Join(" and ", where) : "")}
            order by s.warehouse, s.sku limit {limit + 1}
            """, p.Values, StockRows.Read);
        return rows.Count <= limit
            ? new Page<StockView>(rows, null)
            : new Page<StockView>(rows[..limit], Cursor.Write(ListName, rows[limit - 1].Warehouse, rows[limit - 1].Sku));
    }
}
