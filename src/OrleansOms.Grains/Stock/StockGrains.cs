using System.Collections.Concurrent;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Grains.Stock;

/// <summary>
/// References to stocks, each found once: finding them anew was 5 % of an order's time (docs/decisions/0010). At most one
/// for each stock that there is.
/// </summary>
public sealed class StockGrains(IGrainFactory grains)
{
    readonly ConcurrentDictionary<(string Warehouse, string Sku), IStockGrain> _known = new();

    /// <summary>The stock of a SKU in a warehouse; case matters.</summary>
    public IStockGrain Of(string warehouse, string sku) => _known.GetOrAdd(
        (warehouse, sku), static (key, grains) => grains.GetGrain<IStockGrain>(Keys.OfStock(key.Warehouse, key.Sku)), grains);
}
