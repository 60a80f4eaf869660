using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Upgrades;

namespace OrleansOms.Grains.Stock;

/// <summary>Takes movements. One that knows of conditions waits until every silo does.</summary>
public sealed class MovementDesk(IGrainFactory grains, Upgrade upgrade)
{
    /// <summary>Runs a movement, however long it takes.</summary>
    /// <param name="id">Made of the caller and the idempotency key.</param>
    /// <exception cref="UpgradeUnderWayException">A silo does not know of conditions.</exception>
    public Task<Reply<MovementView>> Run(string id, MoveStock command, Caller caller)
    {
        if (command is MoveConditions) upgrade.RequireOver(Upgrade.Conditions);
        return grains.GetGrain<IMovementGrain>(id).RunToEnd(command, caller);
    }
}
