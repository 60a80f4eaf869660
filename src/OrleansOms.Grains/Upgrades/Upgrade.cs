using System.Globalization;
using Orleans.Metadata;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Grains.Upgrades;

/// <summary>
/// Whether the cluster is being upgraded. What only the newer version knows is asked of nobody before it is over: a silo of the version
/// before would not understand it, and has no reason to leave a grain to another.
/// </summary>
public sealed class Upgrade(IClusterManifestProvider manifests)
{
    /// <summary>Events that a program knows since it knows of conditions, of carts, and of those that wait and are served. Never changed: it says which release that was.</summary>
    public const int Conditions = 39, Carts = 43, Serving = 44;

    /// <summary>Goes on if every silo knows so many events.</summary>
    /// <exception cref="UpgradeUnderWayException">One does not.</exception>
    public void RequireOver(int known)
    {
        if (!IsOver(known)) throw new UpgradeUnderWayException();
    }

    /// <summary>Whether every silo knows so many events.</summary>
    public bool IsOver(int known) => manifests.Current.Silos.Values.All(silo => Knows(silo, known));

    static bool Knows(GrainManifest silo, int known) => silo.Grains.Values.All(grain =>
        !grain.Properties.TryGetValue(KnownEvents.Property, out var count)
        || (int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= known));
}
