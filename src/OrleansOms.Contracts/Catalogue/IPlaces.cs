using OrleansOms.Domain.Shared;

namespace OrleansOms.Contracts.Catalogue;

/// <summary>Where addresses lie, as finely as is known: used to find the nearest warehouse.</summary>
public interface IPlaces
{
    /// <summary>
    /// The place of a postcode; if it is not known, of the largest known part of it; else the centre of the country.
    /// Never throws.
    /// </summary>
    /// <param name="country">ISO 3166-1 alpha-2, capitals.</param>
    /// <param name="postalCode">As people write it: case and spaces do not matter.</param>
    /// <returns>Null if the country is not known either.</returns>
    GeoPoint? Find(string country, string? postalCode);
}
