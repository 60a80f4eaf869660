using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Stock;

/// <summary>A fact of one stock: an entry of its ledger.</summary>
public abstract record StockEvent : DomainEvent;

/// <summary>Units came in.</summary>
public sealed record StockReceived(int Quantity, string Reference) : StockEvent;

/// <summary>The number on hand was corrected.</summary>
public sealed record StockAdjusted(int Delta, string Reason) : StockEvent;

/// <summary>
/// Units went from one condition into another, came in that are not sellable, or left that were not.
/// </summary>
/// <param name="From">What they were; null if they came in.</param>
/// <param name="To">What they are; null if they left.</param>
public sealed record ConditionChanged(StockCondition? From, StockCondition? To, int Quantity, string Reason) : StockEvent;

/// <summary>Units were promised to order lines.</summary>
public record StockReserved(string OrderId, IReadOnlyList<LineUnits> Lines) : StockEvent;

/// <summary>Units that became free were promised to a line that waited, with the entry that made them free. Its order is told.</summary>
/// <param name="Channel">Code of the order's sales channel, for the shares that channels have.</param>
/// <param name="Why">Why it was this one and no other that waited. For people, without a full stop.</param>
public sealed record StockServed(string OrderId, IReadOnlyList<LineUnits> Lines, string Channel, string Why)
    : StockReserved(OrderId, Lines);

/// <summary>Promised units are free again.</summary>
public sealed record ReservationReleased(string OrderId, IReadOnlyList<LineUnits> Lines, string Reason) : StockEvent;

/// <summary>Promised units left the warehouse.</summary>
public sealed record StockShipped(string OrderId, string ShipmentId, IReadOnlyList<LineUnits> Lines) : StockEvent;

/// <summary>Promised units were not on the shelf: they leave the promise and the number on hand.</summary>
public sealed record StockNotFound(string OrderId, string ShipmentId, IReadOnlyList<LineUnits> Lines) : StockEvent;
