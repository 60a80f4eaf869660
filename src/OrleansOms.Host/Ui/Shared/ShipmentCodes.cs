using OrleansOms.Domain.Shared;

namespace OrleansOms.Host.Ui.Shared;

/// <summary>What a scan may name besides a product.</summary>
public static class ShipmentCodes
{
    /// <summary>The shipment's id that was read, in its own letters: some scanners send capitals. Null if it is none.</summary>
    public static string? Read(string text)
    {
        var id = text.ToLowerInvariant();
        return Keys.IsShipmentId(id) ? id : null;
    }
}
