using System.Globalization;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Connectors.Channels.OnlineRetail;

/// <summary>Why a row of the file is no order line.</summary>
public enum LeftOutReason
{
    /// <summary>The row cannot be read: fields are missing, quotes do not close, a number is none.</summary>
    Unreadable = 0,
    /// <summary>The invoice starts with C: a credit note.</summary>
    CreditNote = 1,
    /// <summary>The invoice is not all digits, such as the A of an adjusted debt.</summary>
    NotAnInvoice = 2,
    /// <summary>The quantity is zero or below: a correction of the stock.</summary>
    QuantityNotPositive = 3,
    /// <summary>The price is zero or below: nothing was sold.</summary>
    PriceNotPositive = 4,
    /// <summary>The price is finer than a penny.</summary>
    PriceTooFine = 5,
    /// <summary>The country is none that we know, such as "Unspecified".</summary>
    UnknownCountry = 6,
}

/// <summary>A row that is no order line, as it stands in the file.</summary>
/// <param name="Line">The line of the file that it starts on, from 1.</param>
/// <param name="Fields">Its fields; of an unreadable row, its whole text as one.</param>
public sealed record LeftOutRow(int Line, LeftOutReason Reason, IReadOnlyList<string> Fields);

/// <summary>A row that is an order line.</summary>
/// <param name="Customer">Their number; null for a guest.</param>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
public readonly record struct RetailRow(
    string Invoice, string Sku, string Description, int Quantity, decimal UnitPrice, string? Customer, string Country)
{
    /// <summary>Dearest unit that is believed; a larger number is a mistake in the file.</summary>
    public const decimal MaxUnitPrice = 1_000_000_000m;

    const int MaxInvoice = 20;
    const int MaxCustomer = 20;

    /// <summary>Reads a row. Null and the reason if it is no order line. The first that holds is given.</summary>
    public static RetailRow? Read(IReadOnlyList<string> fields, RetailColumns columns, out LeftOutReason reason)
    {
        reason = LeftOutReason.Unreadable;
        if (fields.Count != columns.Count) return null;
        var invoice = fields[columns.Invoice].Trim();
        var sku = fields[columns.Sku].Trim();
        if (invoice.Length is 0 or > MaxInvoice || !Text.IsSku(sku)) return null;

        if (invoice[0] is 'C' or 'c') { reason = LeftOutReason.CreditNote; return null; }
        if (!IsDigits(invoice)) { reason = LeftOutReason.NotAnInvoice; return null; }
        if (!TryQuantity(fields[columns.Quantity], out var quantity)
            || !TryPrice(fields[columns.UnitPrice], out var price)
            || !TryCustomer(fields[columns.Customer], out var customer)) return null;
        if (quantity <= 0) { reason = LeftOutReason.QuantityNotPositive; return null; }
        if (price <= 0) { reason = LeftOutReason.PriceNotPositive; return null; }
        if (!Currency.Fits(price, RetailFile.Currency)) { reason = LeftOutReason.PriceTooFine; return null; }
        if (RetailCountries.CodeOf(fields[columns.Country]) is not { } country)
        {
            reason = LeftOutReason.UnknownCountry;
            return null;
        }
        return new RetailRow(invoice, sku, fields[columns.Description], quantity, price, customer, country);
    }

    static bool IsDigits(ReadOnlySpan<char> text) => text.IndexOfAnyExceptInRange('0', '9') < 0;

    static bool TryQuantity(string text, out int quantity) => int.TryParse(
        text, NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
        CultureInfo.InvariantCulture, out quantity);

    static bool TryPrice(string text, out decimal price) => decimal.TryParse(
        text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingWhite
            | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out price) && price <= MaxUnitPrice;

    /// <summary>Customer numbers stand as decimals ("17850.0"), because the column has blanks.</summary>
    static bool TryCustomer(string text, out string? customer)
    {
        var number = text.AsSpan().Trim();
        customer = null;
        if (number.IsEmpty) return true;
        if (number.EndsWith(".0")) number = number[..^2];
        if (number.Length is 0 or > MaxCustomer || !IsDigits(number)) return false;
        customer = number.ToString();
        return true;
    }
}

/// <summary>Which field of a row is which.</summary>
/// <param name="Count">Fields of a whole row.</param>
public sealed record RetailColumns(
    int Invoice, int Sku, int Description, int Quantity, int UnitPrice, int Customer, int Country, int Count)
{
    /// <summary>
    /// Finds the columns by their names, in any order, as the two editions of the data set spell them. Null and the
    /// name of the one that is missing otherwise.
    /// </summary>
    public static RetailColumns? FromHeader(IReadOnlyList<string> header, out string? missing)
    {
        var names = header.Select(h => h.Trim().Trim('\uFEFF').Replace(" ", "").ToUpperInvariant()).ToList();
        string? lacking = null;
        int Find(string name, string other)
        {
            var at = names.FindIndex(n => n == name.ToUpperInvariant() || n == other.ToUpperInvariant());
            if (at < 0) lacking ??= name;
            return at;
        }
        var columns = new RetailColumns(
            Find("InvoiceNo", "Invoice"), Find("StockCode", "StockCode"), Find("Description", "Description"),
            Find("Quantity", "Quantity"), Find("UnitPrice", "Price"), Find("CustomerID", "CustomerID"),
            Find("Country", "Country"), names.Count);
        missing = lacking;
        return missing is null ? columns : null;
    }
}
