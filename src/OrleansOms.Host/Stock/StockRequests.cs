using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Host.Stock;

/// <summary>Units that came into a warehouse: all of the lines or none.</summary>
public sealed record ReceiptRequest(
    [property: Required] string? Warehouse, [property: Required] string? Reference, [property: Required] IReadOnlyList<ReceiptLineRequest?>? Lines);

/// <summary>Units of one SKU.</summary>
/// <param name="Condition">What they are; sellable if nothing is said.</param>
public sealed record ReceiptLineRequest(
    [property: Required] string? Sku, [property: Description("Units, 1 to 100,000,000."), Required] int? Quantity,
    StockCondition? Condition = null);

/// <summary>Corrections of the numbers in a warehouse: all of the lines or none.</summary>
public sealed record AdjustmentRequest(
    [property: Required] string? Warehouse, [property: Required] string? Reason, [property: Required] IReadOnlyList<AdjustmentLineRequest?>? Lines);

/// <summary>A difference for one SKU.</summary>
/// <param name="Condition">Of which units; sellable ones if nothing is said.</param>
public sealed record AdjustmentLineRequest(
    [property: Required] string? Sku, [property: Description("Units, not 0, -100,000,000 to 100,000,000."), Required] int? Delta,
    StockCondition? Condition = null);

/// <summary>Units that are found to be something else than they were: all of the lines or none.</summary>
public sealed record ConditionChangeRequest(
    [property: Required] string? Warehouse, [property: Required] string? Reason, [property: Required] IReadOnlyList<ConditionChangeLineRequest?>? Lines);

/// <summary>Units of one SKU.</summary>
/// <param name="From">What they were.</param>
/// <param name="To">What they are: not the same.</param>
public sealed record ConditionChangeLineRequest(
    [property: Required] string? Sku, [property: Description("Units, 1 to 100,000,000."), Required] int? Quantity,
    [property: Required] StockCondition? From, [property: Required] StockCondition? To);

/// <summary>A page of a stock's ledger.</summary>
/// <param name="Entries">Newest first.</param>
/// <param name="NextCursor">What to send for the page that follows; absent on the last one.</param>
public sealed record StockLedger(
    string Warehouse, string Sku, IReadOnlyList<LedgerEntry> Entries, string? NextCursor);

/// <summary>One entry of a ledger.</summary>
/// <param name="Version">Its number in the stock, from 1 without a gap.</param>
/// <param name="Who">The API key's or the operator's name, or system.</param>
/// <param name="Type">received, adjusted, conditionChanged, reserved, served, reservationReleased, shipped or notFound.</param>
/// <param name="Delta">What it did to the number on hand.</param>
/// <param name="ReservedDelta">What it did to the number reserved.</param>
/// <param name="OnHand">The number on hand after it.</param>
/// <param name="Reserved">The number reserved after it.</param>
/// <param name="OrderId">The order that caused it.</param>
/// <param name="ShipmentId">The shipment that caused it.</param>
/// <param name="Reference">A receipt's reference.</param>
/// <param name="Reason">Why, for adjustments, releases and changes of condition.</param>
/// <param name="DamagedDelta">What it did to the number damaged.</param>
/// <param name="QuarantineDelta">What it did to the number in quarantine.</param>
/// <param name="Damaged">The number damaged after it.</param>
/// <param name="Quarantine">The number in quarantine after it.</param>
/// <param name="From">What units were that have changed; absent if they came in.</param>
/// <param name="To">What they are; absent if they left.</param>
public sealed record LedgerEntry(
    int Version, DateTimeOffset At, string Who, string Type, int Delta, int ReservedDelta, int OnHand, int Reserved,
    string? OrderId, string? ShipmentId, string? Reference, string? Reason, int DamagedDelta, int QuarantineDelta, int Damaged,
    int Quarantine, StockCondition? From, StockCondition? To);

/// <summary>What a stock had day by day.</summary>
/// <param name="Days">
/// Days of UTC on which something happened, oldest first. What happened on one that is not kept, as on the day of an upgrade, counts
/// with the one before it.
/// </param>
public sealed record StockDays(string Warehouse, string Sku, IReadOnlyList<StockDayEnd> Days);

/// <summary>What a stock had at the end of a day; of the newest day, by now.</summary>
/// <param name="Version">Number of the day's last entry.</param>
public sealed record StockDayEnd(DateOnly Day, int OnHand, int Reserved, int Version, int Damaged, int Quarantine);

/// <summary>What can be promised, by SKU.</summary>
public sealed record AvailabilityAnswer(IReadOnlyList<SkuAvailability> Items);

/// <summary>What can be promised of one SKU.</summary>
/// <param name="Available">Units in all active warehouses that the caller may see.</param>
/// <param name="Warehouses">Nearest first; without a destination, by code.</param>
public sealed record SkuAvailability(string Sku, long Available, IReadOnlyList<WarehouseAvailability> Warehouses);

/// <summary>What one warehouse can promise.</summary>
/// <param name="Kilometres">Great-circle distance to the destination; absent if either place is unknown.</param>
public sealed record WarehouseAvailability(string Warehouse, int Available, double? Kilometres);
