using OrleansOms.Connectors.Channels.OnlineRetail;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Sourcing;

namespace OrleansOms.Tests.Import;

/// <summary>A real shop's December 2010, where its file is there.</summary>
public sealed class DecemberTests
{
    static RetailFile File() => TestData.Read(TestData.Shared("online-retail", "2010-12.csv"));

    [Fact]
    public void Every_row_of_December_is_in_an_order_or_left_out()
    {
        var file = File();
        Assert.Equal(42_481, file.Rows);
        Assert.Equal(1_559, file.Orders.Count);
        Assert.Equal(41_480, file.Lines);
        Assert.Equal(
            new Dictionary<LeftOutReason, int>
            {
                [LeftOutReason.CreditNote] = 728, [LeftOutReason.QuantityNotPositive] = 70,
                [LeftOutReason.PriceNotPositive] = 203,
            },
            file.LeftOutCounts().OrderBy(c => c.Key).ToDictionary());
        Assert.Equal(42_481, file.Lines + file.LeftOutCounts().Values.Sum());
    }

    [Fact]
    public void December_comes_to_the_penny()
    {
        var file = File();
        var totals = file.TotalsByCountry();
        Assert.Equal((359_239, 823_746.14m), (totals.Sum(t => t.Units), totals.Sum(t => t.Value)));
        Assert.Equal(23, totals.Count);
        Assert.Contains(new CountryTotal("GB", 1_447, 39_224, 314_160, 748_268.98m), totals);
        Assert.Contains(new CountryTotal("IE", 17, 373, 5_770, 10_033.26m), totals);
        Assert.Contains(new CountryTotal("BH", 1, 1, 54, 205.74m), totals);
        Assert.Contains(file.Products, p => p.Sku == "84997b");
        Assert.Contains(file.Products, p => p.Sku == "84997B");
        Assert.Equal(2_788, file.Products.Count);
        Assert.All(file.Products, p => Assert.True(Text.IsPrintable(p.Name, 200)));
    }

    [Fact]
    public void Most_orders_of_December_fit_one_warehouse_some_must_split_and_nothing_is_missing()
    {
        var file = File();
        var stock = OpeningStock.Warehouses.ToDictionary(
            w => w.Code, w => OpeningStock.For(w.Code, file.Products).ToDictionary(l => l.Sku, l => l.Quantity));
        int whole = 0, split = 0, missing = 0;
        foreach (var order in file.Orders)
        {
            var demand = LineSplit.Demand(order.Lines.Select((l, i) => (i + 1, l.Sku, l.Quantity)));
            var plan = Sourcer.Plan(demand, Countries.CentreOf(order.Country),
                [.. OpeningStock.Warehouses.Select(w => new Candidate(w.Code, w.Location, stock[w.Code]))]);
            foreach (var units in plan.Units) stock[units.Warehouse][units.Sku] -= units.Quantity;
            missing += plan.Missing.Values.Sum();
            if (plan.Units.DistinctBy(u => u.Warehouse).Count() == 1) whole++; else split++;
        }
        Assert.Equal(0, missing);
        TestContext.Current.SendDiagnosticMessage($"{whole} orders from one warehouse, {split} split");
        Assert.True(whole > file.Orders.Count / 2, $"{whole} orders from one warehouse, {split} split");
        Assert.InRange(split, file.Orders.Count / 10, file.Orders.Count / 2);
    }
}
