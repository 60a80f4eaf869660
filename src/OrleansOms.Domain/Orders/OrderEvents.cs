using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Sourcing;

namespace OrleansOms.Domain.Orders;

/// <summary>A fact of one order.</summary>
public abstract record OrderEvent : DomainEvent;

/// <summary>The order came in. The first event of every order.</summary>
/// <param name="PlacedAt">When it was taken, UTC.</param>
/// <param name="Country">ISO 3166-1 alpha-2 of the destination; stays when personal data is erased.</param>
/// <param name="PaymentDueAt">When an unpaid order is cancelled; null if it was placed with its money, or on terms.</param>
/// <param name="PromisedBy">Until when backordered units are promised.</param>
public sealed record OrderPlaced(
    string Number, string Channel, string? ExternalId, DateTimeOffset PlacedAt, string Currency, string Country,
    IReadOnlyList<PlacedLine> Lines, ShippingChoice Shipping, PaymentTerms Payment, StockPolicy StockPolicy,
    DateTimeOffset? PaymentDueAt, DateTimeOffset PromisedBy, string RequestHash, PersonalData? Personal) : OrderEvent;

/// <summary>
/// The order was refused for want of stock. Alone in its stream: no order exists, and a retry gets the same answer.
/// </summary>
public sealed record OrderRefused(string Code, string Detail, string RequestHash) : OrderEvent;

/// <summary>
/// Stock was reserved for an order that was never stored. Whoever reserved before this and still tries to store the order
/// finds this in its way; whoever has read it may place the order.
/// </summary>
public sealed record OrderAbandoned : OrderEvent;

/// <summary>
/// A stock held units for the order that the order has not stored; they are freed. Whoever reserved them before this and
/// still tries to store them finds this in its way.
/// </summary>
/// <param name="Lines">Units that are freed, by line.</param>
public sealed record ReservationSettled(string Warehouse, string Sku, IReadOnlyList<LineUnits> Lines) : OrderEvent;

/// <summary>Units were reserved for somebody who has not ordered yet. An order may follow in the same stream.</summary>
/// <param name="Lines">What was asked for.</param>
/// <param name="Allocations">What stocks have reserved of it.</param>
/// <param name="Until">When they are free again, UTC.</param>
/// <param name="RequestHash">SHA-256 of the request in hexadecimal: tells a retry from a reused key.</param>
/// <param name="Attempt">Id of the command by which the stocks have reserved.</param>
public sealed record CartReserved(
    IReadOnlyList<CartLine> Lines, IReadOnlyList<LineAllocation> Allocations, DateTimeOffset Until, string RequestHash,
    string Attempt) : OrderEvent;

/// <summary>The cart's units are held for longer.</summary>
/// <param name="Until">UTC.</param>
public sealed record CartExtended(DateTimeOffset Until) : OrderEvent;

/// <summary>The cart holds nothing any more. Both lists together are all that it had.</summary>
/// <param name="Freed">By the cart's lines: their stocks have these back.</param>
/// <param name="Kept">The order that follows in the same append has these. Their stocks give them to the order's lines.</param>
public sealed record CartEnded(
    CartEnd End, IReadOnlyList<LineAllocation> Freed, IReadOnlyList<CartUnits> Kept) : OrderEvent;

/// <summary>
/// An idempotency key was used to place an order whose id is another one, because a cart had it before. It keeps the key from being used
/// for another request; alone in the stream of the id that the key stands for.
/// </summary>
public sealed record OrderPlacedAs(string OrderId, string RequestHash) : OrderEvent;

/// <summary>Units of a line that a warehouse has promised.</summary>
[Orleans.GenerateSerializer, Orleans.Immutable, Orleans.Alias("oms.LineAllocation")]
public sealed record LineAllocation(
    [property: Orleans.Id(0)] int LineId,
    [property: Orleans.Id(1)] string Sku,
    [property: Orleans.Id(2)] string Warehouse,
    [property: Orleans.Id(3)] int Quantity);

/// <summary>Why units were looked for.</summary>
public enum SourcingCause
{
    /// <summary>The order was placed.</summary>
    Placing = 0,
    /// <summary>Stock arrived for waiting units.</summary>
    Arrival = 1,
    /// <summary>A warehouse did not find the units.</summary>
    ShortPick = 2,
}

/// <summary>Units were sourced: some are reserved in warehouses, the others wait.</summary>
/// <param name="Allocations">What stocks have reserved for this order.</param>
/// <param name="Backordered">Open units that now wait for stock.</param>
/// <param name="Sourcing">The plan and why it was chosen.</param>
/// <param name="Attempt">
/// Id of the command by which the stocks have reserved: what they hold by another one is not this. Null where nothing was
/// reserved, and in events of a time when it was not stored.
/// </param>
public sealed record OrderAllocated(
    SourcingCause Cause, IReadOnlyList<LineAllocation> Allocations, IReadOnlyList<LineUnits> Backordered,
    SourcingPlan Sourcing, string? Attempt = null) : OrderEvent;

/// <summary>A payment provider or a person reported on the payment.</summary>
/// <param name="DueAt">
/// When the order is cancelled if no more money comes: in the report that left it short of money without any other time limit.
/// </param>
/// <param name="Of">
/// The reference of the authorization that this takes from, where the provider calls it otherwise; null if it is its own.
/// </param>
public sealed record PaymentRecorded(
    PaymentReport Status, decimal Amount, string Reference, DateTimeOffset? DueAt = null, string? Of = null) : OrderEvent;

/// <summary>Allocated units were handed to a warehouse as one shipment.</summary>
public sealed record ShipmentReleased(string ShipmentId, string Warehouse, IReadOnlyList<LineUnits> Lines) : OrderEvent;

/// <summary>A warehouse did not find these units; they are open again and its stock is corrected.</summary>
public sealed record UnitsNotFound(
    string ShipmentId, string Warehouse, IReadOnlyList<LineAllocation> Lines) : OrderEvent;

/// <summary>Units left a warehouse.</summary>
public sealed record UnitsShipped(
    string ShipmentId, string Warehouse, IReadOnlyList<LineAllocation> Lines) : OrderEvent;

/// <summary>The carrier reported a shipment as delivered.</summary>
public sealed record UnitsDelivered(string ShipmentId, IReadOnlyList<LineUnits> Lines) : OrderEvent;

/// <summary>One of the order's shipments moved on; the order repeats it so that its own page tells everything.</summary>
/// <param name="ShipmentVersion">Version of the shipment's stream that this repeats.</param>
public sealed record ShipmentProgressed(
    string ShipmentId, int ShipmentVersion, ShipmentStatus Status, DateTimeOffset OccurredAt, string? Description,
    string? Location, string? Carrier, string? Service, string? TrackingNumber) : OrderEvent;

/// <summary>
/// Someone asked to cancel. An intent: warehouses are asked for units that are on their way, then
/// <see cref="UnitsCancelled"/> says what was cancelled.
/// </summary>
public sealed record CancellationRequested(
    string RequestId, string Reason, IReadOnlyList<LineUnits>? Lines) : OrderEvent;

/// <summary>Where cancelled units were.</summary>
/// <param name="Warehouse">The stock that had reserved them; null if none had.</param>
/// <param name="ShipmentId">The shipment that gave them back; null if they were in none.</param>
/// <param name="IsOpen">
/// True if they were open, to be looked for: no stock had them and they did not wait for any. In an event without it, what no
/// stock had may have been both.
/// </param>
public sealed record CancelledUnits(
    int LineId, string Sku, int Quantity, string? Warehouse, string? ShipmentId, bool? IsOpen = null);

/// <summary>Units were cancelled. Those with a warehouse are released there.</summary>
public sealed record UnitsCancelled(
    string RequestId, string Reason, IReadOnlyList<CancelledUnits> Units) : OrderEvent;

/// <summary>A person or a rule stopped the order.</summary>
public sealed record HoldPlaced(string Name, string Reason, HoldStops Stops) : OrderEvent;

/// <summary>A hold was lifted.</summary>
public sealed record HoldLifted(string Name) : OrderEvent;

/// <summary>Nothing more is expected of this order.</summary>
public sealed record OrderClosed : OrderEvent;
