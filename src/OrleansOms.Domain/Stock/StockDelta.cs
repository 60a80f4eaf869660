namespace OrleansOms.Domain.Stock;

/// <summary>What an entry of a stock's ledger did to its numbers, in units.</summary>
/// <param name="OnHand">To the number on hand.</param>
/// <param name="Reserved">To the number promised.</param>
public readonly record struct StockDelta(int OnHand, int Reserved)
{
    /// <summary>What an entry did.</summary>
    public static StockDelta Of(StockEvent entry) => entry switch
    {
        StockReceived e => new(e.Quantity, 0),
        StockAdjusted e => new(e.Delta, 0),
        StockReserved e => new(0, Stock.Sum(e.Lines)),
        ReservationReleased e => new(0, -Stock.Sum(e.Lines)),
        StockShipped e => new(-Stock.Sum(e.Lines), -Stock.Sum(e.Lines)),
        StockNotFound e => new(-Stock.Sum(e.Lines), -Stock.Sum(e.Lines)),
        _ => throw new InvalidOperationException($"What {entry.GetType().Name} does to a stock is not known."),
    };
}
