using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;
using Orleans;

namespace OrleansOms.Domain.Orders;

/// <summary>What may be asked of one order. <see cref="OrderDecider"/> has an arm for each.</summary>
[GenerateSerializer, Immutable, Alias("oms.OrderCommand")]
public abstract record OrderCommand;

/// <summary>What happens to units that are not in stock when the order is placed.</summary>
[GenerateSerializer, Alias("oms.StockPolicy")]
public enum StockPolicy
{
    /// <summary>They are accepted and wait for stock.</summary>
    Backorder = 0,
    /// <summary>The whole order is refused.</summary>
    Reject = 1,
}

/// <summary>How an order is paid.</summary>
[GenerateSerializer, Alias("oms.PaymentMethod")]
public enum PaymentMethod
{
    /// <summary>Before it ships.</summary>
    Prepaid = 0,
    /// <summary>By invoice, within an agreed number of days.</summary>
    Terms = 1,
}

/// <summary>What a payment provider reports.</summary>
[GenerateSerializer, Alias("oms.PaymentReport")]
public enum PaymentReport
{
    /// <summary>Nothing yet: the order waits.</summary>
    Pending = 0,
    /// <summary>The money is reserved, not taken.</summary>
    Authorized = 1,
    /// <summary>The money is taken.</summary>
    Paid = 2,
    /// <summary>The attempt failed; the customer may try again until the time is up.</summary>
    Failed = 3,
}

/// <summary>One line as the customer bought it.</summary>
/// <param name="LineId">1, 2, 3 … within the order.</param>
/// <param name="Quantity">Units, 1 or more.</param>
/// <param name="UnitPrice">Per unit before tax, in the order's currency.</param>
/// <param name="TaxRate">A share, 0.2 for 20 %.</param>
/// <param name="Discount">Amount off the whole line, in the order's currency.</param>
[GenerateSerializer, Immutable, Alias("oms.PlacedLine")]
public sealed record PlacedLine(
    [property: Id(0)] int LineId,
    [property: Id(1)] string Sku,
    [property: Id(2)] int Quantity,
    [property: Id(3)] decimal UnitPrice,
    [property: Id(4)] decimal TaxRate,
    [property: Id(5)] decimal Discount);

/// <summary>The shipping that the customer chose.</summary>
/// <param name="Price">In the order's currency; it bears no tax of its own.</param>
[GenerateSerializer, Immutable, Alias("oms.ShippingChoice")]
public sealed record ShippingChoice([property: Id(0)] string Service, [property: Id(1)] decimal Price);

/// <summary>How the order is paid, and what is known of it when it is placed.</summary>
/// <param name="Days">Days to pay, for <see cref="PaymentMethod.Terms"/>.</param>
/// <param name="Reference">The provider's name for the payment.</param>
[GenerateSerializer, Immutable, Alias("oms.PaymentTerms")]
public sealed record PaymentTerms(
    [property: Id(0)] PaymentMethod Method,
    [property: Id(1)] PaymentReport Status,
    [property: Id(2)] string? Reference,
    [property: Id(3)] int? Days);

/// <summary>An order as it comes from a channel.</summary>
/// <param name="Number">The short number for people.</param>
/// <param name="RequestHash">SHA-256 of the request in hexadecimal: tells a retry from a reused key.</param>
/// <param name="Reservation">The cart whose units it takes; null if it has none.</param>
[GenerateSerializer, Immutable, Alias("oms.PlaceOrder")]
public sealed record PlaceOrder(
    [property: Id(0)] string Number,
    [property: Id(1)] string Channel,
    [property: Id(2)] string? ExternalId,
    [property: Id(3)] Customer Customer,
    [property: Id(4)] Address ShipTo,
    [property: Id(5)] string Currency,
    [property: Id(6)] IReadOnlyList<PlacedLine> Lines,
    [property: Id(7)] ShippingChoice Shipping,
    [property: Id(8)] PaymentTerms Payment,
    [property: Id(9)] StockPolicy StockPolicy,
    [property: Id(10)] string RequestHash,
    [property: Id(11)] string? Reservation = null);

/// <summary>A payment report that comes after the order.</summary>
/// <param name="Window">How long an order that it leaves short of money waits for more; the order's grain says it.</param>
[GenerateSerializer, Immutable, Alias("oms.RecordPayment")]
public sealed record RecordPayment(
    [property: Id(0)] PaymentReport Status,
    [property: Id(1)] decimal Amount,
    [property: Id(2)] string Reference,
    [property: Id(3)] TimeSpan? Window = null) : OrderCommand;

/// <summary>Units of one line.</summary>
[GenerateSerializer, Immutable, Alias("oms.LineUnits")]
public sealed record LineUnits([property: Id(0)] int LineId, [property: Id(1)] int Quantity);

/// <summary>Cancels the named units, or, without lines, every unit that has not shipped.</summary>
/// <param name="RequestId">Tells one request from the next; the same id again is answered as done.</param>
[GenerateSerializer, Immutable, Alias("oms.CancelOrder")]
public sealed record CancelOrder(
    [property: Id(0)] string RequestId,
    [property: Id(1)] string Reason,
    [property: Id(2)] IReadOnlyList<LineUnits>? Lines) : OrderCommand;

/// <summary>What a hold stops.</summary>
[GenerateSerializer, Alias("oms.HoldStops")]
[Flags]
public enum HoldStops
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>Units may not be allocated.</summary>
    Allocate = 1,
    /// <summary>Shipments may not be released to a warehouse.</summary>
    Release = 2,
}

/// <summary>Puts a named hold on an order.</summary>
[GenerateSerializer, Immutable, Alias("oms.PlaceHold")]
public sealed record PlaceHold([property: Id(0)] string Name, [property: Id(1)] string Reason, [property: Id(2)] HoldStops Stops)
    : OrderCommand;

/// <summary>Lifts a hold by its name.</summary>
[GenerateSerializer, Immutable, Alias("oms.LiftHold")]
public sealed record LiftHold([property: Id(0)] string Name) : OrderCommand;

/// <summary>Says that nothing more is expected of a delivered order.</summary>
[GenerateSerializer, Immutable, Alias("oms.CloseOrder")]
public sealed record CloseOrder : OrderCommand;

/// <summary>How long an unpaid order waits, and by when backordered units are promised.</summary>
public sealed record PlacingTerms(TimeSpan PaymentWindow, TimeSpan BackorderWindow);

/// <summary>The order as it came and what stocks have reserved for it: becomes the first events of its stream.</summary>
/// <param name="Reserved">Reserved by the stocks; empty where nothing was there.</param>
/// <param name="Attempt">Id of the command by which they have.</param>
/// <param name="Cart">What it takes of its cart, beside what is reserved; null if it has none.</param>
public sealed record TakeOrder(
    PlaceOrder Order, IReadOnlyList<LineAllocation> Reserved, SourcingPlan Plan, PlacingTerms Terms,
    string? Attempt = null, CartShare? Cart = null) : OrderCommand;

/// <summary>Records units that stocks have reserved after placing; units that stay open are backordered.</summary>
/// <param name="Attempt">Id of the command by which they have.</param>
public sealed record AllocateUnits(
    SourcingCause Cause, IReadOnlyList<LineAllocation> Reserved, SourcingPlan Plan, string? Attempt = null) : OrderCommand;

/// <summary>
/// Takes the units with which a stock has served a line. Refused with <c>units_not_wanted</c> if it does not wait for them, or may not
/// have any at the moment.
/// </summary>
/// <param name="Why">Why it was this one and no other that waited.</param>
/// <param name="Attempt">Id of the command by which the stock has.</param>
/// <param name="At">When that was stored, UTC.</param>
[GenerateSerializer, Immutable, Alias("oms.TakeServed")]
public sealed record TakeServed(
    [property: Id(0)] string Warehouse, [property: Id(1)] string Sku, [property: Id(2)] IReadOnlyList<LineUnits> Lines,
    [property: Id(3)] string Why, [property: Id(4)] string Attempt, [property: Id(5)] DateTimeOffset At) : OrderCommand
{
    /// <summary>
    /// Whether an event of the order lets the stock keep these units for it: it asks the stock for none, and has not given up what the stock
    /// holds beyond what the order knows of.
    /// </summary>
    /// <param name="version">The event's number in the order's stream.</param>
    /// <param name="at">When it was recorded, UTC.</param>
    public bool IsLeftBy(string orderId, int version, OrderEvent @event, DateTimeOffset at) =>
        !(@event is ReservationSettled s && (s.Warehouse, s.Sku) == (Warehouse, Sku))
        && StockConsequences.Of(orderId, version, @event, at).All(c => (c.Warehouse, c.Sku) != (Warehouse, Sku));

    /// <summary>What a stock's entry asks of the order.</summary>
    /// <param name="stock">Key of the stock.</param>
    public static TakeServed Of(string stock, StockServed entry, string attempt, DateTimeOffset at)
    {
        var (warehouse, sku) = Keys.ReadStock(stock);
        return new TakeServed(warehouse, sku, entry.Lines, entry.Why, attempt, at);
    }
}

/// <summary>Hands what is allocated and payable to the warehouses, one shipment each.</summary>
public sealed record ReleaseToWarehouses : OrderCommand;

/// <summary>Cancels an order that was not paid when its time was up; does nothing to any other.</summary>
public sealed record ExpirePayment : OrderCommand;

/// <summary>What shipments gave back for a pending cancellation.</summary>
public sealed record ShipmentUnits(string ShipmentId, IReadOnlyList<LineUnits> Lines);

/// <summary>Ends a pending cancellation with the units that its shipments gave back.</summary>
public sealed record CompleteCancellation(IReadOnlyList<ShipmentUnits> Withdrawn) : OrderCommand;

/// <summary>What happened to a shipment of this order, as its own stream tells it.</summary>
/// <param name="Version">Version of the shipment after the event: an older or equal one was seen before.</param>
/// <param name="Missing">Units that the warehouse did not find, if the event says so.</param>
[GenerateSerializer, Immutable, Alias("oms.ReportShipment")]
public sealed record ReportShipment(
    [property: Id(0)] string ShipmentId,
    [property: Id(1)] int Version,
    [property: Id(2)] ShipmentStatus Status,
    [property: Id(3)] DateTimeOffset OccurredAt,
    [property: Id(4)] string? Description = null,
    [property: Id(5)] string? Location = null,
    [property: Id(6)] string? Carrier = null,
    [property: Id(7)] string? Service = null,
    [property: Id(8)] string? TrackingNumber = null,
    [property: Id(9)] IReadOnlyList<LineUnits>? Missing = null) : OrderCommand;

/// <summary>Frees what a stock holds for the order beyond what the order keeps there.</summary>
/// <param name="Lines">The surplus, by line.</param>
public sealed record SettleReservation(string Warehouse, string Sku, IReadOnlyList<LineUnits> Lines) : OrderCommand;

/// <summary>What stocks have reserved for a cart: becomes the first event of its stream.</summary>
/// <param name="Reserved">Reserved by the stocks; empty where nothing was there.</param>
/// <param name="IsAllOrNothing">Whether it is refused if anything is missing; it is if everything is.</param>
/// <param name="Attempt">Id of the command by which the stocks have reserved.</param>
public sealed record ReserveCart(
    IReadOnlyList<CartLine> Lines, IReadOnlyList<LineAllocation> Reserved, SourcingPlan Plan, DateTimeOffset Until, bool IsAllOrNothing,
    string RequestHash, string Attempt) : OrderCommand;

/// <summary>
/// Holds a cart's units until then, if that is later. Refused with <c>reservation_over</c> if it has ended.
/// </summary>
[GenerateSerializer, Immutable, Alias("oms.ExtendCart")]
public sealed record ExtendCart([property: Id(0)] DateTimeOffset Until) : OrderCommand;

/// <summary>Gives a cart's units back. Refused with <c>reservation_over</c> if an order has them.</summary>
[GenerateSerializer, Immutable, Alias("oms.ReleaseCart")]
public sealed record ReleaseCart : OrderCommand;

/// <summary>Ends a cart whose time is up; does nothing to any other.</summary>
public sealed record ExpireCart : OrderCommand;

/// <summary>
/// Makes an order impossible that has reserved stock and was never stored: a late first write of it fails from now on.
/// A retry with the same key may still place it.
/// </summary>
public sealed record AbandonOrder : OrderCommand;
