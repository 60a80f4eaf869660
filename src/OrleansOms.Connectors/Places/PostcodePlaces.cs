using OrleansOms.Contracts.Catalogue;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Connectors.Places;

/// <summary>
/// Places from a folder of postcode files, held in memory at 16 bytes a postcode: sorted arrays of packed codes, so
/// that a prefix is a range. Without a folder it knows the centres of the countries only.
/// </summary>
public sealed class PostcodePlaces : IPlaces
{
    /// <summary>Postcodes that are kept at most (64 MB); rows beyond are skipped and counted.</summary>
    public const int MaxPostcodes = 4_000_000;

    /// <summary>A part of a code shorter than this says nothing: "M" would be a third of England.</summary>
    const int ShortestPart = 2;

    readonly Dictionary<string, CountryIndex> _countries;

    PostcodePlaces(Dictionary<string, CountryIndex> countries, int skipped)
    {
        _countries = countries;
        Skipped = skipped;
        Postcodes = countries.Values.Sum(c => c.Count);
    }

    /// <summary>Different postcodes in the index.</summary>
    public int Postcodes { get; }

    /// <summary>Rows that were malformed, or beyond <see cref="MaxPostcodes"/>.</summary>
    public int Skipped { get; }

    /// <summary>Bytes that the index takes.</summary>
    public long Bytes => Postcodes * 16L;

    /// <summary>Knows the centres of the countries only.</summary>
    public static PostcodePlaces CentresOnly { get; } = new([], 0);

    /// <summary>Reads the folder's files; null or a missing folder gives the centres only.</summary>
    /// <exception cref="IOException">A file that is there cannot be read.</exception>
    public static PostcodePlaces Load(string? folder) => From(PostcodeFile.In(folder).SelectMany(PostcodeFile.Read));

    /// <summary>Indexes these rows; null stands for a malformed one. Places of one code make their mean.</summary>
    public static PostcodePlaces From(IEnumerable<PostcodeRow?> rows)
    {
        var building = new Dictionary<string, Dictionary<ulong, Mean>>(StringComparer.Ordinal);
        int postcodes = 0, skipped = 0;
        foreach (var row in rows)
        {
            if (row is not { } r || PostcodeKey.Parse(r.Code) is not { Length: > 0 } key) { skipped++; continue; }
            if (!building.TryGetValue(r.Country, out var codes)) building[r.Country] = codes = [];
            if (codes.TryGetValue(key.Packed, out var mean)) codes[key.Packed] = mean.With(r.Point);
            else if (postcodes < MaxPostcodes) { codes[key.Packed] = default(Mean).With(r.Point); postcodes++; }
            else skipped++;
        }
        return new PostcodePlaces(
            building.ToDictionary(b => b.Key, b => new CountryIndex(b.Value), StringComparer.Ordinal), skipped);
    }

    /// <inheritdoc />
    public GeoPoint? Find(string country, string? postalCode)
    {
        if (postalCode is not null && _countries.TryGetValue(country, out var index))
        {
            var key = PostcodeKey.Parse(postalCode);
            if (index.Exact(key) is { } exact) return exact;
            // A full British code ends in a digit and two letters that no outward code may be mistaken for:
            // "BN9 1AA" is BN9, and not the large-user district BN91.
            if (country == "GB" && key.IsFullBritish) key = key.Part(key.Length - 3);
            for (; key.Length >= ShortestPart; key = key.Part(key.Length - 1))
                if ((index.Exact(key) ?? index.Under(key)) is { } found) return found;
        }
        return Countries.CentreOf(country);
    }

    /// <summary>A sum of points; longitudes count from the first, so that the date line does not matter.</summary>
    readonly record struct Mean(double Latitudes, double LongitudeOffsets, double First, int Count)
    {
        public Mean With(GeoPoint point) => Count == 0
            ? new Mean(point.Latitude, 0, point.Longitude, 1)
            : new Mean(Latitudes + point.Latitude, LongitudeOffsets + Turn(point.Longitude - First), First, Count + 1);

        public GeoPoint Point => new(Latitudes / Count, Turn(First + LongitudeOffsets / Count));

        static double Turn(double degrees) => degrees > 180 ? degrees - 360 : degrees < -180 ? degrees + 360 : degrees;
    }

    /// <summary>The postcodes of one country: codes in order, and beside them ten-thousandths of degrees.</summary>
    sealed class CountryIndex
    {
        readonly ulong[] _keys;
        readonly int[] _latitudes, _longitudes;

        public CountryIndex(Dictionary<ulong, Mean> codes)
        {
            _keys = [.. codes.Keys];
            Array.Sort(_keys);
            _latitudes = Array.ConvertAll(_keys, k => (int)Math.Round(codes[k].Point.Latitude * 1e4));
            _longitudes = Array.ConvertAll(_keys, k => (int)Math.Round(codes[k].Point.Longitude * 1e4));
        }

        public int Count => _keys.Length;

        public GeoPoint? Exact(PostcodeKey key)
        {
            var at = Array.BinarySearch(_keys, key.Packed);
            return at < 0 ? null : PointAt(at);
        }

        /// <summary>The mean of all codes that begin with this one; null if there is none.</summary>
        public GeoPoint? Under(PostcodeKey key)
        {
            var from = Array.BinarySearch(_keys, key.Packed);
            if (from < 0) from = ~from;
            var last = key.LastUnder;
            var mean = default(Mean);
            for (var i = from; i < _keys.Length && _keys[i] <= last; i++) mean = mean.With(PointAt(i));
            return mean.Count == 0 ? null : mean.Point;
        }

        GeoPoint PointAt(int at) => new(_latitudes[at] / 1e4, _longitudes[at] / 1e4);
    }
}
