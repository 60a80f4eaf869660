using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>What a crash, a lost answer or a second writer may do: nothing that is not mended.</summary>
public sealed class FaultTests
{
    [Fact]
    public async Task A_reservation_without_an_order_is_freed_and_the_order_can_still_be_placed()
    {
        await using var silos = await Silos.Start(new OmsSettings { ReservationGrace = TimeSpan.FromMilliseconds(200) });
        await silos.Receive("LON", "A", 5);
        var (id, command) = silos.NewOrder(lines: ("A", 5));
        silos.Faults.OnAppend = a => a.Main.Stream == id ? FaultyLog.Fault.BeforeCommit : null;
        await Assert.ThrowsAsync<LogUnavailableException>(() => silos.Desk.Place(id, command, Silos.By(id)));
        Assert.Equal(5, (await silos.Stock("LON", "A").Get()).Reserved);
        silos.Faults.OnAppend = null;

        await silos.UntilStock("LON", "A", s => s.Reserved == 0);
        Assert.Null(await silos.Order(id).Get());
        var reply = await Retried(() => silos.Desk.Place(id, command, Silos.By(id)));
        Assert.Equal(OrderStatus.Allocated, reply.Value!.Status);
        Assert.Equal(5, (await silos.Stock("LON", "A").Get()).Reserved);
        // Its grain, which has just said that there is no such order, does not go on believing it.
        Assert.Equal(OrderStatus.InFulfilment, (await silos.Order(id).Get())!.Status);
    }

    [Fact]
    public async Task Whoever_reserved_before_a_settlement_cannot_store_the_order_after_it_however_often_it_was_abandoned()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        var (id, _) = silos.NewOrder(lines: ("A", 2));
        for (var version = 0; version < 2; version++)
        {
            await silos.Stock("LON", "A").Execute(new ReserveStock($"{id}/{version}", id, [new LineUnits(1, 2)]), "test");
            Assert.True(await silos.Order(id).SettleReservation("LON", "A"));
            Assert.Equal(0, (await silos.Stock("LON", "A").Get()).Reserved);
            var late = new NewEvent(new OrderAbandoned(), "late", "test", DateTimeOffset.UtcNow);
            Assert.IsType<AppendResult.VersionConflict>(
                await silos.Log.Append(new Append(new StreamEvents(id, version, [late]))));
        }
    }

    [Fact]
    public async Task A_lost_answer_is_given_again_and_nothing_is_done_twice()
    {
        await using var silos = await Silos.Start(new OmsSettings { ReservationGrace = TimeSpan.FromMilliseconds(200) });
        await silos.Receive("LON", "A", 20);
        var (id, command) = silos.NewOrder(lines: ("A", 5));
        silos.Faults.OnAppend = a => a.Main.Stream == id ? FaultyLog.Fault.AfterCommit : null;
        await Assert.ThrowsAsync<LogUnavailableException>(() => silos.Desk.Place(id, command, Silos.By(id)));
        silos.Faults.OnAppend = null;

        var reply = await Retried(() => silos.Desk.Place(id, command, Silos.By(id)));
        Assert.Equal((OrderStatus.Allocated, 3), (reply.Value!.Status, reply.Value.Version));
        await silos.UntilStock("LON", "A", s => s.Reserved == 5);
    }

    [Fact]
    public async Task A_hold_that_was_lifted_is_not_placed_again_by_the_command_that_had_placed_it()
    {
        await using var silos = await Silos.Start();
        var order = await silos.Place(lines: ("A", 1));
        var hold = new PlaceHold("fraud", "check the address", HoldStops.Release);
        await Retried(() => silos.Order(order.Id).Execute(hold, Silos.By("hold")));
        await Retried(() => silos.Order(order.Id).Execute(new LiftHold("fraud"), Silos.By("lift")));
        Assert.Empty((await Retried(() => silos.Order(order.Id).Execute(hold, Silos.By("hold")))).Value!.Holds);
        Assert.Single((await Retried(() => silos.Order(order.Id).Execute(hold, Silos.By("another")))).Value!.Holds);
        Assert.Single((await Retried(() => silos.Order(order.Id).Execute(new LiftHold("fraud"), Silos.By("lift")))).Value!.Holds);
    }

    [Fact]
    public async Task The_first_answer_stays_the_answer_after_the_order_moved_on()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        var (id, command) = silos.NewOrder(lines: ("A", 5));
        var first = await silos.Desk.Place(id, command, Silos.By(id));
        await silos.UntilOrder(id, o => o.Shipments.Count == 1);
        var again = await silos.Desk.Place(id, command, Silos.By(id));
        Assert.Equal(System.Text.Json.JsonSerializer.Serialize(first), System.Text.Json.JsonSerializer.Serialize(again));
        var other = await silos.Desk.Place(id, command with { RequestHash = "other" }, Silos.By(id));
        Assert.Equal("idempotency_key_reused", other.Rejection?.Code);
    }

    [Fact]
    public async Task An_append_that_can_never_be_stored_is_told_to_its_caller_and_the_stock_goes_on()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 7);
        silos.Faults.OnAppend = a => a.Main.Stream.StartsWith(Keys.Stock) ? throw new ArgumentException("refused") : null;
        await Assert.ThrowsAsync<ArgumentException>(() => silos.Stock("LON", "A")
            .Execute(new ReceiveStock("in-2", 1, "po"), "test").WaitAsync(TimeSpan.FromSeconds(10)));
        silos.Faults.OnAppend = null;

        var reply = await Retried(() => silos.Stock("LON", "A").Execute(new ReceiveStock("in-3", 2, "po"), "test"));
        Assert.Equal(9, reply.Value!.OnHand);
    }

    [Fact]
    public async Task A_stock_command_whose_answer_was_lost_has_its_effect_once()
    {
        await using var silos = await Silos.Start();
        var receive = new ReceiveStock("in-1", 7, "po");
        silos.Faults.OnAppend = a => a.Main.Stream.StartsWith(Keys.Stock) ? FaultyLog.Fault.AfterCommit : null;
        await Assert.ThrowsAsync<LogUnavailableException>(() => silos.Stock("LON", "A").Execute(receive, "test"));
        silos.Faults.OnAppend = null;
        Assert.Equal(7, (await Retried(() => silos.Stock("LON", "A").Execute(receive, "test"))).Value!.OnHand);
    }

    [Fact]
    public async Task A_second_writer_of_a_stream_is_noticed_and_the_grain_reads_again()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        var key = Keys.OfStock("LON", "A");
        await silos.Log.Append(new Append(new StreamEvents(
            key, 1, [new NewEvent(new StockReceived(3, "elsewhere"), "other", "test", DateTimeOffset.UtcNow)])));
        await Assert.ThrowsAsync<AggregateReloadedException>(() => silos.Receive("LON", "A", 1));
        await Retried(async () => { await silos.Receive("LON", "A", 1); return 0; });
        Assert.Equal(9, (await silos.Stock("LON", "A").Get()).OnHand);
    }

    [Fact]
    public async Task Of_two_desks_that_place_one_order_the_later_answers_what_is_stored_and_frees_what_it_reserved()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 20);
        var (id, command) = silos.NewOrder(lines: ("A", 5));
        // The other desk has reserved for itself and stores a moment earlier.
        await silos.Stock("LON", "A").Execute(new ReserveStock("other", id, [new LineUnits(1, 5)]), "test");
        var isFirst = 1;
        silos.Faults.OnAppend = a =>
        {
            if (a.Main.Stream == id && Interlocked.Exchange(ref isFirst, 0) == 1)
                Assert.IsType<AppendResult.Committed>(
                    Task.Run(async () => await silos.Log.Append(a)).GetAwaiter().GetResult());
            return null;
        };
        var reply = await silos.Desk.Place(id, command, Silos.By(id));
        Assert.Equal((OrderStatus.Allocated, 3), (reply.Value!.Status, reply.Value.Version));
        await silos.UntilStock("LON", "A", s => s.Reserved == 5);
        Assert.Equal(1, await silos.Database.Ask<long>("select count(*) from oms.event where type = 'order.placed.v1'"));
    }

    [Fact]
    public async Task An_order_that_another_activation_has_changed_is_read_again_and_its_retry_answers_from_that()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        var placed = await silos.Place(lines: ("B", 2));
        // The other one stores between what this one decides on and what it stores, whoever has read the order meanwhile.
        var isFirst = 1;
        silos.Faults.OnAppend = a =>
        {
            if (a.Main.Stream == placed.Id && Interlocked.Exchange(ref isFirst, 0) == 1)
                Task.Run(async () => await silos.Log.Append(new Append(new StreamEvents(
                    placed.Id, a.Main.ExpectedVersion,
                    [new NewEvent(new HoldPlaced("look", "why", HoldStops.None), "other", "test", DateTimeOffset.UtcNow)]))))
                    .GetAwaiter().GetResult();
            return null;
        };
        var cancel = new CancelOrder("c1", "x", null);
        await Assert.ThrowsAsync<AggregateReloadedException>(() => silos.Order(placed.Id).Execute(cancel, Silos.By("c1")));
        var reply = await Retried(() => silos.Order(placed.Id).Execute(cancel, Silos.By("c1")));
        Assert.Equal((OrderStatus.Cancelled, "look"), (reply.Value!.Status, reply.Value.Holds[0].Name));
        Assert.Equal(1, await silos.Database.Ask<long>("select count(*) from oms.event where type = 'order.units-cancelled.v1'"));
    }

    [Fact]
    public async Task A_cancellation_beside_one_that_still_waits_for_its_warehouse_is_refused_until_that_is_done()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 4);
        var placed = await silos.Place(lines: ("A", 4));
        await silos.UntilOrder(placed.Id, o => o.Shipments.Count == 1);
        silos.Faults.OnAppend = a =>
            a.Main.Events.Any(e => e.Data is UnitsCancelled) ? FaultyLog.Fault.BeforeCommit : null;
        Task<Reply<OrderView>> Cancel(string id) =>
            silos.Order(placed.Id).Execute(new CancelOrder(id, "x", [new LineUnits(1, 1)]), Silos.By(id));
        await Assert.ThrowsAsync<LogUnavailableException>(() => Cancel("c1"));
        Assert.Equal("cancellation_in_progress", (await Retried(() => Cancel("c2"))).Rejection?.Code);

        silos.Faults.OnAppend = null;
        await Silos.Until(() => Retried(() => silos.Order(placed.Id).Get()), o => o!.Lines[0].Cancelled == 1);
        Assert.Equal(2, (await Retried(() => Cancel("c2"))).Value!.Lines[0].Cancelled);
        Assert.Equal(2, (await Retried(() => Cancel("c1"))).Value!.Lines[0].Cancelled);
    }

    [Theory]
    [InlineData(1, 0)] // of middle length: without a snapshot, and with more events than are read before one is looked for
    [InlineData(12, 1)]
    public async Task A_long_stock_comes_back_from_its_snapshot_and_a_short_tail(int rounds, int snapshots)
    {
        // These reservations have no orders on purpose.
        await using var silos = await Silos.Start(new OmsSettings { ReservationGrace = TimeSpan.FromDays(1) });
        await silos.Receive("LON", "A", 100_000);
        var stock = silos.Stock("LON", "A");
        for (var round = 0; round < rounds; round++)
            await Task.WhenAll(Enumerable.Range(0, 100).Select(i => stock.Execute(
                new ReserveStock($"r{round}-{i}", Keys.FromIdempotencyKey(Keys.Order, "t", $"{round}-{i}"), [new(1, 1)]), "test")));
        var before = await stock.Get();
        await Silos.Until(
            () => silos.Database.Ask<long>("select count(*) from oms.orleans_storage"), n => n == snapshots);
        await silos.Cluster.RestartSiloAsync(silos.Cluster.Silos[0]);
        Assert.Equal(before, await Retried(() => stock.Get()));
        Assert.Equal(100 * rounds, before.Reserved);
        var again = await stock.Execute(
            new ReserveStock("r0-0", Keys.FromIdempotencyKey(Keys.Order, "t", "0-0"), [new(1, 1)]), "test");
        Assert.Equal(100 * rounds, again.Value!.Reserved);
    }

    [Theory]
    [InlineData("no snapshot")]
    [InlineData("{\"Version\":600,\"OnHand\":1,\"Reservations\":{\"no line\":{\"Quantity\":1,\"Commands\":[\"c\"]}}}")]
    public async Task A_stock_whose_snapshot_is_broken_is_right_and_gets_another(string broken)
    {
        // These reservations have no orders on purpose.
        await using var silos = await Silos.Start(new OmsSettings { ReservationGrace = TimeSpan.FromDays(1) });
        await silos.Receive("LON", "A", 100_000);
        var stock = silos.Stock("LON", "A");
        Task Reserve(int round) => Task.WhenAll(Enumerable.Range(0, 700).Select(i => stock.Execute(
            new ReserveStock($"r{round}-{i}", Keys.FromIdempotencyKey(Keys.Order, "t", $"{round}-{i}"), [new(1, 1)]), "test")));
        const string Stored = "select convert_from(payload, 'utf8') from oms.orleans_storage";
        await Reserve(0);
        await Silos.Until(() => silos.Database.Ask<long>("select count(*) from oms.orleans_storage"), n => n == 1);
        await silos.Database.Execute($"update oms.orleans_storage set payload = convert_to('{broken}', 'utf8')");
        await silos.Cluster.RestartSiloAsync(silos.Cluster.Silos[0]);
        Assert.Equal(700, (await Retried(() => stock.Get())).Reserved);
        await Reserve(1);
        await Silos.Until(() => silos.Database.Ask<string>(Stored), text => text.Contains("\"OnHand\":100000", StringComparison.Ordinal));
        await silos.Cluster.RestartSiloAsync(silos.Cluster.Silos[0]);
        Assert.Equal(1400, (await Retried(() => stock.Get())).Reserved);
    }

    [Fact]
    public async Task Losing_a_silo_loses_no_order_and_the_others_go_on()
    {
        await using var silos = await Silos.Start(silos: 2);
        await silos.Receive("LON", "A", 500);
        var orders = new List<string>();
        for (var i = 0; i < 20; i++) orders.Add((await silos.Place(lines: ("A", 1))).Id);
        await silos.Cluster.KillSiloAsync(silos.Cluster.Silos[0]);
        for (var i = 0; i < 20; i++)
        {
            var (id, command) = silos.NewOrder(lines: ("A", 1));
            await Retried(() => silos.Desk.Place(id, command, Silos.By(id)));
            orders.Add(id);
        }
        foreach (var id in orders)
            await Silos.Until(
                () => Retried(() => silos.Order(id).Get()), o => o is { Shipments.Count: 1, Lines: [{ Allocated: 1 }] });
        Assert.Equal(40, (await Retried(() => silos.Stock("LON", "A").Get())).Reserved);
    }

    /// <summary>What a client does after a fault: the same command again.</summary>
    static async Task<T> Retried<T>(Func<Task<T>> command)
    {
        for (var tries = 0; ; tries++)
        {
            try { return await command(); }
            catch (Exception e) when (e is OmsFaultException or TimeoutException or OrleansException && tries < 200)
            {
                await Task.WhenAny(Task.Delay(100));
            }
        }
    }
}
