using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains;
using OrleansOms.Grains.Followers;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>What a dead process has reserved is given back, and nothing else: however long ago, however much there is of it.</summary>
public sealed class SettlementTests
{
    const string GivenBack = "select count(*) from oms.event where type = 'stock.reservation-released.v1'";

    static readonly OmsSettings Soon = new() { ReservationGrace = TimeSpan.FromMilliseconds(200) };

    [Fact]
    public async Task What_a_stock_has_forgotten_is_not_done_again_to_what_it_holds_now()
    {
        await using var silos = await Silos.Start();
        var order = await ShippedInPart(silos);
        Assert.True(await silos.Order(order).SettleReservation("LON", "A"));
        Assert.Equal((5, 5), await Counts(silos));
    }

    [Fact]
    public async Task What_a_dead_retry_has_reserved_for_an_order_of_long_ago_is_given_back_and_not_shipped()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 10);
        var order = (await silos.Place(lines: ("A", 5))).Id;
        await Ship(silos, order, 5);
        await silos.UntilStock("LON", "A", s => s.OnHand == 5);
        await silos.Forget("LON", "A");
        await silos.Stock("LON", "A").Execute(new ReserveStock($"{order}/retry/1", order, [new LineUnits(1, 5)]), "test");
        Assert.True(await silos.Order(order).SettleReservation("LON", "A"));
        Assert.Equal((5, 0), await Counts(silos));
    }

    [Fact]
    public async Task What_an_order_has_decided_long_ago_is_done_once_also_when_a_dead_retry_holds_units_meanwhile()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 10);
        var order = $"{Keys.Order}{new string('1', 26)}";
        LineUnits[] units = [new(1, 5)];
        var ship = new ShipStock($"{order}/5", order, "shp", units) { DecidedAt = DateTimeOffset.UtcNow - TimeSpan.FromMinutes(10) };
        await silos.Stock("LON", "A").Execute(new ReserveStock($"{order}/placing/1", order, units), "test");
        await silos.Stock("LON", "A").Execute(ship, "test");
        Assert.Equal((5, 0), await Counts(silos));
        await silos.Forget("LON", "A");
        await silos.Stock("LON", "A").Execute(new ReserveStock($"{order}/retry/1", order, units), "test");
        await silos.Stock("LON", "A").Execute(ship, "test");
        Assert.Equal((5, 5), await Counts(silos));
    }

    [Fact]
    public async Task A_follower_that_begins_again_long_before_ships_nothing_twice()
    {
        await using var silos = await Silos.Start();
        var order = await ShippedInPart(silos);
        await silos.UntilOrder(order, o => o.Shipments.Count == 2);
        await silos.UntilHandled("fulfilment");
        await silos.Database.Execute("update oms.checkpoint set transaction = 0, position = 0 where follower = 'fulfilment'");
        await silos.Receive("LON", "B", 1);
        await silos.UntilHandled("fulfilment");
        Assert.Equal((5, 5), await Counts(silos));
    }

    [Fact]
    public async Task What_was_reserved_for_an_order_that_another_activation_has_changed_is_given_back_at_once()
    {
        await using var silos = await Silos.Start();
        var order = (await silos.Place(lines: ("A", 5))).Id;
        // Whoever is held is not served with what comes in, and looks for it when it is held no more.
        await silos.Order(order).Execute(new PlaceHold("check", "why", HoldStops.Allocate), Silos.By("hold"));
        foreach (var silo in silos.Cluster.Silos) await silo.ServiceProvider.GetRequiredService<LogTail>().CaughtUp();
        var isFirst = 1;
        silos.Faults.OnAppendAsync = async append =>
        {
            if (append.Main.Events[0].Data is OrderAllocated { Cause: SourcingCause.Arrival } && Interlocked.Exchange(ref isFirst, 0) == 1)
                Assert.IsType<AppendResult.Committed>(await silos.Log.Append(new Append(new StreamEvents(
                    order, append.Main.ExpectedVersion,
                    [new NewEvent(new HoldPlaced("look", "why", HoldStops.None), "other", "test", DateTimeOffset.UtcNow)]))));
            return null;
        };
        await silos.Receive("LON", "A", 20);
        await silos.Order(order).Execute(new LiftHold("check"), Silos.By("lift"));
        await Silos.Until(() => Calmly(() => silos.Order(order).Get()), o => o?.Lines[0].Allocated == 5);
        Assert.Equal(0, isFirst);
        Assert.Equal((20, 5), await Counts(silos));
    }

    [Theory, InlineData(StockPolicy.Reject), InlineData(StockPolicy.Backorder)]
    public async Task An_order_is_not_refused_for_want_of_what_its_own_dead_attempt_holds(StockPolicy policy)
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        var (id, command) = silos.NewOrder(policy: policy, lines: [("A", 3), ("A", 2)]);
        var isFirst = 1;
        silos.Faults.OnAppend = a => a.Main.Stream == id && Interlocked.Exchange(ref isFirst, 0) == 1 ? FaultyLog.Fault.BeforeCommit : null;
        await Assert.ThrowsAsync<LogUnavailableException>(() => silos.Desk.Place(id, command, Silos.By(id)));
        Assert.Equal((5, 5), await Counts(silos));
        var placed = (await silos.Desk.Place(id, command, Silos.By(id))).Value;
        Assert.NotNull(placed);
        if (policy == StockPolicy.Reject) Assert.Equal([3, 2], placed.Lines.Select(l => l.Allocated));
        Assert.Equal((5, 5), await Counts(silos));
    }

    [Fact]
    public async Task A_dead_attempt_at_many_stocks_is_made_impossible_once()
    {
        const int many = 200;
        await using var silos = await Silos.Start(Soon);
        var (id, _) = silos.NewOrder(lines: ("A", 1));
        await Reserved(silos, (id, many));
        await Silos.Until(() => silos.Database.Ask<long>(GivenBack), n => n == many);
        Assert.IsType<OrderAbandoned>(Assert.Single(await silos.Log.ReadStream(id)).Data);
    }

    [Fact]
    public async Task An_order_that_cannot_be_settled_keeps_no_other_waiting_and_is_settled_later()
    {
        await using var silos = await Silos.Start(Soon);
        var ((bad, _), (good, _)) = (silos.NewOrder(lines: ("A", 1)), silos.NewOrder(lines: ("A", 1)));
        silos.Faults.OnAppend = a => a.Main.Stream == bad ? FaultyLog.Fault.BeforeCommit : null;
        await Reserved(silos, (bad, 1), (good, 1));
        await Silos.Until(() => silos.Database.Ask<long>(GivenBack), n => n == 1);
        Assert.Single(await silos.Log.ReadStream(good));
        silos.Faults.OnAppend = null;
        await Silos.Until(() => silos.Database.Ask<long>(GivenBack), n => n == 2);
    }

    [Fact]
    public async Task Each_allocation_says_by_which_attempt_its_units_were_reserved()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 3);
        var order = (await silos.Place(lines: ("A", 5))).Id;
        await silos.Receive("LON", "A", 4);
        await silos.UntilOrder(order, o => o.Lines[0].Allocated == 5);
        var reserved = (await silos.Log.ReadStream(Keys.OfStock("LON", "A"))).Where(e => e.Data is StockReserved).Select(e => e.CommandId);
        Assert.Equal(reserved, (await silos.Log.ReadStream(order)).Select(e => e.Data).OfType<OrderAllocated>().Select(a => a.Attempt));
    }

    /// <param name="attempt">Null as programs of before have stored it.</param>
    [Theory, InlineData("never heard of"), InlineData(null)]
    public async Task What_an_order_has_stored_and_no_stock_was_heard_of_is_nothing_to_give_back(string? attempt)
    {
        var asked = new ConcurrentQueue<string>();
        await using var silos = await Silos.Start(Soon, adjust: services => services.AddSingleton<IIncomingGrainCallFilter>(new Listener(asked)));
        var stored = await silos.Place(PaymentReport.Pending, lines: ("A", 1));
        var (dead, _) = silos.NewOrder(lines: ("A", 1));
        Assert.IsType<AppendResult.Committed>(await silos.Log.Append(new Append(new StreamEvents(stored.Id, stored.Version, [New(
            new OrderAllocated(SourcingCause.Arrival, [new LineAllocation(1, "A", "LON", 1)], [], new SourcingPlan([], new Dictionary<string, int>(), "test", []), attempt))]))));
        await Reserved(silos, (dead, 1));
        await Silos.Until(() => silos.Database.Ask<long>(GivenBack), n => n == 1);
        Assert.Equal([dead], asked.Distinct());
        // It does not keep the watch from going on either.
        await silos.UntilHandled("reservation-watch");
    }

    [Fact]
    public async Task What_a_dead_attempt_has_reserved_is_given_back_also_if_its_order_is_placed_while_it_is_looked_at()
    {
        var afterTheLook = new AfterCall(nameof(IStockGrain.ReservedFor));
        await using var silos = await Silos.Start(Soon, adjust: services => services.AddSingleton<IIncomingGrainCallFilter>(afterTheLook));
        await silos.Receive("LON", "A", 20);
        var (id, command) = silos.NewOrder(lines: ("A", 5));
        Reply<OrderView>? placed = null;
        afterTheLook.Do = async () => placed = await silos.Desk.Place(id, command, Silos.By(id));
        await silos.Stock("LON", "A").Execute(new ReserveStock($"{id}/dead/1", id, [new LineUnits(1, 5)]), "test");
        await Silos.Until(() => silos.Database.Ask<long>(GivenBack), n => n == 1, TimeSpan.FromSeconds(30));
        Assert.Null(placed!.Rejection);
        Assert.Equal((20, 5), await Counts(silos));
        Assert.Equal(5, (await silos.Order(id).Get())!.Lines[0].Allocated);
    }

    [Fact]
    public async Task What_is_seen_of_a_cart_before_its_units_are_passed_on_is_not_held_against_the_order()
    {
        var afterTheLook = new AfterCall(nameof(IStockGrain.ReservedFor));
        await using var silos = await Silos.Start(adjust: services => services.AddSingleton<IIncomingGrainCallFilter>(afterTheLook));
        await silos.Receive("LON", "A", 5);
        var cart = await CartSteps.Held(silos, ("A", 1));
        // The desk has stored the order, whose second line has the cart's unit, and has not told the stock yet; nor has the follower.
        var goesOn = new TaskCompletionSource();
        silos.Faults.Reads = goesOn.Task;
        var (_, command) = silos.NewOrder(lines: [("B", 1), ("A", 1)]);
        var before = new Order(cart.Id).Apply((await silos.Log.ReadStream(cart.Id)).Select(e => (OrderEvent)e.Data!));
        var placed = OrderDecider.Decide(before, new TakeOrder(
            command, [], new SourcingPlan([], new Dictionary<string, int> { ["B"] = 1 }, "test", []),
            new PlacingTerms(TimeSpan.FromMinutes(30), TimeSpan.FromDays(14)), null, before.Cart!.ShareOf(command.Lines)), DateTimeOffset.UtcNow).Events;
        Assert.IsType<AppendResult.Committed>(await silos.Log.Append(new Append(new StreamEvents(cart.Id, before.Version, [.. placed.Select(New)]))));
        // An attempt that has died had reserved for that line.
        await silos.Stock("LON", "A").Execute(
            new ReserveStock(ReserveStock.AttemptOf(cart.Id, before.Version, "dead"), cart.Id, [new LineUnits(2, 1)]), "test");
        afterTheLook.Do = () => Task.WhenAll(StockConsequences.Of(cart.Id, before.Version + 1, (OrderEvent)placed[0], DateTimeOffset.UtcNow)
            .Select(c => silos.Stock(c.Warehouse, c.Sku).Execute(c.Command, "test")));

        Assert.False(await silos.Order(cart.Id).SettleReservation("LON", "A"));
        Assert.Equal((5, 2), await Counts(silos));
        Assert.True(await silos.Order(cart.Id).SettleReservation("LON", "A"));
        Assert.Equal((5, 1), await Counts(silos));
        goesOn.SetResult();
    }

    sealed class Listener(ConcurrentQueue<string> asked) : IIncomingGrainCallFilter
    {
        public Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.MethodName.StartsWith(nameof(IOrderGrain.SettleReservation), StringComparison.Ordinal))
                asked.Enqueue(context.TargetId.Key.ToString()!);
            return context.Invoke();
        }
    }

    /// <summary>Ten were wanted; five have left, so long ago that their stock has forgotten it, and five have come in since.</summary>
    static async Task<string> ShippedInPart(Silos silos)
    {
        await silos.Receive("LON", "A", 5);
        var order = (await silos.Place(lines: ("A", 10))).Id;
        await Ship(silos, order, 5);
        await silos.UntilStock("LON", "A", s => s.OnHand == 0);
        await silos.Forget("LON", "A");
        await silos.Receive("LON", "A", 5);
        await silos.UntilOrder(order, o => o.Lines[0].Allocated == 5);
        return order;
    }

    static async Task Ship(Silos silos, string order, int units)
    {
        await silos.UntilOrder(order, o => o.Shipments.Count == 1);
        SkuUnits[] all = [new("A", units)];
        foreach (var (command, n) in new ShipmentCommand[]
            { new PickUnits(all), new PackShipment([new Package(500, all)]), new ShipShipment("dhl", "parcel", "T1") }.Select((c, n) => (c, n)))
            Assert.Null((await silos.Shipment(Keys.OfShipment(order, 1)).Execute(command, Silos.By($"{order}/{n}"))).Rejection);
    }

    static async Task<(int OnHand, int Reserved)> Counts(Silos silos)
    {
        var stock = await Calmly(() => silos.Stock("LON", "A").Get());
        return (stock!.OnHand, stock.Reserved);
    }

    /// <summary>Processes that have died since have reserved a unit for each of these orders, in so many stocks, all in one moment.</summary>
    static async Task Reserved(Silos silos, params (string OrderId, int Stocks)[] orders)
    {
        StreamEvents[] stocks = [.. orders.SelectMany(o => Enumerable.Range(0, o.Stocks).Select(n => new StreamEvents(
            Keys.OfStock("LON", $"{o.OrderId[^6..]}-{n}"), 0,
            [New(new StockReceived(1, "test")), New(new StockReserved(o.OrderId, [new LineUnits(n + 1, 1)]))])))];
        Assert.IsType<AppendResult.Committed>(await silos.Log.Append(new Append(stocks[0], stocks[1..], [])));
    }

    static NewEvent New(DomainEvent e) => new(e, Guid.NewGuid().ToString("N"), "test", DateTimeOffset.UtcNow);

    static async Task<T?> Calmly<T>(Func<Task<T>> ask) where T : class?
    {
        try { return await ask(); }
        catch (OmsFaultException) { return null; }
    }
}
