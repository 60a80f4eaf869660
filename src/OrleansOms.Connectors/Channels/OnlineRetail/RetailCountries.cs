using System.Collections.Frozen;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Connectors.Channels.OnlineRetail;

/// <summary>
/// The country names of the data set. Most are the English names of ISO 3166; the others are listed here. Three name
/// no country, and their rows are left out: "European Community", "Unspecified" and "West Indies".
/// </summary>
public static class RetailCountries
{
    static readonly FrozenDictionary<string, string> Codes = Countries.Codes
        .Select(code => (Name: Countries.NameOf(code)!, Code: code))
        .Concat<(string Name, string Code)>(
        [
            ("EIRE", "IE"), ("USA", "US"), ("RSA", "ZA"), ("UK", "GB"), ("Great Britain", "GB"),
            // Jersey is the largest of them.
            ("Channel Islands", "JE"),
            ("Czech Republic", "CZ"), ("Korea", "KR"), ("South Korea", "KR"), ("Russia", "RU"), ("Turkey", "TR"),
            ("Vietnam", "VN"), ("Brunei", "BN"),
        ])
        .ToFrozenDictionary(c => c.Name, c => c.Code, StringComparer.OrdinalIgnoreCase);

    /// <summary>The ISO 3166-1 alpha-2 code for a name of the data set; null if it names no country.</summary>
    public static string? CodeOf(string name) => Codes.GetValueOrDefault(name.Trim());
}
