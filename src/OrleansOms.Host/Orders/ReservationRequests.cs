using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace OrleansOms.Host.Orders;

/// <summary>Units that are to be held for a cart.</summary>
public sealed record ReservationRequest(
    [property: Required] IReadOnlyList<ReservationLineRequest?>? Lines,
    [property: Description("How long they are held, 1 to 86,400 seconds. 900 if absent.")] int? ExpiresInSeconds = null,
    [property: Description("Whether nothing is held if something is missing. True if absent; false holds what is there.")]
    bool? AllOrNothing = null,
    [property: Description("ISO 3166-1 alpha-2 code of where it would go. The nearest warehouse that has everything holds it.")]
    string? Country = null,
    string? PostalCode = null);

/// <summary>Units of one SKU.</summary>
public sealed record ReservationLineRequest([property: Required] string? Sku, [property: Description("Units, 1 to 1,000,000."), Required] int? Quantity);

/// <summary>Holds a cart for longer.</summary>
public sealed record ExtensionRequest(
    [property: Description("How long from now on, 1 to 86,400 seconds. 900 if absent. Nothing is made shorter.")] int? ExpiresInSeconds = null);
