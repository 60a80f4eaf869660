using System.Globalization;
using System.Text;
using OrleansOms.Connectors.Csv;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Connectors.Places;

/// <summary>One postcode of a country and a place that has it. A postcode may have several.</summary>
/// <param name="Country">ISO 3166-1 alpha-2, capitals.</param>
/// <param name="Code">As the file writes it.</param>
public readonly record struct PostcodeRow(string Country, string Code, string Place, GeoPoint Point);

/// <summary>
/// Reads postcode files in the two forms in which GeoNames data is passed around: comma-separated with a header
/// (<c>country_code,zipcode,place,…,latitude,longitude</c>), and tab-separated without one (country, code, place,
/// three pairs of regions, latitude, longitude, accuracy).
/// </summary>
public static class PostcodeFile
{
    sealed record Columns(int Country, int Code, int Place, int Latitude, int Longitude)
    {
        public static Columns TabSeparated { get; } = new(0, 1, 2, 9, 10);
        public int Last => Math.Max(Math.Max(Country, Code), Math.Max(Place, Math.Max(Latitude, Longitude)));
    }

    /// <summary>The postcode files of a folder in the order of their names; none if there is no such folder.</summary>
    public static IReadOnlyList<string> In(string? folder)
    {
        if (folder is null || !Directory.Exists(folder)) return [];
        return [.. Directory.EnumerateFiles(folder)
            .Where(f => Path.GetExtension(f).ToUpperInvariant() is ".CSV" or ".TXT")
            .Order(StringComparer.Ordinal)];
    }

    /// <summary>The rows of one file; null stands for a row that cannot be used.</summary>
    public static IEnumerable<PostcodeRow?> Read(string path)
    {
        using var text = new StreamReader(path, Encoding.UTF8);
        foreach (var row in Read(text)) yield return row;
    }

    /// <summary>The rows of one file; null stands for a row that cannot be used.</summary>
    public static IEnumerable<PostcodeRow?> Read(TextReader text)
    {
        var first = text.ReadLine();
        if (first is null) yield break;
        var isTabbed = first.Contains('\t');
        // The first line says which form it is; of the tabbed form it is a row itself.
        var columns = isTabbed ? Columns.TabSeparated : FromHeader(first);
        if (isTabbed) yield return Parse(first.Split('\t'), columns!);
        var csv = new CsvReader(text, isTabbed ? '\t' : ',');
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        while (csv.Read(out var record))
            yield return record.IsBroken || columns is null ? null : Parse(csv.Fields, columns, names);
    }

    static Columns? FromHeader(string header)
    {
        var names = header.TrimStart('\uFEFF').Split(',').Select(n => n.Trim().Trim('"').ToLowerInvariant()).ToList();
        var columns = new Columns(
            names.IndexOf("country_code"), names.FindIndex(n => n is "zipcode" or "postal_code"),
            names.FindIndex(n => n is "place" or "place_name"), names.IndexOf("latitude"), names.IndexOf("longitude"));
        var isWhole = columns is { Country: >= 0, Code: >= 0, Place: >= 0, Latitude: >= 0, Longitude: >= 0 };
        return isWhole ? columns : null;
    }

    static PostcodeRow? Parse(IReadOnlyList<string> fields, Columns columns, Dictionary<string, string>? names = null)
    {
        if (fields.Count <= columns.Last) return null;
        var country = fields[columns.Country];
        var code = fields[columns.Code].Trim();
        if (!Countries.IsKnown(country) || code.Length is 0 or > 32) return null;
        if (!TryDegrees(fields[columns.Latitude], out var latitude)
            || !TryDegrees(fields[columns.Longitude], out var longitude)) return null;
        var point = new GeoPoint(latitude, longitude);
        if (!point.IsValid) return null;
        if (names is not null && !names.TryAdd(country, country)) country = names[country];
        return new PostcodeRow(country, code, fields[columns.Place].Trim(), point);
    }

    static bool TryDegrees(string text, out double degrees) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out degrees)
        && double.IsFinite(degrees);
}
