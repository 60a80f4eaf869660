using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Domain.Orders;

/// <summary>Where an order is. Derived from its facts, never set. Numbers are stored: append only.</summary>
[Orleans.GenerateSerializer, Orleans.Alias("oms.OrderStatus")]
public enum OrderStatus
{
    /// <summary>Taken, not yet sourced.</summary>
    Pending = 0,
    /// <summary>A hold stands.</summary>
    OnHold = 1,
    /// <summary>Waits for money.</summary>
    AwaitingPayment = 2,
    /// <summary>Its units are being looked for.</summary>
    Accepted = 3,
    /// <summary>No unit is allocated, some wait for stock.</summary>
    Backordered = 4,
    /// <summary>Some units are allocated.</summary>
    PartiallyAllocated = 5,
    /// <summary>Every unit is allocated.</summary>
    Allocated = 6,
    /// <summary>A warehouse works on it.</summary>
    InFulfilment = 7,
    /// <summary>Some units left.</summary>
    PartiallyShipped = 8,
    /// <summary>Every unit left.</summary>
    Shipped = 9,
    /// <summary>Every unit arrived.</summary>
    Delivered = 10,
    /// <summary>Nothing more is expected. Final.</summary>
    Closed = 11,
    /// <summary>No unit is wanted any more. Final.</summary>
    Cancelled = 12,
}

/// <summary>How far the money is. Numbers are stored: append only.</summary>
[Orleans.GenerateSerializer, Orleans.Alias("oms.PaymentStatus")]
public enum PaymentStatus
{
    /// <summary>Nothing yet, or not enough.</summary>
    Pending = 0,
    /// <summary>All that is due is authorized.</summary>
    Authorized = 1,
    /// <summary>A part is taken.</summary>
    PartiallyPaid = 2,
    /// <summary>All that is due is taken.</summary>
    Paid = 3,
    /// <summary>A part was given back.</summary>
    PartiallyRefunded = 4,
    /// <summary>All was given back.</summary>
    Refunded = 5,
    /// <summary>Will never be taken.</summary>
    Voided = 6,
    /// <summary>By invoice, later.</summary>
    OnTerms = 7,
}

/// <summary>Sums of an order in its currency.</summary>
[Orleans.GenerateSerializer, Orleans.Immutable, Orleans.Alias("oms.OrderTotals")]
public sealed record OrderTotals(
    [property: Orleans.Id(0)] decimal Goods,
    [property: Orleans.Id(1)] decimal Discount,
    [property: Orleans.Id(2)] decimal Tax,
    [property: Orleans.Id(3)] decimal Shipping,
    [property: Orleans.Id(4)] decimal Grand);

/// <summary>Derives statuses and sums from an order's facts.</summary>
public static class OrderFacts
{
    /// <summary>The order's status. An order that does not exist has none and must not be asked.</summary>
    public static OrderStatus DeriveStatus(this Order order)
    {
        int kept = 0, allocated = 0, released = 0, backordered = 0, shipped = 0, delivered = 0;
        foreach (var line in order.Lines)
        {
            kept += line.Kept;
            backordered += line.Backordered;
            shipped += line.Shipped;
            delivered += line.Delivered;
            foreach (var a in line.Allocations) (allocated, released) = (allocated + a.Quantity, released + a.Released);
        }
        if (kept == 0) return OrderStatus.Cancelled;
        if (order.IsClosed) return OrderStatus.Closed;
        if (!order.IsSourced) return OrderStatus.Pending;
        if (delivered == kept) return OrderStatus.Delivered;
        if (shipped == kept) return OrderStatus.Shipped;
        if (!order.Holds.IsEmpty) return OrderStatus.OnHold;
        if (shipped > 0) return OrderStatus.PartiallyShipped;
        if (!order.IsPayable) return OrderStatus.AwaitingPayment;
        if (released > 0) return OrderStatus.InFulfilment;
        if (allocated == kept) return OrderStatus.Allocated;
        if (allocated > 0) return OrderStatus.PartiallyAllocated;
        return backordered > 0 ? OrderStatus.Backordered : OrderStatus.Accepted;
    }

    /// <summary>The status of its money.</summary>
    public static PaymentStatus DerivePaymentStatus(this Order order)
    {
        if (order.Placed!.Payment.Method == PaymentMethod.Terms) return PaymentStatus.OnTerms;
        var due = order.Due();
        var captured = order.Captured;
        var isCancelled = order.Lines.All(l => l.Kept == 0);
        if (captured > 0) return captured >= due ? PaymentStatus.Paid : PaymentStatus.PartiallyPaid;
        if (isCancelled) return PaymentStatus.Voided;
        if (due == 0) return PaymentStatus.Paid;
        return order.Authorized >= due ? PaymentStatus.Authorized : PaymentStatus.Pending;
    }

    /// <summary>Sums of what was ordered, as on the confirmation.</summary>
    public static OrderTotals Totals(this OrderPlaced placed) =>
        Sum(placed.Lines.Select(l => (l, l.Quantity)), placed.Shipping.Price, placed.Currency);

    /// <summary>What the customer owes for the units that were not cancelled; shipping falls away with the last one.</summary>
    public static decimal Due(this Order order) => order.Lines.All(l => l.Kept == 0)
        ? 0
        : Sum(order.Lines.Select(l => (l.Placed, l.Kept)), order.Placed!.Shipping.Price, order.Placed.Currency).Grand;

    static OrderTotals Sum(IEnumerable<(PlacedLine Line, int Kept)> lines, decimal shipping, string currency)
    {
        decimal goods = 0, discount = 0, tax = 0;
        foreach (var (line, kept) in lines)
        {
            var value = Currency.Round(line.UnitPrice * kept, currency);
            var off = kept == line.Quantity
                ? line.Discount
                : Currency.Round(line.Discount * kept / line.Quantity, currency);
            goods += value;
            discount += off;
            tax += Currency.Round((value - off) * line.TaxRate, currency);
        }
        return new OrderTotals(goods, discount, tax, shipping, goods - discount + tax + shipping);
    }
}
