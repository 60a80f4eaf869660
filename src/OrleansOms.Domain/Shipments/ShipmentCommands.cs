using OrleansOms.Domain.Orders;
using Orleans;

namespace OrleansOms.Domain.Shipments;

/// <summary>What may be asked of one shipment. <see cref="ShipmentDecider"/> has an arm for each.</summary>
[GenerateSerializer, Immutable, Alias("oms.ShipmentCommand")]
public abstract record ShipmentCommand;

/// <summary>
/// What a picker found, by SKU. A named SKU is finished with this number; fewer than asked for means that the rest is
/// not on the shelf. SKUs that are not named are still to be picked.
/// </summary>
[GenerateSerializer, Immutable, Alias("oms.PickUnits")]
public sealed record PickUnits([property: Id(0)] IReadOnlyList<SkuUnits> Lines) : ShipmentCommand;

/// <summary>The boxes. Together they hold exactly what was picked.</summary>
[GenerateSerializer, Immutable, Alias("oms.PackShipment")]
public sealed record PackShipment([property: Id(0)] IReadOnlyList<Package> Packages) : ShipmentCommand;

/// <summary>Hands the boxes to a carrier.</summary>
[GenerateSerializer, Immutable, Alias("oms.ShipShipment")]
public sealed record ShipShipment(
    [property: Id(0)] string Carrier, [property: Id(1)] string Service, [property: Id(2)] string? TrackingNumber)
    : ShipmentCommand;

/// <summary>A carrier's report.</summary>
[GenerateSerializer, Immutable, Alias("oms.RecordTracking")]
public sealed record RecordTracking(
    [property: Id(0)] ShipmentStatus Status, [property: Id(1)] string Description, [property: Id(2)] string? Location,
    [property: Id(3)] DateTimeOffset OccurredAt, [property: Id(4)] string EventId)
    : ShipmentCommand;

/// <summary>
/// The order takes units back that have not left. A packed shipment that keeps some goes back to be packed again.
/// </summary>
/// <param name="RequestId">The cancellation that asks; the same one again is answered as done.</param>
[GenerateSerializer, Immutable, Alias("oms.WithdrawUnits")]
public sealed record WithdrawUnits([property: Id(0)] string RequestId, [property: Id(1)] IReadOnlyList<LineUnits> Lines)
    : ShipmentCommand;

/// <summary>Raises an alarm if nothing was heard of a shipment for so long; does nothing otherwise.</summary>
public sealed record CheckTracking(TimeSpan SilenceLimit) : ShipmentCommand;
