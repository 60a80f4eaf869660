using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Laws;

/// <summary>An order's line in one stock.</summary>
public readonly record struct PairKey(string Stock, string OrderId, int LineId);

/// <summary>
/// Pairs what stocks have reserved with what orders have allocated (L4): each side adds and takes away what it has stored,
/// in whatever order it comes, and what does not cancel out is known to one side only.
/// </summary>
public sealed class Pairing
{
    readonly Dictionary<PairKey, OneSided> _open = [];

    /// <summary>A line whose two sides differ.</summary>
    /// <param name="Surplus">Units that the stock has reserved beyond what the order has allocated.</param>
    /// <param name="At">When one of the two last moved, UTC.</param>
    public readonly record struct OneSided(int Surplus, DateTimeOffset At);

    /// <summary>Lines whose two sides differ.</summary>
    public IReadOnlyDictionary<PairKey, OneSided> Open => _open;

    /// <summary>Takes an event of either side.</summary>
    public void Hear(string stream, DomainEvent? data, DateTimeOffset at)
    {
        switch (data)
        {
            case StockReserved e: Stock(stream, e.OrderId, e.Lines, 1, at); break;
            case ReservationReleased e: Stock(stream, e.OrderId, e.Lines, -1, at); break;
            case StockShipped e: Stock(stream, e.OrderId, e.Lines, -1, at); break;
            case StockNotFound e: Stock(stream, e.OrderId, e.Lines, -1, at); break;
            case CartReserved e: Order(stream, e.Allocations, -1, at); break;
            case CartEnded e: Order(stream, e.Freed.Concat(e.Kept.Select(k => k.Held)), 1, at); break;
            case OrderAllocated e: Order(stream, e.Allocations, -1, at); break;
            case UnitsShipped e: Order(stream, e.Lines, 1, at); break;
            case UnitsNotFound e: Order(stream, e.Lines, 1, at); break;
            case UnitsCancelled e:
                Order(stream, e.Units.Where(u => u.Warehouse is not null)
                    .Select(u => new LineAllocation(u.LineId, u.Sku, u.Warehouse!, u.Quantity)), 1, at);
                break;
        }
    }

    /// <summary>What was told of a line need not be told again.</summary>
    public void Forget(PairKey key) => _open.Remove(key);

    void Stock(string stock, string orderId, IReadOnlyList<LineUnits> lines, int sign, DateTimeOffset at)
    {
        foreach (var line in lines) Add(new PairKey(stock, orderId, line.LineId), sign * line.Quantity, at);
    }

    void Order(string orderId, IEnumerable<LineAllocation> units, int sign, DateTimeOffset at)
    {
        foreach (var u in units)
            Add(new PairKey(Keys.OfStock(u.Warehouse, u.Sku), orderId, u.LineId), sign * u.Quantity, at);
    }

    void Add(PairKey key, int units, DateTimeOffset at)
    {
        var before = _open.GetValueOrDefault(key);
        var surplus = before.Surplus + units;
        if (surplus == 0) _open.Remove(key);
        else _open[key] = new OneSided(surplus, at > before.At ? at : before.At);
    }
}
