using System.Collections.Concurrent;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Grains.Stock;

using Stock = Domain.Stock.Stock;

/// <summary>
/// Who waits for which SKU, in the memory of this process, in the order in which they are served. It may be a moment behind; the order
/// decides whether it takes what it is served with. Who is in line and does not stand here, because the program has begun while it was
/// held or because a warehouse did not find its units, is asked by <see cref="Followers.BackorderFollower"/>.
/// </summary>
public sealed class WaitingIndex(OmsSettings settings, TimeProvider time)
{
    readonly Lock _gate = new();
    readonly Dictionary<string, Waiter> _orders = new(StringComparer.Ordinal);
    readonly Dictionary<string, Dictionary<string, SortedSet<WaitingLine>>> _lines = new(StringComparer.Ordinal);
    /// <summary>SKUs that somebody waits for, to be asked without a lock.</summary>
    readonly ConcurrentDictionary<string, bool> _known = new(StringComparer.Ordinal);
    readonly WaitingPolicy _policy = settings.Waiting.ToPolicy();

    /// <summary>Whether anybody waits for a SKU. Asked for each entry of each stock.</summary>
    public bool IsWaitedFor(string sku) => _known.ContainsKey(sku);

    /// <summary>Whom a stock serves with what its entries make free. Nobody else is served with the same while it is on its way.</summary>
    /// <param name="stock">Before the entries.</param>
    public IReadOnlyList<Served> Serve(Stock stock, IReadOnlyList<StockEvent> entries)
    {
        lock (_gate)
        {
            if (!_lines.TryGetValue(stock.Sku, out var lines)) return [];
            var served = StockServing.Decide(stock, entries, lines.Values, _policy);
            var (key, now) = (Keys.OfStock(stock.Warehouse, stock.Sku), time.GetUtcNow());
            foreach (var s in served) Note(s.Entry.OrderId, TakeServed.Of(key, s.Entry, s.Attempt, now));
            return served;
        }
    }

    /// <summary>What stocks have served an order with and it has not taken yet, as far as this process knows.</summary>
    public IReadOnlyList<TakeServed> OnItsWay(string orderId)
    {
        lock (_gate) return _orders.TryGetValue(orderId, out var waiter) ? [.. waiter.Served.Values] : [];
    }

    /// <summary>Takes in a line that waits, as the lists know it.</summary>
    /// <param name="isHeld">Whether the order has a hold, of which kind the lists do not say.</param>
    internal void Set(WaitingLine line, bool isHeld)
    {
        lock (_gate)
        {
            if (!_orders.TryGetValue(line.OrderId, out var waiter))
                _orders[line.OrderId] = waiter = new Waiter(line.Channel, line.PlacedAt, line.PromisedBy)
                {
                    Version = line.OrderVersion, IsSourced = true, IsHeld = isHeld,
                };
            Hide(waiter);
            waiter.Wants[line.LineId] = (line.Sku, line.Units);
            Show(line.OrderId, waiter);
        }
    }

    /// <summary>Folds an event in. A stream's events must come in order.</summary>
    internal void Apply(LogEvent e)
    {
        switch (e.Data)
        {
            case StockServed served:
                lock (_gate) Note(served.OrderId, TakeServed.Of(e.Stream, served, e.CommandId, e.At));
                break;
            case OrderPlaced placed:
                lock (_gate)
                    _orders.TryAdd(e.Stream, new Waiter(placed.Channel, placed.PlacedAt, placed.PromisedBy)
                    {
                        Version = e.Version, Skus = [.. placed.Lines.Select(l => l.Sku)],
                    });
                break;
            default:
                lock (_gate)
                    if (_orders.TryGetValue(e.Stream, out var waiter) && waiter.Version < e.Version) Apply(e, waiter);
                break;
        }
    }

    void Apply(LogEvent e, Waiter waiter)
    {
        Hide(waiter);
        waiter.Version = e.Version;
        switch (e.Data)
        {
            case OrderAllocated { Cause: SourcingCause.Arrival } a:
                foreach (var u in a.Allocations) waiter.Want(u.LineId, u.Sku, -u.Quantity);
                // Of what else it was served with, this says nothing.
                if (a.Attempt is null || !waiter.Served.Remove(a.Attempt)) waiter.Served.Clear();
                break;
            case OrderAllocated a:
                foreach (var l in a.Backordered) waiter.Want(l.LineId, waiter.Skus[l.LineId - 1], l.Quantity);
                waiter.IsSourced = true;
                break;
            case UnitsCancelled c:
                foreach (var u in c.Units.Where(u => u is { Warehouse: null, IsOpen: not true })) waiter.Want(u.LineId, u.Sku, -u.Quantity);
                waiter.IsCancelling = false;
                break;
            case CancellationRequested: waiter.IsCancelling = true; break;
            case HoldPlaced h when h.Stops.HasFlag(HoldStops.Allocate): waiter.Holds.Add(h.Name); break;
            case HoldLifted h:
                waiter.Holds.Remove(h.Name);
                waiter.IsHeld = false;
                break;
        }
        // Who did not take what it was served with is served again when something has happened to it.
        if (e.Data is not (OrderAllocated or ReservationSettled)) waiter.Served.Clear();
        if (waiter.Wants.Count > 0 || !waiter.IsSourced) Show(e.Stream, waiter);
        else _orders.Remove(e.Stream);
    }

    void Note(string orderId, TakeServed served)
    {
        if (!_orders.TryGetValue(orderId, out var waiter) || waiter.Served.ContainsKey(served.Attempt)) return;
        Hide(waiter);
        waiter.Served[served.Attempt] = served;
        Show(orderId, waiter);
    }

    void Show(string orderId, Waiter waiter)
    {
        if (waiter.IsHeld || waiter.IsCancelling || waiter.Holds.Count > 0) return;
        foreach (var (id, (sku, wanted)) in waiter.Wants)
        {
            var units = wanted - waiter.Served.Values.SelectMany(s => s.Lines).Where(l => l.LineId == id).Sum(l => l.Quantity);
            if (units <= 0) continue;
            var line = new WaitingLine(orderId, waiter.Version, id, sku, units, waiter.Channel, waiter.PlacedAt, waiter.PromisedBy);
            if (!_lines.TryGetValue(sku, out var channels)) _lines[sku] = channels = new(StringComparer.Ordinal);
            if (!channels.TryGetValue(waiter.Channel, out var lines)) channels[waiter.Channel] = lines = new(_policy.Order);
            lines.Add(line);
            waiter.Shown.Add(line);
            _known[sku] = true;
        }
    }

    void Hide(Waiter waiter)
    {
        foreach (var line in waiter.Shown)
        {
            var channels = _lines[line.Sku];
            channels[line.Channel].Remove(line);
            if (channels[line.Channel].Count > 0 || !channels.Remove(line.Channel) || channels.Count > 0) continue;
            _lines.Remove(line.Sku);
            _known.TryRemove(line.Sku, out _);
        }
        waiter.Shown.Clear();
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
        public bool IsHeld { get; set; }
        public bool IsCancelling { get; set; }
        /// <summary>Holds that keep it from having units, by name.</summary>
        public HashSet<string> Holds { get; } = new(StringComparer.Ordinal);
        /// <summary>What it waits for, by line.</summary>
        public Dictionary<int, (string Sku, int Units)> Wants { get; } = [];
        /// <summary>What stocks have promised it and it has not taken, by attempt.</summary>
        public Dictionary<string, TakeServed> Served { get; } = new(StringComparer.Ordinal);
        /// <summary>As it stands in line.</summary>
        public List<WaitingLine> Shown { get; } = [];

        public void Want(int lineId, string sku, int units)
        {
            units += Wants.GetValueOrDefault(lineId).Units;
            if (units > 0) Wants[lineId] = (sku, units);
            else Wants.Remove(lineId);
        }
    }
}
