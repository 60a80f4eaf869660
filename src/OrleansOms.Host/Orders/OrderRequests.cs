using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using OrleansOms.Contracts.Orders;
using OrleansOms.Host.Http;

namespace OrleansOms.Host.Orders;

/// <summary>An order from a channel. Members may be absent here so that all that are missing are named at once.</summary>
public sealed record PlaceOrderRequest(
    [property: Description("Code of the sales channel: web, store, mobile, marketplace, phone or b2b."), Required] string? Channel,
    [property: Description("The channel's own id of the order. One (channel, externalId) is one order, for ever.")]
    string? ExternalId,
    [property: Required] CustomerRequest? Customer,
    [property: Required] AddressRequest? ShipTo,
    [property: Description("ISO 4217 code in capitals."), Required] string? Currency,
    [property: Required] IReadOnlyList<OrderLineRequest?>? Lines,
    [property: Required] ShippingRequest? Shipping,
    [property: Required] PaymentRequest? Payment,
    [property: Description("What happens to units that are not in stock: backorder (the default) or reject.")]
    string? StockPolicy,
    [property: Description("The reservation whose units it takes. What it wants besides is looked for as usual.")]
    string? Reservation = null);

/// <summary>Who buys.</summary>
public sealed record CustomerRequest([property: Required] string? Name, string? Email, string? Phone);

/// <summary>A postal address.</summary>
public sealed record AddressRequest(
    string? Name, [property: Required] string? Line1, string? Line2, [property: Required] string? City, string? Region, string? PostalCode,
    [property: Description("ISO 3166-1 alpha-2 code in capitals."), Required] string? Country, string? Phone);

/// <summary>One line of an order.</summary>
public sealed record OrderLineRequest(
    [property: Required] string? Sku,
    [property: Description("Units, 1 to 1,000,000."), Required] int? Quantity,
    [property: JsonConverter(typeof(ExactDecimal)), Description("Per unit before tax."), Required] decimal? UnitPrice,
    [property: JsonConverter(typeof(ExactDecimal)), Description("A share from 0 to 1: 0.2 for 20 %. 0 if absent.")]
    decimal? TaxRate,
    [property: JsonConverter(typeof(ExactDecimal)), Description("Amount off the whole line. 0 if absent.")]
    decimal? Discount);

/// <summary>The shipping that the customer chose.</summary>
public sealed record ShippingRequest(
    [property: Required] string? Service, [property: JsonConverter(typeof(ExactDecimal)), Required] decimal? Price);

/// <summary>How the order is paid.</summary>
public sealed record PaymentRequest(
    [property: Description("prepaid, or terms with days."), Required] string? Method,
    [property: Description("pending, authorized or paid. Absent for terms.")] string? Status,
    [property: Description("The payment provider's name for the payment.")] string? Reference,
    [property: Description("Days to pay, for terms: 1 to 365.")] int? Days);

/// <summary>Cancels the named units, or, without lines, all that have not shipped.</summary>
public sealed record CancelOrderRequest([property: Required] string? Reason, IReadOnlyList<CancelLineRequest?>? Lines);

/// <summary>Units of a line that are no longer wanted.</summary>
public sealed record CancelLineRequest([property: Required] int? LineId, [property: Required] int? Quantity);

/// <summary>What a payment provider reports.</summary>
public sealed record RecordPaymentRequest(
    [property: Description("authorized, paid or failed."), Required] string? Status,
    [property: JsonConverter(typeof(ExactDecimal)), Description("In the order's currency."), Required] decimal? Amount,
    [property: Description("The provider's name for the payment. The same one again changes nothing."), Required] string? Reference);

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
