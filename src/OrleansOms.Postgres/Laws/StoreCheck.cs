using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Postgres.Laws;

/// <summary>
/// Holds the laws of the domain over a whole store: every stream from its first event, and every list against the streams
/// that it is made of. It reads one snapshot of each database and writes nothing, so it can run beside a busy program.
/// </summary>
/// <param name="database">Where the lists are.</param>
/// <param name="logs">The logs by their numbers; null if there is one, in the same database.</param>
public sealed class StoreCheck(NpgsqlDataSource database, IReadOnlyList<NpgsqlDataSource>? logs = null)
{
    readonly CheckReport _report = new();
    readonly Pairing _pairs = new();
    readonly Dictionary<string, Units> _units = new(StringComparer.Ordinal);
    readonly Dictionary<(string Channel, string Status), long> _counts = [];
    /// <summary>Aggregates that an alarm names; alarms are read before orders.</summary>
    readonly HashSet<string> _alarmed = new(StringComparer.Ordinal);
    /// <summary>Orders that have not moved; those whose shipments have an alarm are taken out when shipments are read.</summary>
    readonly Dictionary<string, Breach> _quiet = new(StringComparer.Ordinal);

    /// <summary>What is left of the stocks of one SKU when they have been read.</summary>
    sealed class Units
    {
        public long OnHand { get; set; }
        public List<StockLedger> Ledgers { get; } = [];
    }

    /// <summary>Checks everything.</summary>
    /// <param name="now">Against this, ages are told.</param>
    /// <param name="progress">Told now and then how many events were read.</param>
    /// <exception cref="NewerEventException">Without what a newer program has written, sound things would seem broken.</exception>
    public async Task<CheckReport> Run(DateTimeOffset now, Action<long> progress, CancellationToken cancel)
    {
        // One snapshot for all connections, so that what is written meanwhile is seen by all of them or by none.
        await using var main = await Snapshot.Begin(database, cancel);
        await using var orders = await main.Beside(cancel);
        await using var shipments = await main.Beside(cancel);
        await using var stocks = await main.Beside(cancel);
        await using var lists = new Lists(
            new ListedRows(Listed.Read(orders.Connection, Listed.Orders), _report),
            new ListedRows(Listed.Read(shipments.Connection, Listed.Shipments), _report),
            new ListedRows(Listed.Read(stocks.Connection, Listed.Stocks), _report));
        var position = await Checkpoints.Load(main.Connection, ReadModel.Follower, cancel);
        await using (var events = await StoredEvents.Begin(main, logs, cancel))
            await ReadStreams(events, position, lists, now, progress, cancel);
        await lists.End();
        foreach (var (sku, units) in _units) _report.Add(StockLaws.Conservation(sku, units.OnHand, units.Ledgers));
        foreach (var (key, sides) in _pairs.Open)
            _report.Add(StockLaws.ReservationsAreAllocations(
                key.Stock, key.OrderId, key.LineId, sides.Surplus, 0, now - sides.At));
        foreach (var breach in _quiet.Values) _report.Add(breach);
        await CompareCounts(main.Connection, cancel);
        await FindTwins(main.Connection, cancel);
        return _report;
    }

    sealed record Lists(ListedRows Orders, ListedRows Shipments, ListedRows Stocks) : IAsyncDisposable
    {
        public async Task End()
        {
            await Orders.End();
            await Shipments.End();
            await Stocks.End();
        }

        public async ValueTask DisposeAsync()
        {
            await Orders.DisposeAsync();
            await Shipments.DisposeAsync();
            await Stocks.DisposeAsync();
        }
    }

    async Task ReadStreams(
        StoredEvents events, Checkpoint listed, Lists lists, DateTimeOffset now, Action<long> progress,
        CancellationToken cancel)
    {
        StreamAudit? audit = null;
        IReadOnlyDictionary<string, object?>? row = null;
        await foreach (var e in events.All())
        {
            cancel.ThrowIfCancellationRequested();
            if (audit?.Stream != e.Stream)
            {
                await End(audit, row, lists, now);
                (audit, row) = (StreamAudit.Of(e.Stream), null);
            }
            _report.AddAll(audit.Hear(e.Version, e.Known(), e.CommandId, e.At));
            _pairs.Hear(e.Stream, e.Data, e.At);
            if (listed.Covers(e)) row = RowOf(audit);
            if (e.Data is LawBroken broken) _alarmed.Add(broken.Aggregate);
            if (++_report.Events % 10_000 == 0) progress(_report.Events);
        }
        await End(audit, row, lists, now);
    }

    static IReadOnlyDictionary<string, object?>? RowOf(StreamAudit audit) => audit switch
    {
        { IsWhole: false } => null,
        OrderAudit o => Listed.Of(o.Order),
        ShipmentAudit s => Listed.Of(s.Shipment),
        StockAudit s => Listed.Of(StockCounts.Of(s.Stock)),
        _ => null,
    };

    async Task End(StreamAudit? audit, IReadOnlyDictionary<string, object?>? row, Lists lists, DateTimeOffset now)
    {
        if (audit is null) return;
        _report.Streams++;
        switch (audit)
        {
            case OrderAudit o:
                if (o.Order.Exists) _report.Orders++;
                await lists.Orders.Compare(o.Stream, row);
                if (row is not null) Count((o.Order.Placed!.Channel, (string)row["status"]!));
                if (o.IsWhole && OrderLaws.NothingLost(o.Order, o.MovedAt, _alarmed.Contains(o.Stream), now) is { } quiet)
                    _quiet[o.Stream] = quiet;
                break;
            case ShipmentAudit s:
                await lists.Shipments.Compare(s.Stream, row);
                if (s.Shipment is { Exists: true, AlarmSince: not null }) _quiet.Remove(s.Shipment.Created!.OrderId);
                break;
            case StockAudit s:
                await lists.Stocks.Compare(s.Stream, row);
                var units = _units.TryGetValue(s.Stock.Sku, out var known) ? known : _units[s.Stock.Sku] = new Units();
                units.OnHand += s.Stock.OnHand;
                units.Ledgers.Add(s.Ledger);
                break;
        }

        void Count((string, string) key) => _counts[key] = _counts.GetValueOrDefault(key) + 1;
    }

    /// <summary>L12 for the numbers beside the tabs of the orders' list.</summary>
    async Task CompareCounts(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "select channel, status, orders from oms.order_counts where warehouse = '' and orders <> 0", connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var shown = new Dictionary<(string, string), long>();
        while (await reader.ReadAsync(cancel)) shown[(reader.GetString(0), reader.GetString(1))] = reader.GetInt64(2);
        foreach (var key in shown.Keys.Union(_counts.Keys))
            _report.Add(LogLaws.ListsAreTheLog(
                $"{key.Item1} {key.Item2}", "the number of orders", shown.GetValueOrDefault(key), _counts.GetValueOrDefault(key)));
    }

    async Task FindTwins(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("""
            select channel, external_id, array_agg(id order by id) from oms.orders where external_id is not null
            group by channel, external_id having count(*) > 1
            """, connection) { CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
            _report.Add(OrderLaws.ExistsOnce(reader.GetString(0), reader.GetString(1), reader.GetFieldValue<string[]>(2)));
    }
}
