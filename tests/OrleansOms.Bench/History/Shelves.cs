using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Bench.History;

/// <summary>The stocks of one warehouse, each decided by the Domain's own decider.</summary>
public sealed class Shelves(string warehouse, LogFeed feed)
{
    readonly Dictionary<string, Stock> _stocks = new(StringComparer.Ordinal);

    /// <summary>Code of the warehouse.</summary>
    public string Warehouse => warehouse;

    /// <summary>Units that can be promised of each SKU that has any.</summary>
    public Dictionary<string, int> Available(IEnumerable<string> skus) =>
        skus.Where(s => Of(s).Available > 0).ToDictionary(s => s, s => Of(s).Available, StringComparer.Ordinal);

    /// <summary>Takes a stock as it is stored.</summary>
    public void Put(Stock stock) => _stocks[stock.Sku] = stock;

    /// <summary>Does a command that must not be refused.</summary>
    public void Do(string sku, StockCommand command, DateTimeOffset at)
    {
        var stock = Of(sku);
        var decision = StockDecider.Decide(stock, command);
        if (decision.Events.Count == 0)
            throw new InvalidOperationException($"{sku}: {command} changes nothing: {decision.Rejection?.Detail}");
        feed.Add(new Append(new StreamEvents(
            Keys.OfStock(warehouse, sku), stock.Version,
            [.. decision.Events.Select(e => new NewEvent(e, command.CommandId, Caller.System, at))])));
        _stocks[sku] = decision.Events.Aggregate(stock, (s, e) => s.Apply(e, command.CommandId, at));
    }

    Stock Of(string sku) => _stocks.TryGetValue(sku, out var stock) ? stock : new Stock(warehouse, sku);
}
