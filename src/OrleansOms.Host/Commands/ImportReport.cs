using System.Globalization;
using System.Text;
using OrleansOms.Connectors.Channels.OnlineRetail;
using OrleansOms.Connectors.Csv;
using OrleansOms.Domain.Shared;
using OrleansOms.Postgres.Orders;

namespace OrleansOms.Host.Commands;

/// <summary>What the server did not take.</summary>
/// <param name="Kind">"product" or "order".</param>
/// <param name="Name">The SKU, or the invoice.</param>
public sealed record Refused(string Kind, string Name, ImportAnswer Answer);

/// <summary>What is told at the end of an import.</summary>
public static class ImportReport
{
    /// <summary>Name of the list of rows left out.</summary>
    public const string LeftOutFile = "online-retail-left-out.csv";
    /// <summary>Name of the list of products and orders refused.</summary>
    public const string RefusedFile = "online-retail-refused.csv";

    const int RefusedShown = 10;

    /// <summary>Writes the two lists in full into the folder, in place of those of an earlier run.</summary>
    public static void WriteLists(string folder, RetailFile file, IReadOnlyList<Refused> refused)
    {
        Directory.CreateDirectory(folder);
        var leftOut = file.LeftOut
            .Select(r => (string[])[Digits(r.Line), Words(r.Reason), .. r.Fields])
            .Prepend(["Line", "Reason", .. file.Header]);
        WriteCsv(Path.Combine(folder, LeftOutFile), leftOut);
        WriteCsv(Path.Combine(folder, RefusedFile), refused
            .Select(r => (string[])[r.Kind, r.Name, Digits(r.Answer.Status), r.Answer.Code ?? "", r.Answer.Detail ?? ""])
            .Prepend(["Kind", "Name", "Status", "Code", "Detail"]));
    }

    static void WriteCsv(string path, IEnumerable<string[]> lines) =>
        File.WriteAllLines(path, lines.Select(CsvReader.Line), new UTF8Encoding(false));

    /// <summary>Rows read, and where each of them went.</summary>
    public static void WriteRows(TextWriter output, RetailFile file, string folder)
    {
        output.WriteLine();
        output.WriteLine($"Rows of the file{Number(file.Rows),32}");
        output.WriteLine($"  order lines   {Number(file.Lines),32}   in {Number(file.Orders.Count)} orders");
        foreach (var (reason, count) in file.LeftOutCounts().OrderByDescending(c => c.Value).ThenBy(c => c.Key))
            output.WriteLine($"  left out      {Number(count),32}   {Words(reason)}");
        var sum = file.Lines + file.LeftOut.Count;
        output.WriteLine(sum == file.Rows
            ? $"  {Number(file.Lines)} + {Number(file.LeftOut.Count)} = {Number(file.Rows)}: every row is accounted for"
            : $"  {Number(file.Lines)} + {Number(file.LeftOut.Count)} is not {Number(file.Rows)}: rows are missing");
        if (file.LeftOut.Count > 0) output.WriteLine($"  each row left out: {Path.Combine(folder, LeftOutFile)}");
    }

    /// <summary>How many orders were here already, other than they were sent now.</summary>
    public static void WriteHere(TextWriter output, int orders)
    {
        if (orders == 0) return;
        output.WriteLine();
        output.WriteLine($"Here already: {Number(orders)} {(orders == 1 ? "order" : "orders")} with another address or "
            + "from another caller; each is kept as it was first placed, its address too.");
    }

    /// <summary>What the server did not take, by code, and the first of them.</summary>
    public static void WriteRefused(TextWriter output, IReadOnlyList<Refused> refused, string folder)
    {
        if (refused.Count == 0) return;
        output.WriteLine();
        foreach (var group in refused.GroupBy(r => (r.Kind, r.Answer.Code)).OrderByDescending(g => g.Count()))
            output.WriteLine($"Refused by the server: {Number(group.Count())} {group.Key.Kind}(s) with {group.Key.Code}");
        foreach (var r in refused.Take(RefusedShown))
            output.WriteLine($"  {r.Kind} {r.Name}: {r.Answer.Status} {r.Answer.Code} {r.Answer.Detail}");
        output.WriteLine($"  all of them: {Path.Combine(folder, RefusedFile)}");
    }

    /// <summary>File against read model, country by country. True if every figure is equal, to the penny.</summary>
    public static bool WriteSideBySide(
        TextWriter output, IReadOnlyList<CountryTotal> file, IReadOnlyList<StoredCountry> stored)
    {
        var left = file.ToDictionary(f => f.Country, StringComparer.Ordinal);
        var right = stored.ToDictionary(
            s => s.Country, AsTotal, StringComparer.Ordinal);
        output.WriteLine();
        output.WriteLine($"{"",-24}{"file",47}   {"stored",47}");
        output.WriteLine($"{"Country",-24}{Titles()}   {Titles()}");
        var areEqual = true;
        foreach (var country in left.Keys.Union(right.Keys).Order(StringComparer.Ordinal))
        {
            var none = new CountryTotal(country, 0, 0, 0, 0);
            areEqual &= WritePair(output, $"{country} {Countries.NameOf(country)}",
                left.GetValueOrDefault(country, none), right.GetValueOrDefault(country, none));
        }
        areEqual &= WritePair(output, "all", Sum(left.Values), Sum(right.Values));
        output.WriteLine();
        output.WriteLine(areEqual ? "File and stored orders are equal." : "FILE AND STORED ORDERS DIFFER.");
        return areEqual;
    }

    /// <summary>The file's side alone.</summary>
    public static void WriteFileSide(TextWriter output, IReadOnlyList<CountryTotal> file)
    {
        output.WriteLine();
        output.WriteLine($"{"Country",-24}{Titles()}");
        foreach (var total in file.Append(Sum(file)))
            output.WriteLine($"{Cut($"{total.Country} {Countries.NameOf(total.Country)}"),-24}{Figures(total)}");
    }

    /// <summary>Whether the read model shows exactly what the file says.</summary>
    public static bool AreEqual(IReadOnlyList<CountryTotal> file, IReadOnlyList<StoredCountry> stored) =>
        file.OrderBy(f => f.Country, StringComparer.Ordinal).SequenceEqual(
            stored.Select(AsTotal).OrderBy(s => s.Country, StringComparer.Ordinal));

    static CountryTotal AsTotal(StoredCountry s) => new(s.Country, s.Orders, s.Lines, s.Units, s.Value);

    static bool WritePair(TextWriter output, string name, CountryTotal file, CountryTotal stored)
    {
        var isEqual = file with { Country = "" } == stored with { Country = "" };
        output.WriteLine($"{Cut(name),-24}{Figures(file)} {(isEqual ? '=' : '≠')} {Figures(stored)}");
        return isEqual;
    }

    static CountryTotal Sum(IReadOnlyCollection<CountryTotal> all) => new(
        "all", all.Sum(t => t.Orders), all.Sum(t => t.Lines), all.Sum(t => t.Units), all.Sum(t => t.Value));

    static string Titles() => $"{"orders",8}{"lines",10}{"units",12}{RetailFile.Currency,17}";

    static string Figures(CountryTotal t) => string.Create(
        CultureInfo.InvariantCulture, $"{t.Orders,8:N0}{t.Lines,10:N0}{t.Units,12:N0}{t.Value,17:#,##0.00##}");

    static string Cut(string text) => text.Length <= 23 ? text : text[..23];

    static string Digits(int number) => number.ToString(CultureInfo.InvariantCulture);

    static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>The reason in words.</summary>
    public static string Words(LeftOutReason reason) => reason switch
    {
        LeftOutReason.Unreadable => "unreadable row",
        LeftOutReason.CreditNote => "credit note",
        LeftOutReason.NotAnInvoice => "invoice number not all digits",
        LeftOutReason.QuantityNotPositive => "quantity zero or below",
        LeftOutReason.PriceNotPositive => "price zero or below",
        LeftOutReason.PriceTooFine => "price finer than a penny",
        LeftOutReason.UnknownCountry => "unknown country",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, null),
    };
}
