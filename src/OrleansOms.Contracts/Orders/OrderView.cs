using Orleans;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Sourcing;

namespace OrleansOms.Contracts.Orders;

/// <summary>Units of a line in one warehouse.</summary>
[GenerateSerializer, Immutable, Alias("oms.AllocationView")]
public sealed record AllocationView([property: Id(0)] string Warehouse, [property: Id(1)] int Quantity);

/// <summary>A line with its unit counts.</summary>
[GenerateSerializer, Immutable, Alias("oms.OrderLineView")]
public sealed record OrderLineView(
    [property: Id(0)] int LineId, [property: Id(1)] string Sku, [property: Id(2)] int Quantity,
    [property: Id(3)] decimal UnitPrice, [property: Id(4)] decimal TaxRate, [property: Id(5)] decimal Discount,
    [property: Id(6)] int Allocated, [property: Id(7)] int Backordered, [property: Id(8)] int Shipped,
    [property: Id(9)] int Delivered, [property: Id(10)] int Cancelled, [property: Id(11)] int Returned,
    [property: Id(12)] IReadOnlyList<AllocationView> Allocations);

/// <summary>One thing that happened to a parcel.</summary>
[GenerateSerializer, Immutable, Alias("oms.ShipmentStepView")]
public sealed record ShipmentStepView(
    [property: Id(0)] ShipmentStatus Status, [property: Id(1)] DateTimeOffset OccurredAt,
    [property: Id(2)] string? Description, [property: Id(3)] string? Location);

/// <summary>A shipment on its order's page.</summary>
[GenerateSerializer, Immutable, Alias("oms.OrderShipmentView")]
public sealed record OrderShipmentView(
    [property: Id(0)] string Id, [property: Id(1)] string Warehouse, [property: Id(2)] ShipmentStatus Status,
    [property: Id(3)] string? Carrier, [property: Id(4)] string? Service, [property: Id(5)] string? TrackingNumber,
    [property: Id(6)] IReadOnlyList<LineUnits> Lines, [property: Id(7)] IReadOnlyList<ShipmentStepView> Events);

/// <summary>A hold that stands.</summary>
[GenerateSerializer, Immutable, Alias("oms.HoldView")]
public sealed record HoldView([property: Id(0)] string Name, [property: Id(1)] string Reason);

/// <summary>One order as the API, the hub and the screens show it.</summary>
/// <param name="Version">Number of the order's last event that it shows.</param>
/// <param name="PaymentDueAt">When what has not left is cancelled if it is not paid; null when it does not wait for money.</param>
/// <param name="TrackingUrl">The customer's link; filled in by the front end.</param>
[GenerateSerializer, Immutable, Alias("oms.OrderView")]
public sealed record OrderView(
    [property: Id(0)] string Id, [property: Id(1)] string Number, [property: Id(2)] int Version,
    [property: Id(3)] OrderStatus Status, [property: Id(4)] PaymentStatus PaymentStatus,
    [property: Id(5)] string Channel, [property: Id(6)] string? ExternalId, [property: Id(7)] DateTimeOffset PlacedAt,
    [property: Id(8)] string Currency, [property: Id(9)] Customer? Customer, [property: Id(10)] Address? ShipTo,
    [property: Id(11)] IReadOnlyList<OrderLineView> Lines, [property: Id(12)] OrderTotals Totals,
    [property: Id(13)] IReadOnlyList<OrderShipmentView> Shipments, [property: Id(14)] IReadOnlyList<HoldView> Holds,
    [property: Id(15)] DateTimeOffset? PaymentDueAt, [property: Id(16)] DateTimeOffset PromisedBy,
    [property: Id(17)] string? TrackingUrl = null)
{
    /// <summary>The view of an order that exists.</summary>
    public static OrderView Of(Order order)
    {
        var placed = order.Placed ?? throw new InvalidOperationException($"{order.Id} does not exist.");
        var status = order.DeriveStatus();
        return new OrderView(
            order.Id, placed.Number, order.Version, status, order.DerivePaymentStatus(), placed.Channel,
            placed.ExternalId, placed.PlacedAt, placed.Currency, placed.Personal?.Customer, placed.Personal?.ShipTo,
            [.. order.Lines.Select(Of)], placed.Totals(), [.. order.Shipments.Select(Of)],
            [.. order.Holds.Select(h => new HoldView(h.Name, h.Reason))],
            order.WaitsForPaymentUntil, placed.PromisedBy);
    }

    static OrderLineView Of(OrderLine line) => new(
        line.Placed.LineId, line.Placed.Sku, line.Placed.Quantity, line.Placed.UnitPrice, line.Placed.TaxRate,
        line.Placed.Discount, line.Allocated, line.Backordered, line.Shipped, line.Delivered, line.Cancelled,
        line.Returned, [.. line.Allocations.Select(a => new AllocationView(a.Warehouse, a.Quantity))]);

    static OrderShipmentView Of(OrderShipment s) => new(
        s.Id, s.Warehouse, s.Status, s.Carrier, s.Service, s.TrackingNumber, s.Lines,
        [.. s.Progress.Select(p => new ShipmentStepView(p.Status, p.OccurredAt, p.Description, p.Location))]);
}

/// <summary>A row of the orders' list.</summary>
/// <param name="Units">Units ordered.</param>
/// <param name="Total">Grand total in the currency.</param>
[GenerateSerializer, Immutable, Alias("oms.OrderSummary")]
public sealed record OrderSummary(
    [property: Id(0)] string Id, [property: Id(1)] string Number, [property: Id(2)] int Version,
    [property: Id(3)] OrderStatus Status, [property: Id(4)] PaymentStatus PaymentStatus,
    [property: Id(5)] string Channel, [property: Id(6)] string? ExternalId, [property: Id(7)] DateTimeOffset PlacedAt,
    [property: Id(8)] string Currency, [property: Id(9)] decimal Total, [property: Id(10)] string? CustomerName,
    [property: Id(11)] string? CustomerEmail, [property: Id(12)] string Country, [property: Id(13)] int Lines,
    [property: Id(14)] int Units, [property: Id(15)] IReadOnlyList<string> Warehouses)
{
    /// <summary>The row of an order that exists.</summary>
    public static OrderSummary Of(Order order)
    {
        var placed = order.Placed ?? throw new InvalidOperationException($"{order.Id} does not exist.");
        return new OrderSummary(
            order.Id, placed.Number, order.Version, order.DeriveStatus(), order.DerivePaymentStatus(), placed.Channel,
            placed.ExternalId, placed.PlacedAt, placed.Currency, placed.Totals().Grand, placed.Personal?.Customer?.Name,
            placed.Personal?.Customer?.Email, placed.Country, order.Lines.Length,
            order.Lines.Sum(l => l.Placed.Quantity),
            [.. order.Lines.SelectMany(l => l.Allocations.Select(a => a.Warehouse))
                .Concat(order.Shipments.Select(s => s.Warehouse)).Distinct().Order(StringComparer.Ordinal)]);
    }
}
