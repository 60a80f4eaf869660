namespace OrleansOms.Contracts.Stock;

/// <summary>What a stock had after an entry of its ledger.</summary>
/// <param name="Version">Number of that entry; 0 before the first.</param>
/// <param name="OnHand">Sellable units in the warehouse, promised or not.</param>
/// <param name="Reserved">Units promised to orders.</param>
public readonly record struct StockBalance(int Version, int OnHand, int Reserved);

/// <summary>A day on which something happened to a stock.</summary>
/// <param name="Day">Of UTC.</param>
/// <param name="Begin">What it had before the day's first entry.</param>
/// <param name="End">What it had after the last one; of the newest day, what the lists know by now.</param>
public sealed record StockDay(DateOnly Day, StockBalance Begin, StockBalance End);
