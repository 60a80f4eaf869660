using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using OrleansOms.Connectors.Channels.OnlineRetail;
using OrleansOms.Connectors.Csv;
using OrleansOms.Host.Commands;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Import;

/// <summary>The import as its users run it, against the program as its users run it: both are processes of their own.</summary>
public sealed partial class RealImportTests(ITestOutputHelper output) : IAsyncLifetime
{
    /// <summary>Rows that are orders, and every kind of row that is none, of a shop of our own.</summary>
    const string Shop = """"
        InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
        810001,10001A,TIN LANTERN,6,2010-12-01 08:26:00,2.55,15001.0,United Kingdom
        810001,10004,"BOWL, BLUE, ""SMALL""",4,2010-12-01 08:26:00,3.25,15001.0,United Kingdom
        810001,POST,POSTAGE,1,2010-12-01 08:26:00,18,15001.0,United Kingdom
        C810001,10001A,TIN LANTERN,-1,2010-12-01 08:27:00,2.55,15001.0,United Kingdom
        810002,BANK CHARGES,Bank Charges,1,2010-12-01 08:28:00,15.13,,United Kingdom
        810002,10002,PAPER STAR,100,2010-12-01 08:28:00,0.85,,United Kingdom
        810003,10002,,-10,2010-12-01 08:29:00,0.0,,United Kingdom
        810004,10002,PAPER STAR,2,2010-12-01 08:30:00,0.0,,United Kingdom
        810005,10001A,TIN LANTERN,24,2010-12-01 08:31:00,2.1,15005.0,EIRE
        810005,10003,FREE GIFT,1,2010-12-01 08:31:00,0,15005.0,EIRE
        A810006,B,Adjust bad debt,1,2010-12-01 08:32:00,-11062.06,,United Kingdom
        810007,10002,PAPER STAR,144,2010-12-01 08:33:00,0.72,15007.0,Germany
        810007,10002,PAPER STAR,1,2010-12-01 08:33:00,0.85,15007.0,Germany
        810008,10002,PAPER STAR,3,2010-12-01 08:34:00,0.85,15008.0,Unspecified
        C810008,POST,POSTAGE,-1,2010-12-01 08:35:00,18,,Germany
        810009,10004,"BOWL, BLUE, ""SMALL""",-2,2010-12-01 08:36:00,3.25,15001.0,United Kingdom
        810010,10004,"BOWL, BLUE, ""SMALL""",3,2010-12-01 08:37:00,3.25,15010.0,France
        """";

    TestDatabase _database = null!;
    OmsProcess _program = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.Create();
        _program = new OmsProcess(_database.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        await _program.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Orders_and_rows_that_are_none_are_told_to_the_penny_and_each_with_its_reason()
    {
        await _program.Start();
        var said = await Import(Write("shop.csv", Shop), Postcodes("M9", "Manchester"));

        await AssertFigures(said);
        Assert.Equal(
            [new("DE", 1, 2, 145, 104.53m), new("FR", 1, 1, 3, 9.75m), new("GB", 2, 5, 112, 146.43m),
                new CountryTotal("IE", 1, 1, 24, 50.40m)],
            await ShopRows.Stored(_database));
        Assert.Equal(
            ["5,credit note", "8,quantity zero or below", "9,price zero or below", "11,price zero or below",
                "12,invoice number not all digits", "15,unknown country", "16,credit note", "17,quantity zero or below"],
            await ShopRows.LeftOut(_database));
        Assert.Equal(
            ["810001 M9 Manchester", "810002 M9 Manchester", "810005 - Ireland", "810007 - Germany", "810010 - France"],
            await Addresses());
    }

    [Fact]
    public async Task Run_again_with_other_postcodes_it_changes_nothing_and_says_that_the_orders_are_here()
    {
        await _program.Start();
        var file = Write("shop.csv", Shop);
        await Import(file, Postcodes("M9", "Manchester"));
        var addresses = await Addresses();

        var said = await Import(file, Postcodes("BN91", "Worthing"));
        await AssertFigures(said);
        Assert.Contains("Here already: 2 orders", said);
        Assert.Equal(addresses, await Addresses());
    }

    [Fact]
    public async Task A_real_December_is_told_to_the_penny_and_each_row_left_out_with_its_reason()
    {
        var file = TestData.Shared("online-retail", "2010-12.csv");
        var postcodes = TestData.Shared("postcodes");
        await _program.Start();
        var watch = Stopwatch.StartNew();
        var said = await Import(file, postcodes);
        output.WriteLine($"{said}\nDecember 2010 took {watch.Elapsed.TotalSeconds:N1} s, reconciliation included.");

        await AssertFigures(said);
        Assert.Contains(new CountryTotal("GB", 1_447, 39_224, 314_160, 748_268.98m), await ShopRows.Stored(_database));
    }

    async Task<string> Import(string file, string postcodes)
    {
        if (!await _database.Ask<bool>("select to_regclass('shop_row') is not null")) await ShopRows.Read(_database, file);
        var (code, said) = await _program.Run("import", "online-retail", file, "--postcodes", postcodes);
        Assert.True(code == ImportCommand.Equal, said);
        return said;
    }

    /// <summary>What the import said is what the file says and what is stored.</summary>
    async Task AssertFigures(string said)
    {
        var file = await ShopRows.Totals(_database);
        Assert.Equal(file, await ShopRows.Stored(_database));
        var (told, stored) = Told(said);
        CountryTotal all = new(
            "all", file.Sum(t => t.Orders), file.Sum(t => t.Lines), file.Sum(t => t.Units), file.Sum(t => t.Value));
        Assert.Equal([.. file, all], told);
        Assert.Equal([.. file, all], stored);
        Assert.Contains("File and stored orders are equal.", said);
        Assert.DoesNotContain("Refused", said);

        var leftOut = await ShopRows.LeftOut(_database);
        foreach (var reason in leftOut.GroupBy(r => r.Split(',')[1]))
            Assert.Matches($@"left out +{reason.Count():N0}   {reason.Key}", said);
        Assert.Contains(
            $"{all.Lines:N0} + {leftOut.Length:N0} = {await ShopRows.Count(_database):N0}: every row is accounted for", said);
        Assert.Equal(leftOut, Listed());
    }

    /// <summary>The two sides of the reconciliation as they are printed.</summary>
    static (CountryTotal[] File, CountryTotal[] Stored) Told(string said)
    {
        var rows = Pair().Matches(said);
        CountryTotal[] Side(string side) =>
        [
            .. rows.Select(r => new CountryTotal(
                r.Groups["country"].Value, (long)Figure(r, side, 0), (long)Figure(r, side, 1), (long)Figure(r, side, 2),
                Figure(r, side, 3))),
        ];
        return (Side("file"), Side("stored"));
    }

    static decimal Figure(Match row, string side, int column) => decimal.Parse(
        row.Groups[side].Captures[column].Value, NumberStyles.Number, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        @"^(?<country>[A-Z]{2}|all) \D*?(\s+(?<file>\d[\d,.]*)){4} =(\s+(?<stored>\d[\d,.]*)){4}\r?$",
        RegexOptions.Multiline)]
    private static partial Regex Pair();

    /// <summary>The list of rows left out: line of the file and reason.</summary>
    IEnumerable<string> Listed()
    {
        using var text = new StreamReader(Path.Combine(_program.Data, "import", ImportReport.LeftOutFile));
        var csv = new CsvReader(text);
        csv.Read(out _);
        while (csv.Read(out _)) yield return $"{csv.Fields[0]},{csv.Fields[1]}";
    }

    /// <summary>Each order's invoice, postcode and city.</summary>
    Task<string[]> Addresses() => _database.Ask<string[]>("""
        select array_agg(o.invoice || ' ' || coalesce(o.ship_to->>'postalCode', '-') || ' ' || (o.ship_to->>'city')
          order by o.invoice)
        from (select data->>'externalId' as invoice, data->'personal'->'shipTo' as ship_to
              from oms.event where type = 'order.placed.v1') o
        """);

    string Postcodes(string code, string place)
    {
        var folder = Path.Combine(_program.Data, $"postcodes-{code}");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "GB.csv"), $"""
            country_code,zipcode,place,state,state_code,province,province_code,community,community_code,latitude,longitude
            GB,{code},{place},England,ENG,,,,,53.5,-2.2
            """);
        return folder;
    }

    string Write(string name, string text)
    {
        var path = Path.Combine(_program.Data, name);
        File.WriteAllText(path, text);
        return path;
    }
}
