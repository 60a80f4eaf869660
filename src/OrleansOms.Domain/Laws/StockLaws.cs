using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Laws;

/// <summary>Counts of a stock that are stored somewhere: in a grain, a snapshot or a list.</summary>
/// <param name="Version">Number of the last entry that is in them.</param>
public readonly record struct StockCounts(int OnHand, int Reserved, int Version, int Damaged = 0, int Quarantine = 0)
{
    /// <summary>The counts of a stock.</summary>
    public static StockCounts Of(Stock.Stock stock) =>
        new(stock.OnHand, stock.Reserved, stock.Version, stock.Damaged, stock.Quarantine);

    /// <summary>Units in the warehouse, whatever they are.</summary>
    public long All => (long)OnHand + Damaged + Quarantine;
}

/// <summary>Laws of stocks. Each answers with the breach that it found, or null.</summary>
public static class StockLaws
{
    /// <summary>How long a reservation may be known to one side only: a process may have died between the two.</summary>
    public static readonly TimeSpan OneSidedAtMost = TimeSpan.FromMinutes(5);

    /// <summary>L1. Backorders promise nothing that is not there, so there is no allowance.</summary>
    public static Breach? NoOversell(string stock, StockCounts counts) =>
        counts.OnHand >= 0 && counts.Reserved >= 0 && counts.Reserved <= counts.OnHand && counts.Damaged >= 0 && counts.Quarantine >= 0
            ? null
            : new Breach(Law.NoOversell, stock, $"{counts.Reserved} reserved, {Words(counts)} at version {counts.Version}");

    /// <summary>L2. The ledger must have been read up to the version of the counts.</summary>
    public static Breach? CountsAreTheirLedger(string stock, StockCounts counts, StockLedger ledger) =>
        counts == ledger.Counts
            ? null
            : new Breach(Law.CountsAreTheirLedger, stock,
                $"{Words(counts)} and {counts.Reserved} reserved at version {counts.Version}, by its ledger "
                + $"{Words(ledger.Counts)} and {ledger.Counts.Reserved} at {ledger.Version}");

    static string Words(StockCounts counts) => counts is { Damaged: 0, Quarantine: 0 } ? $"{counts.OnHand} on hand"
        : $"{counts.OnHand} on hand, {counts.Damaged} damaged, {counts.Quarantine} in quarantine";

    /// <summary>L3 for one SKU.</summary>
    /// <param name="all">Units in all warehouses, whatever their condition.</param>
    /// <param name="ledgers">Of each warehouse.</param>
    public static Breach? Conservation(string sku, long all, IReadOnlyCollection<StockLedger> ledgers)
    {
        long received = ledgers.Sum(l => l.Received), adjusted = ledgers.Sum(l => l.Adjusted);
        long shipped = ledgers.Sum(l => l.Shipped), writtenOff = ledgers.Sum(l => l.WrittenOff);
        return all == received + adjusted - shipped - writtenOff ? null : new Breach(Law.Conservation, sku,
            $"{all} in warehouses, {received} received, {adjusted} adjusted, {shipped} shipped, {writtenOff} written off");
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
