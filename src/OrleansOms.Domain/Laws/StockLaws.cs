using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Laws;

/// <summary>Counts of a stock that are stored somewhere: in a grain, a snapshot or a list.</summary>
/// <param name="Version">Number of the last entry that is in them.</param>
public readonly record struct StockCounts(int OnHand, int Reserved, int Version)
{
    /// <summary>The counts of a stock.</summary>
    public static StockCounts Of(Stock.Stock stock) => new(stock.OnHand, stock.Reserved, stock.Version);
}

/// <summary>Laws of stocks. Each answers with the breach that it found, or null.</summary>
public static class StockLaws
{
    /// <summary>How long a reservation may be known to one side only: a process may have died between the two.</summary>
    public static readonly TimeSpan OneSidedAtMost = TimeSpan.FromMinutes(5);

    /// <summary>L1. Backorders promise nothing that is not there, so there is no allowance.</summary>
    public static Breach? NoOversell(string stock, StockCounts counts) =>
        counts.OnHand >= 0 && counts.Reserved >= 0 && counts.Reserved <= counts.OnHand
            ? null
            : new Breach(Law.NoOversell, stock, $"{counts.Reserved} reserved, {counts.OnHand} on hand at version {counts.Version}");

    /// <summary>L2. The ledger must have been read up to the version of the counts.</summary>
    public static Breach? CountsAreTheirLedger(string stock, StockCounts counts, StockLedger ledger) =>
        counts.Version == ledger.Version && counts.OnHand == ledger.OnHand && counts.Reserved == ledger.Reserved
            ? null
            : new Breach(Law.CountsAreTheirLedger, stock,
                $"{counts.OnHand} on hand and {counts.Reserved} reserved at version {counts.Version}, by its ledger "
                + $"{ledger.OnHand} and {ledger.Reserved} at {ledger.Version}");

    /// <summary>L3 for one SKU.</summary>
    /// <param name="onHand">Units on hand in all warehouses.</param>
    /// <param name="ledgers">Of each warehouse.</param>
    public static Breach? Conservation(string sku, long onHand, IReadOnlyCollection<StockLedger> ledgers)
    {
        long received = ledgers.Sum(l => l.Received), adjusted = ledgers.Sum(l => l.Adjusted);
        long shipped = ledgers.Sum(l => l.Shipped), writtenOff = ledgers.Sum(l => l.WrittenOff);
        return onHand == received + adjusted - shipped - writtenOff ? null : new Breach(Law.Conservation, sku,
            $"{onHand} on hand, {received} received, {adjusted} adjusted, {shipped} shipped, {writtenOff} written off");
    }

    /// <summary>L4 for one order in one stock.</summary>
    /// <param name="for">How long the two have differed.</param>
    public static Breach? ReservationsAreAllocations(
        string stock, string orderId, int lineId, int reserved, int allocated, TimeSpan @for) =>
        reserved == allocated || @for < OneSidedAtMost
            ? null
            : new Breach(Law.ReservationsAreAllocations, stock,
                $"{reserved} reserved, {allocated} allocated for {orderId} line {lineId} since {@for.TotalMinutes:0} minutes");

    /// <summary>L5, after an entry.</summary>
    public static Breach? EndsOnce(string stock, StockEvent entry, StockLedger after)
    {
        var (orderId, lines) = entry switch
        {
            ReservationReleased e => (e.OrderId, e.Lines),
            StockShipped e => (e.OrderId, e.Lines),
            StockNotFound e => (e.OrderId, e.Lines),
            _ => ("", (IReadOnlyList<LineUnits>)[]),
        };
        foreach (var line in lines)
            if (after.OpenOf(orderId, line.LineId) is < 0 and var open)
                return new Breach(Law.EndsOnce, stock,
                    $"{-open} units of {orderId} line {line.LineId} ended that were not promised");
        return null;
    }
}
