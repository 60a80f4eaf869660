using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Contracts.Log;

/// <summary>
/// The stored names of events and their JSON. A name is never reused and a shape never loses a member: what was written
/// once is read for ever.
/// </summary>
public static class EventTypes
{
    static readonly (string Name, JsonTypeInfo Json)[] All =
    [
        ("order.placed.v1", EventJson.Default.OrderPlaced),
        ("order.refused.v1", EventJson.Default.OrderRefused),
        ("order.abandoned.v1", EventJson.Default.OrderAbandoned),
        ("order.allocated.v1", EventJson.Default.OrderAllocated),
        ("order.payment-recorded.v1", EventJson.Default.PaymentRecorded),
        ("order.shipment-released.v1", EventJson.Default.ShipmentReleased),
        ("order.units-not-found.v1", EventJson.Default.UnitsNotFound),
        ("order.units-shipped.v1", EventJson.Default.UnitsShipped),
        ("order.units-delivered.v1", EventJson.Default.UnitsDelivered),
        ("order.shipment-progressed.v1", EventJson.Default.ShipmentProgressed),
        ("order.cancellation-requested.v1", EventJson.Default.CancellationRequested),
        ("order.units-cancelled.v1", EventJson.Default.UnitsCancelled),
        ("order.hold-placed.v1", EventJson.Default.HoldPlaced),
        ("order.hold-lifted.v1", EventJson.Default.HoldLifted),
        ("order.closed.v1", EventJson.Default.OrderClosed),
        ("order.reservation-settled.v1", EventJson.Default.ReservationSettled),
        ("stock.received.v1", EventJson.Default.StockReceived),
        ("stock.adjusted.v1", EventJson.Default.StockAdjusted),
        ("stock.reserved.v1", EventJson.Default.StockReserved),
        ("stock.reservation-released.v1", EventJson.Default.ReservationReleased),
        ("stock.shipped.v1", EventJson.Default.StockShipped),
        ("stock.not-found.v1", EventJson.Default.StockNotFound),
        ("movement.started.v1", EventJson.Default.MovementStarted),
        ("movement.completed.v1", EventJson.Default.MovementCompleted),
        ("movement.turned-back.v1", EventJson.Default.MovementTurnedBack),
        ("movement.refused.v1", EventJson.Default.MovementRefused),
        ("shipment.created.v1", EventJson.Default.ShipmentCreated),
        ("shipment.units-picked.v1", EventJson.Default.UnitsPicked),
        ("shipment.packed.v1", EventJson.Default.ShipmentPacked),
        ("shipment.shipped.v1", EventJson.Default.ShipmentShipped),
        ("shipment.tracking-recorded.v1", EventJson.Default.TrackingRecorded),
        ("shipment.units-withdrawn.v1", EventJson.Default.UnitsWithdrawn),
        ("shipment.unpacked.v1", EventJson.Default.ShipmentUnpacked),
        ("shipment.tracking-alarm-raised.v1", EventJson.Default.TrackingAlarmRaised),
        ("product.put.v1", EventJson.Default.ProductPut),
        ("warehouse.put.v1", EventJson.Default.WarehousePut),
        ("law.broken.v1", EventJson.Default.LawBroken),
        ("stock.condition-changed.v1", EventJson.Default.ConditionChanged),
        ("movement.started.v2", EventJson.Default.ConditionMovementStarted),
        ("order.cart-reserved.v1", EventJson.Default.CartReserved),
        ("order.cart-extended.v1", EventJson.Default.CartExtended),
        ("order.cart-ended.v1", EventJson.Default.CartEnded),
        ("order.placed-as.v1", EventJson.Default.OrderPlacedAs),
        ("stock.served.v1", EventJson.Default.StockServed),
    ];

    static readonly FrozenDictionary<Type, (string Name, JsonTypeInfo Json)> ByType =
        All.ToFrozenDictionary(t => t.Json.Type);
    static readonly FrozenDictionary<string, JsonTypeInfo> ByName = All.ToFrozenDictionary(t => t.Name, t => t.Json);

    /// <summary>Every stored name with its CLR type, for tests that hold the names.</summary>
    public static IEnumerable<(string Name, Type Type)> Names => All.Select(t => (t.Name, t.Json.Type));

    /// <summary>How many names this program reads. None is ever taken away, so of two versions the newer one knows more.</summary>
    public static int Count => ByName.Count;

    /// <summary>The stored name and JSON of an event, in UTF-8 as it is stored.</summary>
    public static (string Type, byte[] Json) Write(DomainEvent data)
    {
        var (name, json) = ByType[data.GetType()];
        return (name, JsonSerializer.SerializeToUtf8Bytes(data, json));
    }

    /// <summary>Reads an event from UTF-8; null if the name is not known to this program.</summary>
    /// <exception cref="JsonException">The stored text is not of the shape that its name promises.</exception>
    public static DomainEvent? Read(string type, ReadOnlySpan<byte> json) =>
        ByName.TryGetValue(type, out var info) ? (DomainEvent?)JsonSerializer.Deserialize(json, info) : null;
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(OrderPlaced)), JsonSerializable(typeof(OrderRefused)), JsonSerializable(typeof(OrderAllocated))]
[JsonSerializable(typeof(OrderAbandoned)), JsonSerializable(typeof(PaymentRecorded)), JsonSerializable(typeof(ShipmentReleased))]
[JsonSerializable(typeof(UnitsNotFound)), JsonSerializable(typeof(UnitsShipped)), JsonSerializable(typeof(UnitsDelivered))]
[JsonSerializable(typeof(ShipmentProgressed)), JsonSerializable(typeof(CancellationRequested))]
[JsonSerializable(typeof(UnitsCancelled)), JsonSerializable(typeof(HoldPlaced)), JsonSerializable(typeof(HoldLifted))]
[JsonSerializable(typeof(OrderClosed)), JsonSerializable(typeof(StockReceived)), JsonSerializable(typeof(StockAdjusted))]
[JsonSerializable(typeof(StockReserved)), JsonSerializable(typeof(ReservationReleased))]
[JsonSerializable(typeof(StockShipped)), JsonSerializable(typeof(StockNotFound)), JsonSerializable(typeof(MovementStarted))]
[JsonSerializable(typeof(MovementCompleted)), JsonSerializable(typeof(MovementRefused))]
[JsonSerializable(typeof(MovementTurnedBack))]
[JsonSerializable(typeof(ShipmentCreated)), JsonSerializable(typeof(UnitsPicked)), JsonSerializable(typeof(ShipmentPacked))]
[JsonSerializable(typeof(ShipmentShipped)), JsonSerializable(typeof(TrackingRecorded))]
[JsonSerializable(typeof(UnitsWithdrawn)), JsonSerializable(typeof(ShipmentUnpacked))]
[JsonSerializable(typeof(TrackingAlarmRaised))]
[JsonSerializable(typeof(ProductPut)), JsonSerializable(typeof(WarehousePut)), JsonSerializable(typeof(LawBroken))]
[JsonSerializable(typeof(ReservationSettled)), JsonSerializable(typeof(ConditionChanged))]
[JsonSerializable(typeof(ConditionMovementStarted))]
[JsonSerializable(typeof(CartReserved)), JsonSerializable(typeof(CartExtended)), JsonSerializable(typeof(CartEnded))]
[JsonSerializable(typeof(OrderPlacedAs)), JsonSerializable(typeof(StockServed))]
sealed partial class EventJson : JsonSerializerContext;
