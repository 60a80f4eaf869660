using System.Data.Common;
using System.Diagnostics;
using System.Threading.Channels;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Grains.Followers;
using OrleansOms.Grains.Stock;
using OrleansOms.Postgres.Orders;
using OrleansOms.Postgres.Shipments;

namespace OrleansOms.Host.Live;

/// <summary>
/// What happens, as it happens: folds the log's tail into the orders and shipments that somebody watches. Every watch
/// begins before its snapshot is read and drops what the snapshot already shows, so that nothing falls between the two;
/// and the version of what is watched never goes back.
/// </summary>
public sealed partial class LiveFeed : BackgroundService
{
    /// <summary>Least time between two deliveries of a watch over many things.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    /// <summary>Orders, and as many shipments, that are kept folded in memory.</summary>
    const int MemorySize = 5000;
    /// <summary>Streams that are read from the log at once.</summary>
    const int LoadSize = 200;
    /// <summary>Streams that may wait to be read before list watchers are told to read their lists again.</summary>
    const int MaxMissing = 5000;
    /// <summary>Open shipments of one warehouse that a snapshot can hold; where there are more, it is cut and says so.</summary>
    internal const int MaxOpenShipments = 5000;
    /// <summary>Watches of one kind whose push of one thing is a span of its trace; thousands may watch the same.</summary>
    const int TracedWatches = 8;

    static readonly TimeSpan CountsPace = TimeSpan.FromMilliseconds(250);
    static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    static readonly TimeSpan ReadModelPatience = TimeSpan.FromSeconds(10);
    static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);

    readonly Lock _gate = new();
    readonly Channel<bool> _loads = NewBell(), _recounts = NewBell();
    readonly Dictionary<string, List<OrderWatch>> _orderWatches = new(StringComparer.Ordinal);
    readonly Dictionary<string, List<WarehouseWatch>> _warehouseWatches = new(StringComparer.Ordinal);
    readonly List<OrdersWatch> _ordersWatches = [];
    /// <summary>Spans of what is published now, the newest of each stream.</summary>
    readonly Dictionary<string, string> _traces = new(StringComparer.Ordinal);
    readonly LogTail _tail;
    readonly IEventLog _log;
    readonly IReadModel _readModel;
    readonly OrderQueries _orderQueries;
    readonly ShipmentQueries _shipmentQueries;
    readonly AvailabilityIndex _availability;
    readonly TimeProvider _time;
    readonly ILogger<LiveFeed> _logger;
    readonly FoldedStreams<Order> _orders;
    readonly FoldedStreams<Shipment> _shipments;
    readonly IDisposable _subscription;
    Checkpoint _lastEvent;

    /// <summary>Listens from now on; it must be made before the tail is started.</summary>
    public LiveFeed(
        LogTail tail, IEventLog log, IReadModel readModel, OrderQueries orderQueries, ShipmentQueries shipmentQueries,
        AvailabilityIndex availability, TimeProvider time, ILogger<LiveFeed> logger)
    {
        (_tail, _log, _readModel) = (tail, log, readModel);
        (_orderQueries, _shipmentQueries) = (orderQueries, shipmentQueries);
        (_availability, _time, _logger) = (availability, time, logger);
        _orders = new(
            MemorySize, id => new Order(id), Fold, o => o.Version,
            id => _ordersWatches.Count > 0 || _orderWatches.ContainsKey(id), Publish);
        _shipments = new(
            MemorySize, id => new Shipment(id), Fold, s => s.Version, _ => _warehouseWatches.Count > 0, Publish);
        _subscription = tail.Subscribe(OnBatch);
    }

    /// <summary>
    /// Told the id of each shipment whose carrier has been silent for too long: no event of its order. Must be quick.
    /// </summary>
    public event Action<string>? CarrierSilent;

    /// <summary>
    /// When this feed knew everything for the last time, UTC, if it is cut off from the log, or a newer program has written what
    /// this one cannot show; null if neither is so.
    /// </summary>
    public DateTimeOffset? CutOffSince => _tail.StillSince ?? _tail.OvertakenSince;

    /// <summary>Orders by status as last read; null before anyone asked.</summary>
    internal IReadOnlyDictionary<OrderStatus, long>? Counts { get; private set; }

    /// <summary>Watches one order; null if there is no such order.</summary>
    /// <exception cref="OmsFaultException">The log cannot be read now.</exception>
    public async Task<OrderWatch?> WatchOrder(string orderId, CancellationToken cancel = default)
    {
        var watch = new OrderWatch(this, orderId, _time);
        lock (_gate) AddTo(_orderWatches, orderId, watch);
        try
        {
            var order = await Read(orderId).WaitAsync(cancel);
            if (!order.Exists)
            {
                watch.Dispose();
                return null;
            }
            watch.Begin(new OrderState(order));
            lock (_gate)
            {
                _orders.Set(orderId, order, isChange: false);
                _orders.Publish();
            }
            return watch;
        }
        catch
        {
            watch.Dispose();
            throw;
        }
    }

    /// <summary>Watches all orders.</summary>
    public async Task<OrdersWatch> WatchOrders(CancellationToken cancel = default)
    {
        var watch = new OrdersWatch(this, _time);
        lock (_gate) _ordersWatches.Add(watch);
        try
        {
            watch.Begin(await _orderQueries.CountByStatus().WaitAsync(cancel));
            // The counts were read where the read model stood; they are read again until it has passed the tail.
            _recounts.Writer.TryWrite(true);
            return watch;
        }
        catch
        {
            watch.Dispose();
            throw;
        }
    }

    /// <summary>Watches one warehouse. Whether there is such a warehouse is the caller's to know.</summary>
    public async Task<WarehouseWatch> WatchWarehouse(string code, CancellationToken cancel = default)
    {
        var watch = new WarehouseWatch(this, code, _time);
        lock (_gate) AddTo(_warehouseWatches, code, watch);
        try
        {
            watch.Begin(await ReadOpenShipments(code, cancel));
            return watch;
        }
        catch
        {
            watch.Dispose();
            throw;
        }
    }

    /// <summary>The order as stored, folded from the log; null if there is none.</summary>
    public async Task<OrderView?> ReadOrder(string orderId) =>
        await Read(orderId) is { Exists: true } order ? OrderView.Of(order) : null;

    /// <inheritdoc />
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(LoadMissing(stoppingToken), Recount(stoppingToken));

    /// <inheritdoc />
    public override void Dispose()
    {
        _subscription.Dispose();
        base.Dispose();
    }

    /// <summary>A push has begun; it ends when the answer is disposed.</summary>
    internal static IDisposable? Push(IEnumerable<string> traces) => Traces.BeginAll("push", ActivityKind.Consumer, traces);

    internal StockView? FindStock(string warehouse, string sku) => _availability.Find(warehouse, sku);

    /// <summary>What a warehouse has to do, with everything that was stored before this call.</summary>
    /// <exception cref="LogUnavailableException">The lists are too far behind.</exception>
    internal async Task<OpenWork> ReadOpenShipments(string code, CancellationToken cancel)
    {
        await ListsCatchUp(cancel);
        return await _shipmentQueries.Open(code, MaxOpenShipments);
    }

    /// <summary>How much that is, by status.</summary>
    /// <exception cref="LogUnavailableException">The lists are too far behind.</exception>
    internal async Task<IReadOnlyDictionary<ShipmentStatus, long>> CountOpenShipments(string code, CancellationToken cancel)
    {
        await ListsCatchUp(cancel);
        return await _shipmentQueries.CountOpen(code);
    }

    /// <summary>Waits until the lists show everything that was stored before this call.</summary>
    async Task ListsCatchUp(CancellationToken cancel)
    {
        await _tail.CaughtUp(cancel).WaitAsync(ReadModelPatience, _time, cancel);
        Checkpoint told;
        lock (_gate) told = _lastEvent;
        var since = _time.GetTimestamp();
        while (!(await _readModel.Position()).Covers(told))
        {
            if (_time.GetElapsedTime(since) > ReadModelPatience)
                throw new LogUnavailableException("The lists are too far behind the log.");
            await Task.Delay(Poll, _time, cancel);
        }
    }

    internal void Remove(OrderWatch watch)
    {
        lock (_gate) RemoveFrom(_orderWatches, watch.OrderId, watch);
    }

    internal void Remove(WarehouseWatch watch)
    {
        lock (_gate) RemoveFrom(_warehouseWatches, watch.Warehouse, watch);
    }

    internal void Remove(OrdersWatch watch)
    {
        lock (_gate) _ordersWatches.Remove(watch);
    }

    void OnBatch(IReadOnlyList<LogEvent> batch)
    {
        foreach (var e in batch)
            if (e.Data is TrackingAlarmRaised) CarrierSilent?.Invoke(e.Stream);
        lock (_gate)
        {
            _lastEvent = _lastEvent.And(batch);
            if (_ordersWatches.Count + _orderWatches.Count + _warehouseWatches.Count == 0) return;
            var hasOrders = false;
            foreach (var e in batch)
            {
                Note(e);
                if (e.Stream.StartsWith(Keys.Order, StringComparison.Ordinal))
                {
                    hasOrders = true;
                    _orders.Take(e);
                }
                else if (e.Stream.StartsWith(Keys.Shipment, StringComparison.Ordinal)) _shipments.Take(e);
                else if (e.Stream.StartsWith(Keys.Stock, StringComparison.Ordinal)) TellStock(e.Stream);
            }
            PublishAll();
            if (_orders.Missing + _shipments.Missing > 0) _loads.Writer.TryWrite(true);
            if (hasOrders && _ordersWatches.Count > 0) _recounts.Writer.TryWrite(true);
        }
    }

    void TellStock(string stream)
    {
        if (_warehouseWatches.Count == 0) return;
        var (warehouse, sku) = Keys.ReadStock(stream);
        if (_warehouseWatches.TryGetValue(warehouse, out var watches))
            Tell(watches, stream, (watch, trace) => watch.PutStock(stream, sku, trace));
    }

    void Note(LogEvent e)
    {
        if (e.Trace is { } trace) _traces[e.Stream] = trace;
    }

    void PublishAll()
    {
        _orders.Publish();
        _shipments.Publish();
        _traces.Clear();
    }

    void Tell<T>(List<T> watches, string stream, Action<T, string?> put)
    {
        var left = _traces.TryGetValue(stream, out var trace) ? TracedWatches : 0;
        foreach (var watch in watches) put(watch, left-- > 0 ? trace : null);
    }

    void Publish(string id, Order order)
    {
        if (!order.Exists) return;
        var state = new OrderState(order);
        Tell(_ordersWatches, id, (watch, trace) => watch.Put(id, state, trace));
        if (_orderWatches.TryGetValue(id, out var watches)) Tell(watches, id, (watch, trace) => watch.Put(state, trace));
    }

    void Publish(string id, Shipment shipment)
    {
        if (shipment.Created is { } created && _warehouseWatches.TryGetValue(created.Warehouse, out var watches))
        {
            var view = ShipmentView.Of(shipment);
            Tell(watches, shipment.Id, (watch, trace) => watch.Put(view, trace));
        }
    }

    /// <summary>Reads wanted streams that are not in memory, many at once, until none is missing.</summary>
    async Task LoadMissing(CancellationToken stop)
    {
        while (await Rung(_loads, stop))
        {
            try
            {
                while (NextMissing() is { Count: > 0 } streams && !stop.IsCancellationRequested)
                    Take(await _log.ReadStreams(streams));
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                LogBehind(_logger, IsFault(e) ? e.Message : $"{e}");
                _loads.Writer.TryWrite(true);
                await Wait(FaultPause, stop);
            }
        }
    }

    List<string> NextMissing()
    {
        lock (_gate)
        {
            if (_orders.Missing + _shipments.Missing > MaxMissing) GiveUpLists();
            return [.. _orders.NextMissing(LoadSize), .. _shipments.NextMissing(LoadSize)];
        }
    }

    /// <summary>Watchers of lists read them anew; whoever watches a single order is still told of it.</summary>
    void GiveUpLists()
    {
        _orders.ForgetMissing(_orderWatches.ContainsKey);
        _shipments.ForgetMissing(_ => false);
        foreach (var watch in _ordersWatches) watch.Overflow();
        foreach (var watch in _warehouseWatches.Values.SelectMany(w => w)) watch.Overflow();
    }

    void Take(IReadOnlyList<LogEvent> events)
    {
        lock (_gate)
        {
            foreach (var stream in events.GroupBy(e => e.Stream, StringComparer.Ordinal))
            {
                Note(stream.Last());
                if (stream.Any(e => e.Data is null))
                {
                    _orders.Forget(stream.Key);
                    _shipments.Forget(stream.Key);
                }
                else if (stream.Key.StartsWith(Keys.Order, StringComparison.Ordinal))
                    _orders.Set(stream.Key, stream.Aggregate(new Order(stream.Key), Fold), isChange: true);
                else _shipments.Set(stream.Key, stream.Aggregate(new Shipment(stream.Key), Fold), isChange: true);
            }
            PublishAll();
        }
    }

    /// <summary>Counts orders again whenever one has changed while somebody watches, gently.</summary>
    async Task Recount(CancellationToken stop)
    {
        while (await Rung(_recounts, stop))
        {
            var pause = FaultPause;
            try
            {
                Checkpoint told;
                lock (_gate)
                {
                    if (_ordersWatches.Count == 0) continue;
                    told = _lastEvent;
                }
                var since = _time.GetTimestamp();
                var reached = await _readModel.Position();
                Tell(await _orderQueries.CountByStatus());
                if (!reached.Covers(told)) _recounts.Writer.TryWrite(true);
                // A count that takes long, over very many orders, is made less often.
                var took = _time.GetElapsedTime(since) * 4;
                pause = took > CountsPace ? took : CountsPace;
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                LogBehind(_logger, IsFault(e) ? e.Message : $"{e}");
                _recounts.Writer.TryWrite(true);
            }
            await Wait(pause, stop);
        }
    }

    void Tell(IReadOnlyDictionary<OrderStatus, long> counts)
    {
        lock (_gate)
        {
            Counts = counts;
            foreach (var watch in _ordersWatches) watch.TellCounts();
        }
    }

    async Task<Order> Read(string id) => (await _log.ReadStream(id)).Aggregate(new Order(id), Fold);

    static Order Fold(Order order, LogEvent e) => order.Apply((OrderEvent)e.Known());

    static Shipment Fold(Shipment shipment, LogEvent e) => shipment.Apply((ShipmentEvent)e.Known(), e.At);

    static bool IsFault(Exception e) => e is OmsFaultException or TimeoutException or DbException;

    static async Task<bool> Rung(Channel<bool> bell, CancellationToken stop)
    {
        try { return await bell.Reader.WaitToReadAsync(stop) && bell.Reader.TryRead(out _); }
        catch (OperationCanceledException) { return false; }
    }

    async Task Wait(TimeSpan pause, CancellationToken stop) =>
        await Task.Delay(pause, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    static Channel<bool> NewBell() =>
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    static void AddTo<T>(Dictionary<string, List<T>> watches, string key, T watch)
    {
        if (!watches.TryGetValue(key, out var list)) watches[key] = list = [];
        list.Add(watch);
    }

    static void RemoveFrom<T>(Dictionary<string, List<T>> watches, string key, T watch)
    {
        if (watches.TryGetValue(key, out var list) && list.Remove(watch) && list.Count == 0) watches.Remove(key);
    }

    [LoggerMessage(LogLevel.Warning, "Live screens are behind: {Reason}")]
    static partial void LogBehind(ILogger logger, string reason);
}
