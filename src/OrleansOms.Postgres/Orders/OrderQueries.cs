using Npgsql;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;

namespace OrleansOms.Postgres.Orders;

/// <summary>Lists and counts of orders, from the read model.</summary>
public sealed class OrderQueries(NpgsqlDataSource database)
{
    /// <summary>A page of the orders that the filter lets through; new orders do not move those of a later page.</summary>
    /// <exception cref="BadCursorException">The cursor was not made by this list in this order.</exception>
    public Task<Page<OrderSummary>> List(OrderFilter filter) => throw new NotImplementedException(database.ToString());

    /// <summary>
    /// How many orders have each status; every status is there. The filter's own statuses, sort, limit and cursor are
    /// ignored.
    /// </summary>
    public Task<IReadOnlyDictionary<OrderStatus, long>> CountByStatus(OrderFilter? filter = null) =>
        throw new NotImplementedException();

    /// <summary>The id of the order with this number, or null.</summary>
    public Task<string?> FindIdByNumber(string number) => throw new NotImplementedException();
}
