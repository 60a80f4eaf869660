using System.Globalization;
using OrleansOms.Domain.Orders;

namespace OrleansOms.Domain.Stock;

/// <summary>A line that is served, and the attempt by which it is.</summary>
/// <param name="Attempt">Id of the command that reserves; it says how far the order had come.</param>
public readonly record struct Served(StockServed Entry, string Attempt);

/// <summary>Promises units to those that wait in the very turn in which they become free: nobody else sees them.</summary>
public static class StockServing
{
    /// <summary>Most lines that one turn serves; who waits behind them is asked later.</summary>
    public const int MostLines = 1000;

    /// <summary>Whether entries make more units free than they take.</summary>
    public static bool MakesFree(IReadOnlyList<StockEvent> entries)
    {
        var freed = 0;
        foreach (var entry in entries) freed += Freed(entry);
        return freed > 0;
    }

    static int Freed(StockEvent entry)
    {
        var delta = StockDelta.Of(entry);
        return delta.OnHand - delta.Reserved;
    }

    /// <summary>What is promised of what entries make free; nothing if they make nothing free.</summary>
    /// <param name="stock">Before the entries.</param>
    /// <param name="entries">What has been decided, and is stored with what is promised here or not at all.</param>
    /// <param name="commandId">Of the command that they follow from.</param>
    /// <param name="waiting">
    /// Those of each channel who are known to wait for the SKU, in the policy's order. It may be a moment behind: the orders have the last word.
    /// </param>
    /// <param name="versionOf">How far an order had come that is known to wait.</param>
    /// <param name="turn">No other turn of any stock has it: what is decided and not stored must not be taken for what is.</param>
    public static IReadOnlyList<Served> Decide(
        Stock stock, IReadOnlyList<StockEvent> entries, string commandId, IEnumerable<IReadOnlyCollection<WaitingLine>> waiting,
        Func<string, int> versionOf, WaitingPolicy policy, string turn)
    {
        if (!MakesFree(entries)) return [];
        var available = Math.Max(0, stock.OnHand - stock.Reserved - stock.SafetyStock + entries.Sum(Freed));
        var comesIn = entries.Any(e => StockDelta.Of(e).OnHand > 0);
        var n = 0;
        return [.. policy.Serve(waiting, MayHave, stock.GivenLately, available)
            .Take(Math.Min(MostLines, Stock.MaxReservations - stock.Reservations.Count)).Select(c => new Served(
                new StockServed(c.Line.OrderId, [new LineUnits(c.Line.LineId, c.Units)], c.Line.Channel, c.Why),
                ReserveStock.AttemptOf(c.Line.OrderId, versionOf(c.Line.OrderId), string.Create(
                    CultureInfo.InvariantCulture, $"served/{turn}/{++n}"))))];

        // Where units of an order were not found, it waits for those that come in. One that frees what it has is not known to wait if what it
        // has decided is not known: perhaps all of it is cancelled.
        bool MayHave(WaitingLine w) => (comesIn || !stock.Failed.Contains(w.OrderId))
            && !(StockConsequences.VersionOf(w.OrderId, commandId) is { } decided && decided > versionOf(w.OrderId));
    }
}
