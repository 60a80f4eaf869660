using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shipments;
using OrleansOms.Grains.Catalogue;

namespace OrleansOms.Host.Live;

/// <summary>
/// An order as its customer sees it, in the shape that others see: without holds, where units are promised, what is noted
/// inside a warehouse, and without more personal data than a link that may be passed on should show.
/// </summary>
public sealed class CustomerView(CatalogueIndex catalogue)
{
    /// <summary>The customer's view of an order.</summary>
    public OrderView Of(OrderView order) => order with
    {
        Status = (order.Status, order.PaymentStatus) switch
        {
            (OrderStatus.OnHold, PaymentStatus.Pending or PaymentStatus.PartiallyPaid) => OrderStatus.AwaitingPayment,
            (OrderStatus.OnHold, _) => OrderStatus.Accepted,
            var (status, _) => status,
        },
        Customer = order.Customer is { } c ? c with { Email = null, Phone = null } : null,
        ShipTo = order.ShipTo is { } a ? a with { Line1 = "", Line2 = null, Phone = null } : null,
        Lines = [.. order.Lines.Select(l => l with { Allocations = [] })],
        Shipments = [.. order.Shipments.Select(Of)],
        Holds = [],
    };

    /// <summary>The place of a warehouse, as a customer would say it; empty if it is not known.</summary>
    public string PlaceOf(string warehouse) =>
        catalogue.TryGetWarehouse(warehouse, out var w) ? w.Details.Address.City : "";

    OrderShipmentView Of(OrderShipmentView shipment) => shipment with
    {
        Warehouse = PlaceOf(shipment.Warehouse),
        Events = [.. shipment.Events.Select(e =>
            e.Status is ShipmentStatus.Released or ShipmentStatus.Picking or ShipmentStatus.Packed
                ? e with { Description = null, Location = null } : e)],
    };
}
