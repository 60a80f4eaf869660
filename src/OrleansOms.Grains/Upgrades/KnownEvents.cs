using Orleans.Metadata;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Grains.Upgrades;

/// <summary>
/// Says in the properties of every grain type how many events this silo knows. Orleans tells them to all silos before it
/// places a grain there.
/// </summary>
sealed class KnownEvents : IGrainPropertiesProvider
{
    /// <summary>Name of the property. Never changed: older silos look for it.</summary>
    public const string Property = "oms.known-events";

    /// <inheritdoc />
    public void Populate(Type grainClass, GrainType grainType, Dictionary<string, string> properties) =>
        properties[Property] = $"{EventTypes.Count}";
}
