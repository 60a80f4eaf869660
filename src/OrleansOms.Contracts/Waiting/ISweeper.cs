using Orleans;

namespace OrleansOms.Contracts.Waiting;

/// <summary>
/// Tells the orders and shipments of its shard when the time that they wait is up. Key: <c>swp-</c> and the shard's number.
/// It runs from its activation on, and its reminder wakes it up again when it is lost.
/// </summary>
[Alias("oms.ISweeper")]
public interface ISweeper : IGrainWithStringKey
{
    /// <summary>Makes sure that it runs, and will be woken up.</summary>
    [Alias("Begin")]
    Task Begin();
}
