using OrleansOms.Contracts.Shipments;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Tests.ReadModel;

public sealed class ShipmentListTests : ReadModelTest
{
    protected override async Task Prepare()
    {
        await Company.Open("a1", "A1");
        for (var n = 1; n <= 12; n++)
        {
            var id = Company.OrderId(n);
            Company.Now += TimeSpan.FromMinutes(n % 3); // some are made at one moment
            await Company.Place(Company.Request(n, lines: (n % 2 == 0 ? "a1" : "A1", n)), id, n % 4 == 0 ? "MAN" : "LON");
            if (n <= 4) await Company.Do(id, new ReleaseToWarehouses());
            if (n is > 4 and <= 8) await Company.Ship(id);
            if (n > 8) await Company.Ship(id, deliver: true);
            if (n is > 5 and <= 8) await Company.Do(Keys.OfShipment(id, 1), new CheckTracking(TimeSpan.Zero));
            if (n == 7) await Company.Do(Keys.OfShipment(id, 1), new RecordTracking(ShipmentStatus.InTransit, "Depot", "Leeds", Company.Now, "e-1"));
        }
        await CatchUp();
    }

    [Fact]
    public async Task Each_filter_lets_through_what_it_says_oldest_first()
    {
        await Finds(new(), _ => true);
        await Finds(new() { Warehouse = "MAN" }, s => s.Warehouse == "MAN");
        await Finds(new() { Warehouse = "NONE" }, _ => false);
        await Finds(new() { Warehouse = "a'%\0" }, _ => false);
        await Finds(new() { Statuses = [ShipmentStatus.Released] }, s => s.Status == ShipmentStatus.Released);
        await Finds(new() { Warehouse = "LON", Statuses = [ShipmentStatus.Delivered, ShipmentStatus.Released] },
            s => s is { Warehouse: "LON", Status: ShipmentStatus.Delivered or ShipmentStatus.Released });
        await Finds(new() { OrderId = Company.OrderId(5) }, s => s.OrderId == Company.OrderId(5));
        await Finds(new() { OrderId = Company.OrderId(5), Warehouse = "MAN" }, _ => false);
        await Finds(new() { OrderId = "ord-x" }, _ => false);
        await Finds(new() { HasAlarm = true }, s => s.OrderId == Company.OrderId(6) || s.OrderId == Company.OrderId(8));
        await Finds(new() { HasAlarm = true, Warehouse = "MAN", Statuses = [ShipmentStatus.Shipped] }, s => s.OrderId == Company.OrderId(8));
    }

    [Fact]
    public async Task What_left_since_a_moment_is_counted_and_the_last_ones_are_named_and_the_very_last_told_whole()
    {
        ShipmentView[] left = [.. Company.Shipments.Values.Select(ShipmentView.Of).Where(s => s is { Warehouse: "LON", ShippedAt: not null })
            .OrderByDescending(s => s.ShippedAt).ThenBy(s => s.Id, StringComparer.Ordinal)];
        var since = left[^2].ShippedAt!.Value;
        var counted = left.Count(s => s.ShippedAt >= since);
        var (total, last) = await Shipments.Departures("LON", since, named: 3, whole: 2);
        Assert.Equal(counted, total);
        Assert.Equal(left.Take(3).Select(s => (s.Id, s.OrderNumber, s.TrackingNumber)), last.Select(d => (d.Id, d.OrderNumber, d.TrackingNumber)));
        AssertSame(left.Take(2), last.Select(d => d.View).OfType<ShipmentView>());
        Assert.Equal(0, (await Shipments.Departures("NONE", since, named: 3, whole: 2)).Total);
    }

    [Fact]
    public async Task Stocks_come_by_warehouse_and_sku_and_are_found_by_their_products()
    {
        List<StockView> all = [.. Company.Stocks.Values.Select(StockView.Of)];
        foreach (var limit in new[] { 1, 2, 200 })
        {
            AssertSame(all, await Pages(null, null, limit));
            AssertSame(all.Where(s => s.Warehouse == "MAN"), await Pages("MAN", null, limit));
            AssertSame(all, await Pages(null, "pRoDuCt", limit));
            AssertSame(all, await Pages(null, "a1", limit));
            AssertSame(all.Where(s => s.Warehouse == "LON"), await Pages("LON", " A1 ", limit));
        }
        Assert.Empty(await Pages(null, "nothing like it", 10));

        async Task<List<StockView>> Pages(string? warehouse, string? q, int limit)
        {
            var found = new List<StockView>();
            for (string? cursor = null; ;)
            {
                var page = await Stocks.List(new() { Warehouses = warehouse is null ? null : [warehouse], Q = q }, limit, cursor);
                found.AddRange(page.Items);
                if ((cursor = page.NextCursor) is null) return found;
            }
        }
    }

    async Task Finds(ShipmentFilter filter, Func<ShipmentView, bool> isWanted)
    {
        var expected = Company.Shipments.Values.Select(ShipmentView.Of).Where(isWanted)
            .OrderBy(s => s.CreatedAt).ThenBy(s => s.Id, StringComparer.Ordinal).ToList();
        foreach (var limit in new[] { 1, 5, 200 })
        {
            var found = new List<ShipmentView>();
            for (string? cursor = null; ;)
            {
                var page = await Shipments.List(filter with { Limit = limit, Cursor = cursor });
                found.AddRange(page.Items);
                if ((cursor = page.NextCursor) is null) break;
            }
            AssertSame(expected, found);
        }
    }
}
