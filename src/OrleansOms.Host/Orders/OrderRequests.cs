using System.ComponentModel;
using System.Text.Json.Serialization;
using OrleansOms.Contracts.Orders;
using OrleansOms.Host.Http;

namespace OrleansOms.Host.Orders;

/// <summary>An order from a channel. Members may be absent here so that all that are missing are named at once.</summary>
public sealed record PlaceOrderRequest(
    [property: Description("Code of the sales channel: web, store, mobile, marketplace, phone or b2b.")] string? Channel,
    [property: Description("The channel's own id of the order. One (channel, externalId) is one order, for ever.")]
    string? ExternalId,
    CustomerRequest? Customer,
    AddressRequest? ShipTo,
    [property: Description("ISO 4217 code in capitals.")] string? Currency,
    IReadOnlyList<OrderLineRequest?>? Lines,
    ShippingRequest? Shipping,
    PaymentRequest? Payment,
    [property: Description("What happens to units that are not in stock: backorder (the default) or reject.")]
    string? StockPolicy,
    [property: Description("The reservation whose units it takes. What it wants besides is looked for as usual.")]
    string? Reservation = null);

/// <summary>Who buys.</summary>
public sealed record CustomerRequest(string? Name, string? Email, string? Phone);

/// <summary>A postal address.</summary>
public sealed record AddressRequest(
    string? Name, string? Line1, string? Line2, string? City, string? Region, string? PostalCode,
    [property: Description("ISO 3166-1 alpha-2 code in capitals.")] string? Country, string? Phone);

/// <summary>One line of an order.</summary>
public sealed record OrderLineRequest(
    string? Sku,
    [property: Description("Units, 1 to 1,000,000.")] int? Quantity,
    [property: JsonConverter(typeof(ExactDecimal)), Description("Per unit before tax.")] decimal? UnitPrice,
    [property: JsonConverter(typeof(ExactDecimal)), Description("A share from 0 to 1: 0.2 for 20 %. 0 if absent.")]
    decimal? TaxRate,
    [property: JsonConverter(typeof(ExactDecimal)), Description("Amount off the whole line. 0 if absent.")]
    decimal? Discount);

/// <summary>The shipping that the customer chose.</summary>
public sealed record ShippingRequest(
    string? Service, [property: JsonConverter(typeof(ExactDecimal))] decimal? Price);

/// <summary>How the order is paid.</summary>
public sealed record PaymentRequest(
    [property: Description("prepaid, or terms with days.")] string? Method,
    [property: Description("pending, authorized or paid. Absent for terms.")] string? Status,
    [property: Description("The payment provider's name for the payment.")] string? Reference,
    [property: Description("Days to pay, for terms: 1 to 365.")] int? Days);

/// <summary>Cancels the named units, or, without lines, all that have not shipped.</summary>
public sealed record CancelOrderRequest(string? Reason, IReadOnlyList<CancelLineRequest?>? Lines);

/// <summary>Units of a line that are no longer wanted.</summary>
public sealed record CancelLineRequest(int? LineId, int? Quantity);

/// <summary>What a payment provider reports.</summary>
public sealed record RecordPaymentRequest(
    [property: Description("authorized, paid or failed.")] string? Status,
    [property: JsonConverter(typeof(ExactDecimal)), Description("In the order's currency.")] decimal? Amount,
    [property: Description("The provider's name for the payment. The same one again changes nothing.")] string? Reference);

/// <summary>A page of orders.</summary>
/// <param name="NextCursor">What to send for the page that follows; absent on the last one.</param>
public sealed record OrderList(IReadOnlyList<OrderSummary> Items, string? NextCursor);

/// <summary>Everything that happened to an order.</summary>
/// <param name="Events">Oldest first.</param>
public sealed record OrderTimeline(string OrderId, IReadOnlyList<TimelineEntry> Events);

/// <summary>One thing that happened.</summary>
/// <param name="Version">Its number in the order, from 1 without a gap.</param>
/// <param name="Who">The API key's or the operator's name, or system.</param>
/// <param name="Type">For programs, such as <c>paymentRecorded</c>.</param>
/// <param name="What">A sentence for people, without personal data.</param>
public sealed record TimelineEntry(int Version, DateTimeOffset At, string Who, string Type, string What);
