using System.Collections.Frozen;

namespace OrleansOms.Domain.Shared;

/// <summary>
/// The countries of ISO 3166-1 with their English short names and about where they lie. The centre serves to find the
/// nearest warehouse when no finer place is known; it is good to some hundred kilometres.
/// </summary>
public static class Countries
{
    static readonly FrozenDictionary<string, Country> ByCode =
        CountryTable.Rows.ToFrozenDictionary(c => c.Code, StringComparer.Ordinal);

    /// <summary>Every officially assigned alpha-2 code, in order.</summary>
    public static IReadOnlyList<string> Codes { get; } = [.. CountryTable.Rows.Select(c => c.Code)];

    /// <summary>Whether <paramref name="code"/> is an officially assigned alpha-2 code, in capitals.</summary>
    public static bool IsKnown(string? code) => code is not null && ByCode.ContainsKey(code);

    /// <summary>About the middle of the country's land; null for a code that is not known.</summary>
    public static GeoPoint? CentreOf(string? code) =>
        code is not null && ByCode.TryGetValue(code, out var country) ? country.Centre : null;

    /// <summary>The English short name; null for a code that is not known.</summary>
    public static string? NameOf(string? code) =>
        code is not null && ByCode.TryGetValue(code, out var country) ? country.Name : null;
}
