using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Running;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// A database with many stocks that have a past: units came in, two orders took some and gave them back. And the same
/// number of AdoNet grains with what is left of that: their state. It is made once, through the grains, and copied.
/// </summary>
public static class ColdStore
{
    const int AtOnce = 256;

    /// <summary>Events of each stock.</summary>
    public const int EventsOfEach = 5;

    static int _made;

    /// <summary>Name of the database to copy.</summary>
    public const string Template = "oms_bench_cold_template";

    /// <summary>The key of the n-th stock, whose SKU is the load's n-th.</summary>
    public static string StockOf(int n) => Keys.OfStock(Requests.Warehouse, Requests.Sku(n));

    /// <summary>The key of the n-th AdoNet grain.</summary>
    public static string AdoNetOf(int n) => $"bench-cold-{n:D6}";

    /// <summary>Makes it if it is not there.</summary>
    public static async Task Make(Session session, int stocks)
    {
        if (_made == stocks) return;
        session.Say(FormattableString.Invariant($"{stocks:N0} stocks with {EventsOfEach} events each, and as many AdoNet grains …"));
        await session.Postgres.Create(Template);
        await using (var oms = await OmsInProcess.Start(session, session.Postgres.ConnectionTo(Template)))
        {
            var caller = new Caller("bench/fill", Caller.System);
            await oms.Grains.GetGrain<IWarehouseGrain>(Keys.Warehouse + Requests.Warehouse).Put(
                new WarehouseDetails(
                    "Bench", new Address("Bench", "1 Dock Road", null, "London", null, "E16 1AA", "GB"),
                    new GeoPoint(51.5, 0), IsActive: true), caller);
            await Callers.RunEach(AtOnce, stocks, n => oms.Grains.GetGrain<IProductGrain>(Keys.Product + Requests.Sku(n))
                .Put(new ProductDetails($"Product {n}", 250, null), caller));
            await Callers.RunEach(AtOnce, stocks, n => Live(oms.Grains.GetGrain<IStockGrain>(StockOf(n)), n));
            await Callers.RunEach(AtOnce, stocks, n => oms.Grains.GetGrain<IAdoNetStockGrain>(AdoNetOf(n)).Open(0));
            await session.Postgres.AwaitFollowers(Template, session.Cancel, TimeSpan.FromMinutes(15));
        }
        await session.Postgres.RunScript(Template, "vacuum analyze");
        _made = stocks;
    }

    static async Task Live(IStockGrain stock, int n)
    {
        await Do(new ReceiveStock($"fill/{n}", 1_000_000, "fill"));
        foreach (var order in new[] { $"{Keys.Order}cold-a-{n:D19}", $"{Keys.Order}cold-b-{n:D19}" })
        {
            await Do(new ReserveStock($"{order}/reserve", order, [new LineUnits(1, 1)]));
            await Do(new ReleaseStock($"{order}/back", order, [new LineUnits(1, 1)], "bench"));
        }

        async Task Do(StockCommand command)
        {
            var reply = await stock.Execute(command, Caller.System);
            if (reply.Rejection is { } no) throw new InvalidOperationException($"The stock refused: {no.Code}, {no.Detail}");
        }
    }
}
