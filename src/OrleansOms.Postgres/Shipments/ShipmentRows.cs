using System.Text.Json;
using Npgsql;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Postgres.Shipments;

/// <summary>Writes the rows of shipments that a batch has changed; each holds its view, ready to be shown.</summary>
static class ShipmentRows
{
    const string Upsert = """
        insert into oms.shipments as s (id, order_id, order_number, warehouse, status, version, created_at, shipped_at,
          updated_at, view)
        select id, order_id, order_number, warehouse, status, version, created_at, shipped_at, updated_at, view::json
        from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
          as t (id, order_id, order_number, warehouse, status, version, created_at, shipped_at, updated_at, view)
        on conflict (id) do update
        set status = excluded.status, version = excluded.version, shipped_at = excluded.shipped_at,
          updated_at = excluded.updated_at, view = excluded.view
        where excluded.version > s.version
        """;

    public static void Write(NpgsqlBatch batch, IReadOnlyList<Change<Shipment>> changes)
    {
        List<(ShipmentView View, DateTimeOffset At)> rows =
            [.. changes.Where(c => c.After.Exists).Select(c => (ShipmentView.Of(c.After), c.At))];
        if (rows.Count == 0) return;
        T[] Column<T>(Func<ShipmentView, T> of) => [.. rows.Select(r => of(r.View))];
        batch.BatchCommands.Add(ReadModelSql.Statement(Upsert,
            Column(s => s.Id), Column(s => s.OrderId), Column(s => Stored.Clean(s.OrderNumber)),
            Column(s => s.Warehouse), Column(s => Stored.Name(s.Status)), Column(s => s.Version),
            Column(s => s.CreatedAt.ToUniversalTime()), Column(s => s.ShippedAt?.ToUniversalTime()),
            rows.Select(r => r.At.ToUniversalTime()).ToArray(),
            Column(s => JsonSerializer.Serialize(s, ReadModelJson.Default.ShipmentView))));
    }
}
