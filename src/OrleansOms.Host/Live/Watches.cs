using System.Runtime.CompilerServices;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Postgres.Shipments;

namespace OrleansOms.Host.Live;

/// <summary>An order with its views, each made once however many watch it.</summary>
sealed class OrderState(Order order)
{
    readonly Lazy<OrderView> _view = new(() => OrderView.Of(order));
    readonly Lazy<OrderSummary> _summary = new(() => OrderSummary.Of(order));

    public Order Order => order;
    public OrderView View => _view.Value;
    public OrderSummary Summary => _summary.Value;
}

/// <summary>
/// One order, watched: a snapshot, then every later state that the reader is fast enough to see. What it skips is older
/// than what it sees next; the last state is never skipped. One reader at a time; dispose it to stop watching.
/// </summary>
public sealed class OrderWatch : IDisposable
{
    readonly LiveFeed _feed;
    readonly Mailbox<OrderState> _mailbox;
    OrderView? _snapshot;
    int _version;

    internal OrderWatch(LiveFeed feed, string id, TimeProvider time) =>
        (_feed, OrderId, _mailbox) = (feed, id, new Mailbox<OrderState>(1, time));

    /// <summary>The order's id.</summary>
    public string OrderId { get; }

    /// <summary>The order as it was stored when the watch began.</summary>
    public OrderView Snapshot => _snapshot ?? throw new InvalidOperationException("The watch has not begun.");

    /// <summary>States that are newer than the snapshot, each newer than the one before, as soon as they are stored.</summary>
    public async IAsyncEnumerable<OrderView> Changes([EnumeratorCancellation] CancellationToken cancel = default)
    {
        while (await _mailbox.Take(TimeSpan.Zero, cancel) is { } delivery)
            foreach (var state in delivery.Letters)
            {
                if (state.Order.Version <= _version) continue;
                _version = state.Order.Version;
                using var push = LiveFeed.Push(delivery.Traces);
                yield return state.View;
            }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _mailbox.Close();
        _feed.Remove(this);
    }

    internal void Begin(OrderState state)
    {
        _snapshot = state.View;
        _version = state.Order.Version;
    }

    internal void Put(OrderState state, string? trace) => _mailbox.Put(OrderId, state, trace);
}

/// <summary>What happened to orders since the last time.</summary>
/// <param name="Orders">Orders that changed, each once, in its latest state.</param>
/// <param name="Counts">Orders by status, if that has changed.</param>
/// <param name="IsResync">
/// Too much has happened since the last time and <paramref name="Orders"/> is empty: lists must be read again.
/// </param>
public sealed record OrdersChange(
    IReadOnlyList<OrderSummary> Orders, IReadOnlyDictionary<OrderStatus, long>? Counts, bool IsResync);

/// <summary>
/// All orders, watched: counts by status, then changes, at most ten times a second. One reader at a time; dispose it to
/// stop watching.
/// </summary>
public sealed class OrdersWatch : IDisposable
{
    /// <summary>Changed orders that are kept for a slow reader before it is told to read its lists again.</summary>
    public const int Capacity = 1000;

    readonly LiveFeed _feed;
    readonly Mailbox<OrderState> _mailbox;
    IReadOnlyDictionary<OrderStatus, long>? _counts;

    internal OrdersWatch(LiveFeed feed, TimeProvider time) =>
        (_feed, _mailbox) = (feed, new Mailbox<OrderState>(Capacity, time));

    /// <summary>Orders by status when the watch began, then as last told.</summary>
    public IReadOnlyDictionary<OrderStatus, long> Counts =>
        _counts ?? throw new InvalidOperationException("The watch has not begun.");

    /// <summary>What changes from now on. Of one order the version never goes back.</summary>
    public async IAsyncEnumerable<OrdersChange> Changes([EnumeratorCancellation] CancellationToken cancel = default)
    {
        while (await _mailbox.Take(LiveFeed.Pace, cancel) is { } delivery)
        {
            var counts = _feed.Counts is { } now && !IsSame(now, Counts) ? now : null;
            if (counts is not null) _counts = counts;
            using var push = LiveFeed.Push(delivery.Traces);
            if (delivery.Letters.Count > 0 || delivery.IsOver || counts is not null)
                yield return new OrdersChange([.. delivery.Letters.Select(s => s.Summary)], counts, delivery.IsOver);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _mailbox.Close();
        _feed.Remove(this);
    }

    internal void Begin(IReadOnlyDictionary<OrderStatus, long> counts) => _counts = counts;
    internal void Put(string id, OrderState state, string? trace) => _mailbox.Put(id, state, trace);
    internal void TellCounts() => _mailbox.Ring();
    internal void Overflow() => _mailbox.Overflow();

    static bool IsSame(IReadOnlyDictionary<OrderStatus, long> a, IReadOnlyDictionary<OrderStatus, long> b) =>
        a.Count == b.Count && a.All(c => b.TryGetValue(c.Key, out var n) && n == c.Value);
}

/// <summary>What happened in a warehouse since the last time.</summary>
/// <param name="Shipments">Shipments that changed, each once, in its latest state.</param>
/// <param name="Stocks">Stocks that changed, each once, in its latest state.</param>
/// <param name="Resync">The open work, given instead when too much has happened since the last time.</param>
public sealed record WarehouseChange(
    IReadOnlyList<ShipmentView> Shipments, IReadOnlyList<StockView> Stocks, OpenWork? Resync);

/// <summary>
/// One warehouse, watched: its open shipments, then changes of its shipments and stocks, at most ten times a second. One
/// reader at a time; dispose it to stop watching.
/// </summary>
public sealed class WarehouseWatch : IDisposable
{
    /// <summary>Changed shipments and stocks that are kept for a slow reader before it gets all open work anew.</summary>
    public const int Capacity = 1000;

    readonly LiveFeed _feed;
    readonly Mailbox<object> _mailbox;
    Dictionary<string, int> _shown = new(StringComparer.Ordinal);
    OpenWork? _open;

    internal WarehouseWatch(LiveFeed feed, string warehouse, TimeProvider time) =>
        (_feed, Warehouse, _mailbox) = (feed, warehouse, new Mailbox<object>(Capacity, time));

    /// <summary>Code of the warehouse.</summary>
    public string Warehouse { get; }

    /// <summary>What was to be picked, packed or shipped when the watch began, then as last told.</summary>
    public OpenWork Open =>
        _open ?? throw new InvalidOperationException("The watch has not begun.");

    /// <summary>What changes from now on. Of one shipment or stock the version never goes back.</summary>
    public async IAsyncEnumerable<WarehouseChange> Changes([EnumeratorCancellation] CancellationToken cancel = default)
    {
        while (await _mailbox.Take(LiveFeed.Pace, cancel) is { } delivery)
        {
            using var push = LiveFeed.Push(delivery.Traces);
            if (delivery.IsOver)
            {
                Begin(await _feed.ReadOpenShipments(Warehouse, cancel));
                yield return new WarehouseChange([], [], Open);
                continue;
            }
            ShipmentView[] shipments = [.. delivery.Letters.OfType<ShipmentView>().Where(IsNews)];
            StockView[] stocks = [.. delivery.Letters.OfType<string>().Select(sku => _feed.FindStock(Warehouse, sku))
                .OfType<StockView>()];
            if (shipments.Length > 0 || stocks.Length > 0) yield return new WarehouseChange(shipments, stocks, null);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _mailbox.Close();
        _feed.Remove(this);
    }

    internal void Begin(OpenWork open)
    {
        _open = open;
        _shown = open.Shipments.ToDictionary(s => s.Id, s => s.Version, StringComparer.Ordinal);
    }

    internal void Put(ShipmentView shipment, string? trace) => _mailbox.Put(shipment.Id, shipment, trace);
    internal void PutStock(string stream, string sku, string? trace) => _mailbox.Put(stream, sku, trace);
    internal void Overflow() => _mailbox.Overflow();

    /// <summary>
    /// The lists may be ahead of the tail when they are read, so their versions are kept until the tail has passed them.
    /// </summary>
    bool IsNews(ShipmentView shipment)
    {
        if (!_shown.TryGetValue(shipment.Id, out var version)) return true;
        if (shipment.Version <= version) return false;
        _shown.Remove(shipment.Id);
        return true;
    }
}
