using CsCheck;
using OrleansOms.Connectors.Channels.OnlineRetail;

namespace OrleansOms.Tests.Import;

public sealed class RetailFileTests
{
    const string Header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

    static RetailFile Read(string rows) => RetailFile.Read(new StringReader(Header + rows), out _)!;

    [Fact]
    public void Every_row_of_the_sample_is_in_an_order_or_left_out_with_its_reason()
    {
        var file = TestData.ReadSample();
        Assert.Equal(59, file.Rows);
        Assert.Equal(17, file.Orders.Count);
        Assert.Equal(34, file.Lines);
        Assert.Equal(file.Rows, file.Lines + file.LeftOut.Count);
        Assert.Equal(
            new Dictionary<LeftOutReason, int>
            {
                [LeftOutReason.Unreadable] = 10, [LeftOutReason.CreditNote] = 3, [LeftOutReason.NotAnInvoice] = 1,
                [LeftOutReason.QuantityNotPositive] = 3, [LeftOutReason.PriceNotPositive] = 4,
                [LeftOutReason.PriceTooFine] = 1, [LeftOutReason.UnknownCountry] = 3,
            },
            file.LeftOutCounts().OrderBy(c => c.Key).ToDictionary());
    }

    [Fact]
    public void The_totals_of_the_sample_are_right_to_the_penny() => Assert.Equal(
        [
            new("BH", 1, 1, 5, 12.75m), new("CY", 1, 1, 1, 2.55m), new("DE", 1, 2, 147, 157.68m),
            new("FR", 1, 2, 7, 22.05m), new("GB", 5, 19, 66, 198.34m), new("IE", 1, 2, 26, 69.40m),
            new("JE", 1, 1, 8, 54.00m), new("JP", 1, 1, 2, 2.30m), new("NL", 1, 1, 36, 28.44m),
            new("NO", 2, 2, 10, 11.00m), new("US", 1, 1, 100, 295.00m), new("ZA", 1, 1, 3, 9.75m),
        ],
        TestData.ReadSample().TotalsByCountry());

    [Fact]
    public void Rows_of_one_invoice_are_one_order_in_the_order_of_the_file_wherever_they_stand()
    {
        var order = TestData.ReadSample().Orders[0];
        Assert.Equal(("700001", "15001", "GB"), (order.Invoice, order.Customer, order.Country));
        Assert.Equal(["10001A", "10002", "10003", "10004", "10005"], order.Lines.Select(l => l.Sku));
    }

    [Fact]
    public void The_same_SKU_twice_in_an_invoice_is_two_lines()
    {
        var order = TestData.ReadSample().Orders.Single(o => o.Invoice == "700012");
        Assert.Equal(
            [new("10001A", 2, 2.55m), new("10001A", 3, 2.10m), new RetailLine("10001A", 2, 2.55m)], order.Lines);
    }

    [Fact]
    public void SKUs_that_differ_by_case_or_look_like_words_are_products_of_their_own()
    {
        var skus = TestData.ReadSample().Products.Select(p => p.Sku).ToList();
        Assert.Equal(
            ["10001A", "10002", "10003", "10004", "10005", "10006", "20007B", "20007b", "50% OFF?", "BANK CHARGES",
             "C2", "M", "POST", "m", "x/y"], skus);
    }

    [Fact]
    public void A_product_is_called_by_its_most_frequent_description_and_by_its_SKU_without_one()
    {
        var file = Read("""
            1,A,BIG,1,d,1.00,,Japan
            1,A,SMALL,1,d,1.00,,Japan
            1,A, SMALL ,1,d,1.00,,Japan
            1,B,TIE TWO,1,d,1.00,,Japan
            1,B,TIE ONE,1,d,1.00,,Japan
            1,C,,1,d,1.00,,Japan
            1,C,  ,1,d,1.00,,Japan
            """);
        Assert.Equal(["SMALL", "TIE ONE", "C"], file.Products.Select(p => p.Name));
        Assert.Equal([3, 2, 2], file.Products.Select(p => (int)p.Units));
    }

    [Fact]
    public void A_row_left_out_is_kept_as_it_stands_with_its_line()
    {
        var file = TestData.ReadSample();
        var credit = file.LeftOut[0];
        Assert.Equal(29, credit.Line);
        Assert.Equal(
            ["C700001", "10001A", "TIN LANTERN", "-1", "2010-12-01 08:26:00", "2.55", "15001.0", "United Kingdom"],
            credit.Fields);
        Assert.Equal(["700039,10001A,TIN LANTERN,1,2010-12-01 08:2"], file.LeftOut[^1].Fields);
        Assert.Equal(62, file.LeftOut[^1].Line);
    }

    [Theory]
    [InlineData("C1,A,x,-1,d,1,,Japan", LeftOutReason.CreditNote)]
    [InlineData("C1,A,x,many,d,free,,Nowhere", LeftOutReason.CreditNote)]
    [InlineData("A1,A,x,1,d,1,,Japan", LeftOutReason.NotAnInvoice)]
    [InlineData("\u0661,A,x,1,d,1,,Japan", LeftOutReason.NotAnInvoice)]
    [InlineData("1,A,x,0,d,0,,Japan", LeftOutReason.QuantityNotPositive)]
    [InlineData("1,A,x,1,d,0.000,,Japan", LeftOutReason.PriceNotPositive)]
    [InlineData("1,A,x,1,d,1.005,,Japan", LeftOutReason.PriceTooFine)]
    [InlineData("1,A,x,1,d,1,,", LeftOutReason.UnknownCountry)]
    [InlineData("1,A,x,1,d,1,,West Indies", LeftOutReason.UnknownCountry)]
    [InlineData("1,A,x,1.5,d,1,,Japan", LeftOutReason.Unreadable)]
    [InlineData("1,A,x,\"1,000\",d,1,,Japan", LeftOutReason.Unreadable)]
    [InlineData("1,A,x,1,d,1e3,,Japan", LeftOutReason.Unreadable)]
    [InlineData("1,A,x,1,d,NaN,,Japan", LeftOutReason.Unreadable)]
    [InlineData("1,A,x,1,d,79228162514264337593543950335,,Japan", LeftOutReason.Unreadable)]
    [InlineData("1,A,x,2147483648,d,1,,Japan", LeftOutReason.Unreadable)]
    [InlineData("1,A\u0000B,x,1,d,1,,Japan", LeftOutReason.Unreadable)]
    [InlineData("123456789012345678901,A,x,1,d,1,,Japan", LeftOutReason.Unreadable)]
    public void The_reason_fits_the_row(string row, LeftOutReason reason) =>
        Assert.Equal(reason, Assert.Single(Read(row).LeftOut).Reason);

    [Theory]
    [InlineData("", "The file has no header.")]
    [InlineData("\"open", "The file has no header.")]
    [InlineData("a,b\n1,2", "The file has no column InvoiceNo.")]
    [InlineData("InvoiceNo,StockCode,Description,Quantity,UnitPrice,CustomerID", "The file has no column Country.")]
    public void A_file_of_another_kind_is_told_by_what_it_lacks(string text, string fault)
    {
        Assert.Null(RetailFile.Read(new StringReader(text), out var told));
        Assert.Equal(fault, told);
    }

    [Fact]
    public void Columns_are_found_by_name_as_either_edition_spells_them()
    {
        var file = RetailFile.Read(new StringReader(
            "\uFEFFCountry,Invoice,StockCode,Description,Quantity,Price,Customer ID\nJapan,1,A,x,2,1.5,7\n"), out _)!;
        Assert.Equal(new CountryTotal("JP", 1, 1, 2, 3m), Assert.Single(file.TotalsByCountry()));
        Assert.Equal("7", file.Orders[0].Customer);
    }

    [Theory]
    [InlineData("EIRE", "IE")]
    [InlineData("United Kingdom", "GB")]
    [InlineData("Channel Islands", "JE")]
    [InlineData("USA", "US")]
    [InlineData("RSA", "ZA")]
    [InlineData("Czech Republic", "CZ")]
    [InlineData("Hong Kong", "HK")]
    [InlineData("Saudi Arabia", "SA")]
    [InlineData(" norway ", "NO")]
    [InlineData("Unspecified", null)]
    [InlineData("European Community", null)]
    public void Country_names_of_the_data_set_have_their_codes(string name, string? code) =>
        Assert.Equal(code, RetailCountries.CodeOf(name));

    [Fact]
    public void No_text_makes_it_throw_and_no_row_is_lost() =>
        Gen.String[Gen.Char["C12.,-\"\nAJapn\0\u20ac"], 0, 400].Sample(rows =>
        {
            var file = Read(rows);
            Assert.Equal(file.Rows, file.Lines + file.LeftOut.Count);
        });

    [Fact]
    public void Cutting_a_real_file_anywhere_changes_only_its_last_row()
    {
        var text = File.ReadAllText(TestData.Sample);
        Gen.Int[Header.Length, text.Length].Sample(length =>
        {
            var file = RetailFile.Read(new StringReader(text[..length]), out _)!;
            Assert.Equal(file.Rows, file.Lines + file.LeftOut.Count);
            Assert.InRange(file.Rows, 0, 60);
        });
    }
}
