using Orleans;

namespace OrleansOms.Domain.Shared;

/// <summary>Who bought. Personal data.</summary>
[GenerateSerializer, Immutable, Alias("oms.Customer")]
public sealed record Customer(
    [property: Id(0)] string Name,
    [property: Id(1)] string? Email = null,
    [property: Id(2)] string? Phone = null);

/// <summary>A postal address. Personal data when it is a customer's.</summary>
/// <param name="Country">ISO 3166-1 alpha-2, capitals.</param>
[GenerateSerializer, Immutable, Alias("oms.Address")]
public sealed record Address(
    [property: Id(0)] string Name,
    [property: Id(1)] string Line1,
    [property: Id(2)] string? Line2,
    [property: Id(3)] string City,
    [property: Id(4)] string? Region,
    [property: Id(5)] string? PostalCode,
    [property: Id(6)] string Country,
    [property: Id(7)] string? Phone = null);

/// <summary>
/// The personal data of an event, in a member of its own so that it can be encrypted and erased without changing
/// what the rest of the event looks like. Null once erased.
/// </summary>
public sealed record PersonalData(Customer? Customer, Address? ShipTo);

/// <summary>A point on the Earth in decimal degrees (WGS 84).</summary>
[GenerateSerializer, Immutable, Alias("oms.GeoPoint")]
public readonly record struct GeoPoint([property: Id(0)] double Latitude, [property: Id(1)] double Longitude)
{
    const double EarthRadiusKm = 6371.0088;

    /// <summary>Great-circle distance in kilometres (haversine).</summary>
    public double KilometresTo(GeoPoint other)
    {
        var (lat1, lat2) = (double.DegreesToRadians(Latitude), double.DegreesToRadians(other.Latitude));
        var dLat = lat2 - lat1;
        var dLon = double.DegreesToRadians(other.Longitude - Longitude);
        var h = Math.Pow(Math.Sin(dLat / 2), 2) + Math.Cos(lat1) * Math.Cos(lat2) * Math.Pow(Math.Sin(dLon / 2), 2);
        return 2 * EarthRadiusKm * Math.Asin(Math.Min(1, Math.Sqrt(h)));
    }

    /// <summary>Whether both degrees are on the globe.</summary>
    public bool IsValid => Latitude is >= -90 and <= 90 && Longitude is >= -180 and <= 180;
}
