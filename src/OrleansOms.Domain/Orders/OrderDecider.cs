using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Sourcing;

namespace OrleansOms.Domain.Orders;

/// <summary>Turns (order, command, now) into facts or a refusal. Pure.</summary>
public static class OrderDecider
{
    /// <summary>The one decision function of orders.</summary>
    public static Decision<OrderEvent> Decide(Order order, OrderCommand command, DateTimeOffset now) =>
        OrderPayments.WithoutNeedlessHold(order, DecideAlone(order, command, now));

    static Decision<OrderEvent> DecideAlone(Order order, OrderCommand command, DateTimeOffset now) => command switch
    {
        TakeOrder c => Take(order, c, now),
        AbandonOrder => order.Exists || order.Refused is not null
            ? Decision<OrderEvent>.AlreadyDone : Decision<OrderEvent>.Accept(new OrderAbandoned()),
        ReserveCart c => OrderCarts.Reserve(order, c),
        ExtendCart c => OrderCarts.Extend(order, c),
        ReleaseCart => OrderCarts.Release(order),
        ExpireCart => OrderCarts.Expire(order, now),
        _ when !order.Exists => Decision<OrderEvent>.Refuse(Rejection.NotFound("The order")),
        AllocateUnits c => Allocate(order, c),
        TakeServed c => Take(order, c),
        RecordPayment c => OrderPayments.Record(order, c, now),
        ReleaseToWarehouses => Release(order),
        CancelOrder c => OrderCancellation.Request(order, c),
        CompleteCancellation c => OrderCancellation.Complete(order, c),
        ExpirePayment => OrderPayments.Expire(order, now),
        ReportShipment c => Report(order, c),
        PlaceHold c => Hold(order, c),
        LiftHold c => order.Holds.Any(h => h.Name == c.Name)
            ? Decision<OrderEvent>.Accept(new HoldLifted(c.Name)) : Decision<OrderEvent>.AlreadyDone,
        SettleReservation c => Decision<OrderEvent>.Accept(new ReservationSettled(c.Warehouse, c.Sku, c.Lines)),
        CloseOrder => Close(order),
        _ => throw new InvalidOperationException($"An order does not know {command.GetType().Name}."),
    };

    static Decision<OrderEvent> Take(Order order, TakeOrder c, DateTimeOffset now)
    {
        if (order.Exists || order.Refused is not null) return Decision<OrderEvent>.AlreadyDone;
        var request = c.Order;
        if (request.StockPolicy == StockPolicy.Reject && c.Plan.Missing.Count > 0)
            return Decision<OrderEvent>.Accept(new OrderRefused(
                "insufficient_stock", $"Not in stock: {Words.Missing(c.Plan.Missing)}.", request.RequestHash));

        var waits = request.Payment is { Method: PaymentMethod.Prepaid, Status: PaymentReport.Pending or PaymentReport.Failed };
        var placed = new OrderPlaced(
            request.Number, request.Channel, request.ExternalId, now, request.Currency, request.ShipTo.Country,
            request.Lines, request.Shipping, request.Payment, request.StockPolicy,
            waits ? now + c.Terms.PaymentWindow : null, now + c.Terms.BackorderWindow, request.RequestHash,
            new PersonalData(request.Customer, request.ShipTo));
        var events = new List<OrderEvent>(4);
        if (c.Cart is { } cart)
            events.Add(new CartEnded(CartEnd.Ordered, cart.Freed, cart.Taken));
        events.Add(placed);
        if (request.Payment is { Method: PaymentMethod.Prepaid, Status: PaymentReport.Authorized or PaymentReport.Paid })
            events.Add(new PaymentRecorded(
                request.Payment.Status, placed.Totals().Grand, request.Payment.Reference ?? request.Number));
        events.Add(c.Cart is null
            ? Sourced(order.Apply(placed), SourcingCause.Placing, c.Reserved, c.Plan, c.Attempt)
            : Sourced(
                order.Apply(placed), SourcingCause.Placing, [.. c.Cart.Taken.Select(t => t.AsOrdered()), .. c.Reserved],
                WithCart(c.Cart, c.Plan), c.Reserved.Count > 0 ? c.Attempt : null));
        return Decision<OrderEvent>.Accept(events);
    }

    static SourcingPlan WithCart(CartShare cart, SourcingPlan rest)
    {
        var units = cart.Taken.Sum(t => t.Held.Quantity);
        if (units == 0) return rest;
        return rest with
        {
            Units = [.. cart.Taken.Select(t => new PlannedUnits(t.Held.Warehouse, t.Held.Sku, t.Held.Quantity)), .. rest.Units],
            Reason = rest.Units.Count == 0 && rest.Missing.Count == 0
                ? "the cart had reserved all of it" : $"the cart had reserved {units} of them; of the rest: {rest.Reason}",
        };
    }

    static Decision<OrderEvent> Allocate(Order order, AllocateUnits c)
    {
        foreach (var line in c.Reserved.GroupBy(r => r.LineId))
        {
            var state = order.Lines[line.Key - 1];
            var wanting = c.Cause == SourcingCause.Arrival ? state.Backordered : state.Open;
            if (line.Sum(r => r.Quantity) > wanting)
                return Decision<OrderEvent>.Refuse("units_not_wanted", $"Line {line.Key} does not wait for so many units.");
        }
        return c.Reserved.Count == 0 && (c.Cause == SourcingCause.Arrival || order.Lines.All(l => l.Open == 0))
            ? Decision<OrderEvent>.AlreadyDone
            : Decision<OrderEvent>.Accept(Sourced(order, c.Cause, c.Reserved, c.Plan, c.Attempt));
    }

    static Decision<OrderEvent> Take(Order order, TakeServed c)
    {
        LineAllocation[] units = [.. c.Lines.Select(l => new LineAllocation(l.LineId, c.Sku, c.Warehouse, l.Quantity))];
        // Nothing waits in an order that is over, whatever was stored since.
        var isWanted = !OrderTransitions.IsFinal(order.DeriveStatus()) && !order.IsStopped(HoldStops.Allocate) && order.PendingCancellation is null
            && Array.TrueForAll(units, u => order.Lines.ElementAtOrDefault(u.LineId - 1) is { } line
                && line.Placed.Sku == c.Sku && line.Backordered >= u.Quantity);
        if (!isWanted) return Decision<OrderEvent>.Refuse("units_not_wanted", "It does not wait for these units.");
        var sum = units.Sum(u => u.Quantity);
        var plan = new SourcingPlan(
            [new PlannedUnits(c.Warehouse, c.Sku, sum)], new Dictionary<string, int>(), $"units became free: {c.Why}",
            [new CandidateOutcome(c.Warehouse, null, true, $"{sum} of {c.Sku} became free here")]);
        return Decision<OrderEvent>.Accept(new OrderAllocated(SourcingCause.Arrival, units, [], plan, c.Attempt));
    }

    static OrderAllocated Sourced(
        Order order, SourcingCause cause, IReadOnlyList<LineAllocation> reserved, SourcingPlan plan, string? attempt)
    {
        var taken = reserved.GroupBy(r => r.LineId).ToDictionary(g => g.Key, g => g.Sum(r => r.Quantity));
        // An arrival is for units that wait; nobody has looked for those that are open, and they do not wait yet.
        LineUnits[] waiting = cause == SourcingCause.Arrival ? [] : [.. order.Lines
            .Select(l => new LineUnits(l.Placed.LineId, l.Open - taken.GetValueOrDefault(l.Placed.LineId)))
            .Where(l => l.Quantity > 0)];
        return new OrderAllocated(cause, reserved, waiting, plan, reserved.Count > 0 ? attempt : null);
    }

    static Decision<OrderEvent> Release(Order order)
    {
        if (!order.IsPayable || order.IsClosed || order.PendingCancellation is not null || order.IsStopped(HoldStops.Release))
            return Decision<OrderEvent>.AlreadyDone;
        var number = order.Shipments.Length;
        var events = order.Lines
            .SelectMany(l => l.Allocations
                .Where(a => a.Quantity > a.Released)
                .Select(a => (a.Warehouse, Units: new LineUnits(l.Placed.LineId, a.Quantity - a.Released))))
            .GroupBy(x => x.Warehouse, x => x.Units, StringComparer.Ordinal)
            .Select(g => (OrderEvent)new ShipmentReleased(Keys.OfShipment(order.Id, ++number), g.Key, [.. g]))
            .ToList();
        return Decision<OrderEvent>.Accept(events);
    }

    static Decision<OrderEvent> Report(Order order, ReportShipment c)
    {
        var shipment = order.Shipments.FirstOrDefault(s => s.Id == c.ShipmentId);
        if (shipment is null) return Decision<OrderEvent>.Refuse(Rejection.NotFound("The shipment"));
        if (c.Version <= shipment.Version) return Decision<OrderEvent>.AlreadyDone;
        var events = new List<OrderEvent>(3);
        if (c.Missing is { Count: > 0 })
        {
            events.Add(new UnitsNotFound(shipment.Id, shipment.Warehouse, InWarehouse(order, shipment, c.Missing)));
            if (OrderCancellation.Rest(order.Apply(events), $"{c.ShipmentId}/{c.Version}") is { } rest) events.Add(rest);
        }
        if (c.Status == ShipmentStatus.Shipped && shipment.IsInWarehouse)
            events.Add(new UnitsShipped(shipment.Id, shipment.Warehouse, InWarehouse(order, shipment, shipment.Lines)));
        if (c.Status == ShipmentStatus.Delivered && shipment.Status != ShipmentStatus.Delivered)
            events.Add(new UnitsDelivered(shipment.Id, shipment.Lines));
        var isEmpty = order.Apply(events).Shipments.First(s => s.Id == shipment.Id).Lines.IsEmpty;
        events.Add(new ShipmentProgressed(
            c.ShipmentId, c.Version, isEmpty ? ShipmentStatus.Cancelled : c.Status, c.OccurredAt, c.Description,
            c.Location, c.Carrier, c.Service, c.TrackingNumber));
        return Decision<OrderEvent>.Accept(events);
    }

    static LineAllocation[] InWarehouse(Order order, OrderShipment shipment, IReadOnlyList<LineUnits> units) =>
        [.. units.Select(u => new LineAllocation(
            u.LineId, order.Lines[u.LineId - 1].Placed.Sku, shipment.Warehouse, u.Quantity))];

    internal static Decision<OrderEvent> Hold(Order order, PlaceHold c)
    {
        if (order.Holds.Any(h => h.Name == c.Name)) return Decision<OrderEvent>.AlreadyDone;
        var status = order.DeriveStatus();
        return status is OrderStatus.Shipped or OrderStatus.Delivered or OrderStatus.Closed or OrderStatus.Cancelled
            ? Decision<OrderEvent>.Refuse("order_not_holdable", $"The order is {Words.Of(status)}.")
            : Decision<OrderEvent>.Accept(new HoldPlaced(c.Name, c.Reason, c.Stops));
    }

    static Decision<OrderEvent> Close(Order order) => order.DeriveStatus() switch
    {
        OrderStatus.Closed => Decision<OrderEvent>.AlreadyDone,
        OrderStatus.Delivered => Decision<OrderEvent>.Accept(new OrderClosed()),
        var status => Decision<OrderEvent>.Refuse("order_not_closable", $"The order is {Words.Of(status)}."),
    };
}
