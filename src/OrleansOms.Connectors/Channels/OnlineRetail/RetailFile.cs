using System.Text;
using OrleansOms.Connectors.Csv;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Connectors.Channels.OnlineRetail;

/// <summary>One order line: one row of the file.</summary>
public readonly record struct RetailLine(string Sku, int Quantity, decimal UnitPrice);

/// <summary>One invoice: the rows with its number, in the order of the file.</summary>
/// <param name="Customer">Their number; null for a guest. That of the first row, as is the country.</param>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
public sealed record RetailOrder(string Invoice, string? Customer, string Country, IReadOnlyList<RetailLine> Lines);

/// <summary>A product that was sold.</summary>
/// <param name="Name">Its most frequent description; the SKU if it has none.</param>
/// <param name="Units">Units over all orders.</param>
public sealed record RetailProduct(string Sku, string Name, long Units);

/// <summary>What the orders of one country come to.</summary>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
/// <param name="Value">Of the goods, in the file's currency.</param>
public sealed record CountryTotal(string Country, long Orders, long Lines, long Units, decimal Value);

/// <summary>
/// A file of the "online retail" form: a British shop's invoices, one row a line, each with its customer and country.
/// Every row is in an order or is left out with a reason.
/// </summary>
/// <param name="Rows">Rows read, without the header and empty lines.</param>
/// <param name="Header">The names of the columns.</param>
/// <param name="Orders">In the order in which their first lines stand in the file.</param>
/// <param name="Products">By SKU.</param>
/// <param name="LeftOut">In the order of the file.</param>
public sealed record RetailFile(
    int Rows, IReadOnlyList<string> Header, IReadOnlyList<RetailOrder> Orders, IReadOnlyList<RetailProduct> Products,
    IReadOnlyList<LeftOutRow> LeftOut)
{
    /// <summary>The shop's prices are in pounds.</summary>
    public const string Currency = "GBP";

    const int MaxName = 200;

    /// <summary>Reads it all. Null and a sentence if it is not such a file; no content makes it throw.</summary>
    public static RetailFile? Read(TextReader text, out string? fault)
    {
        fault = null;
        var csv = new CsvReader(text);
        if (!csv.Read(out var first) || first.IsBroken) { fault = "The file has no header."; return null; }
        string[] header = [.. csv.Fields];
        header[0] = header[0].TrimStart('\uFEFF');
        if (RetailColumns.FromHeader(header, out var missing) is not { } columns)
        {
            fault = $"The file has no column {missing}.";
            return null;
        }
        var reading = new Reading();
        while (csv.Read(out var record)) reading.Take(record, csv.Fields, columns);
        return reading.Finish(header);
    }

    /// <summary>Order lines.</summary>
    public long Lines => Orders.Sum(o => (long)o.Lines.Count);

    /// <summary>What the orders come to, by country, in the order of the codes.</summary>
    public IReadOnlyList<CountryTotal> TotalsByCountry() =>
        [.. Orders.GroupBy(o => o.Country, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new CountryTotal(
                g.Key, g.LongCount(), g.Sum(o => (long)o.Lines.Count), g.Sum(o => o.Lines.Sum(l => (long)l.Quantity)),
                g.Sum(o => o.Lines.Sum(l => l.Quantity * l.UnitPrice))))];

    /// <summary>How many rows were left out, by reason.</summary>
    public IReadOnlyDictionary<LeftOutReason, int> LeftOutCounts() =>
        LeftOut.GroupBy(r => r.Reason).ToDictionary(g => g.Key, g => g.Count());

    /// <summary>What is gathered while the rows go by, in whatever order they come.</summary>
    sealed class Reading
    {
        readonly Dictionary<string, (RetailRow First, List<RetailLine> Lines)> _orders = new(StringComparer.Ordinal);
        readonly List<string> _invoices = [];
        readonly Dictionary<string, Sold> _sold = new(StringComparer.Ordinal);
        readonly List<LeftOutRow> _leftOut = [];
        int _rows;

        public void Take(CsvRecord record, IReadOnlyList<string> fields, RetailColumns columns)
        {
            _rows++;
            var reason = LeftOutReason.Unreadable;
            var row = record.IsBroken ? null : RetailRow.Read(fields, columns, out reason);
            if (row is { } line) Take(line);
            else
                _leftOut.Add(new LeftOutRow(
                    record.Line, reason, reason == LeftOutReason.Unreadable ? [record.Raw] : [.. fields]));
        }

        void Take(RetailRow row)
        {
            // The SKU of its first row stands for all: a file has few SKUs and many rows.
            if (!_sold.TryGetValue(row.Sku, out var sold)) _sold[row.Sku] = sold = new Sold(row.Sku);
            sold.Units += row.Quantity;
            sold.Count(row.Description);
            if (!_orders.TryGetValue(row.Invoice, out var order))
            {
                _orders[row.Invoice] = order = (row, []);
                _invoices.Add(row.Invoice);
            }
            order.Lines.Add(new RetailLine(sold.Sku, row.Quantity, row.UnitPrice));
        }

        RetailOrder Order(string invoice)
        {
            var (first, lines) = _orders[invoice];
            return new RetailOrder(invoice, first.Customer, first.Country, lines);
        }

        public RetailFile Finish(string[] header) => new(
            _rows, header,
            [.. _invoices.Select(Order)],
            [.. _sold.Values.OrderBy(s => s.Sku, StringComparer.Ordinal)
                .Select(s => new RetailProduct(s.Sku, s.Name(), s.Units))],
            _leftOut);
    }

    sealed class Sold(string sku)
    {
        readonly Dictionary<string, int> _descriptions = new(StringComparer.Ordinal);

        public string Sku { get; } = sku;
        public long Units { get; set; }

        public void Count(string description)
        {
            if (string.IsNullOrWhiteSpace(description)) return;
            _descriptions[description] = _descriptions.GetValueOrDefault(description) + 1;
        }

        /// <summary>The most frequent description; among equals the first by its characters.</summary>
        public string Name() => _descriptions
            .GroupBy(d => Tidy(d.Key), d => d.Value, StringComparer.Ordinal)
            .Where(g => Text.IsPrintable(g.Key, MaxName))
            .OrderByDescending(g => g.Sum()).ThenBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => g.Key).FirstOrDefault(Sku);

        /// <summary>One line without blanks at its ends, cut to the longest name.</summary>
        static string Tidy(string description)
        {
            var text = new StringBuilder(description.Length);
            foreach (var word in description.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
                text.Append(text.Length == 0 ? "" : " ").Append(word);
            return text.Length <= MaxName ? text.ToString() : text.ToString(0, MaxName).TrimEnd();
        }
    }
}
