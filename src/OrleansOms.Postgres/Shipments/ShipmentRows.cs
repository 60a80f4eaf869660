using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Postgres.Shipments;

/// <summary>Writes the rows of shipments that a batch has changed; each holds its view, ready to be shown.</summary>
static class ShipmentRows
{
    const string Insert = """
        insert into oms.shipments (id, order_id, order_number, warehouse, created_at, status, version, shipped_at,
          updated_at, view, alarm_since)
        select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """;

    const string Update = """
        update oms.shipments s
        set status = t.status, version = t.version, shipped_at = t.shipped_at, updated_at = t.updated_at, view = t.view,
          alarm_since = t.alarm_since
        from unnest($1, $2, $3, $4, $5, $6, $7) as t (id, status, version, shipped_at, updated_at, view, alarm_since)
        where s.id = t.id
        """;

    public static void Write(NpgsqlBatch batch, IReadOnlyList<Change<Shipment>> changes)
    {
        List<Change<Shipment>> shipments = [.. changes.Where(c => c.After.Exists)];
        List<Row> born = [.. shipments.Where(c => !c.Before.Exists).Select(Row.Of)];
        List<Row> grown = [.. shipments.Where(c => c.Before.Exists).Select(Row.Of)];
        if (born.Count > 0)
            batch.BatchCommands.Add(ReadModelSql.Statement(Insert,
            [
                Column(born, s => s.Id), Column(born, s => s.OrderId), Column(born, s => Stored.Clean(s.OrderNumber)),
                Column(born, s => s.Warehouse), Column(born, s => s.CreatedAt.ToUniversalTime()), .. Changing(born),
            ]));
        if (grown.Count > 0)
            batch.BatchCommands.Add(ReadModelSql.Statement(Update, [Column(grown, s => s.Id), .. Changing(grown)]));
    }

    static object[] Changing(List<Row> rows) =>
    [
        Column(rows, s => Stored.Name(s.Status)), Column(rows, s => s.Version),
        Column(rows, s => s.ShippedAt?.ToUniversalTime()), rows.Select(r => r.At.ToUniversalTime()).ToArray(),
        new NpgsqlParameter<string[]>
        {
            TypedValue = Column(rows, s => JsonSerializer.Serialize(s, ReadModelJson.Default.ShipmentView)),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Json,
        },
        Column(rows, s => s.AlarmSince?.ToUniversalTime()),
    ];

    static T[] Column<T>(List<Row> rows, Func<ShipmentView, T> of) => [.. rows.Select(r => of(r.View))];

    readonly record struct Row(ShipmentView View, DateTimeOffset At)
    {
        public static Row Of(Change<Shipment> change) => new(ShipmentView.Of(change.After), change.At);
    }
}
