using System.Globalization;
using Orleans.Runtime.Placement;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Grains.Upgrades;

/// <summary>Silos of newer versions, which are in the cluster while it is upgraded.</summary>
sealed class NewerSilos(IClusterManifestProvider manifests, IClusterMembershipService cluster, ILocalSiloDetails self)
{
    /// <summary>
    /// Begins to move an activation to the newest silo there is, with the calls that wait for it; false if none is newer than this
    /// one. When a move fails, the activation ends, and the next call is placed anew.
    /// </summary>
    public bool Take(IGrainContext grain)
    {
        if (Find(grain.GrainId) is not { } silo) return false;
        grain.Migrate(new Dictionary<string, object> { [IPlacementDirector.PlacementHintKey] = silo });
        return true;
    }

    SiloAddress? Find(GrainId grain)
    {
        var members = cluster.CurrentSnapshot.Members;
        var silos = manifests.Current.Silos
            .Select(s => (Silo: s.Key, Knows: Knows(s.Value, grain.Type)))
            .Where(s => members.TryGetValue(s.Silo, out var member) && member.Status == SiloStatus.Active)
            .ToLookup(s => s.Knows, s => s.Silo);
        var most = silos.Count == 0 ? 0 : silos.Max(s => s.Key);
        if (most <= Knows(manifests.Current.Silos[self.SiloAddress], grain.Type)) return null;
        // Of several, each takes a share.
        SiloAddress[] newest = [.. silos[most].Order()];
        return newest[grain.GetUniformHashCode() % (uint)newest.Length];
    }

    /// <summary>0 of a version that did not say so yet.</summary>
    static int Knows(Orleans.Metadata.GrainManifest silo, GrainType type) =>
        silo.Grains.TryGetValue(type, out var grain) && grain.Properties.TryGetValue(KnownEvents.Property, out var known)
        && int.TryParse(known, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0;
}
