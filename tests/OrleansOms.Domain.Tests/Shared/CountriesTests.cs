using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Tests.Shared;

public sealed class CountriesTests
{
    [Fact]
    public void There_are_249_codes_of_two_capitals_in_order_and_each_once()
    {
        Assert.Equal(249, Countries.Codes.Count);
        Assert.Equal(Countries.Codes.Distinct().Order(StringComparer.Ordinal), Countries.Codes);
        Assert.All(Countries.Codes, code => Assert.Matches("^[A-Z]{2}$", code));
    }

    [Fact]
    public void Each_country_has_a_name_of_its_own_and_a_centre_on_the_globe()
    {
        Assert.All(Countries.Codes, code =>
        {
            Assert.True(Countries.IsKnown(code));
            Assert.True(Text.IsPrintable(Countries.NameOf(code), 60));
            Assert.True(Countries.CentreOf(code)!.Value.IsValid);
        });
        Assert.Equal(249, Countries.Codes.Select(Countries.NameOf).Distinct().Count());
    }

    [Theory]
    [InlineData("GB", "United Kingdom", 53.5, -2.2, 200)]      // Manchester
    [InlineData("DE", "Germany", 50.9, 10.7, 100)]             // Gotha
    [InlineData("US", "United States", 39.1, -94.6, 400)]      // Kansas City
    [InlineData("IE", "Ireland", 53.4, -7.9, 60)]              // Athlone
    [InlineData("CY", "Cyprus", 35.17, 33.36, 40)]             // Nicosia
    [InlineData("BH", "Bahrain", 26.2, 50.6, 40)]              // Manama
    [InlineData("FR", "France", 47.1, 2.4, 100)]               // Bourges
    [InlineData("NL", "Netherlands", 52.1, 5.1, 60)]           // Utrecht
    [InlineData("JP", "Japan", 36.65, 138.2, 150)]             // Nagano
    [InlineData("AU", "Australia", -23.7, 133.9, 250)]         // Alice Springs
    [InlineData("BR", "Brazil", -15.8, -47.9, 900)]            // Brasília
    [InlineData("ZA", "South Africa", -29.1, 26.2, 150)]       // Bloemfontein
    [InlineData("JE", "Jersey", 49.2, -2.1, 20)]               // Saint Helier
    [InlineData("NZ", "New Zealand", -41.3, 174.8, 400)]       // Wellington
    [InlineData("FJ", "Fiji", -18.1, 178.4, 100)]              // Suva
    public void The_centre_lies_near_a_town_in_the_middle(string code, string name, double lat, double lon, double km)
    {
        Assert.Equal(name, Countries.NameOf(code));
        Assert.InRange(Countries.CentreOf(code)!.Value.KilometresTo(new GeoPoint(lat, lon)), 0, km);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("gb")]
    [InlineData("UK")]
    [InlineData("XX")]
    [InlineData("GBR")]
    [InlineData("EU")]
    public void What_is_not_an_assigned_code_is_not_known(string? code)
    {
        Assert.False(Countries.IsKnown(code));
        Assert.Null(Countries.CentreOf(code));
        Assert.Null(Countries.NameOf(code));
    }
}
