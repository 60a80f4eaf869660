using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Postgres.Laws;

/// <summary>
/// Holds the laws of the domain over a whole store: every stream from its first event, and every list and every snapshot
/// against the streams that it is made of. It reads one snapshot of each database and writes nothing, so it can run beside a busy program.
/// </summary>
/// <param name="database">Where the lists are.</param>
/// <param name="logs">The logs by their numbers; null if there is one, in the same database.</param>
public sealed class StoreCheck(NpgsqlDataSource database, IReadOnlyList<NpgsqlDataSource>? logs = null)
{
    readonly CheckReport _report = new();
    readonly Pairing _pairs = new();
    readonly Dictionary<string, Units> _units = new(StringComparer.Ordinal);
    readonly Dictionary<(string Channel, string Warehouse, string Status), long> _counts = [];
    /// <summary>What is kept of stocks between activations.</summary>
    IReadOnlyDictionary<string, StockCounts> _snapshots = new Dictionary<string, StockCounts>();
    /// <summary>Aggregates that an alarm names; alarms are read before orders.</summary>
    readonly HashSet<string> _alarmed = new(StringComparer.Ordinal);
    /// <summary>Orders that have not moved; those whose shipments have an alarm are taken out when shipments are read.</summary>
    readonly Dictionary<string, Breach> _quiet = new(StringComparer.Ordinal);

    /// <summary>Carts that are held, and until when.</summary>
    readonly Dictionary<string, DateTimeOffset> _carts = new(StringComparer.Ordinal);

    /// <summary>What is left of the stocks of one SKU when they have been read.</summary>
    sealed class Units
    {
        public long All { get; set; }
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
        await using var stockDays = await main.Beside(cancel);
        await using var products = await main.Beside(cancel);
        await using var warehouses = await main.Beside(cancel);
        await using var lists = new Lists(
            Rows(orders, Listed.Orders), Rows(shipments, Listed.Shipments), Rows(stocks, Listed.Stocks),
            Rows(products, Listed.Products), Rows(warehouses, Listed.Warehouses));
        await using var days = new StockDayCheck(Listed.Read(stockDays.Connection, StockDayCheck.Days), _report);
        _snapshots = await SnapshotCounts.Read(main.Connection, cancel);
        var position = await Checkpoints.Load(main.Connection, ReadModel.Follower, cancel);
        await using (var events = await StoredEvents.Begin(main, logs, cancel))
            await ReadStreams(events, position, lists, days, now, progress, cancel);
        await lists.End();
        await days.End();
        foreach (var (sku, units) in _units) _report.Add(StockLaws.Conservation(sku, units.All, units.Ledgers));
        foreach (var (key, sides) in _pairs.Open)
            _report.Add(StockLaws.ReservationsAreAllocations(
                key.Stock, key.OrderId, key.LineId, sides.Surplus, 0, now - sides.At));
        foreach (var breach in _quiet.Values) _report.Add(breach);
        await CompareCounts(main.Connection, cancel);
        await FindWaitsOfNobody(main.Connection, cancel);
        await CompareCarts(main.Connection, cancel);
        await FindTwins(main.Connection, cancel);
        return _report;
    }

    ListedRows Rows(Snapshot snapshot, string list) =>
        new(Listed.Read(snapshot.Connection, Listed.InOrder(list)), _report);

    sealed record Lists(
        ListedRows Orders, ListedRows Shipments, ListedRows Stocks, ListedRows Products, ListedRows Warehouses) : IAsyncDisposable
    {
        ListedRows[] All => [Orders, Shipments, Stocks, Products, Warehouses];

        public async Task End()
        {
            foreach (var list in All) await list.End();
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var list in All) await list.DisposeAsync();
        }
    }

    async Task ReadStreams(
        StoredEvents events, Checkpoint listed, Lists lists, StockDayCheck days, DateTimeOffset now, Action<long> progress,
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
            if (audit is StockAudit before) await days.Next(before, e.At);
            _report.AddAll(audit.Hear(e.Version, e.Known(), e.CommandId, e.At));
            _pairs.Hear(e.Stream, e.Data, e.At);
            if (listed.Covers(e))
            {
                row = Listed.Of(e.Data, e.Version) ?? Listed.Of(audit);
                if (audit is OrderAudit { Order.CartUntil: { } until }) _carts[e.Stream] = until;
                else _carts.Remove(e.Stream);
            }
            if (audit is StockAudit stock && _snapshots.TryGetValue(e.Stream, out var kept) && kept.Version == e.Version)
                _report.Add(StockLaws.CountsAreTheirLedger(e.Stream, kept, stock.Ledger));
            if (e.Data is LawBroken broken) _alarmed.Add(broken.Aggregate);
            if (++_report.Events % 10_000 == 0) progress(_report.Events);
        }
        await End(audit, row, lists, now);
    }

    async Task End(StreamAudit? audit, IReadOnlyDictionary<string, object?>? row, Lists lists, DateTimeOffset now)
    {
        if (audit is null) return;
        _report.Streams++;
        switch (audit)
        {
            case OrderAudit o:
                if (o.Order.Exists) _report.Orders++;
                await lists.Orders.Compare(o.Stream, row);
                if (row is not null) Count((string)row["channel"]!, (string)row["warehouses"]!, (string)row["status"]!);
                if (o.IsWhole && !_alarmed.Contains(o.Stream)) _report.Add(OrderLaws.CartEnds(o.Stream, o.Order.CartUntil, now));
                if (o.IsWhole && OrderLaws.NothingLost(o.Order, o.MovedAt, _alarmed.Contains(o.Stream), now) is { } quiet)
                    _quiet[o.Stream] = quiet;
                break;
            case ShipmentAudit s:
                await lists.Shipments.Compare(s.Stream, row);
                if (s.Shipment is { Exists: true, AlarmSince: not null }) _quiet.Remove(s.Shipment.Created!.OrderId);
                break;
            case StockAudit s:
                await lists.Stocks.Compare(s.Stream, row);
                if (_snapshots.TryGetValue(s.Stream, out var kept) && kept.Version > s.Version)
                    _report.Add(StockLaws.CountsAreTheirLedger(s.Stream, kept, s.Ledger));
                var units = _units.TryGetValue(s.Stock.Sku, out var known) ? known : _units[s.Stock.Sku] = new Units();
                units.All += StockCounts.Of(s.Stock).All;
                units.Ledgers.Add(s.Ledger);
                break;
            case { } other:
                if (other.Stream.StartsWith(Keys.Product, StringComparison.Ordinal)) await lists.Products.Compare(other.Stream, row);
                if (other.Stream.StartsWith(Keys.Warehouse, StringComparison.Ordinal)) await lists.Warehouses.Compare(other.Stream, row);
                break;
        }

        void Count(string channel, string warehouses, string status)
        {
            foreach (var warehouse in warehouses.Split('\n', StringSplitOptions.RemoveEmptyEntries).Prepend(""))
                _counts[(channel, warehouse, status)] = _counts.GetValueOrDefault((channel, warehouse, status)) + 1;
        }
    }

    /// <summary>L12 for the numbers beside the tabs of the orders' list, for all warehouses and for each.</summary>
    async Task CompareCounts(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "select channel, warehouse, status, orders from oms.order_counts where orders <> 0", connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var shown = new Dictionary<(string Channel, string Warehouse, string Status), long>();
        while (await reader.ReadAsync(cancel))
            shown[(reader.GetString(0), reader.GetString(1), reader.GetString(2))] = reader.GetInt64(3);
        foreach (var key in shown.Keys.Union(_counts.Keys))
            _report.Add(LogLaws.ListsAreTheLog(
                string.Join(' ', new[] { key.Channel, key.Warehouse, key.Status }.Where(k => k.Length > 0)), "the number of orders", shown.GetValueOrDefault(key), _counts.GetValueOrDefault(key)));
    }

    /// <summary>L12 for those who wait and are in no list, or in one where nobody waits for that.</summary>
    async Task FindWaitsOfNobody(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("""
            select w.key from oms.waiting w where w.kind <> 3
              and not exists (select from oms.orders o where o.id = w.key and w.kind = 1)
              and not exists (select from oms.shipments s where s.id = w.key and w.kind = 2)
            """, connection) { CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
            _report.Add(LogLaws.ListsAreTheLog(reader.GetString(0), "its wait", "there", "missing"));
    }

    /// <summary>L12 for carts, which are in no list: those that are held wait for their time, and nobody else does.</summary>
    async Task CompareCarts(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("select key, since from oms.waiting where kind = 3", connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var (key, since) = (reader.GetString(0), reader.GetFieldValue<DateTimeOffset>(1));
            var known = _carts.Remove(key, out var until);
            // The database keeps microseconds.
            if (!known || (until - since).Duration() >= TimeSpan.FromMilliseconds(1))
                _report.Add(LogLaws.ListsAreTheLog(key, "its cart's time", $"{since:u}", known ? $"{until:u}" : "none"));
        }
        foreach (var (key, until) in _carts) _report.Add(LogLaws.ListsAreTheLog(key, "its cart's time", "none", $"{until:u}"));
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
