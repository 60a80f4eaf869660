using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Runtime.Placement;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains;
using OrleansOms.Grains.Followers;
using OrleansOms.Grains.Stock;
using OrleansOms.Host;
using OrleansOms.Tests.Fixtures;
using static OrleansOms.Tests.Grains.CartSteps;

namespace OrleansOms.Tests.Grains;

/// <summary>Units that become free while somebody waits: who has them, in which turn, and why.</summary>
public sealed class ServingTests
{
    /// <summary>Until every silo knows who waits.</summary>
    static async Task Known(Silos silos)
    {
        foreach (var silo in silos.Cluster.Silos) await silo.ServiceProvider.GetRequiredService<LogTail>().CaughtUp();
    }

    static async Task<StockEvent[]> Entries(Silos silos, string sku = "A") =>
        [.. (await silos.Log.ReadStream(Keys.OfStock("LON", sku))).Select(e => (StockEvent)e.Data!)];

    static async Task<string> Place(Silos silos, string channel, int units)
    {
        var (id, command) = silos.NewOrder(lines: ("A", units));
        return (await silos.Desk.Place(id, command with { Channel = channel }, Silos.By(id))).Value!.Id;
    }

    [Fact]
    public async Task Units_that_come_in_are_promised_to_those_that_wait_before_anybody_else_sees_them()
    {
        await using var silos = await Silos.Start();
        var older = (await silos.Place(lines: ("A", 3))).Id;
        var newer = (await silos.Place(lines: ("A", 4))).Id;
        await Known(silos);
        var seen = await silos.Stock("LON", "A").Execute(new ReceiveStock("r", 5, "test"), "test");
        Assert.Equal((5, 5, 0), (seen.Value!.OnHand, seen.Value.Reserved, seen.Value.Available));

        var order = await silos.UntilOrder(older, o => o.Lines[0].Allocated == 3);
        Assert.Equal(2, (await silos.UntilOrder(newer, o => o.Lines[0].Allocated == 2)).Lines[0].Backordered);
        Assert.Equal(
            [(older, 3), (newer, 2)], (await Entries(silos)).OfType<StockServed>().Select(s => (s.OrderId, s.Lines[0].Quantity)));
        var why = (await silos.Log.ReadStream(order.Id)).Select(e => e.Data).OfType<OrderAllocated>().Last().Sourcing;
        Assert.StartsWith("units became free: promised by 20", why.Reason, StringComparison.Ordinal);
        Assert.EndsWith(", the earliest of 2 that wait", why.Reason, StringComparison.Ordinal);
        await Check(silos);
    }

    [Fact]
    public async Task What_a_cart_gives_up_goes_to_the_next_one_in_the_same_turn()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        var cart = await Held(silos, ("A", 5));
        var waiting = (await silos.Place(lines: ("A", 3))).Id;
        await Known(silos);
        await silos.Order(cart.Id).ChangeReservation(new ReleaseCart(), Silos.By("release"));
        await silos.UntilOrder(waiting, o => o.Lines[0].Allocated == 3);
        Assert.Equal(
            [typeof(StockReceived), typeof(StockReserved), typeof(ReservationReleased), typeof(StockServed)], (await Entries(silos)).Select(e => e.GetType()));
        Assert.Equal((5, 3), await Counts(silos));
        await Check(silos);
    }

    [Fact]
    public async Task Who_is_served_first_is_declared()
    {
        await using var silos = await Silos.Start(new OmsSettings
        {
            Waiting = new WaitingSettings { Order = "priority, age", Channels = new() { ["b2b"] = new() { Priority = 5 }, ["store"] = new() { Share = 0.5 } } },
        });
        var web = await Place(silos, "web", 1);
        var (store, b2b) = (await Place(silos, "store", 1), await Place(silos, "b2b", 2));
        await Known(silos);
        await silos.Receive("LON", "A", 4);
        await silos.UntilOrder(web, o => o.Lines[0].Allocated == 1);
        Assert.Equal(
            [
                (b2b, "priority 5, the highest of 3 that wait"), (store, "store has had 0 of 2 units, its share is 50 %; nobody else of it waits"),
                (web, "nobody else waits"),
            ], (await Entries(silos)).OfType<StockServed>().Select(s => (s.OrderId, s.Why)));
        await Check(silos);
    }

    [Theory]
    [InlineData("promise, luck"), InlineData("age, age"), InlineData("1"), InlineData("+1"), InlineData("-0")]
    [InlineData(""), InlineData(" "), InlineData("promise,")]
    [InlineData("age", 1.5), InlineData("age", 0.0), InlineData("age", double.NaN), InlineData("age", 0.6, 0.5)]
    public void A_policy_that_makes_no_sense_is_refused(string order, double? share = null, double? another = null) => Refused(
        new() { Order = order, Channels = new() { ["web"] = new() { Share = share }, ["b2b"] = new() { Share = another } } });

    [Fact]
    public void Shares_that_make_up_the_whole_are_not_more_than_that() => Assert.Equal(4, new WaitingSettings
    {
        Channels = new()
        {
            ["web"] = new() { Share = 0.2 }, ["b2b"] = new() { Share = 0.4 }, ["store"] = new() { Share = 0.3 }, ["phone"] = new() { Share = 0.1 },
        },
    }.ToPolicy().Channels.Count);

    [Fact]
    public void A_channel_of_which_nothing_is_said_is_refused() => Refused(new() { Channels = new() { ["b2b"] = null! } });

    static void Refused(WaitingSettings settings) =>
        Assert.StartsWith("Oms:Waiting", Assert.Throws<InvalidOperationException>(settings.ToPolicy).Message.Replace("Each ", "", StringComparison.Ordinal));

    [Fact]
    public void Only_channels_that_there_are_have_a_priority_or_a_share()
    {
        Assert.Equal(5, Of("B2B").Waiting.ToPolicy().Channels["b2b"].Priority);
        Assert.Contains("Oms:Waiting:Channels:b2c", Assert.Throws<InvalidOperationException>(() => Of("b2c")).Message, StringComparison.Ordinal);

        static OmsSettings Of(string channel) => GrainSettings.From(new ConfigurationBuilder().AddInMemoryCollection(
            new Dictionary<string, string?> { [$"Oms:Waiting:Channels:{channel}:Priority"] = "5" }).Build());
    }

    [Fact]
    public async Task Whoever_is_held_or_goes_is_not_served_and_keeps_nobody_waiting()
    {
        await using var silos = await Silos.Start();
        var held = (await silos.Place(lines: ("A", 2))).Id;
        var gone = (await silos.Place(lines: ("A", 2))).Id;
        var next = (await silos.Place(lines: ("A", 2))).Id;
        await silos.Order(held).Execute(new PlaceHold("fraud", "check", HoldStops.Allocate), Silos.By("hold"));
        await silos.Order(gone).Execute(new CancelOrder("c", "test", null), Silos.By("cancel"));
        await Known(silos);
        await silos.Receive("LON", "A", 2);
        await silos.UntilOrder(next, o => o.Lines[0].Allocated == 2);
        Assert.Equal([next], (await Entries(silos)).OfType<StockServed>().Select(s => s.OrderId));

        await silos.Order(held).Execute(new LiftHold("fraud"), Silos.By("lift"));
        await Known(silos);
        await silos.Receive("LON", "A", 2);
        await silos.UntilOrder(held, o => o.Lines[0].Allocated == 2);
        Assert.Equal([next, held], (await Entries(silos)).OfType<StockServed>().Select(s => s.OrderId));
        await Check(silos);
    }

    /// <summary>What its index knows is what the lists say, and these do not say what a hold stops.</summary>
    [Fact]
    public async Task Who_was_held_before_a_process_began_is_not_served_by_it()
    {
        await using var silos = await Silos.Start();
        var held = (await silos.Place(lines: ("A", 2))).Id;
        var next = (await silos.Place(lines: ("A", 2))).Id;
        await silos.Order(held).Execute(new PlaceHold("fraud", "check", HoldStops.Allocate), Silos.By("hold"));
        await silos.UntilHandled("read-model");
        var begun = await silos.Cluster.StartAdditionalSiloAsync();
        foreach (var silo in silos.Cluster.Silos)
            await Silos.Until(() => Task.FromResult(silo.ServiceProvider.GetRequiredService<IClusterManifestProvider>().Current.Silos.Count), n => n == 2);
        await Known(silos);
        await Receive();
        await silos.UntilOrder(next, o => o.Lines[0].Allocated == 2);
        Assert.Equal([next], (await Entries(silos)).OfType<StockServed>().Select(s => s.OrderId));

        await silos.Order(held).Execute(new LiftHold("fraud"), Silos.By("lift"));
        await Known(silos);
        var index = begun.ServiceProvider.GetRequiredService<WaitingIndex>();
        await Silos.Until(() => Task.FromResult(index.IsWaitedFor("A")), isSo => isSo);
        await Receive();
        await silos.UntilOrder(held, o => o.Lines[0].Allocated == 2);
        Assert.Equal([next, held], (await Entries(silos)).OfType<StockServed>().Select(s => s.OrderId));
        await Check(silos);

        async Task Receive()
        {
            RequestContext.Set(IPlacementDirector.PlacementHintKey, begun.SiloAddress);
            try { await silos.Receive("LON", "A", 2); }
            finally { RequestContext.Clear(); }
        }
    }

    /// <summary>The stock was told late that the order is held: the order has the last word, and whoever waits behind it has the units.</summary>
    [Fact]
    public async Task What_an_order_does_not_take_goes_to_the_next()
    {
        await using var silos = await Silos.Start();
        var first = (await silos.Place(lines: ("A", 2))).Id;
        var next = (await silos.Place(lines: ("A", 2))).Id;
        await Known(silos);
        var isHeld = 0;
        silos.Faults.OnAppendAsync = async append =>
        {
            if (append.Main.Events.Any(e => e.Data is StockServed s && s.OrderId == first) && Interlocked.Exchange(ref isHeld, 1) == 0)
                Assert.IsType<AppendResult.Committed>(await silos.Log.Append(new Append(new StreamEvents(
                    first, (await silos.Log.ReadStream(first))[^1].Version,
                    [new NewEvent(new HoldPlaced("fraud", "why", HoldStops.Allocate), "other", "test", DateTimeOffset.UtcNow)]))));
            return null;
        };
        await silos.Receive("LON", "A", 2);
        await silos.UntilOrder(next, o => o.Lines[0].Allocated == 2);
        Assert.Equal(1, isHeld);
        Assert.Equal(0, (await silos.Order(first).Get())!.Lines[0].Allocated);
        Assert.Equal((2, 2), await Counts(silos));

        await silos.Order(first).Execute(new LiftHold("fraud"), Silos.By("lift"));
        await Known(silos);
        await silos.Receive("LON", "A", 2);
        await silos.UntilOrder(first, o => o.Lines[0].Allocated == 2);
        Assert.Equal(first, (await Entries(silos)).OfType<StockServed>().Last().OrderId);
        await Check(silos);
    }

    [Fact]
    public async Task A_receipt_that_could_not_be_stored_serves_the_same_ones_when_it_is_sent_again()
    {
        await using var silos = await Silos.Start();
        var first = (await silos.Place(lines: ("A", 2))).Id;
        var next = (await silos.Place(lines: ("A", 2))).Id;
        await Known(silos);
        var isFirst = 1;
        silos.Faults.OnAppend = a => a.Main.Events.Any(e => e.Data is StockServed) && Interlocked.Exchange(ref isFirst, 0) == 1
            ? FaultyLog.Fault.BeforeCommit : null;
        var receipt = new ReceiveStock("r", 2, "test");
        await Assert.ThrowsAsync<LogUnavailableException>(() => silos.Stock("LON", "A").Execute(receipt, "test"));
        await silos.Stock("LON", "A").Execute(receipt, "test");
        await silos.UntilOrder(first, o => o.Lines[0].Allocated == 2);
        Assert.Equal([first], (await Entries(silos)).OfType<StockServed>().Select(s => s.OrderId));
        Assert.Equal(2, (await silos.Order(next).Get())!.Lines[0].Backordered);
        await Check(silos);
    }

    /// <summary>New orders stand in line behind those that wait, and not behind units that these have.</summary>
    [Fact]
    public async Task What_is_left_can_be_ordered_before_those_that_were_served_have_heard_of_it()
    {
        await using var silos = await Silos.Start();
        for (var n = 0; n < 3; n++) await silos.Place(lines: ("A", 2));
        await Known(silos);
        var goesOn = new TaskCompletionSource();
        silos.Faults.OnAppendAsync = async a =>
        {
            if (a.Main.Events.Any(e => e.Data is OrderAllocated { Cause: SourcingCause.Arrival })) await goesOn.Task;
            return null;
        };
        await silos.Receive("LON", "A", 10);
        Assert.Equal(4, (await silos.Place(policy: StockPolicy.Reject, lines: ("A", 4))).Lines[0].Allocated);
        goesOn.SetResult();
        await silos.UntilStock("LON", "A", s => s.Available == 0);
        await Check(silos);
    }

    [Fact]
    public async Task A_follower_that_begins_again_has_no_order_take_anything_twice()
    {
        await using var silos = await Silos.Start();
        var order = (await silos.Place(lines: ("A", 5))).Id;
        await Known(silos);
        await silos.Receive("LON", "A", 2);
        await silos.UntilOrder(order, o => o.Lines[0].Allocated == 2);
        await silos.UntilHandled("fulfilment");
        await silos.Database.Execute("update oms.checkpoint set transaction = 0, position = 0 where follower = 'fulfilment'");
        await silos.Receive("LON", "B", 1);
        await silos.UntilHandled("fulfilment");
        Assert.Equal((2, 2), await Counts(silos));
        Assert.Equal(2, (await silos.Order(order).Get())!.Lines[0].Allocated);
        await Check(silos);
    }

    /// <summary>The silo of the stock hears of it a moment later than the stock does.</summary>
    [Fact]
    public async Task What_whoever_is_cancelled_had_goes_to_the_next_and_not_back_to_it()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 2);
        var gone = (await silos.Place(payment: PaymentReport.Pending, lines: ("A", 5))).Id;
        var next = (await silos.Place(lines: ("A", 4))).Id;
        await Known(silos);
        var goesOn = new TaskCompletionSource();
        silos.Faults.Reads = goesOn.Task;
        await silos.Order(gone).Execute(new CancelOrder("c", "test", null), Silos.By("cancel"));
        var served = Assert.Single((await Entries(silos)).OfType<StockServed>());
        Assert.Equal((next, 2), (served.OrderId, served.Lines[0].Quantity));
        goesOn.SetResult();
        await silos.UntilOrder(next, o => o.Lines[0].Allocated == 2);
        await Check(silos);
        Assert.DoesNotContain(await silos.Log.ReadStream(gone), e => e.Data is ReservationSettled);
    }

    /// <summary>One receipt is taken by many.</summary>
    [Fact]
    public async Task A_stock_that_many_ask_at_once_what_it_holds_asks_the_log_for_all_of_them()
    {
        const int Many = 50;
        var calls = new Arrivals(nameof(IStockGrain.Holds), Many);
        await using var silos = await Silos.Start(adjust: silo => silo.AddSingleton<IIncomingGrainCallFilter>(calls));
        await silos.Stock("LON", "A").Get();
        var reads = 0;
        silos.Faults.OnReadStream = (stream, _, _) => reads += stream == Keys.OfStock("LON", "A") ? 1 : 0;
        silos.Faults.StreamReads = calls.All;
        var answers = await Task.WhenAll(Enumerable.Range(0, Many).Select(_ => silos.Stock("LON", "A").Holds("ord-1", [new LineUnits(1, 1)], "attempt")));
        Assert.All(answers, Assert.False);
        // For the first, and for all that came while it was asked.
        Assert.Equal(2, reads);
    }

    /// <param name="method">Name of what grains are asked for.</param>
    /// <param name="many">How often.</param>
    sealed class Arrivals(string method, int many) : IIncomingGrainCallFilter
    {
        readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int _calls;

        /// <summary>Completes when so many have come.</summary>
        public Task All => _all.Task;

        public Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.MethodName == method && ++_calls == many) _all.SetResult();
            return context.Invoke();
        }
    }

    /// <summary>A part of them has ended: nobody would find the rest for minutes.</summary>
    [Fact]
    public async Task What_is_left_of_units_that_an_order_may_not_take_any_more_is_freed_at_once()
    {
        await using var silos = await Silos.Start();
        var order = (await silos.Place(lines: ("A", 2))).Id;
        await Known(silos);
        var goesOn = new TaskCompletionSource();
        silos.Faults.Reads = goesOn.Task;
        await silos.Receive("LON", "A", 2);
        var served = Assert.Single(await silos.Log.ReadStream(Keys.OfStock("LON", "A")), e => e.Data is StockServed);
        await silos.Stock("LON", "A").Execute(new ReleaseStock("test", order, [new LineUnits(1, 1)], "test"), "test");
        Assert.Equal((2, 1), await Counts(silos));
        await silos.Order(order).Take(TakeServed.Of(served.Stream, (StockServed)served.Data!, served.CommandId, served.At));
        Assert.Equal((2, 0), await Counts(silos));
        goesOn.SetResult();
        await silos.UntilOrder(order, o => o.Lines[0].Allocated == 2);
        await Check(silos);
    }

    /// <summary>Its process died after the stock had served it, and the watch was there first.</summary>
    [Fact]
    public async Task What_was_given_back_meanwhile_is_not_taken_any_more()
    {
        await using var silos = await Silos.Start();
        var order = (await silos.Place(lines: ("A", 2))).Id;
        await Known(silos);
        var goesOn = new TaskCompletionSource();
        silos.Faults.Reads = goesOn.Task;
        await silos.Receive("LON", "A", 2);
        Assert.Equal((2, 2), await Counts(silos));
        Assert.True(await silos.Order(order).SettleReservation("LON", "A"));
        Assert.Equal((2, 0), await Counts(silos));
        goesOn.SetResult();
        await silos.UntilOrder(order, o => o.Lines[0].Allocated == 2);
        Assert.Equal((2, 2), await Counts(silos));
        await Check(silos);
    }
}
