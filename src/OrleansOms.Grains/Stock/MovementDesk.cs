using System.Globalization;
using Orleans.Metadata;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Upgrades;

namespace OrleansOms.Grains.Stock;

/// <summary>
/// Takes movements. One that knows of conditions waits until every silo does: one of the version before would not understand what
/// it is asked, and has no reason to leave the stock to another.
/// </summary>
public sealed class MovementDesk(IGrainFactory grains, IClusterManifestProvider manifests)
{
    /// <summary>
    /// Events that a program knows since it knows of conditions. Never changed: what comes later keeps no movement waiting while the
    /// cluster is upgraded to it.
    /// </summary>
    const int SinceConditions = 39;

    /// <summary>Runs a movement, however long it takes.</summary>
    /// <param name="id">Made of the caller and the idempotency key.</param>
    /// <exception cref="UpgradeUnderWayException">A silo does not know of conditions.</exception>
    public Task<Reply<MovementView>> Run(string id, MoveStock command, Caller caller) =>
        command is MoveConditions && !manifests.Current.Silos.Values.All(Knows)
            ? throw new UpgradeUnderWayException()
            : grains.GetGrain<IMovementGrain>(id).RunToEnd(command, caller);

    /// <summary>Whether a silo knows of conditions.</summary>
    static bool Knows(GrainManifest silo) => silo.Grains.Values.All(grain =>
        !grain.Properties.TryGetValue(KnownEvents.Property, out var known)
        || (int.TryParse(known, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= SinceConditions));
}
