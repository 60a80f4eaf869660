using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Grains.Orders;

/// <summary>What releasing an order's shipments writes: the order's own events and the first event of each shipment.</summary>
/// <param name="Events">Of the order; empty if nothing can be released now.</param>
/// <param name="Births">Of the shipments. They are stored with the events or not at all.</param>
readonly record struct OrderRelease(IReadOnlyList<NewEvent> Events, IReadOnlyList<StreamEvents> Births);

/// <summary>Hands what is allocated and payable to the warehouses.</summary>
static class OrderReleases
{
    /// <summary>Decides what of an order can leave now.</summary>
    public static OrderRelease Decide(Order order, DateTimeOffset now)
    {
        var decision = OrderDecider.Decide(order, new ReleaseToWarehouses(), now);
        if (decision.Events.Count == 0) return new OrderRelease([], []);
        var command = $"{order.Id}/{order.Version}/release";
        NewEvent New(DomainEvent data) => new(data, command, Caller.System, now);
        var births = new List<StreamEvents>(decision.Events.Count);
        foreach (var e in decision.Events)
            if (e is ShipmentReleased released)
                births.Add(new StreamEvents(released.ShipmentId, 0, [New(First(order, released))]));
        return new OrderRelease([.. decision.Events.Select(New)], births);
    }

    static ShipmentCreated First(Order order, ShipmentReleased e)
    {
        var placed = order.Placed!;
        return new ShipmentCreated(
            order.Id, placed.Number, e.Warehouse, placed.Country, placed.Shipping.Service,
            [.. e.Lines.Select(l => new ShipmentUnit(l.LineId, order.Lines[l.LineId - 1].Placed.Sku, l.Quantity))],
            placed.Personal is { } personal ? personal with { Customer = null } : null);
    }
}
