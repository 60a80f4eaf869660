using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Waiting;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Postgres.Waiting;

/// <summary>Writes and reads who waits, and from when.</summary>
static class WaitRows
{
    const string Upsert = """
        insert into oms.waiting (key, kind, since) select * from unnest($1, $2, $3)
        on conflict (key, kind) do update set since = excluded.since
        """;

    const string Delete = "delete from oms.waiting w using unnest($1, $2) as t (key, kind) where w.key = t.key and w.kind = t.kind";

    /// <summary>Those whose wait begins, is counted anew or ends with a batch. Most orders and parcels of a batch are not among them.</summary>
    public static void Write(NpgsqlBatch batch, IReadOnlyList<Change<Order>> orders, IReadOnlyList<Change<Shipment>> shipments)
    {
        List<(string Key, WaitKind Kind, DateTimeOffset? Since)> changed =
        [
            .. orders.Where(o => o.Before.WaitsForPaymentUntil != o.After.WaitsForPaymentUntil)
                .Select(o => (o.Id, WaitKind.Payment, o.After.WaitsForPaymentUntil)),
            .. orders.Where(o => o.Before.CartUntil != o.After.CartUntil).Select(o => (o.Id, WaitKind.Cart, o.After.CartUntil)),
            .. shipments.Where(s => s.Before.WaitsForCarrierSince != s.After.WaitsForCarrierSince)
                .Select(s => (s.Id, WaitKind.Carrier, s.After.WaitsForCarrierSince)),
        ];
        List<Wait> waits = [.. changed.Where(c => c.Since is not null).Select(c => new Wait(c.Key, c.Kind, c.Since!.Value))];
        if (waits.Count > 0) batch.BatchCommands.Add(Write(waits));
        var over = changed.Where(c => c.Since is null).ToList();
        if (over.Count > 0)
            batch.BatchCommands.Add(ReadModelSql.Statement(
                Delete, over.Select(c => c.Key).ToArray(), over.Select(c => (short)c.Kind).ToArray()));
    }

    /// <summary>Writes waits, whether they are there or not.</summary>
    public static NpgsqlBatchCommand Write(IReadOnlyCollection<Wait> waits) => ReadModelSql.Statement(
        Upsert, waits.Select(w => w.Key).ToArray(), waits.Select(w => (short)w.Kind).ToArray(),
        waits.Select(w => w.Since.ToUniversalTime()).ToArray());

    /// <summary>Listed orders and shipments that may wait and have no row, in the order of their keys.</summary>
    public static Task<List<string>> Missing(NpgsqlConnection connection, string after, int max) => ReadModelSql.Read(connection, """
        select key from (
          select o.id as key from oms.orders o where o.status in ('awaitingPayment', 'onHold')
            or o.status = 'partiallyShipped' and o.payment_status in ('pending', 'partiallyPaid')
          union all
          select s.id from oms.shipments s where s.status in ('shipped', 'inTransit', 'exception') and s.alarm_since is null) m
        where key > $1 and not exists (select from oms.waiting w where w.key = m.key)
        order by key limit $2
        """, [after, max], row => row.GetString(0));

    /// <inheritdoc cref="IReadModel.FindWaits" />
    public static Task<List<Wait>> Find(
        NpgsqlConnection connection, int shard, IReadOnlyDictionary<WaitKind, DateTimeOffset> until, int max,
        IReadOnlyCollection<string> except) => ReadModelSql.Read(connection, """
        select w.key, w.kind, w.since
        from unnest($2, $3) as u (kind, until)
        cross join lateral (
          select * from oms.waiting w
          where w.shard = $1 and w.kind = u.kind and w.since <= u.until and not (w.key = any($5))
          order by w.since limit $4) w
        limit $4
        """, [(short)shard, until.Keys.Select(k => (short)k).ToArray(), until.Values.Select(u => u.ToUniversalTime()).ToArray(),
            max, except.ToArray()],
        row => new Wait(row.GetString(0), (WaitKind)row.GetInt16(1), row.GetFieldValue<DateTimeOffset>(2)));
}
