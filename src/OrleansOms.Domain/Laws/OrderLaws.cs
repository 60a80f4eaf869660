using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Domain.Laws;

/// <summary>Laws of orders and what they cause. Each answers with the breach that it found, or null.</summary>
public static class OrderLaws
{
    /// <summary>How long what the program does by itself may take: releasing, cancelling, looking for units.</summary>
    public static readonly TimeSpan ByItself = TimeSpan.FromMinutes(5);

    /// <summary>How long an order may wait for a person before it counts as forgotten.</summary>
    public static readonly TimeSpan ByPeople = TimeSpan.FromDays(30);

    /// <summary>L6 for one order.</summary>
    /// <param name="movedAt">When its last event was stored, UTC.</param>
    /// <param name="hasAlarm">Whether somebody was told of it since.</param>
    public static Breach? NothingLost(Order order, DateTimeOffset movedAt, bool hasAlarm, DateTimeOffset now)
    {
        if (!order.Exists || hasAlarm) return null;
        var status = order.DeriveStatus();
        if (OrderTransitions.IsFinal(status) || status == OrderStatus.Delivered) return null;
        var until = Until(order, status, movedAt);
        return now <= until ? null : new Breach(Law.NothingLost, order.Id,
            $"{Words.Of(status)} and not moved since {movedAt:u}, the limit was {until:u}");
    }

    /// <summary>L6 for a cart: what is held for it ends when its time is up.</summary>
    /// <param name="until">Its time, UTC; null if it holds nothing.</param>
    public static Breach? CartEnds(string id, DateTimeOffset? until, DateTimeOffset now) => until is not { } time || now <= time + ByItself
        ? null : new Breach(Law.NothingLost, id, $"a cart that was held until {time:u} and still is");

    static DateTimeOffset Until(Order order, OrderStatus status, DateTimeOffset movedAt)
    {
        if (order.PendingCancellation is not null) return movedAt + ByItself;
        if (order.WaitsForPaymentUntil is { } due) return Later(due, movedAt) + ByItself;
        return status switch
        {
            OrderStatus.Pending or OrderStatus.Accepted or OrderStatus.Allocated => movedAt + ByItself,
            OrderStatus.Backordered or OrderStatus.PartiallyAllocated => Later(order.Placed!.PromisedBy, movedAt) + ByItself,
            _ => movedAt + ByPeople,
        };
    }

    static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    /// <summary>L6: one (channel, external id) is one order.</summary>
    /// <param name="orders">All orders that have it.</param>
    public static Breach? ExistsOnce(string channel, string externalId, IReadOnlyList<string> orders) =>
        orders.Count <= 1 ? null : new Breach(
            Law.NothingLost, orders[0], $"{channel} {externalId} exists {orders.Count} times: {string.Join(", ", orders)}");

    /// <summary>L8. Money that is reported as paid and was not authorized before was authorized with it.</summary>
    public static Breach? Money(Order order)
    {
        foreach (var payment in order.Payments.GroupBy(p => p.Money, StringComparer.Ordinal))
        {
            var captured = payment.Where(p => p.Status == PaymentReport.Paid).Sum(p => p.Amount);
            var authorized = payment.Where(p => p.Status == PaymentReport.Authorized).Sum(p => p.Amount);
            if (captured < 0 || authorized < 0 || (authorized > 0 && captured > authorized))
                return new Breach(Law.Money, order.Id, $"{captured} captured, {authorized} authorized by {payment.Key}");
        }
        return null;
    }

    /// <summary>
    /// L8, before an event: an order of which something is authorized or paid is not cancelled for want of money. Units that a
    /// shipment has given back, which may have been before the money came, are.
    /// </summary>
    public static Breach? TimesOutUnpaid(Order before, OrderEvent @event) =>
        ((@event is CancellationRequested asked && OrderPayments.IsTimeout(asked.RequestId))
            || (@event is UnitsCancelled done && OrderPayments.IsTimeout(done.RequestId)
                && done.Units.Any(u => u.ShipmentId is null)))
        && (before.IsPayable || before.Covered > 0)
            ? new Breach(Law.Money, before.Id,
                $"cancelled as not paid in time, {before.Authorized} authorized and {before.Captured} captured of {before.Due()}")
            : null;

    /// <summary>L9, and that no count of a line is below zero.</summary>
    public static Breach? Units(Order order)
    {
        foreach (var l in order.Lines)
        {
            var holds = l.Open >= 0 && l.Backordered >= 0 && l.Cancelled >= 0 && l.Delivered >= 0 && l.Returned >= 0
                && l.Shipped >= 0 && l.Shipped <= l.Placed.Quantity - l.Cancelled
                && l.Delivered <= l.Shipped && l.Returned <= l.Shipped
                && l.Allocations.All(a => a.Quantity > 0 && a.Released >= 0 && a.Released <= a.Quantity);
            if (!holds)
                return new Breach(Law.Units, order.Id,
                    $"line {l.Placed.LineId}: {l.Placed.Quantity} ordered, {l.Open} open, {l.Cancelled} cancelled, "
                    + $"{l.Allocated} allocated, {l.Backordered} backordered, {l.Shipped} shipped, {l.Delivered} delivered, "
                    + $"{l.Returned} returned");
        }
        return null;
    }

    /// <summary>L11 for payments: one reference is authorized once and captured once.</summary>
    public static Breach? PaidOnce(Order order) => order.Payments
        .Where(p => p.Status is PaymentReport.Authorized or PaymentReport.Paid)
        .GroupBy(p => (p.Status, p.Reference)).FirstOrDefault(g => g.Count() > 1) is { } twice
            ? new Breach(Law.OutsideOnce, order.Id, $"{twice.Key.Reference} is {twice.Key.Status} {twice.Count()} times")
            : null;

    /// <summary>L11 for shipments, before an event of theirs: what has left does not leave again.</summary>
    public static Breach? LeavesOnce(Shipment before, ShipmentEvent @event) =>
        @event is ShipmentShipped && before.Left is { } left
            ? new Breach(Law.OutsideOnce, before.Id, $"left again, it had left with {left.Carrier} at {before.ShippedAt:u}")
            : null;
}
