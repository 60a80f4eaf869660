using System.Collections.Frozen;
using System.Globalization;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Http;

namespace OrleansOms.Host.Orders;

/// <summary>Turns requests about orders into commands, or says everything that is malformed in them.</summary>
public static class OrderValidation
{
    /// <summary>Longest texts, in characters.</summary>
    public const int MaxName = 200, MaxLine = 200, MaxCity = 100, MaxPostalCode = 20, MaxPhone = 40, MaxEmail = 254,
        MaxReference = 200, MaxExternalId = 100, MaxService = 50, MaxReason = 500;

    /// <summary>Longest agreed time to pay, in days.</summary>
    public const int MaxTermDays = 365;

    const int MaxTaxDecimals = 6;

    /// <summary>Codes of the channels that are known.</summary>
    public static FrozenSet<string> Channels { get; } =
        new[] { "web", "store", "mobile", "marketplace", "phone", "b2b" }.ToFrozenSet(StringComparer.Ordinal);

    static readonly FrozenDictionary<string, StockPolicy> Policies = WordsOf<StockPolicy>.All;
    static readonly FrozenDictionary<string, PaymentMethod> Methods = WordsOf<PaymentMethod>.All;
    static readonly FrozenDictionary<string, PaymentReport> Known =
        WordsOf<PaymentReport>.Only(PaymentReport.Pending, PaymentReport.Authorized, PaymentReport.Paid);
    static readonly FrozenDictionary<string, PaymentReport> Reports =
        WordsOf<PaymentReport>.Only(PaymentReport.Authorized, PaymentReport.Paid, PaymentReport.Failed);

    /// <summary>The command behind a request; the catalogue has yet to be asked for its SKUs.</summary>
    /// <exception cref="ProblemException">400 with every malformed member, or 422 for what is not known.</exception>
    public static PlaceOrder ToCommand(this PlaceOrderRequest r, string hash)
    {
        var f = new Findings();
        f.Text("channel", r.Channel, MaxService);
        f.OptionalText("externalId", r.ExternalId, MaxExternalId);
        f.Text("currency", r.Currency, MaxCity);
        var customer = Customer(f, r.Customer);
        var address = Address(f, "shipTo", r.ShipTo);
        var lines = Lines(f, r.Lines, r.Currency);
        var shipping = Shipping(f, r.Shipping, r.Currency);
        var payment = Payment(f, r.Payment);
        var policy = f.Word("stockPolicy", r.StockPolicy, Policies, StockPolicy.Backorder);
        f.OptionalText("reservation", r.Reservation, MaxName);
        f.Throw();

        if (!Channels.Contains(r.Channel!))
            throw Unknown("channel", r.Channel!, $"There is no sales channel {r.Channel}.");
        if (!Currency.IsKnown(r.Currency))
            throw Unknown("currency", r.Currency!, $"{r.Currency} is not a current ISO 4217 currency.");
        RequireCountry(address.Country);
        return new PlaceOrder(
            "", r.Channel!, r.ExternalId, customer, address, r.Currency!, lines, shipping, payment, policy, hash, r.Reservation);
    }

    /// <summary>The command behind a cancellation.</summary>
    /// <exception cref="ProblemException">400 with every malformed member.</exception>
    public static CancelOrder ToCommand(this CancelOrderRequest r, string requestId)
    {
        var f = new Findings();
        f.Text("reason", r.Reason, MaxReason);
        var lines = r.Lines is null ? null : new List<LineUnits>(r.Lines.Count);
        if (r.Lines is { Count: 0 }) f.Add("lines", "Name at least one line, or leave it out to cancel everything.");
        if (r.Lines is { Count: > OrderLimits.MaxLines }) TooManyLines(f);
        else
            for (var i = 0; i < r.Lines?.Count; i++)
            {
                var line = r.Lines[i];
                f.Between($"lines[{i}].lineId", line?.LineId, 1, OrderLimits.MaxLines);
                f.Between($"lines[{i}].quantity", line?.Quantity, 1, OrderLimits.MaxQuantity);
                lines!.Add(new LineUnits(line?.LineId ?? 0, line?.Quantity ?? 0));
            }
        f.Throw();
        return new CancelOrder(requestId, r.Reason!, lines);
    }

    /// <summary>The command behind a payment report on an order.</summary>
    /// <exception cref="ProblemException">400 with every malformed member.</exception>
    public static RecordPayment ToCommand(this RecordPaymentRequest r, OrderView order)
    {
        var f = new Findings();
        var status = f.Word("status", r.Status, Reports);
        f.Amount("amount", r.Amount, order.Currency, OrderLimits.MaxUnitPrice * OrderLimits.MaxQuantity);
        if (f.IsEmpty && r.Amount == 0 && status != PaymentReport.Failed) f.Add("amount", "It must be above zero.");
        f.Text("reference", r.Reference, MaxReference);
        f.Throw();
        return new RecordPayment(status, r.Amount!.Value, r.Reference!);
    }

    /// <summary>An address; its country has yet to be looked up.</summary>
    public static Address Address(Findings f, string member, AddressRequest? r, string? usualName = null)
    {
        if (r is null)
        {
            f.Add(member, "It is required.");
            return new Address("", "", null, "", null, null, "");
        }
        f.Text($"{member}.name", r.Name ?? usualName, MaxName);
        f.Text($"{member}.line1", r.Line1, MaxLine);
        f.OptionalText($"{member}.line2", r.Line2, MaxLine);
        f.Text($"{member}.city", r.City, MaxCity);
        f.OptionalText($"{member}.region", r.Region, MaxCity);
        f.OptionalText($"{member}.postalCode", r.PostalCode, MaxPostalCode);
        f.Text($"{member}.country", r.Country, MaxCity);
        f.OptionalText($"{member}.phone", r.Phone, MaxPhone);
        return new Address(
            r.Name ?? usualName ?? "", r.Line1 ?? "", r.Line2, r.City ?? "", r.Region, r.PostalCode, r.Country ?? "",
            r.Phone);
    }

    /// <summary>Refuses a country that ISO 3166-1 does not list.</summary>
    /// <exception cref="ProblemException">422 <c>unknown_country</c>.</exception>
    public static void RequireCountry(string country)
    {
        if (!Countries.IsKnown(country))
            throw Unknown("country", country, $"{country} is not an ISO 3166-1 alpha-2 country.");
    }

    /// <summary>A 422 for a name that stands for nothing here.</summary>
    public static ProblemException Unknown(string what, string name, string detail) =>
        new(new Problem(422, $"unknown_{what}", detail) { Members = new Dictionary<string, string> { [what] = name } });

    /// <summary>Notes a list that is longer than an order may be.</summary>
    public static void TooManyLines(Findings f) => f.Add(
        "lines", string.Create(CultureInfo.InvariantCulture, $"There may be at most {OrderLimits.MaxLines:N0} lines."),
        "too_many_lines");

    static Customer Customer(Findings f, CustomerRequest? r)
    {
        if (r is null)
        {
            f.Add("customer", "It is required.");
            return new Customer("");
        }
        f.Text("customer.name", r.Name, MaxName);
        f.OptionalText("customer.email", r.Email, MaxEmail);
        if (r.Email is not null && !IsEmail(r.Email)) f.Add("customer.email", "It must be an e-mail address.");
        f.OptionalText("customer.phone", r.Phone, MaxPhone);
        return new Customer(r.Name ?? "", r.Email, r.Phone);
    }

    /// <summary>Something, one @, something: whether it exists is known only by writing to it.</summary>
    static bool IsEmail(string text)
    {
        var at = text.IndexOf('@');
        return at > 0 && at == text.LastIndexOf('@') && at < text.Length - 1 && !text.AsSpan().ContainsAny(" \t\r\n<>,;\"");
    }

    static PlacedLine[] Lines(Findings f, IReadOnlyList<OrderLineRequest?>? lines, string? currency)
    {
        if (lines is not { Count: > 0 })
        {
            f.Add("lines", "An order has at least one line.");
            return [];
        }
        if (lines.Count > OrderLimits.MaxLines)
        {
            TooManyLines(f);
            return [];
        }
        var placed = new PlacedLine[lines.Count];
        var units = 0L;
        for (var i = 0; i < lines.Count; i++)
        {
            placed[i] = Line(f, i, lines[i], currency);
            units += placed[i].Quantity;
        }
        if (f.IsEmpty && units > OrderLimits.MaxUnits)
            f.Add("lines", string.Create(
                CultureInfo.InvariantCulture, $"An order may have at most {OrderLimits.MaxUnits:N0} units."), "too_many_units");
        return placed;
    }

    static PlacedLine Line(Findings f, int i, OrderLineRequest? r, string? currency)
    {
        var placed = new PlacedLine(
            i + 1, r?.Sku ?? "", r?.Quantity ?? 0, r?.UnitPrice ?? 0, r?.TaxRate ?? 0, r?.Discount ?? 0);
        if (r is not null && IsWellFormed(placed, r, currency)) return placed;
        var at = $"lines[{i}]";
        if (r is null) f.Add(at, "It must be an object.");
        else
        {
            f.Sku($"{at}.sku", r.Sku);
            f.Between($"{at}.quantity", r.Quantity, 1, OrderLimits.MaxQuantity);
            f.Amount($"{at}.unitPrice", r.UnitPrice, currency, OrderLimits.MaxUnitPrice);
            if (!IsTaxRate(placed.TaxRate))
                f.Add($"{at}.taxRate", "It must be between 0 and 1 and have at most 6 decimals.");
            if (r.Quantity > 0 && r.UnitPrice >= 0)
                f.Amount($"{at}.discount", placed.Discount, currency, Math.Min(Value(placed, currency), decimal.MaxValue));
        }
        return placed;
    }

    /// <summary>The usual case, decided without building the names of members.</summary>
    static bool IsWellFormed(PlacedLine l, OrderLineRequest r, string? currency) =>
        r.UnitPrice is not null && Text.IsSku(r.Sku)
        && l.Quantity is >= 1 and <= OrderLimits.MaxQuantity
        && l.UnitPrice is >= 0 and <= OrderLimits.MaxUnitPrice && Fits(l.UnitPrice, currency)
        && IsTaxRate(l.TaxRate)
        && l.Discount >= 0 && (l.Discount == 0 || (l.Discount <= Value(l, currency) && Fits(l.Discount, currency)));

    static bool Fits(decimal amount, string? currency) => !Currency.IsKnown(currency) || Currency.Fits(amount, currency!);

    static bool IsTaxRate(decimal rate) => rate is >= 0 and <= 1 && decimal.Round(rate, MaxTaxDecimals) == rate;

    static decimal Value(PlacedLine l, string? currency) =>
        l.Quantity > OrderLimits.MaxQuantity || l.UnitPrice > OrderLimits.MaxUnitPrice ? decimal.MaxValue
        : Currency.Round(l.UnitPrice * l.Quantity, currency ?? "");

    static ShippingChoice Shipping(Findings f, ShippingRequest? r, string? currency)
    {
        if (r is null) f.Add("shipping", "It is required.");
        else
        {
            f.Text("shipping.service", r.Service, MaxService);
            f.Amount("shipping.price", r.Price, currency, OrderLimits.MaxUnitPrice);
        }
        return new ShippingChoice(r?.Service ?? "", r?.Price ?? 0);
    }

    static PaymentTerms Payment(Findings f, PaymentRequest? r)
    {
        if (r is null)
        {
            f.Add("payment", "It is required.");
            return new PaymentTerms(default, default, null, null);
        }
        var method = f.Word("payment.method", r.Method, Methods);
        var isTerms = r.Method is not null && method == PaymentMethod.Terms;
        var status = f.Word("payment.status", r.Status, Known, isTerms ? PaymentReport.Pending : null);
        f.OptionalText("payment.reference", r.Reference, MaxReference);
        if (isTerms) f.Between("payment.days", r.Days, 1, MaxTermDays);
        else if (r.Days is not null) f.Add("payment.days", "Only terms have days.");
        return new PaymentTerms(method, status, r.Reference, r.Days);
    }
}
