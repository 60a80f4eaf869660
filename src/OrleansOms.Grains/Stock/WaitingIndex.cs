using System.Collections.Concurrent;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Grains.Stock;

using Stock = Domain.Stock.Stock;

/// <summary>
/// Who waits for which SKU, in the memory of this process, in the order in which they are served. It may be a moment behind; the order
/// decides whether it takes what it is served with. Nothing of it lasts longer than it is true but for what an order was served with and
/// has neither taken nor refused, of which nobody may ever say what has become of it: that is forgotten after <see cref="OnItsWayAtMost"/>.
/// </summary>
public sealed class WaitingIndex(OmsSettings settings, TimeProvider time)
{
    /// <summary>Longer than a reservation is left alone: whoever has not taken it by then does not.</summary>
    internal static readonly TimeSpan OnItsWayAtMost = TimeSpan.FromMinutes(5);

    readonly Lock _gate = new();
    readonly Dictionary<string, Waiter> _orders = new(StringComparer.Ordinal);
    /// <summary>By SKU and channel.</summary>
    readonly Dictionary<string, Dictionary<string, SortedSet<WaitingLine>>> _lines = new(StringComparer.Ordinal);
    /// <summary>SKUs of which somebody stands in line, to be asked without a lock.</summary>
    readonly ConcurrentDictionary<string, bool> _waitedFor = new(StringComparer.Ordinal);
    /// <summary>Units by SKU that stocks have promised to those who waited, and that these have not taken.</summary>
    readonly ConcurrentDictionary<string, long> _onTheirWay = new(StringComparer.Ordinal);
    readonly Queue<(DateTimeOffset Until, string OrderId, string Attempt)> _ends = [];
    /// <summary>Orders that are read, and the newest event of each that was heard of meanwhile.</summary>
    readonly Dictionary<string, int> _asked = new(StringComparer.Ordinal);
    readonly WaitingPolicy _policy = settings.Waiting.ToPolicy();

    /// <summary>Whether anybody waits for a SKU, or has not taken what came of it. Asked for each entry of each stock.</summary>
    public bool IsWaitedFor(string sku) => _waitedFor.ContainsKey(sku) || OnTheirWay(sku) > 0;

    /// <summary>Units of a SKU that those who wait were served with and have not taken yet.</summary>
    public long OnTheirWay(string sku) => _onTheirWay.GetValueOrDefault(sku);

    /// <summary>Whom a stock serves with what its entries make free. Nobody is served with the same by another stock meanwhile.</summary>
    /// <param name="stock">Before the entries.</param>
    /// <param name="commandId">Of the command that they follow from.</param>
    public IReadOnlyList<Served> Serve(Stock stock, IReadOnlyList<StockEvent> entries, string commandId)
    {
        lock (_gate)
        {
            EndOld();
            var now = time.GetUtcNow();
            if (!_lines.TryGetValue(stock.Sku, out var lines)) return [];
            var served = StockServing.Decide(stock, entries, commandId, lines.Values, id => _orders[id].Version, _policy, $"{Guid.NewGuid():N}");
            var key = Keys.OfStock(stock.Warehouse, stock.Sku);
            foreach (var s in served) Note(s.Entry.OrderId, TakeServed.Of(key, s.Entry, s.Attempt, now), isStored: false);
            return served;
        }
    }

    /// <summary>
    /// Those whose promises could not be stored stand in line again. If they were stored, and their answer was lost, it is heard of them, or was
    /// heard already.
    /// </summary>
    public void Forget(IReadOnlyList<Served> served)
    {
        lock (_gate)
            foreach (var s in served)
                if (_orders.TryGetValue(s.Entry.OrderId, out var waiter) && !waiter.Served.GetValueOrDefault(s.Attempt).IsStored)
                    End(s.Entry.OrderId, s.Attempt);
    }

    /// <summary>
    /// What stocks have served an order with and it has not taken yet, as far as the log has told this process: what is only about to be
    /// stored may never be.
    /// </summary>
    public IReadOnlyList<TakeServed> OnItsWay(string orderId)
    {
        lock (_gate)
            return !_orders.TryGetValue(orderId, out var waiter) ? []
                : [.. waiter.Served.Values.Where(s => s.IsStored).Select(s => s.Units)];
    }

    /// <summary>Whether a stock of this process has promised an order units of which the log has told nothing yet: they are being stored.</summary>
    public bool IsBeingServed(string orderId)
    {
        lock (_gate) return _orders.TryGetValue(orderId, out var waiter) && waiter.Served.Values.Any(s => !s.IsStored);
    }

    /// <summary>
    /// Takes in lines that wait, as the lists know them. Answers the orders that stand in no line before they are read, because a hold stands:
    /// <see cref="Set(string, Order?)"/>.
    /// </summary>
    internal IReadOnlyList<string> Set(IEnumerable<ListedWait> waits)
    {
        var asked = new List<string>();
        lock (_gate)
            foreach (var (line, version, isHeld) in waits)
            {
                if (isHeld)
                {
                    if (_asked.TryAdd(line.OrderId, version)) asked.Add(line.OrderId);
                    continue;
                }
                if (!_orders.TryGetValue(line.OrderId, out var waiter))
                    _orders[line.OrderId] = waiter =
                        new Waiter(line.Channel, line.PlacedAt, line.PromisedBy) { Version = version, IsSourced = true };
                Want(line.OrderId, waiter, line.LineId, line.Sku, line.Units);
            }
        return asked;
    }

    /// <summary>
    /// Takes in an order as its stream has it, which was asked for; null if it could not be read. False if it has gone on meanwhile and must
    /// be read again.
    /// </summary>
    internal bool Set(string orderId, Order? order)
    {
        lock (_gate)
        {
            if (order is not null && order.Version < _asked[orderId]) return false;
            _asked.Remove(orderId);
            if (order is not { Placed: { } placed }) return true;
            var waiter = new Waiter(placed.Channel, placed.PlacedAt, placed.PromisedBy)
            {
                Version = order.Version, IsSourced = true, Skus = [.. placed.Lines.Select(l => l.Sku)],
                IsCancelling = order.PendingCancellation is not null,
            };
            waiter.Holds.UnionWith(order.Holds.Where(h => h.Stops.HasFlag(HoldStops.Allocate)).Select(h => h.Name));
            _orders[orderId] = waiter;
            foreach (var line in order.Lines) Want(orderId, waiter, line.Placed.LineId, line.Placed.Sku, line.Backordered);
            if (waiter.Wants.Count == 0) _orders.Remove(orderId);
            return true;
        }
    }

    /// <summary>
    /// Folds an event in. A stream's events must come in order. False if an order waits of which too little is known, and which must
    /// be read: <see cref="Set(string, Order?)"/>.
    /// </summary>
    internal bool Apply(LogEvent e)
    {
        lock (_gate)
        {
            // Not every process serves.
            EndOld();
            switch (e.Data)
            {
                case StockServed served:
                    Note(served.OrderId, TakeServed.Of(e.Stream, served, e.CommandId, e.At), isStored: true);
                    return true;
                case OrderPlaced placed:
                    _orders.TryAdd(e.Stream, new Waiter(placed.Channel, placed.PlacedAt, placed.PromisedBy)
                    {
                        Version = e.Version, Skus = [.. placed.Lines.Select(l => l.Sku)],
                    });
                    return true;
            }
            if (_asked.ContainsKey(e.Stream))
            {
                _asked[e.Stream] = e.Version;
                return true;
            }
            if (_orders.TryGetValue(e.Stream, out var waiter) && e.Version <= waiter.Version) return true;
            if (IsToRead(e.Data, waiter))
            {
                if (waiter is not null) Drop(e.Stream, waiter);
                _asked[e.Stream] = e.Version;
                return false;
            }
            if (waiter is not null) Apply(e, waiter);
            return true;
        }
    }

    /// <summary>
    /// Whether a line begins to wait that nobody has told of, or an order that the lists have told of refuses what it was served with: why, may
    /// have passed.
    /// </summary>
    static bool IsToRead(DomainEvent? data, Waiter? waiter) => data switch
    {
        OrderAllocated { Backordered: { Count: > 0 } more } => waiter is null || more.Any(l => l.LineId > waiter.Skus.Length),
        ReservationSettled => waiter is { Skus: [] },
        _ => false,
    };

    void Apply(LogEvent e, Waiter waiter)
    {
        waiter.Version = e.Version;
        switch (e.Data)
        {
            case null:
                // A newer program may have written why it is not to be served.
                Drop(e.Stream, waiter);
                return;
            case OrderAllocated { Cause: SourcingCause.Arrival } a:
                foreach (var u in a.Allocations) Want(e.Stream, waiter, u.LineId, u.Sku, -u.Quantity);
                // A stock's events may be heard of later than its order's.
                if (a.Attempt is { } attempt && !End(e.Stream, attempt)) waiter.Taken.Add(attempt);
                break;
            case OrderAllocated a:
                foreach (var l in a.Backordered) Want(e.Stream, waiter, l.LineId, waiter.Skus[l.LineId - 1], l.Quantity);
                waiter.IsSourced = true;
                break;
            case UnitsCancelled c:
                foreach (var u in c.Units.Where(u => u is { Warehouse: null, IsOpen: not true }))
                    Want(e.Stream, waiter, u.LineId, u.Sku, -u.Quantity);
                waiter.IsCancelling = false;
                break;
            case CancellationRequested: waiter.IsCancelling = true; break;
            case HoldPlaced h when h.Stops.HasFlag(HoldStops.Allocate): waiter.Holds.Add(h.Name); break;
            case HoldLifted h: waiter.Holds.Remove(h.Name); break;
            case ReservationSettled s:
                waiter.Settled[(s.Warehouse, s.Sku)] = e.Version;
                foreach (var served in waiter.Served.Values.Select(v => v.Units).Where(u => IsRefused(e.Stream, waiter, u)).ToList())
                    End(e.Stream, served.Attempt);
                return;
            default: return;
        }
        if (waiter.Wants.Count == 0 && waiter.IsSourced) Drop(e.Stream, waiter);
        else if (e.Data is not OrderAllocated) ShowAll(e.Stream, waiter);
    }

    void Want(string orderId, Waiter waiter, int lineId, string sku, int units)
    {
        units += waiter.Wants.GetValueOrDefault(lineId).Units;
        if (units > 0) waiter.Wants[lineId] = (sku, units);
        else waiter.Wants.Remove(lineId);
        Show(orderId, waiter, lineId);
    }

    /// <param name="isStored">Whether the log has told of it.</param>
    void Note(string orderId, TakeServed served, bool isStored)
    {
        if (!_orders.TryGetValue(orderId, out var waiter) || waiter.Taken.Contains(served.Attempt) || IsRefused(orderId, waiter, served)) return;
        var isKnown = waiter.Served.ContainsKey(served.Attempt);
        waiter.Served[served.Attempt] = (served, isStored);
        if (isKnown) return;
        _ends.Enqueue((time.GetUtcNow() + OnItsWayAtMost, orderId, served.Attempt));
        Promise(orderId, waiter, served, 1);
    }

    /// <summary>Forgets that of which nobody has said for so long what has become of it.</summary>
    void EndOld()
    {
        while (_ends.TryPeek(out var end) && end.Until <= time.GetUtcNow())
        {
            _ends.Dequeue();
            End(end.OrderId, end.Attempt);
        }
    }

    /// <summary>Whether the order has settled what the stock holds since it was served; what it had not taken by then it does not take.</summary>
    static bool IsRefused(string orderId, Waiter waiter, TakeServed served) =>
        waiter.Settled.GetValueOrDefault((served.Warehouse, served.Sku)) > ReserveStock.AfterOf(orderId, served.Attempt);

    /// <summary>An order was served by an attempt no more; false if it was not known to be.</summary>
    bool End(string orderId, string attempt)
    {
        if (!_orders.TryGetValue(orderId, out var waiter) || !waiter.Served.Remove(attempt, out var served)) return false;
        Promise(orderId, waiter, served.Units, -1);
        return true;
    }

    void Promise(string orderId, Waiter waiter, TakeServed served, int sign)
    {
        foreach (var line in served.Lines)
        {
            waiter.Promised[line.LineId] = waiter.Promised.GetValueOrDefault(line.LineId) + sign * line.Quantity;
            _onTheirWay.AddOrUpdate(served.Sku, _ => line.Quantity, (_, n) => n + sign * line.Quantity);
            Show(orderId, waiter, line.LineId);
        }
    }

    void Drop(string orderId, Waiter waiter)
    {
        foreach (var attempt in waiter.Served.Keys.ToList()) End(orderId, attempt);
        waiter.Wants.Clear();
        ShowAll(orderId, waiter);
        _orders.Remove(orderId);
    }

    void ShowAll(string orderId, Waiter waiter)
    {
        foreach (var id in waiter.Wants.Keys.Union(waiter.Shown.Keys).ToList()) Show(orderId, waiter, id);
    }

    /// <summary>Has a line stand where it belongs, or nowhere.</summary>
    void Show(string orderId, Waiter waiter, int lineId)
    {
        if (waiter.Shown.Remove(lineId, out var before)) Leave(before);
        if (waiter.IsCancelling || waiter.Holds.Count > 0 || !waiter.Wants.TryGetValue(lineId, out var want)) return;
        var units = want.Units - waiter.Promised.GetValueOrDefault(lineId);
        if (units <= 0) return;
        var line = new WaitingLine(orderId, lineId, want.Sku, units, waiter.Channel, waiter.PlacedAt, waiter.PromisedBy);
        if (!_lines.TryGetValue(line.Sku, out var channels)) _lines[line.Sku] = channels = new(StringComparer.Ordinal);
        if (!channels.TryGetValue(line.Channel, out var lines)) channels[line.Channel] = lines = new(_policy.Order);
        lines.Add(line);
        waiter.Shown[lineId] = line;
        _waitedFor[line.Sku] = true;
    }

    void Leave(WaitingLine line)
    {
        var channels = _lines[line.Sku];
        channels[line.Channel].Remove(line);
        if (channels[line.Channel].Count > 0 || !channels.Remove(line.Channel) || channels.Count > 0) return;
        _lines.Remove(line.Sku);
        _waitedFor.TryRemove(line.Sku, out _);
    }

    /// <summary>An order that waits, as far as its events tell.</summary>
    sealed class Waiter(string channel, DateTimeOffset placedAt, DateTimeOffset promisedBy)
    {
        public string Channel => channel;
        public DateTimeOffset PlacedAt => placedAt;
        public DateTimeOffset PromisedBy => promisedBy;
        public int Version { get; set; }
        /// <summary>By line, from 1; empty of one that the lists have told of.</summary>
        public string[] Skus { get; init; } = [];
        public bool IsSourced { get; set; }
        public bool IsCancelling { get; set; }
        /// <summary>Holds that keep it from having units, by name.</summary>
        public HashSet<string> Holds { get; } = new(StringComparer.Ordinal);
        /// <summary>What it waits for, by line.</summary>
        public Dictionary<int, (string Sku, int Units)> Wants { get; } = [];
        /// <summary>What stocks have promised it and it has not taken, by attempt, whether the log has told of it, and units of it by line.</summary>
        public Dictionary<string, (TakeServed Units, bool IsStored)> Served { get; } = new(StringComparer.Ordinal);
        public Dictionary<int, int> Promised { get; } = [];
        /// <summary>The last of its events that has settled what a stock holds.</summary>
        public Dictionary<(string Warehouse, string Sku), int> Settled { get; } = [];
        /// <summary>Attempts whose units it has taken, of which nothing was heard of the stock yet.</summary>
        public HashSet<string> Taken { get; } = new(StringComparer.Ordinal);
        /// <summary>As it stands in line, by line.</summary>
        public Dictionary<int, WaitingLine> Shown { get; } = [];
    }
}
