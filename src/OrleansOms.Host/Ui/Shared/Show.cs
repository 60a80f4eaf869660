using System.Globalization;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Host.Ui.Shared;

/// <summary>How facts look on a page: words in sentence case, money with its currency, a colour for each kind of state.</summary>
public static class Show
{
    /// <summary>A member in words that start a sentence: "Partially shipped".</summary>
    public static string Word<T>(T member) where T : struct, Enum => Capital(Words.Of(member));

    /// <summary>A sales channel as people write it.</summary>
    public static string Channel(string code) => code == "b2b" ? "B2B" : Capital(code);

    /// <summary>A word with a capital at its start.</summary>
    public static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    /// <summary>An amount with the currency's decimals, and the currency.</summary>
    public static string Money(decimal amount, string currency) => $"{Amount(amount, currency)} {currency}";

    /// <summary>An amount with the currency's decimals.</summary>
    public static string Amount(decimal amount, string currency) =>
        amount.ToString("N" + Currency.MinorUnits(currency).ToString(CultureInfo.InvariantCulture), Viewer.Culture);

    /// <summary>A whole number with thousands apart.</summary>
    public static string Number(long number) => number.ToString("N0", Viewer.Culture);

    /// <summary>"1 unit", "6 units".</summary>
    public static string Count(long number, string one, string? many = null) =>
        $"{Number(number)} {(number == 1 ? one : many ?? one + "s")}";

    /// <summary>"a", "a and b", "a, b and c".</summary>
    public static string Join(IReadOnlyList<string> parts, string last = "and") => parts.Count switch
    {
        0 => "",
        1 => parts[0],
        _ => $"{string.Join(", ", parts.Take(parts.Count - 1))} {last} {parts[^1]}",
    };

    /// <summary>The colour's name of an order's state.</summary>
    public static string Tone(OrderStatus status) => status switch
    {
        OrderStatus.OnHold or OrderStatus.AwaitingPayment or OrderStatus.Backordered
            or OrderStatus.PartiallyAllocated => "attention",
        OrderStatus.InFulfilment or OrderStatus.PartiallyShipped or OrderStatus.Shipped => "moving",
        OrderStatus.Delivered or OrderStatus.Closed => "done",
        _ => "neutral",
    };

    /// <summary>The colour's name of a shipment's state.</summary>
    public static string Tone(ShipmentStatus status) => status switch
    {
        ShipmentStatus.Picking or ShipmentStatus.Packed or ShipmentStatus.Shipped or ShipmentStatus.InTransit => "moving",
        ShipmentStatus.Delivered => "done",
        ShipmentStatus.Exception => "wrong",
        ShipmentStatus.ReturnedToSender => "attention",
        _ => "neutral",
    };

    /// <summary>The colour's name of a payment's state.</summary>
    public static string Tone(PaymentStatus status) => status switch
    {
        PaymentStatus.Paid or PaymentStatus.Authorized => "done",
        PaymentStatus.Pending or PaymentStatus.PartiallyPaid => "attention",
        _ => "neutral",
    };
}
