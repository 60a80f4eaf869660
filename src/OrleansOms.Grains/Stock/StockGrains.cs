using System.Collections.Concurrent;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Grains.Stock;

/// <summary>
/// References to stocks, each found once: finding one anew costs more than half of calling it (docs/decisions/0010), and every
/// order calls several. At most one for each stock that there is.
/// </summary>
public sealed class StockGrains(IGrainFactory grains)
{
    readonly ConcurrentDictionary<(string Warehouse, string Sku), IStockGrain> _known = new();

    /// <summary>The stock of a SKU in a warehouse; case matters.</summary>
    public IStockGrain Of(string warehouse, string sku) => _known.GetOrAdd(
        (warehouse, sku), static (key, grains) => grains.GetGrain<IStockGrain>(Keys.OfStock(key.Warehouse, key.Sku)), grains);
}
