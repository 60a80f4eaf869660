using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Contracts.Waiting;
using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Postgres.Catalogue;
using OrleansOms.Postgres.Laws;
using OrleansOms.Postgres.Log;
using OrleansOms.Postgres.Orders;
using OrleansOms.Postgres.Shipments;
using OrleansOms.Postgres.Stock;
using OrleansOms.Postgres.Waiting;

namespace OrleansOms.Postgres;

/// <summary>
/// The tables behind lists and searches: each row is the fold of one aggregate's events, by the Domain's own functions.
/// A batch and the position after it are written in one transaction, so each event counts once.
/// </summary>
public sealed class ReadModel(NpgsqlDataSource database, IEventLog log) : IReadModel, IDisposable
{
    /// <summary>The name under which its position is kept.</summary>
    public const string Follower = "read-model";

    // Aggregates that are read at once to find out whether they wait.
    const int MissingAtOnce = 1000;

    // Most states that stay in memory, in order lines and shipment lines: some tens of megabytes.
    const int RememberedLines = 100_000;

    readonly SemaphoreSlim _turn = new(1);
    readonly StreamFold<Order> _orders = new(
        log, RememberedLines, id => new Order(id), o => o.Version, o => 1 + o.Lines.Length + (o.Cart?.Lines.Length ?? 0), Apply,
        o => o.IsClosed || o is { Exists: false, Cart.IsOpen: false });
    readonly StreamFold<Shipment> _shipments = new(
        log, RememberedLines, id => new Shipment(id), s => s.Version, s => 1 + s.Lines.Length + s.Tracking.Length, Apply,
        s => s.IsFinal);
    readonly StockDayRows _stockDays = new();

    static Order Apply(Order order, LogEvent e) => order.Apply((OrderEvent)e.Known());

    static Shipment Apply(Shipment shipment, LogEvent e) => shipment.Apply((ShipmentEvent)e.Known(), e.At);

    /// <inheritdoc />
    public void Dispose() => _turn.Dispose();

    /// <inheritdoc />
    public Task<Checkpoint> Position() =>
        ReadModelSql.Ask(database, connection => Checkpoints.Load(connection, Follower));

    /// <inheritdoc />
    /// <remarks>A build that did not write who waits may have written the lists until now: such orders are found in them.</remarks>
    public async Task<Checkpoint> Begin()
    {
        for (var missing = await Missing(""); missing.Count > 0; missing = await Missing(missing[^1]))
        {
            var waits = (await log.ReadStreams(missing))
                .GroupBy(e => e.Stream, StringComparer.Ordinal)
                .SelectMany(WaitOf).ToList();
            if (waits.Count > 0)
                await ReadModelSql.Ask(database, async connection =>
                {
                    await using var batch = new NpgsqlBatch(connection) { BatchCommands = { WaitRows.Write(waits) } };
                    return await batch.ExecuteNonQueryAsync();
                });
        }
        return await Position();

        Task<List<string>> Missing(string after) =>
            ReadModelSql.Ask(database, connection => WaitRows.Missing(connection, after, MissingAtOnce));
    }

    static IEnumerable<Wait> WaitOf(IGrouping<string, LogEvent> stream)
    {
        if (stream.Key.StartsWith(Keys.Order, StringComparison.Ordinal))
        {
            if (stream.Aggregate(new Order(stream.Key), Apply).WaitsForPaymentUntil is { } due)
                yield return new Wait(stream.Key, WaitKind.Payment, due);
        }
        else if (stream.Aggregate(new Shipment(stream.Key), Apply).WaitsForCarrierSince is { } since)
            yield return new Wait(stream.Key, WaitKind.Carrier, since);
    }

    /// <inheritdoc />
    /// <exception cref="LogUnavailableException">The database did not answer; nothing or all of it was written.</exception>
    /// <exception cref="NewerEventException">The batch, or what it follows, is of a newer program; nothing was written.</exception>
    public async Task<bool> Apply(Checkpoint from, LogBatch batch)
    {
        await _turn.WaitAsync();
        var isWritten = false;
        try
        {
            var orders = await _orders.Fold(batch.Events, Keys.Order);
            var shipments = await _shipments.Fold(batch.Events, Keys.Shipment);
            isWritten = await ReadModelSql.Ask(
                database, connection => Write(connection, from, batch, orders, shipments));
            if (isWritten)
            {
                _orders.Remember(orders, batch.Events.Count);
                _shipments.Remember(shipments, batch.Events.Count);
            }
            return isWritten;
        }
        finally
        {
            if (!isWritten) Forget();
            _turn.Release();
        }
    }

    /// <inheritdoc />
    public Task<IndexSnapshot> LoadIndexes() => ReadModelSql.Ask(database, async connection =>
    {
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        var position = await Checkpoints.Load(connection, Follower);
        var products = await CatalogueRows.ReadProducts(connection);
        var warehouses = await CatalogueRows.ReadWarehouses(connection);
        var stocks = await StockRows.ReadAll(connection);
        var waiting = await ReadModelSql.Read(connection, """
            select o.id, l.line_id, l.sku, l.backordered, o.channel, o.placed_at, o.promised_by, o.version, o.status = 'onHold'
            from oms.order_lines l join oms.orders o on o.id = l.order_id where l.backordered > 0
            """, [], row => new ListedWait(new WaitingLine(
                row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetInt32(3), row.GetString(4),
                row.GetFieldValue<DateTimeOffset>(5), row.GetFieldValue<DateTimeOffset>(6)), row.GetInt32(7), row.GetBoolean(8)));
        await transaction.CommitAsync();
        return new IndexSnapshot(
            position, products, warehouses, stocks, waiting);
    });

    /// <inheritdoc />
    public async Task<IReadOnlyList<string>> FindWaitingOrders(
        IReadOnlyCollection<string> skus, int max, string? after = null) =>
        await ReadModelSql.Read(database, """
            select o.id from oms.orders o
            where o.id in (select l.order_id from oms.order_lines l where l.sku = any($1) and l.backordered > 0)
              and ($3 = '' or (o.promised_by, o.placed_at, o.id)
                > (select a.promised_by, a.placed_at, a.id from oms.orders a where a.id = $3))
            order by o.promised_by, o.placed_at, o.id
            limit $2
            """, [skus.ToArray(), max, after ?? ""], row => row.GetString(0));

    /// <inheritdoc />
    public async Task<IReadOnlyList<string>> FindWaitingSkus(IReadOnlyCollection<string>? orders = null) => await ReadModelSql.Read(
        database, $"select distinct sku from oms.order_lines where backordered > 0{(orders is null ? "" : " and order_id = any($1)")}",
        orders is null ? [] : [orders.ToArray()], row => row.GetString(0));

    /// <inheritdoc />
    public async Task<IReadOnlyList<Wait>> FindWaits(
        int shard, IReadOnlyDictionary<WaitKind, DateTimeOffset> until, int max, IReadOnlyCollection<string> except) =>
        await ReadModelSql.Ask(database, connection => WaitRows.Find(connection, shard, until, max, except));

    /// <inheritdoc />
    public Task<IReadOnlyList<Breach>?> Compare(IReadOnlyCollection<StreamAudit> streams, Checkpoint heard) =>
        ReadModelSql.Ask(database, connection => ListCheck.Run(connection, streams, heard));

    /// <inheritdoc />
    public async Task<IReadOnlyList<string>> FindQuiet(
        DateTimeOffset byItself, DateTimeOffset byPeople, int max, IReadOnlyCollection<string> except) =>
        await ReadModelSql.Read(database, """
            select o.id from oms.orders o
            where (o.status in ('pending', 'accepted', 'allocated') and o.placed_at < $1
                or o.status in ('awaitingPayment', 'onHold', 'partiallyShipped')
                  and exists (select from oms.waiting w where w.key = o.id and w.since < $1)
                or o.status in ('backordered', 'partiallyAllocated') and o.promised_by < $1
                or o.status in ('pending', 'onHold', 'awaitingPayment', 'accepted', 'backordered', 'partiallyAllocated',
                  'allocated', 'inFulfilment', 'partiallyShipped', 'shipped') and o.placed_at < $2)
              and not exists (select from oms.shipments s where s.order_id = o.id and s.alarm_since is not null)
              and not (o.id = any($4))
            order by o.placed_at
            limit $3
            """, [byItself.ToUniversalTime(), byPeople.ToUniversalTime(), max, except.ToArray()], row => row.GetString(0));

    /// <summary>
    /// Empties every table of the read model and sets its position to the log's start, in one transaction; the follower
    /// then folds everything again. Lists are empty until it has.
    /// </summary>
    public async Task Rebuild()
    {
        await _turn.WaitAsync();
        try
        {
            Forget();
            await ReadModelSql.Ask(database, Empty);
        }
        finally { _turn.Release(); }
    }

    static async Task<int> Empty(NpgsqlConnection connection)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        // The position first: a batch that is being written holds its row, and must end before tables are locked.
        await using var batch = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                ReadModelSql.Statement("""
                    insert into oms.checkpoint (follower, transaction, position) values ($1, 0, 0)
                    on conflict (follower) do update set transaction = 0, position = 0
                    """, Follower),
                ReadModelSql.Statement(
                    $"update oms.checkpoint set transaction = 0, position = 0 where {Checkpoints.IsOfFollower}", Follower),
                ReadModelSql.Statement("""
                    truncate oms.orders, oms.order_search, oms.order_lines, oms.order_counts, oms.shipments, oms.stock,
                      oms.stock_days, oms.products, oms.warehouses, oms.waiting
                    """),
            },
        };
        await batch.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
        return 0;
    }

    async Task<bool> Write(
        NpgsqlConnection connection, Checkpoint from, LogBatch log, IReadOnlyList<Change<Order>> orders,
        IReadOnlyList<Change<Shipment>> shipments)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        // Locks the position, so that of two writers of one batch the second waits here and then finds it moved.
        if (!await Checkpoints.Advance(connection, Follower, from, log.Through)) return false;
        await using var batch = new NpgsqlBatch(connection, transaction);
        OrderRows.Write(batch, orders);
        ShipmentRows.Write(batch, shipments);
        WaitRows.Write(batch, orders, shipments);
        CatalogueRows.Write(batch, log.Events);
        var (stocks, days) = StockRows.Write(batch, log.Events, _stockDays);
        if (batch.BatchCommands.Count > 0)
        {
            await batch.PrepareAsync();
            await batch.ExecuteNonQueryAsync();
        }
        // Sums that go wrong once stay wrong for ever, so nothing of such a batch is kept.
        if (stocks.Any(s => (int)s.Command.RecordsAffected != s.Rows))
            throw new InvalidOperationException($"The batch after {from} does not follow the stocks that are stored.");
        await transaction.CommitAsync();
        _stockDays.Remember(days);
        return true;
    }

    void Forget()
    {
        _stockDays.Forget();
        _orders.Forget();
        _shipments.Forget();
    }
}
