namespace OrleansOms.Domain.Stock;

/// <summary>What entries of a stock's ledger did to its numbers, in units.</summary>
/// <param name="OnHand">To the number on hand, which are the sellable ones.</param>
/// <param name="Reserved">To the number promised.</param>
/// <param name="Damaged">To the number damaged.</param>
/// <param name="Quarantine">To the number in quarantine.</param>
public readonly record struct StockDelta(int OnHand, int Reserved, int Damaged = 0, int Quarantine = 0)
{
    /// <summary>What an entry did.</summary>
    public static StockDelta Of(StockEvent entry) => entry switch
    {
        StockReceived e => new(e.Quantity, 0),
        StockAdjusted e => new(e.Delta, 0),
        ConditionChanged e => In(e.To, e.Quantity) + In(e.From, -e.Quantity),
        StockReserved e => new(0, Stock.Sum(e.Lines)),
        ReservationReleased e => new(0, -Stock.Sum(e.Lines)),
        StockShipped e => new(-Stock.Sum(e.Lines), -Stock.Sum(e.Lines)),
        StockNotFound e => new(-Stock.Sum(e.Lines), -Stock.Sum(e.Lines)),
        _ => throw new InvalidOperationException($"What {entry.GetType().Name} does to a stock is not known."),
    };

    /// <summary>Units more in a condition; none in none.</summary>
    public static StockDelta In(StockCondition? condition, int units) => condition switch
    {
        null => default,
        StockCondition.Sellable => new(units, 0),
        StockCondition.Damaged => new(0, 0, Damaged: units),
        StockCondition.Quarantine => new(0, 0, Quarantine: units),
        _ => throw new InvalidOperationException($"Units cannot be {condition}."),
    };

    /// <summary>What both did.</summary>
    public static StockDelta operator +(StockDelta a, StockDelta b) =>
        new(a.OnHand + b.OnHand, a.Reserved + b.Reserved, a.Damaged + b.Damaged, a.Quarantine + b.Quarantine);

    /// <summary>What takes it back.</summary>
    public static StockDelta operator -(StockDelta a) => new(-a.OnHand, -a.Reserved, -a.Damaged, -a.Quarantine);
}
