using Orleans;

namespace OrleansOms.Domain.Shipments;

/// <summary>Where a shipment is. Numbers are stored: append only.</summary>
[GenerateSerializer, Alias("oms.ShipmentStatus")]
public enum ShipmentStatus
{
    /// <summary>The warehouse may begin.</summary>
    Released = 0,
    /// <summary>Some or all units have been taken from the shelves.</summary>
    Picking = 1,
    /// <summary>In boxes.</summary>
    Packed = 2,
    /// <summary>Handed to the carrier.</summary>
    Shipped = 3,
    /// <summary>The carrier has scanned it.</summary>
    InTransit = 4,
    /// <summary>The carrier reports a problem; it may go on.</summary>
    Exception = 5,
    /// <summary>Arrived. Final.</summary>
    Delivered = 6,
    /// <summary>Came back. Final.</summary>
    ReturnedToSender = 7,
    /// <summary>Nothing of it will ship. Final.</summary>
    Cancelled = 8,
}
