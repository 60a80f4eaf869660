using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Stock;
using OrleansOms.Host.Orders;
using OrleansOms.Postgres.Stock;

namespace OrleansOms.Host.Stock;

/// <summary>Reads a stock's ledger from its end: each entry with its cause, what it did, and what was there after it.</summary>
public sealed class Ledger(IEventLog log, StockHistory history)
{
    /// <summary>Entries before a version, newest first, and whether there are more.</summary>
    /// <param name="stock">Key of the stock.</param>
    /// <exception cref="LogUnavailableException">The database did not answer.</exception>
    /// <exception cref="NewerEventException">A newer program has written one of them.</exception>
    public async Task<(IReadOnlyList<LedgerEntry> Entries, bool HasMore)> Before(string stock, int version, int limit)
    {
        var newest = await log.ReadStreamBackwards(stock, version, limit + 1);
        var balance = newest.Count > 0 ? await history.After(stock, newest[0].Version) : default;
        var entries = new List<LedgerEntry>(limit);
        foreach (var e in newest.Take(limit))
        {
            var delta = StockDelta.Of((StockEvent)e.Known());
            entries.Add(Entry(e, delta, balance));
            balance = balance.With(e.Version - 1, -delta);
        }
        return (entries, newest.Count > limit);
    }

    static LedgerEntry Entry(LogEvent e, StockDelta delta, StockBalance after)
    {
        var entry = new LedgerEntry(
            e.Version, e.At, TimelineWords.Who(e.Actor), TimelineWords.TypeOf(e.Type), delta.OnHand, delta.Reserved, after.OnHand,
            after.Reserved, null, null, null, null, delta.Damaged, delta.Quarantine, after.Damaged, after.Quarantine, null, null);
        return e.Known() switch
        {
            StockReceived r => entry with { Reference = r.Reference },
            StockAdjusted a => entry with { Reason = a.Reason },
            ConditionChanged c => entry with { Reason = c.Reason, From = c.From, To = c.To },
            StockServed s => entry with { OrderId = s.OrderId, Reason = s.Why },
            StockReserved r => entry with { OrderId = r.OrderId },
            ReservationReleased r => entry with { OrderId = r.OrderId, Reason = r.Reason },
            StockShipped s => entry with { OrderId = s.OrderId, ShipmentId = s.ShipmentId },
            StockNotFound n => entry with { OrderId = n.OrderId, ShipmentId = n.ShipmentId },
            _ => entry,
        };
    }
}
