using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using OrleansOms.Contracts.Shipments;

namespace OrleansOms.Host.Shipments;

/// <summary>What a picker found. A named SKU is finished with this number; fewer than asked for are not on the shelf.</summary>
public sealed record PickRequest([property: Required] IReadOnlyList<SkuUnitsRequest?>? Lines);

/// <summary>Units of one SKU.</summary>
public sealed record SkuUnitsRequest([property: Required] string? Sku, [property: Required] int? Quantity);

/// <summary>The boxes of a shipment. Together they hold exactly what was picked.</summary>
public sealed record PackRequest([property: Required] IReadOnlyList<PackageRequest?>? Packages);

/// <summary>One box.</summary>
public sealed record PackageRequest(
    [property: Description("Of the packed box, 1 to 10,000,000."), Required] int? WeightGrams,
    [property: Required] IReadOnlyList<SkuUnitsRequest?>? Lines);

/// <summary>Hands the boxes to a carrier.</summary>
public sealed record ShipRequest([property: Required] string? Carrier, [property: Required] string? Service, string? TrackingNumber);

/// <summary>A carrier's report.</summary>
public sealed record TrackingRequest(
    [property: Description("inTransit, exception, delivered or returnedToSender."), Required] string? Status,
    [property: Required] string? Description, string? Location,
    [property: Description("When it happened: ISO 8601 with an offset."), Required] string? OccurredAt,
    [property: Description("The carrier's name for this report; the same one again changes nothing."), Required] string? EventId);

/// <summary>A page of shipments.</summary>
/// <param name="NextCursor">What to send for the page that follows; absent on the last one.</param>
public sealed record ShipmentList(IReadOnlyList<ShipmentView> Items, string? NextCursor);
