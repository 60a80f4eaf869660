using System.Globalization;
using Orleans.Runtime.Placement;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Grains.Upgrades;

/// <summary>The cluster's silos by their version, of which there are two while it is upgraded; moves activations between them.</summary>
sealed class SilosByVersion(IClusterManifestProvider manifests, IClusterMembershipService cluster, ILocalSiloDetails self)
{
    /// <summary>
    /// Begins to move an activation to the newest silo there is, with the calls that wait for it; false if none is newer than this
    /// one. When a move fails, the activation ends, and the next call is placed anew.
    /// </summary>
    public bool TakeToNewer(IGrainContext grain)
    {
        var silos = Active(grain.GrainId.Type);
        var most = silos.Count == 0 ? 0 : silos.Max(s => s.Key);
        if (most <= Own(grain.GrainId.Type)) return false;
        // Of several, each takes a share.
        SiloAddress[] newest = [.. silos[most].Order()];
        Take(grain, newest[grain.GrainId.GetUniformHashCode() % (uint)newest.Length]);
        return true;
    }

    /// <summary>
    /// Begins to move an activation to the silo that has its place: of those of this version the one that is so many younger
    /// than the oldest, or the youngest. False if that is this one.
    /// </summary>
    public bool TakeTo(int place, IGrainContext grain)
    {
        SiloAddress[] byAge = [.. Active(grain.GrainId.Type)[Own(grain.GrainId.Type)].OrderBy(s => s.Generation).ThenBy(s => s)];
        if (byAge.Length == 0 || byAge[Math.Min(place, byAge.Length - 1)] is var home && home.Equals(self.SiloAddress)) return false;
        Take(grain, home);
        return true;
    }

    static void Take(IGrainContext grain, SiloAddress silo) =>
        grain.Migrate(new Dictionary<string, object> { [IPlacementDirector.PlacementHintKey] = silo });

    ILookup<int, SiloAddress> Active(GrainType type)
    {
        var members = cluster.CurrentSnapshot.Members;
        return manifests.Current.Silos
            .Where(s => members.TryGetValue(s.Key, out var member) && member.Status == SiloStatus.Active)
            .ToLookup(s => Knows(s.Value, type), s => s.Key);
    }

    int Own(GrainType type) => Knows(manifests.Current.Silos[self.SiloAddress], type);

    /// <summary>0 of a version that did not say so yet.</summary>
    static int Knows(Orleans.Metadata.GrainManifest silo, GrainType type) =>
        silo.Grains.TryGetValue(type, out var grain) && grain.Properties.TryGetValue(KnownEvents.Property, out var known)
        && int.TryParse(known, NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 0;
}
