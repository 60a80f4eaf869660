using System.Diagnostics;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;

namespace OrleansOms.Tests.ReadModel;

/// <summary>Measures; run by hand with <c>-explicit only</c>. Nothing here fails for being slow.</summary>
public sealed class ReadModelFigures(ITestOutputHelper output) : ReadModelTest
{
    const int Companies = 16;
    const int OrdersEach = 1250;

    [Fact(Explicit = true)]
    public async Task Speed_of_the_projection_and_of_the_lists()
    {
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Companies).Select(async c =>
        {
            string[] skus = [.. Enumerable.Range(0, 200).Select(s => $"{c:00}{s:000}")];
            var company = new Company(Log) { Now = Company.Monday.AddDays(c) };
            if (c == 0) await Company.Open("A");
            foreach (var sku in skus)
                await company.Append($"stk-LON/{sku}", new Domain.Stock.StockReceived(1_000_000, "opening"));
            await company.Play(OrdersEach, c, skus, 1 + c * OrdersEach);
        }));
        output.WriteLine($"{Companies * OrdersEach} orders appended in {watch.Elapsed.TotalSeconds:0.0} s");

        await Fold("cold");
        await Rows.Rebuild();
        await Fold("again");
        await Database.Execute("analyze");
        OrderFilter[] lists =
        [
            new(), new() { Statuses = [OrderStatus.Backordered] }, new() { Statuses = [OrderStatus.Delivered] },
            new() { Channel = "store" }, new() { Sku = "05005" }, new() { Q = "EXT-77" }, new() { Q = "jane" },
            new() { Q = "110500" }, new() { Sort = OrderSort.TotalDescending }, new() { Warehouse = "LON" },
        ];
        foreach (var list in lists) await Time(list);
    }

    async Task Fold(string how)
    {
        var watch = Stopwatch.StartNew();
        var events = await CatchUp();
        output.WriteLine($"projection, {how}: {events} events in {watch.Elapsed.TotalSeconds:0.0} s, "
            + $"{events / watch.Elapsed.TotalSeconds:0} a second");
    }

    async Task Time(OrderFilter filter)
    {
        var times = new List<double>();
        for (var i = 0; i < 50; i++)
        {
            var watch = Stopwatch.StartNew();
            await Orders.List(filter);
            times.Add(watch.Elapsed.TotalMilliseconds);
        }
        times.Sort();
        output.WriteLine($"{filter}: p50 {times[25]:0.0} ms, worst {times[^1]:0.0} ms");
    }
}
