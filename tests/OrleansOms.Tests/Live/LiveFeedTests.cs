using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Host.Live;
using OrleansOms.Postgres.Orders;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Live;

/// <summary>The feed within the process, as the screens use it.</summary>
[Collection(LiveCollection.Name)]
public sealed class LiveFeedTests(OmsApp app)
{
    LiveFeed Feed => app.Services.GetRequiredService<LiveFeed>();

    [Fact]
    public async Task An_order_that_does_not_exist_cannot_be_watched() =>
        Assert.Null(await Feed.WatchOrder("ord-00000000000000000000000000"));

    [Fact]
    public async Task An_order_from_before_the_watch_is_read_from_the_log_when_it_changes()
    {
        var old = await app.PlaceNew();
        await app.Released(old);
        using var watch = await Feed.WatchOrders();
        await using var changes = watch.Changes().GetAsyncEnumerator();
        await app.CancelOne(old);
        var seen = await Next(changes, c => c.Orders.Any(o => o.Id == old.Id() && o.Version > old.Version()));
        var summary = seen.Orders.First(o => o.Id == old.Id());
        Assert.Equal(("Jane Doe", 3), (summary.CustomerName, summary.Units));
    }

    [Fact]
    public async Task A_burst_is_told_in_few_deliveries_and_complete()
    {
        using var watch = await Feed.WatchOrders();
        var last = new Dictionary<string, OrderSummary>();
        var (deliveries, isResync) = (0, false);
        using var stop = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            await foreach (var change in watch.Changes(stop.Token))
            {
                deliveries++;
                isResync |= change.IsResync;
                foreach (var order in change.Orders)
                {
                    Assert.True(!last.TryGetValue(order.Id, out var before) || before.Version < order.Version);
                    lock (last) last[order.Id] = order;
                }
            }
        });
        var since = System.Diagnostics.Stopwatch.StartNew();
        var placed = await Task.WhenAll(Enumerable.Range(0, 150).Select(_ => app.Api.Place(Api.Order(("B", 1)))));
        await LiveApp.Until(() =>
        {
            lock (last) return placed.All(p => last.TryGetValue(p.Id(), out var o) && o.Version >= p.Version());
        });
        Assert.True(deliveries <= since.Elapsed.TotalSeconds * 10 + 2, $"{deliveries} deliveries in {since.Elapsed}");
        Assert.False(isResync);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Fact]
    public async Task Counts_end_equal_to_the_read_model()
    {
        using var watch = await Feed.WatchOrders();
        await using var changes = watch.Changes().GetAsyncEnumerator();
        var before = watch.Counts[OrderStatus.Backordered];
        var sku = await app.NewProduct();
        await app.Api.Place(Api.Order((sku, 2)));
        await app.Api.Place(Api.Order((sku, 2)));
        // Orders of other tests may still be on their way into the counts; in the end both say the same.
        var queries = app.Services.GetRequiredService<OrderQueries>();
        while (true)
        {
            var told = (await Next(changes, c => c.Counts is { } n && n[OrderStatus.Backordered] >= before + 2)).Counts!;
            var stored = await queries.CountByStatus();
            if (stored.All(s => told[s.Key] == s.Value)) return;
        }
    }

    [Fact]
    public async Task Work_that_is_released_is_in_the_snapshot_or_in_the_changes_never_in_neither()
    {
        for (var i = 0; i < 5; i++)
        {
            var order = await app.PlaceNew();
            using var watch = await Feed.WatchWarehouse("LON");
            var id = (await app.Released(order))["shipments"]![0]!.Id();
            if (watch.Open.Shipments.Any(s => s.Id == id)) continue;
            await using var changes = watch.Changes().GetAsyncEnumerator();
            await Next(changes, c => c.Shipments.Any(s => s.Id == id));
        }
    }

    static async Task<T> Next<T>(IAsyncEnumerator<T> changes, Func<T, bool> isIt)
    {
        var patience = TimeSpan.FromSeconds(30);
        while (await changes.MoveNextAsync().AsTask().WaitAsync(patience))
            if (isIt(changes.Current)) return changes.Current;
        throw new InvalidOperationException("The watch ended.");
    }
}
