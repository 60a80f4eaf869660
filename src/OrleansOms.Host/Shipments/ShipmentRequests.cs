using System.ComponentModel;
using OrleansOms.Contracts.Shipments;

namespace OrleansOms.Host.Shipments;

/// <summary>What a picker found. A named SKU is finished with this number; fewer than asked for are not on the shelf.</summary>
public sealed record PickRequest(IReadOnlyList<SkuUnitsRequest?>? Lines);

/// <summary>Units of one SKU.</summary>
public sealed record SkuUnitsRequest(string? Sku, int? Quantity);

/// <summary>The boxes of a shipment. Together they hold exactly what was picked.</summary>
public sealed record PackRequest(IReadOnlyList<PackageRequest?>? Packages);

/// <summary>One box.</summary>
public sealed record PackageRequest(
    [property: Description("Of the packed box, 1 to 10,000,000.")] int? WeightGrams,
    IReadOnlyList<SkuUnitsRequest?>? Lines);

/// <summary>Hands the boxes to a carrier.</summary>
public sealed record ShipRequest(string? Carrier, string? Service, string? TrackingNumber);

/// <summary>A carrier's report.</summary>
public sealed record TrackingRequest(
    [property: Description("inTransit, exception, delivered or returnedToSender.")] string? Status,
    string? Description, string? Location,
    [property: Description("When it happened: ISO 8601 with an offset.")] string? OccurredAt,
    [property: Description("The carrier's name for this report; the same one again changes nothing.")] string? EventId);

/// <summary>A page of shipments.</summary>
/// <param name="NextCursor">What to send for the page that follows; absent on the last one.</param>
public sealed record ShipmentList(IReadOnlyList<ShipmentView> Items, string? NextCursor);
