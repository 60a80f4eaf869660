using OrleansOms.Domain.Stock;

namespace OrleansOms.Contracts.Stock;

/// <summary>What a stock had after an entry of its ledger.</summary>
/// <param name="Version">Number of that entry; 0 before the first.</param>
/// <param name="OnHand">Sellable units in the warehouse, promised or not.</param>
/// <param name="Reserved">Units promised to orders.</param>
/// <param name="Damaged">Damaged units in the warehouse.</param>
/// <param name="Quarantine">Units in the warehouse of which nobody knows yet what they are.</param>
public readonly record struct StockBalance(int Version, int OnHand, int Reserved, int Damaged = 0, int Quarantine = 0)
{
    /// <summary>What it had after another entry, or before this one.</summary>
    /// <param name="version">Number of the last entry that is in it then.</param>
    /// <param name="delta">What the entries between have done, or what takes it back.</param>
    public StockBalance With(int version, StockDelta delta) => new(
        version, OnHand + delta.OnHand, Reserved + delta.Reserved, Damaged + delta.Damaged, Quarantine + delta.Quarantine);
}

/// <summary>A day on which something happened to a stock.</summary>
/// <param name="Day">Of UTC.</param>
/// <param name="Begin">What it had before the day's first entry.</param>
/// <param name="End">What it had after the last one; of the newest day, what the lists know by now.</param>
public sealed record StockDay(DateOnly Day, StockBalance Begin, StockBalance End);
