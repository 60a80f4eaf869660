using Orleans;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Contracts.Shipments;

/// <summary>Units of one order line in a shipment.</summary>
/// <param name="Picked">Null until a picker has reported.</param>
[GenerateSerializer, Immutable, Alias("oms.ShipmentLineView")]
public sealed record ShipmentLineView(
    [property: Id(0)] int LineId, [property: Id(1)] string Sku, [property: Id(2)] int Quantity,
    [property: Id(3)] int? Picked);

/// <summary>A carrier's report.</summary>
[GenerateSerializer, Immutable, Alias("oms.TrackingView")]
public sealed record TrackingView(
    [property: Id(0)] ShipmentStatus Status, [property: Id(1)] string Description, [property: Id(2)] string? Location,
    [property: Id(3)] DateTimeOffset OccurredAt, [property: Id(4)] string EventId);

/// <summary>One shipment as the API, the hub and the screens show it.</summary>
/// <param name="Service">What the customer chose.</param>
/// <param name="CarrierService">What the carrier sold.</param>
/// <param name="AlarmSince">Since when its silence is an alarm; null if it is not.</param>
[GenerateSerializer, Immutable, Alias("oms.ShipmentView")]
public sealed record ShipmentView(
    [property: Id(0)] string Id, [property: Id(1)] int Version, [property: Id(2)] string OrderId,
    [property: Id(3)] string OrderNumber, [property: Id(4)] string Warehouse, [property: Id(5)] ShipmentStatus Status,
    [property: Id(6)] string Service, [property: Id(7)] DateTimeOffset CreatedAt,
    [property: Id(8)] Address? ShipTo, [property: Id(9)] IReadOnlyList<ShipmentLineView> Lines,
    [property: Id(10)] IReadOnlyList<Package> Packages, [property: Id(11)] string? Carrier,
    [property: Id(12)] string? CarrierService, [property: Id(13)] string? TrackingNumber,
    [property: Id(14)] DateTimeOffset? ShippedAt, [property: Id(15)] IReadOnlyList<TrackingView> Tracking,
    [property: Id(16)] DateTimeOffset? AlarmSince)
{
    /// <summary>The view of a shipment that exists.</summary>
    public static ShipmentView Of(Shipment s)
    {
        var created = s.Created ?? throw new InvalidOperationException($"{s.Id} does not exist.");
        return new ShipmentView(
            s.Id, s.Version, created.OrderId, created.OrderNumber, created.Warehouse, s.Status, created.Service,
            s.CreatedAt, created.Personal?.ShipTo,
            [.. s.Lines.Select(l => new ShipmentLineView(l.LineId, l.Sku, l.Quantity, l.Picked))], s.Packages,
            s.Left?.Carrier, s.Left?.Service, s.Left?.TrackingNumber, s.ShippedAt,
            [.. s.Tracking.Select(t => new TrackingView(t.Status, t.Description, t.Location, t.OccurredAt, t.EventId))],
            s.AlarmSince);
    }
}

/// <summary>
/// The units of one order that leave one warehouse together. Key: <c>shp-</c>, the order's 26 characters, its number.
/// It owns what happens between shelf and door. It promises that its status never goes back, but for one step inside the
/// warehouse: from packed to picking, when an order takes some of its units back.
/// </summary>
[Alias("oms.IShipmentGrain")]
public interface IShipmentGrain : IGrainWithStringKey
{
    /// <summary>Picks, packs, ships or records tracking. A command id that was done is answered with the shipment as it is.</summary>
    [Alias("Execute")]
    Task<Reply<ShipmentView>> Execute(ShipmentCommand command, Caller caller);

    /// <summary>Takes units back for a cancellation; answers with what was given back.</summary>
    [Alias("Withdraw")]
    Task<Reply<UnitsGivenBack>> Withdraw(WithdrawUnits command);

    /// <summary>Looks whether its carrier has been silent for too long, and raises an alarm if it has.</summary>
    [Alias("CheckTracking")]
    Task CheckTracking();

    /// <summary>The shipment as stored; null if there is none.</summary>
    [Alias("Get")]
    Task<ShipmentView?> Get();
}

/// <summary>What a shipment gave back for a cancellation.</summary>
[GenerateSerializer, Immutable, Alias("oms.UnitsGivenBack")]
public sealed record UnitsGivenBack([property: Id(0)] IReadOnlyList<LineUnits> Lines);
