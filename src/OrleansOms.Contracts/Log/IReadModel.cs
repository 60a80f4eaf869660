using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Stock;
using OrleansOms.Contracts.Waiting;
using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Contracts.Log;

/// <summary>What every process keeps in memory to answer fast, as of one moment of the log.</summary>
/// <param name="Position">Everything up to here is in it.</param>
/// <param name="Waiting">Lines that wait for units.</param>
public sealed record IndexSnapshot(
    Checkpoint Position, IReadOnlyList<ProductView> Products, IReadOnlyList<WarehouseView> Warehouses,
    IReadOnlyList<StockView> Stocks, IReadOnlyList<ListedWait> Waiting);

/// <summary>A line that waits for units, as the lists know it.</summary>
/// <param name="OrderVersion">How far its order had come.</param>
/// <param name="IsHeld">Whether a hold stands; what it stops, only the order's events tell.</param>
public sealed record ListedWait(WaitingLine Line, int OrderVersion, bool IsHeld);

/// <summary>The tables behind lists and searches. They can be dropped and made anew from the log.</summary>
public interface IReadModel
{
    /// <summary>How far it has read.</summary>
    Task<Checkpoint> Position();

    /// <summary>The same for whoever goes on from there, and what an older build has left out is there.</summary>
    Task<Checkpoint> Begin();

    /// <summary>Folds a batch in and moves its position on, in one transaction; false if another one was faster.</summary>
    Task<bool> Apply(Checkpoint from, LogBatch batch);

    /// <summary>Products, warehouses and stocks as of one position.</summary>
    Task<IndexSnapshot> LoadIndexes();

    /// <summary>Orders with waiting units of these SKUs, oldest promise first, then oldest order.</summary>
    /// <param name="after">The order that they come after; null to begin with the first.</param>
    Task<IReadOnlyList<string>> FindWaitingOrders(IReadOnlyCollection<string> skus, int max, string? after = null);

    /// <summary>SKUs that orders wait for.</summary>
    /// <param name="orders">These orders; null for all.</param>
    Task<IReadOnlyList<string>> FindWaitingSkus(IReadOnlyCollection<string>? orders = null);

    /// <summary>Orders and shipments of a shard that have waited since then or longer; of each kind, the longest wait first.</summary>
    /// <param name="shard">From 0 to <see cref="WaitShards"/>, exclusive.</param>
    /// <param name="until">For each kind of wait, the latest beginning that is looked for.</param>
    /// <param name="except">Keys that are not looked for.</param>
    Task<IReadOnlyList<Wait>> FindWaits(
        int shard, IReadOnlyDictionary<WaitKind, DateTimeOffset> until, int max, IReadOnlyCollection<string> except);

    /// <summary>
    /// Holds the rows of some orders, shipments and stocks against their streams (law L12). Rows that have heard of more
    /// are left out.
    /// </summary>
    /// <param name="heard">What was read of the log when the streams were as they are.</param>
    /// <returns>What differs; null while not all of that is in the lists.</returns>
    Task<IReadOnlyList<Breach>?> Compare(IReadOnlyCollection<StreamAudit> streams, Checkpoint heard);

    /// <summary>Orders that may have stood still for longer than they may, the oldest first; what they are up to, their events tell.</summary>
    /// <param name="byItself">What the program has had to do since before this.</param>
    /// <param name="byPeople">What people have had to do since before this.</param>
    /// <param name="except">Orders that are not looked for.</param>
    Task<IReadOnlyList<string>> FindQuiet(
        DateTimeOffset byItself, DateTimeOffset byPeople, int max, IReadOnlyCollection<string> except);

    /// <summary>Shards that waits are spread over by their keys.</summary>
    const int WaitShards = 4;
}
