using System.Globalization;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Stock;

/// <summary>A line that is served, and the attempt by which it is.</summary>
/// <param name="Attempt">Id of the command that reserves; it says how far the order had come.</param>
public readonly record struct Served(StockServed Entry, string Attempt);

/// <summary>Promises units to those that wait in the very turn in which they become free: nobody else sees them.</summary>
public static class StockServing
{
    /// <summary>Most lines that one turn serves; who waits behind them is asked later.</summary>
    public const int MostLines = 1000;

    /// <summary>What is promised of what entries make free; nothing if they make nothing free.</summary>
    /// <param name="stock">Before the entries.</param>
    /// <param name="entries">What has been decided, and is stored with what is promised here or not at all.</param>
    /// <param name="waiting">
    /// Those of each channel who are known to wait for the SKU, in the policy's order. It may be a moment behind: the orders have the last word.
    /// </param>
    public static IReadOnlyList<Served> Decide(
        Stock stock, IReadOnlyList<StockEvent> entries, IEnumerable<IReadOnlyCollection<WaitingLine>> waiting, WaitingPolicy policy)
    {
        var (onHand, reserved, comesIn) = (stock.OnHand, stock.Reserved, false);
        foreach (var delta in entries.Select(StockDelta.Of))
        {
            (onHand, reserved) = (onHand + delta.OnHand, reserved + delta.Reserved);
            comesIn |= delta.OnHand > 0;
        }
        var available = onHand - reserved - stock.SafetyStock;
        if (available <= stock.Available) return [];
        var version = stock.Version + entries.Count;
        // Where units of an order were not found, it waits for those that come in.
        return [.. policy.Serve(waiting, w => comesIn || !stock.Failed.Contains(w.OrderId), stock.Given, available)
            .Take(Math.Min(MostLines, Stock.MaxReservations - stock.Reservations.Count)).Select(c => new Served(
                new StockServed(c.Line.OrderId, [new LineUnits(c.Line.LineId, c.Units)], c.Line.Channel, c.Why),
                ReserveStock.AttemptOf(c.Line.OrderId, c.Line.OrderVersion, string.Create(
                    CultureInfo.InvariantCulture, $"served/{Keys.OfStock(stock.Warehouse, stock.Sku)}/{++version}"))))];
    }
}
