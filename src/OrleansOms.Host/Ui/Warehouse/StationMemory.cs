using System.Text.Json;

namespace OrleansOms.Host.Ui.Warehouse;

/// <summary>
/// What a bench knows of a shipment and the shipment itself does not. The browser's tab keeps it, so that a page that was
/// lost goes on where it was.
/// </summary>
/// <param name="Counted">Units by SKU that are counted and not complete.</param>
/// <param name="LastSku">The SKU that was scanned last.</param>
/// <param name="IsAsking">Whether it waits for the answer to missing units.</param>
/// <param name="Boxes">Boxes with what is in them.</param>
/// <param name="Tracking">The tracking number that was read.</param>
public sealed record StationMemory(
    IReadOnlyDictionary<string, int> Counted, string? LastSku, bool IsAsking, IReadOnlyList<Box> Boxes, string? Tracking)
{
    /// <summary>As the browser keeps it; null when there is nothing to remember.</summary>
    public string? Save() =>
        Counted.Count == 0 && LastSku is null && Boxes.Count == 0 && Tracking is null ? null : JsonSerializer.Serialize(this);

    /// <summary>Reads what the browser has kept; null if that cannot be understood.</summary>
    public static StationMemory? Read(string? saved)
    {
        try
        {
            return saved is not null && JsonSerializer.Deserialize<StationMemory>(saved) is { Counted: not null, Boxes: not null } kept
                ? kept : null;
        }
        catch (JsonException) { return null; }
    }
}
