using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Laws;

/// <summary>
/// The entries of one stock, added up by kind and apart from the stock's own fold, so that each can be held against the
/// other.
/// </summary>
public sealed class StockLedger
{
    readonly Dictionary<OrderLineKey, int> _open = [];

    /// <summary>Number of entries, from 1.</summary>
    public int Version { get; private set; }
    /// <summary>Units that came in.</summary>
    public long Received { get; private set; }
    /// <summary>Units by which the number on hand was corrected.</summary>
    public long Adjusted { get; private set; }
    /// <summary>Units that left.</summary>
    public long Shipped { get; private set; }
    /// <summary>Units that were not on the shelf.</summary>
    public long WrittenOff { get; private set; }
    /// <summary>Units that are promised.</summary>
    public long Reserved { get; private set; }

    /// <summary>Units that are damaged.</summary>
    public long Damaged { get; private set; }
    /// <summary>Units in quarantine.</summary>
    public long Quarantine { get; private set; }

    /// <summary>What must be there, whatever its condition.</summary>
    public long All => Received + Adjusted - Shipped - WrittenOff;

    /// <summary>What must be on hand: all that is neither damaged nor in quarantine.</summary>
    public long OnHand => All - Damaged - Quarantine;

    /// <summary>The counts that the stock must have.</summary>
    public StockCounts Counts => new((int)OnHand, (int)Reserved, Version, (int)Damaged, (int)Quarantine);

    /// <summary>Promised units of order lines; what has ended is not in it.</summary>
    public IReadOnlyDictionary<OrderLineKey, int> Open => _open;

    /// <summary>Goes on from a stock whose entries before are not read again.</summary>
    public static StockLedger From(Stock.Stock stock)
    {
        var ledger = new StockLedger
        {
            Version = stock.Version, Received = StockCounts.Of(stock).All, Reserved = stock.Reserved, Damaged = stock.Damaged,
            Quarantine = stock.Quarantine,
        };
        foreach (var (key, reservation) in stock.Reservations) ledger._open[key] = reservation.Quantity;
        return ledger;
    }

    /// <summary>Promised units of an order's line; below zero if more of them ended than were promised.</summary>
    public int OpenOf(string orderId, int lineId) => _open.GetValueOrDefault(new OrderLineKey(orderId, lineId));

    /// <summary>Adds one more entry.</summary>
    public void Add(StockEvent entry)
    {
        Version++;
        switch (entry)
        {
            case StockReceived e: Received += e.Quantity; break;
            case StockAdjusted e: Adjusted += e.Delta; break;
            case ConditionChanged e: Change(e); break;
            case StockReserved e: Promise(e.OrderId, e.Lines, 1); break;
            case ReservationReleased e: Promise(e.OrderId, e.Lines, -1); break;
            case StockShipped e:
                Promise(e.OrderId, e.Lines, -1);
                Shipped += Stock.Stock.Sum(e.Lines);
                break;
            case StockNotFound e:
                Promise(e.OrderId, e.Lines, -1);
                WrittenOff += Stock.Stock.Sum(e.Lines);
                break;
            default: throw new InvalidOperationException($"A ledger does not know {entry.GetType().Name}.");
        }
    }

    void Change(ConditionChanged e)
    {
        if (e.From is null) Received += e.Quantity;
        if (e.To is null) Adjusted -= e.Quantity;
        if (e.To == StockCondition.Damaged) Damaged += e.Quantity;
        if (e.From == StockCondition.Damaged) Damaged -= e.Quantity;
        if (e.To == StockCondition.Quarantine) Quarantine += e.Quantity;
        if (e.From == StockCondition.Quarantine) Quarantine -= e.Quantity;
    }

    void Promise(string orderId, IReadOnlyList<LineUnits> lines, int sign)
    {
        foreach (var line in lines)
        {
            var key = new OrderLineKey(orderId, line.LineId);
            var open = _open.GetValueOrDefault(key) + sign * line.Quantity;
            if (open == 0) _open.Remove(key);
            else _open[key] = open;
            Reserved += sign * line.Quantity;
        }
    }
}
