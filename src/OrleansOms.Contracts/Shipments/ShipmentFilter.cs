using OrleansOms.Domain.Shipments;

namespace OrleansOms.Contracts.Shipments;

/// <summary>Which shipments a list shows, oldest first. Everything that is given must hold.</summary>
public sealed record ShipmentFilter
{
    /// <summary>Code of the warehouse that they leave.</summary>
    public string? Warehouse { get; init; }
    /// <summary>One of these; empty means any.</summary>
    public IReadOnlyList<ShipmentStatus> Statuses { get; init; } = [];
    /// <summary>Of this order.</summary>
    public string? OrderId { get; init; }
    /// <summary>Only those whose carrier's silence is an alarm.</summary>
    public bool HasAlarm { get; init; }
    /// <summary>How many, 1 to 200.</summary>
    public int Limit { get; init; } = Page<ShipmentView>.DefaultLimit;
    /// <summary>The last page's <see cref="Page{T}.NextCursor"/>.</summary>
    public string? Cursor { get; init; }
}
