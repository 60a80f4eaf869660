using CsCheck;
using OrleansOms.Connectors.Places;
using OrleansOms.Domain.Shared;
using OrleansOms.Tests.Import;

namespace OrleansOms.Tests.Places;

public sealed class PostcodePlacesTests
{
    const string Header = "country_code,zipcode,place,state,state_code,province,province_code,community,community_code,latitude,longitude\n";

    static PostcodePlaces Csv(string rows) => PostcodePlaces.From(PostcodeFile.Read(new StringReader(Header + rows)));

    static readonly PostcodePlaces Small = Csv("""
        GB,BN9,Newhaven,England,ENG,,,,,50.79,0.05
        GB,BN91,Worthing,England,ENG,,,,,50.82,-0.38
        GB,M1,Manchester,England,ENG,,,,,53.48,-2.23
        GB,SW1A,London,England,ENG,,,,,51.50,-0.14
        GB,EC1,London,England,ENG,,,,,51.52,-0.10
        DE,10115,Berlin,Berlin,BE,,,,,52.53,13.38
        DE,10117,Berlin,Berlin,BE,,,,,52.51,13.40
        DE,80331,"München, Altstadt",Bayern,BY,,,,,48.13,11.57
        US,99501,Anchorage,Alaska,AK,,,,,61.21,-149.87
        FR,75001 CEDEX 01,Paris,IDF,11,,,,,48.86,2.34
        FJ,1000,West of the line,X,X,,,,,-17.0,179.8
        FJ,1000,East of the line,X,X,,,,,-17.0,-179.4
        """);

    [Theory]
    [InlineData("DE", "10115", 52.53, 13.38)]
    [InlineData("GB", "BN91", 50.82, -0.38)]          // the code itself
    [InlineData("GB", "BN9 1AA", 50.79, 0.05)]        // its outward code, not the longer prefix BN91
    [InlineData("GB", "bn9  1aa ", 50.79, 0.05)]
    [InlineData("GB", "BN91 3ZZ", 50.82, -0.38)]
    [InlineData("GB", "M1 1AE", 53.48, -2.23)]
    [InlineData("GB", "SW1A1AA", 51.50, -0.14)]
    [InlineData("GB", "EC1A 1BB", 51.52, -0.10)]      // a shorter part of the outward code
    [InlineData("GB", "SW1 1AA", 51.50, -0.14)]       // a longer code begins with it
    [InlineData("US", "99501-1234", 61.21, -149.87)]
    [InlineData("DE", "10119", 52.52, 13.39)]         // not there: between all that begin with 1011
    [InlineData("FR", "75001cedex01", 48.86, 2.34)]
    [InlineData("FJ", "1000", -17.0, -179.8)]         // between two places on both sides of the date line
    public void A_postcode_is_found_exactly_or_by_its_largest_known_part(string country, string code, double lat, double lon)
    {
        var point = Small.Find(country, code)!.Value;
        Assert.Equal(lat, point.Latitude, 0.001);
        Assert.Equal(lon, point.Longitude, 0.001);
    }

    [Theory]
    [InlineData("GB", "ZZ99 9ZZ")]
    [InlineData("GB", null)]
    [InlineData("GB", "")]
    [InlineData("GB", "  --- ")]
    [InlineData("GB", "M")]
    [InlineData("DE", "99999")]
    [InlineData("JP", "100-0001")]
    public void What_is_not_known_lies_at_the_centre_of_its_country(string country, string? code) =>
        Assert.Equal(Countries.CentreOf(country), Small.Find(country, code));

    [Theory]
    [InlineData("XX")]
    [InlineData("")]
    [InlineData("gb")]
    public void An_unknown_country_has_no_place(string country) => Assert.Null(Small.Find(country, "BN9 1AA"));

    [Fact]
    public void Several_places_of_one_code_make_their_mean()
    {
        var places = Csv("DE,1,A,,,,,,,50,10\nDE,1,B,,,,,,,51,11\nDE,1,C,,,,,,,52,12\n");
        Assert.Equal(new GeoPoint(51, 11), places.Find("DE", "1"));
        Assert.Equal(1, places.Postcodes);
    }

    [Fact]
    public void Rows_that_cannot_be_used_are_counted_and_never_thrown()
    {
        var places = Csv("""
            DE,10115,Berlin,,,,,,,52.53,13.38
            DE,10115
            XX,1,Nowhere,,,,,,,1,1
            DE,,Berlin,,,,,,,52.53,13.38
            DE,---,Berlin,,,,,,,52.53,13.38
            DE,10117,Berlin,,,,,,,north,13.38
            DE,10117,Berlin,,,,,,,NaN,13.38
            DE,10117,Berlin,,,,,,,91,13.38
            DE,10117,Berlin,,,,,,,52,181
            DE,10117,"Berlin,,,,,,,52,13
            """);
        Assert.Equal((1, 9), (places.Postcodes, places.Skipped));
    }

    [Fact]
    public void A_file_without_its_columns_is_skipped_row_by_row()
    {
        var places = PostcodePlaces.From(PostcodeFile.Read(new StringReader("a,b,c\n1,2,3\n4,5,6\n")));
        Assert.Equal((0, 2), (places.Postcodes, places.Skipped));
        Assert.Equal(0, PostcodePlaces.From(PostcodeFile.Read(new StringReader(""))).Postcodes);
    }

    [Fact]
    public void The_tab_separated_form_without_a_header_is_read_too()
    {
        var places = PostcodePlaces.From(PostcodeFile.Read(new StringReader(
            "NL\t9401\tAssen\tDrenthe\t01\tAssen\t0106\t\t\t52.9939\t6.5625\t4\nNL\t9402\tAssen\tDrenthe\t01\tAssen\t0106\t\t\t53.004\t6.559\t4\n")));
        Assert.Equal((2, 0), (places.Postcodes, places.Skipped));
        Assert.Equal(new GeoPoint(53.004, 6.559), places.Find("NL", "9402 AB"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("/there/is/no/such/folder")]
    public void Without_a_folder_the_centres_are_known(string? folder) =>
        Assert.Equal(Countries.CentreOf("GB"), PostcodePlaces.Load(folder).Find("GB", "BN9 1AA"));

    [Fact]
    public void No_text_makes_it_throw()
    {
        Gen.Select(Gen.Int[0, 3].Select(i => new[] { "GB", "DE", "XX", "" }[i]), Gen.String).Sample((country, code) =>
            Assert.Equal(Countries.IsKnown(country), Small.Find(country, code) is { IsValid: true }));
        Gen.String[Gen.Char["GBDE1,.\"\n\t\0"], 0, 200].Sample(rows => { Csv(rows); });
    }

    [Fact]
    public void Six_countries_take_little_memory_and_their_codes_are_found()
    {
        var folder = TestData.Shared("postcodes");
        var places = PostcodePlaces.Load(folder);
        TestContext.Current.SendDiagnosticMessage(
            $"{places.Postcodes} postcodes, {places.Skipped} rows skipped, {places.Bytes} bytes");
        Assert.InRange(places.Postcodes, 70_000, 100_000);
        Assert.InRange(places.Bytes, 1, 2_000_000);
        Assert.InRange(places.Find("GB", "BN9 1AA")!.Value.KilometresTo(new GeoPoint(50.79, 0.05)), 0, 15);
        Assert.InRange(places.Find("GB", "SW1A 1AA")!.Value.KilometresTo(new GeoPoint(51.5, -0.14)), 0, 5);
        Assert.InRange(places.Find("DE", "10115")!.Value.KilometresTo(new GeoPoint(52.53, 13.38)), 0, 10);
        Assert.InRange(places.Find("US", "10001")!.Value.KilometresTo(new GeoPoint(40.75, -74.0)), 0, 10);
        Assert.InRange(places.Find("IE", "D02 AF30")!.Value.KilometresTo(new GeoPoint(53.34, -6.25)), 0, 20);
    }
}
