using Npgsql;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Stock;

namespace OrleansOms.Postgres.Stock;

/// <summary>Lists of stocks, from the read model.</summary>
public sealed class StockQueries(NpgsqlDataSource database)
{
    /// <summary>A page of stocks by warehouse, then SKU.</summary>
    /// <param name="warehouse">Only of this one.</param>
    /// <param name="q">Only SKUs or product names that hold this text, whatever its case.</param>
    /// <param name="limit">How many, 1 to 200.</param>
    /// <param name="cursor">The last page's cursor.</param>
    /// <exception cref="BadCursorException">The cursor was not made by this list.</exception>
    public Task<Page<StockView>> List(string? warehouse, string? q, int limit, string? cursor) =>
        throw new NotImplementedException(database.ToString());
}
