using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Contracts.Log;
using OrleansOms.Postgres.Laws;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Log;

/// <summary>The whole program with its lists in one database and two logs in two others.</summary>
public sealed class TwoLogsTests : IAsyncLifetime
{
    static readonly string[] Followers = ["read-model", "fulfilment", "backorders", "reservation-watch", "law-watch"];

    TestDatabase _orders = null!, _stocks = null!;
    OmsApp _app = null!;

    public async ValueTask InitializeAsync()
    {
        _orders = await TestDatabase.Create(migrated: false);
        _stocks = await TestDatabase.Create(migrated: false);
        _app = await OmsApp.Start(("Oms:Logs", $"{_orders.ConnectionString} | {_stocks.ConnectionString}"));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _orders.DisposeAsync();
        await _stocks.DisposeAsync();
    }

    [Fact]
    public async Task Orders_are_placed_shipped_listed_and_seen_over_two_logs_and_a_restart_reads_on()
    {
        string[] skus = [.. await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => _app.NewProduct(40)))];
        var late = await _app.NewProduct();
        var external = Api.Order((skus[0], 1), (skus[1], 2), (skus[2], 1));
        var first = await _app.Api.Place(external);
        var again = await _app.Api.Post("/api/v1/orders", external.DeepClone(), Api.NewKey());
        Assert.Equal((409, "duplicate_order"), (again.Status, again.Code));

        var waits = await _app.Api.Place(Api.Order((late, 2), (skus[3], 1)));
        await using (var client = await LiveClient.Connect(_app.Url, OmsApp.BootstrapKey))
        {
            await client.Call("WatchOrder", first.Id());
            await PlaceAndShip(skus, 12);
            await _app.Ship(first);
            await LiveApp.Until(() => client.Heard.Any(h => h.What == "orderChanged" && Status(h.Value) == "shipped"));
            Assert.Equal(client.Versions().Order(), client.Versions());
        }
        await HoldsAndIsListed(orders: 14, shipped: 13);

        await _app.Restart();
        await PlaceAndShip(skus, 4);
        await _app.Receive("LON", late, 2); // in the one log, for an order that waits in the other
        await OmsApp.Until(() => _app.Read(waits), o => Status(o) == "inFulfilment");
        await _app.CancelOne(waits, lineId: 2);
        await HoldsAndIsListed(orders: 18, shipped: 17);
    }

    [Fact]
    public async Task A_follower_that_has_read_what_a_log_has_lost_misses_nothing_that_comes_in_its_place()
    {
        string[] skus = [.. await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => _app.NewProduct(40)))];
        await PlaceAndShip(skus, 2);
        await HoldsAndIsListed(orders: 2, shipped: 2);
        // The database of the lists is as it was; in those of the logs other transactions will have these numbers.
        Assert.Equal(2, await _app.Database.Ask<long>("""
            with moved as (
              update oms.checkpoint set transaction = transaction + 100000 where follower in ('fulfilment', 'fulfilment/1') returning 1)
            select count(*) from moved
            """));

        await _app.Restart();
        await PlaceAndShip(skus, 2);
        await HoldsAndIsListed(orders: 4, shipped: 4);
    }

    [Fact]
    public async Task Another_number_of_logs_is_refused_at_the_start()
    {
        _app.Settings["Oms:Logs"] = _orders.ConnectionString;
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => _app.Restart());
        Assert.Contains("born with 2 logs", refusal.Message);

        _app.Settings["Oms:Logs"] = "";
        await Assert.ThrowsAsync<InvalidOperationException>(() => _app.Restart());
    }

    Task PlaceAndShip(string[] skus, int orders) => Parallel.ForAsync(0, orders, async (i, _) =>
    {
        var order = await _app.Api.Place(Api.Order(
            (skus[i % skus.Length], 2), (skus[(i + 1) % skus.Length], 1), (skus[(i + 3) % skus.Length], 1)));
        await _app.Ship(order);
    });

    /// <summary>Every follower has read both logs, every law holds over them, and the lists say how many orders are shipped.</summary>
    async Task HoldsAndIsListed(int orders, int shipped)
    {
        var log = _app.Services.GetRequiredService<IEventLog>();
        var checkpoints = _app.Services.GetRequiredService<ICheckpoints>();
        await OmsApp.Until(
            async () =>
            {
                var (all, complete, end) = (Checkpoint.Start, Checkpoint.Start, await log.Now());
                while (!complete.Covers(end))
                {
                    var batch = await log.ReadAll(all, 1000);
                    (all, complete) = (batch.Through, batch.Complete);
                }
                var read = await Task.WhenAll(Followers.Select(checkpoints.Load));
                return read.Count(r => r.Covers(all));
            },
            n => n == Followers.Length);
        var report = await new StoreCheck(_app.Database.Source, [_orders.Source, _stocks.Source])
            .Run(DateTimeOffset.UtcNow, _ => { }, CancellationToken.None);
        Assert.Empty(report.Broken);
        Assert.Equal(orders, report.Orders);
        Assert.Equal(shipped, (await _app.Api.Get("/api/v1/orders?status=shipped&limit=100")).Json["items"]!.AsArray().Count);

        const string stocks = "select count(*) filter (where stream like 'stk-%') from oms.event";
        const string others = "select count(*) filter (where stream not like 'stk-%') from oms.event";
        Assert.Equal((0, 0), (await _app.Database.Ask<long>(stocks), await _app.Database.Ask<long>(others)));
        Assert.Equal((0, 0), (await _orders.Ask<long>(stocks), await _stocks.Ask<long>(others)));
        Assert.Equal(report.Events, await _orders.Ask<long>(others) + await _stocks.Ask<long>(stocks));
    }

    static string Status(JsonNode order) => order["status"]!.GetValue<string>();
}
