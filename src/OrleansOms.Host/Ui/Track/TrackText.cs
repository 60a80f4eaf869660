using System.Globalization;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Host.Ui.Track;

/// <summary>Moments, money and places as the tracking page writes them. A small script shows moments in the viewer's zone.</summary>
static class TrackText
{
    static readonly CultureInfo English = CultureInfo.GetCultureInfo("en-GB");

    /// <summary>A day: "Friday 4 December", with its year where that is not this one.</summary>
    public static string Day(DateTimeOffset at, DateTimeOffset now) =>
        at.UtcDateTime.ToString(at.Year == now.Year ? "dddd d MMMM" : "dddd d MMMM yyyy", English);

    /// <summary>A day in short: "4 Dec".</summary>
    public static string ShortDay(DateTimeOffset at) => at.UtcDateTime.ToString("d MMM", English);

    /// <summary>A moment: "Fri 4 Dec, 10:02 UTC".</summary>
    public static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("ddd d MMM, HH:mm 'UTC'", English);

    /// <summary>A moment for machines.</summary>
    public static string Exact(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <summary>An amount with its currency: "22.31 GBP".</summary>
    public static string Money(decimal amount, string currency) =>
        $"{amount.ToString($"N{Currency.MinorUnits(currency)}", English)} {currency}";

    /// <summary>A country's name in English, or its code.</summary>
    public static string Country(string code)
    {
        try { return new RegionInfo(code).EnglishName; }
        catch (ArgumentException) { return code; }
    }

    /// <summary>An enum member as a name in a style sheet.</summary>
    public static string Css<T>(T member) where T : struct, Enum => member.ToString().ToLowerInvariant();
}
