using Npgsql;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Shipments;

namespace OrleansOms.Postgres.Shipments;

/// <summary>Lists of shipments, from the read model.</summary>
public sealed class ShipmentQueries(NpgsqlDataSource database)
{
    /// <summary>A page of the shipments that the filter lets through, oldest first.</summary>
    /// <exception cref="BadCursorException">The cursor was not made by this list.</exception>
    public Task<Page<ShipmentView>> List(ShipmentFilter filter) =>
        throw new NotImplementedException(database.ToString());
}
