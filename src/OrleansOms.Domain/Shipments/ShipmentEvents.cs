using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Shipments;

/// <summary>A fact of one shipment.</summary>
public abstract record ShipmentEvent : DomainEvent;

/// <summary>Units of one order line in a shipment.</summary>
[Orleans.GenerateSerializer, Orleans.Immutable, Orleans.Alias("oms.ShipmentLine")]
public sealed record ShipmentUnit(
    [property: Orleans.Id(0)] int LineId, [property: Orleans.Id(1)] string Sku, [property: Orleans.Id(2)] int Quantity);

/// <summary>A warehouse was asked to ship these units. The first event of every shipment.</summary>
/// <param name="Service">The shipping service that the customer chose.</param>
/// <param name="Personal">Where it goes.</param>
public sealed record ShipmentCreated(
    string OrderId, string OrderNumber, string Warehouse, string Country, string Service,
    IReadOnlyList<ShipmentUnit> Lines, PersonalData? Personal) : ShipmentEvent;

/// <summary>What a picker found of one SKU for one line.</summary>
/// <param name="Missing">Units that were asked for and not on the shelf.</param>
public sealed record PickedUnits(int LineId, string Sku, int Quantity, int Missing);

/// <summary>Units were taken from the shelves; missing ones leave the shipment.</summary>
public sealed record UnitsPicked(IReadOnlyList<PickedUnits> Lines) : ShipmentEvent;

/// <summary>What is in one box.</summary>
/// <param name="WeightGrams">Of the packed box, 1 or more.</param>
[Orleans.GenerateSerializer, Orleans.Immutable, Orleans.Alias("oms.PackedBox")]
public sealed record Package(
    [property: Orleans.Id(0)] int WeightGrams, [property: Orleans.Id(1)] IReadOnlyList<SkuUnits> Lines);

/// <summary>Units of one SKU.</summary>
[Orleans.GenerateSerializer, Orleans.Immutable, Orleans.Alias("oms.SkuUnits")]
public sealed record SkuUnits([property: Orleans.Id(0)] string Sku, [property: Orleans.Id(1)] int Quantity);

/// <summary>Everything is in boxes.</summary>
public sealed record ShipmentPacked(IReadOnlyList<Package> Packages) : ShipmentEvent;

/// <summary>The carrier has it.</summary>
public sealed record ShipmentShipped(string Carrier, string Service, string? TrackingNumber) : ShipmentEvent;

/// <summary>The carrier reported on it.</summary>
/// <param name="Status">InTransit, Exception, Delivered or ReturnedToSender.</param>
/// <param name="EventId">The carrier's name for this report; the same one again changes nothing.</param>
public sealed record TrackingRecorded(
    ShipmentStatus Status, string Description, string? Location, DateTimeOffset OccurredAt, string EventId) : ShipmentEvent;

/// <summary>The order took units back before they left. A shipment without units is cancelled.</summary>
public sealed record UnitsWithdrawn(string RequestId, IReadOnlyList<LineUnits> Lines) : ShipmentEvent;

/// <summary>
/// Its boxes were opened again because units were taken out: the packages are void, what is left is to be packed.
/// </summary>
/// <param name="RequestId">The cancellation that took the units.</param>
public sealed record ShipmentUnpacked(string RequestId) : ShipmentEvent;

/// <summary>Nothing was heard of a shipment for too long.</summary>
/// <param name="SilentSince">The last thing that was heard.</param>
public sealed record TrackingAlarmRaised(DateTimeOffset SilentSince) : ShipmentEvent;
