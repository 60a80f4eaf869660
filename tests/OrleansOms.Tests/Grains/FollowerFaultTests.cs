using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains;
using OrleansOms.Grains.Followers;
using OrleansOms.Grains.Stock;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>What followers have to do and could not at first is done, and nobody waits for what was not for them then.</summary>
public sealed class FollowerFaultTests
{
    /// <summary>More than a follower works on at once.</summary>
    const int Many = 100;

    [Fact]
    public async Task One_order_that_fails_among_many_is_done_again_with_the_batch()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", Many + 1);
        var orders = new List<OrderView>();
        for (var n = 0; n <= Many; n++) orders.Add(await silos.Place(lines: ("A", 1)));
        foreach (var order in orders) await silos.UntilOrder(order.Id, o => o.Shipments.Count == 1);

        // The follower waits at the first one while all others are picked, so that it then has them in one batch. The first
        // of that fails while the rest of those that it has begun with is under way.
        var (first, failing) = (orders[0].Id, orders[1].Id);
        var (allPicked, hasFailed, fails) = (new TaskCompletionSource(), new TaskCompletionSource(), 1);
        silos.Faults.OnAppendAsync = async append =>
        {
            if (!append.Main.Events.Any(e => e.Data is ShipmentProgressed)) return null;
            if (append.Main.Stream == first) await allPicked.Task;
            else if (append.Main.Stream != failing) await hasFailed.Task.WaitAsync(TimeSpan.FromSeconds(30));
            else if (Interlocked.Decrement(ref fails) == 0)
            {
                _ = Task.Delay(500).ContinueWith(_ => hasFailed.TrySetResult());
                return FaultyLog.Fault.BeforeCommit;
            }
            return null;
        };
        foreach (var order in orders)
            await silos.Shipment(Keys.OfShipment(order.Id, 1)).Execute(new PickUnits([new SkuUnits("A", 1)]), Silos.By($"{order.Id}/pick"));
        allPicked.SetResult();
        foreach (var order in orders)
            await silos.UntilOrder(order.Id, o => o.Shipments[0].Status == ShipmentStatus.Picking);
    }

    [Fact]
    public async Task What_a_dead_process_has_reserved_for_an_order_is_freed_also_when_the_order_was_cancelled_since()
    {
        await using var silos = await Silos.Start(new OmsSettings { ReservationGrace = TimeSpan.FromSeconds(1) });
        await silos.Receive("LON", "A", 5);
        var order = await silos.Place(PaymentReport.Pending, lines: ("A", 1));
        // A second attempt at the same order, whose process dies before it gives back.
        await silos.Stock("LON", "A").Execute(new ReserveStock($"{order.Id}/twice/1", order.Id, [new LineUnits(1, 1)]), "test");
        await silos.Order(order.Id).Execute(new CancelOrder("cancel-1", "changed my mind", null), Silos.By("cancel"));
        await silos.UntilStock("LON", "A", s => s.Reserved == 0);
    }

    [Fact]
    public async Task What_a_picker_does_not_find_while_all_is_cancelled_comes_from_nowhere_else()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 10);
        var order = await silos.Place(lines: ("A", 10));
        await silos.UntilOrder(order.Id, o => o.Shipments.Count == 1);
        await silos.Receive("MAN", "A", 10);
        var isFirst = 1;
        silos.Faults.OnAppendAsync = async append =>
        {
            // After the order has heard its shipment, and before it asks that for its units.
            if (append.Main.Events[0].Data is CancellationRequested && Interlocked.Exchange(ref isFirst, 0) == 1)
                await silos.Shipment(Keys.OfShipment(order.Id, 1)).Execute(new PickUnits([new SkuUnits("A", 7)]), Silos.By("pick"));
            return null;
        };
        var reply = await silos.Order(order.Id).Execute(new CancelOrder("cancel-1", "changed my mind", null), Silos.By("cancel"));
        Assert.Equal(7, reply.Value!.Lines[0].Cancelled);
        var after = await silos.UntilOrder(order.Id, o => o.Lines[0].Allocated == 0 && o.Status == OrderStatus.Cancelled);
        Assert.Equal(10, after.Lines[0].Cancelled);
        await silos.Order(order.Id).Settle();
        await silos.UntilHandled("fulfilment");
        Assert.Single((await silos.Order(order.Id).Get())!.Shipments);
        Assert.Equal(0, (await silos.Stock("MAN", "A").Get()).Reserved);
    }

    [Fact]
    public async Task Units_that_come_in_while_an_order_is_being_cancelled_are_for_what_is_left_of_it()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 1);
        var order = await silos.Place(lines: [("A", 1), ("B", 1)]);
        await silos.UntilOrder(order.Id, o => o.Shipments.Count == 1);
        silos.Faults.OnAppend = a => a.Main.Events.Any(e => e.Data is UnitsCancelled) ? FaultyLog.Fault.BeforeCommit : null;
        await Assert.ThrowsAsync<LogUnavailableException>(() => silos.Order(order.Id).Execute(
            new CancelOrder("cancel-1", "changed my mind", [new LineUnits(1, 1)]), Silos.By("cancel")));
        await silos.Receive("LON", "B", 1);
        await Silos.Until(() => silos.Database.Ask<bool>("""
            select exists (
              select from oms.checkpoint c, (select xid, position from oms.event where type = 'stock.received.v1' order by xid desc, position desc limit 1) e
              where c.follower = 'backorders' and (c.transaction, c.position) >= (e.xid::text::bigint, e.position))
            """), isHeard => isHeard);
        Assert.Equal(1, (await silos.Order(order.Id).Get())!.Lines[1].Backordered);
        silos.Faults.OnAppend = null;
        await silos.UntilOrder(order.Id, o => o.Lines[0].Cancelled == 1 && o.Lines[1].Backordered == 0);
    }

    [Fact]
    public async Task Cancelled_units_that_nobody_had_looked_for_are_not_taken_for_waiting_ones()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 2);
        var held = await silos.Place(lines: ("A", 2));
        await silos.UntilOrder(held.Id, o => o.Shipments.Count == 1);
        await silos.Place(lines: ("A", 3));
        var index = silos.Cluster.Silos[0].ServiceProvider.GetRequiredService<AvailabilityIndex>();
        await Silos.Until(() => Task.FromResult(index.Waiting("A")), n => n == 3);
        await silos.Order(held.Id).Execute(new PlaceHold("fraud", "check the address", HoldStops.Allocate), Silos.By("hold"));
        await silos.Shipment(Keys.OfShipment(held.Id, 1)).Execute(new PickUnits([new SkuUnits("A", 1)]), Silos.By("pick"));
        await silos.UntilOrder(held.Id, o => o.Lines[0].Allocated == 1);
        var cancelled = await silos.Order(held.Id).Execute(
            new CancelOrder("cancel-1", "changed my mind", [new LineUnits(1, 1)]), Silos.By("cancel"));
        Assert.Equal(1, cancelled.Value!.Lines[0].Cancelled);
        var last = (await silos.Log.ReadStream(held.Id))[^1];
        await silos.Cluster.Silos[0].ServiceProvider.GetRequiredService<LogTail>().Reached(Checkpoint.Start.And([last]), default);
        Assert.Equal(3, index.Waiting("A"));
    }
}
