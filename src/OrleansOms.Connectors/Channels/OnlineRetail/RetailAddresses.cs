using OrleansOms.Connectors.Places;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Connectors.Channels.OnlineRetail;

/// <summary>
/// Gives the customers of the file, which knows their countries only, an address: a postcode and its place, chosen by
/// the customer's number (of a guest, by the invoice) among all of the country; where no postcode file of the country
/// is there, the country's name as city and no postcode.
/// </summary>
public sealed class RetailAddresses
{
    readonly record struct Town(string Code, string Place);

    readonly Dictionary<string, Town[]> _towns;

    RetailAddresses(Dictionary<string, Town[]> towns) => _towns = towns;

    /// <summary>Addresses without postcodes.</summary>
    public static RetailAddresses CountriesOnly { get; } = new([]);

    /// <summary>Reads the postcodes of these countries from a folder; null gives the countries only.</summary>
    /// <exception cref="IOException">A file that is there cannot be read.</exception>
    public static RetailAddresses Load(string? folder, IReadOnlySet<string> countries) =>
        From(PostcodeFile.In(folder).SelectMany(PostcodeFile.Read), countries);

    /// <summary>Keeps one place for each postcode: the choice must not depend on the order of files or rows.</summary>
    public static RetailAddresses From(IEnumerable<PostcodeRow?> rows, IReadOnlySet<string> countries)
    {
        var found = new Dictionary<string, SortedDictionary<string, string>>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (row is not { } r || !countries.Contains(r.Country)) continue;
            if (!Text.IsPrintable(r.Place, 100) || !Text.IsPrintable(r.Code, 20)) continue;
            if (!found.TryGetValue(r.Country, out var codes))
                found[r.Country] = codes = new SortedDictionary<string, string>(StringComparer.Ordinal);
            if (!codes.TryGetValue(r.Code, out var place) || string.CompareOrdinal(r.Place, place) < 0)
                codes[r.Code] = r.Place;
        }
        return new RetailAddresses(found.ToDictionary(
            f => f.Key, f => f.Value.Select(c => new Town(c.Key, c.Value)).ToArray(), StringComparer.Ordinal));
    }

    /// <summary>Where an order goes. The file has no streets.</summary>
    public Address Of(RetailOrder order)
    {
        var name = NameOf(order);
        if (!_towns.TryGetValue(order.Country, out var towns))
            return new Address(name, NoStreet, null, Countries.NameOf(order.Country)!, null, null, order.Country);
        var town = towns[FixedChoice.Of(order.Customer ?? order.Invoice) % (ulong)towns.Length];
        return new Address(name, NoStreet, null, town.Place, null, town.Code, order.Country);
    }

    /// <summary>What a person is called of whom only the number is known.</summary>
    public static string NameOf(RetailOrder order) => order.Customer is { } number ? $"Customer {number}" : "Guest";

    const string NoStreet = "Street not known";
}
