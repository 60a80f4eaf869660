using System.Collections.Concurrent;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Grains.Stock;

/// <summary>
/// What every stock can promise, in the memory of this process: what plans are made from. It may be a moment behind;
/// the stock grain decides. Stocks of this process are in it as soon as they are stored.
/// </summary>
public sealed class AvailabilityIndex
{
    readonly ConcurrentDictionary<string, ConcurrentDictionary<string, StockView>> _bySku = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, long> _waiting = new(StringComparer.Ordinal);

    /// <summary>Every stock of a SKU that ever held anything.</summary>
    public IReadOnlyList<StockView> StocksOf(string sku) =>
        _bySku.TryGetValue(sku, out var stocks) ? [.. stocks.Values] : [];

    /// <summary>One stock, or null if it never held anything.</summary>
    public StockView? Find(string warehouse, string sku) =>
        _bySku.TryGetValue(sku, out var stocks) && stocks.TryGetValue(warehouse, out var view) ? view : null;

    /// <summary>Units of orders that wait for stock of this SKU.</summary>
    public long Waiting(string sku) => _waiting.GetValueOrDefault(sku);

    /// <summary>Takes a stock in, unless a newer version of it is known.</summary>
    public void Set(StockView view) => _bySku
        // A SKU is in few warehouses; a dictionary of the usual size takes half a kilobyte for the one stock that it has.
        .GetOrAdd(view.Sku, _ => new ConcurrentDictionary<string, StockView>(1, 1, StringComparer.Ordinal))
        .AddOrUpdate(view.Warehouse, view, (_, known) => known.Version >= view.Version ? known : view);

    internal void SetWaiting(string sku, long units) => _waiting[sku] = units;

    /// <summary>
    /// Folds an event in. A stock's events must come in order; one that was seen before changes nothing. False if what the
    /// stock has now cannot be told from it: only a newer program knows it, or one before it.
    /// </summary>
    internal bool Apply(LogEvent @event)
    {
        switch (@event.Data)
        {
            case null: return !@event.Stream.StartsWith(Keys.Stock, StringComparison.Ordinal);
            case StockEvent e: return Apply(@event.Stream, @event.Version, e);
            case OrderAllocated { Cause: SourcingCause.Arrival } e:
                foreach (var a in e.Allocations) Wait(a.Sku, -a.Quantity);
                break;
            case OrderAllocated e:
                foreach (var (sku, units) in e.Sourcing.Missing) Wait(sku, units);
                break;
            case UnitsCancelled e:
                foreach (var u in e.Units.Where(u => u is { Warehouse: null, IsOpen: not true })) Wait(u.Sku, -u.Quantity);
                break;
        }
        return true;
    }

    void Wait(string sku, long units) => _waiting.AddOrUpdate(sku, Math.Max(0, units), (_, n) => Math.Max(0, n + units));

    bool Apply(string stream, int version, StockEvent e)
    {
        var (warehouse, sku) = Keys.ReadStock(stream);
        var known = Find(warehouse, sku) ?? new StockView(warehouse, sku, 0, 0, 0, 0, 0);
        if (known.Version >= version) return true;
        if (known.Version < version - 1) return false;
        var delta = StockDelta.Of(e);
        var view = known with
        {
            OnHand = known.OnHand + delta.OnHand, Reserved = known.Reserved + delta.Reserved, Damaged = known.Damaged + delta.Damaged,
            Quarantine = known.Quarantine + delta.Quarantine, Version = version,
        };
        Set(view with { Available = Math.Max(0, view.OnHand - view.Reserved - view.SafetyStock) });
        return true;
    }
}
