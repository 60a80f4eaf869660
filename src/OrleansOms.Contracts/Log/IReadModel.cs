using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Stock;

namespace OrleansOms.Contracts.Log;

/// <summary>What every process keeps in memory to answer fast, as of one moment of the log.</summary>
/// <param name="Position">Everything up to here is in it.</param>
/// <param name="Waiting">Backordered units by SKU.</param>
public sealed record IndexSnapshot(
    Checkpoint Position, IReadOnlyList<ProductView> Products, IReadOnlyList<WarehouseView> Warehouses,
    IReadOnlyList<StockView> Stocks, IReadOnlyDictionary<string, int> Waiting);

/// <summary>The tables behind lists and searches. They can be dropped and made anew from the log.</summary>
public interface IReadModel
{
    /// <summary>How far it has read.</summary>
    Task<Checkpoint> Position();

    /// <summary>Folds a batch in and moves its position on, in one transaction; false if another one was faster.</summary>
    Task<bool> Apply(Checkpoint from, LogBatch batch);

    /// <summary>Products, warehouses and stocks as of one position.</summary>
    Task<IndexSnapshot> LoadIndexes();

    /// <summary>Orders with waiting units of these SKUs, oldest promise first, then oldest order.</summary>
    /// <param name="after">The order that they come after; null to begin with the first.</param>
    Task<IReadOnlyList<string>> FindWaitingOrders(IReadOnlyCollection<string> skus, int max, string? after = null);
}
