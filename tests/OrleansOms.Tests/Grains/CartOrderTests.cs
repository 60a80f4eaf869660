using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Tests.Fixtures;
using static OrleansOms.Tests.Grains.CartSteps;

namespace OrleansOms.Tests.Grains;

/// <summary>Orders that are placed with a cart: its units are theirs, at no moment anybody else's, whatever dies.</summary>
public sealed class CartOrderTests
{
    [Fact]
    public async Task An_order_has_the_units_of_its_cart_whatever_others_want_meanwhile()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 3);
        await silos.Receive("LON", "B", 3);
        var cart = await Held(silos, ("A", 3), ("B", 1));
        var other = await silos.Place(lines: ("A", 1));
        Assert.Equal(1, other.Lines[0].Backordered);
        // The lines the other way round, one A fewer, one B more.
        var order = (await Order(silos, cart.Id, out _, lines: [("B", 2), ("A", 2)])).Value!;
        Assert.Equal((cart.Id, OrderStatus.Allocated), (order.Id, order.Status));
        Assert.Equal([2, 2], order.Lines.Select(l => l.Allocated));
        // The one that it leaves is for whoever waits.
        await silos.UntilOrder(other.Id, o => o.Lines[0].Allocated == 1);
        Assert.Equal(((3, 3), (3, 2)), (await Counts(silos), await Counts(silos, "B")));
        Assert.Equal(ReservationStatus.Ordered, (await silos.Order(cart.Id).GetReservation())!.Status);
        await Check(silos);
    }

    [Fact]
    public async Task An_order_with_a_cart_is_placed_once_and_its_key_and_its_cart_are_used_up()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 9);
        var cart = await Held(silos, ("A", 2));
        var (id, command) = silos.NewOrder(lines: ("A", 2));
        command = command with { Reservation = cart.Id };
        var first = (await silos.Desk.Place(id, command, Silos.By(id))).Value!;
        await silos.UntilHandled("fulfilment");
        Assert.Equivalent(first, (await silos.Desk.Place(id, command, Silos.By(id))).Value, strict: true);
        Assert.Equal("idempotency_key_reused", (await silos.Desk.Place(
            id, command with { Reservation = null, RequestHash = "other" }, Silos.By(id))).Rejection?.Code);
        Assert.Equal("idempotency_key_reused", (await silos.Desk.Place(
            id, command with { RequestHash = "other" }, Silos.By(id))).Rejection?.Code);
        Assert.Equal("reservation_over", (await Order(silos, cart.Id, out _, lines: ("A", 1))).Rejection?.Code);
        Assert.Equal("unknown_reservation", (await Order(silos, NewId(), out _, lines: ("A", 1))).Rejection?.Code);
        Assert.Equal((9, 2), await Counts(silos));
    }

    [Fact]
    public async Task A_key_that_has_placed_an_order_places_none_with_a_cart()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 9);
        var cart = await Held(silos, ("A", 2));
        var (id, command) = silos.NewOrder(lines: ("A", 1));
        Assert.Null((await silos.Desk.Place(id, command, Silos.By(id))).Rejection);
        Assert.Equal("idempotency_key_reused", (await silos.Desk.Place(
            id, command with { Reservation = cart.Id, RequestHash = "other" }, Silos.By(id))).Rejection?.Code);
        Assert.Equal(ReservationStatus.Active, (await silos.Order(cart.Id).GetReservation())!.Status);
    }

    [Fact]
    public async Task An_order_that_is_refused_leaves_its_cart_for_an_order_of_less()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 2);
        var cart = await Held(silos, ("A", 2));
        var refused = await Order(silos, cart.Id, out var id, StockPolicy.Reject, ("B", 1), ("A", 2));
        Assert.Equal("insufficient_stock", refused.Rejection?.Code);
        Assert.Equal("insufficient_stock", (await silos.Desk.Place(
            id, silos.NewOrder(policy: StockPolicy.Reject, lines: ("A", 2)).Command with { Reservation = cart.Id }, Silos.By(id))).Rejection?.Code);
        Assert.Equal((2, 2), await Counts(silos));
        var order = (await Order(silos, cart.Id, out _, StockPolicy.Reject, ("A", 2))).Value!;
        Assert.Equal(2, order.Lines[0].Allocated);
        await Check(silos);
    }

    [Fact]
    public async Task An_order_with_a_cart_that_is_over_is_sourced_as_any_other()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 3);
        var cart = await Held(silos, ("A", 2));
        await silos.Order(cart.Id).ChangeReservation(new ReleaseCart(), Silos.By("up"));
        var order = (await Order(silos, cart.Id, out _, lines: ("A", 3))).Value!;
        Assert.Equal((cart.Id, 3), (order.Id, order.Lines[0].Allocated));
        await silos.UntilHandled("fulfilment");
        Assert.Equal((3, 3), await Counts(silos));
        await Check(silos);
    }

    [Fact]
    public async Task A_cart_keeps_what_an_order_would_have_taken_that_was_never_stored()
    {
        await using var silos = await Silos.Start(Soon);
        await silos.Receive("LON", "A", 5);
        await silos.Receive("LON", "B", 5);
        var cart = await Held(silos, ("A", 2), ("B", 1));
        silos.Faults.OnAppend = a => a.Main.Events.Any(e => e.Data is OrderPlaced) ? FaultyLog.Fault.BeforeCommit : null;
        await Assert.ThrowsAsync<LogUnavailableException>(() => Order(silos, cart.Id, out _, lines: [("B", 2), ("A", 2)]));
        silos.Faults.OnAppend = null;
        // What was sourced besides is free after a while, and the cart is as it was.
        await silos.UntilStock("LON", "B", s => s.Reserved == 1);
        Assert.Equal(ReservationStatus.Active, (await silos.Order(cart.Id).GetReservation())!.Status);
        await Check(silos);
        Assert.Equal([2, 2], (await Order(silos, cart.Id, out _, lines: [("B", 2), ("A", 2)])).Value!.Lines.Select(l => l.Allocated));
        await Check(silos);
    }

    [Fact]
    public async Task An_order_with_a_cart_is_not_refused_for_want_of_what_its_own_dead_attempt_holds()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        await silos.Receive("LON", "B", 2);
        var cart = await Held(silos, ("A", 3));
        var (id, command) = silos.NewOrder(policy: StockPolicy.Reject, lines: [("B", 2), ("A", 5)]);
        command = command with { Reservation = cart.Id };
        var isFirst = 1;
        silos.Faults.OnAppend = a => a.Main.Events.Any(e => e.Data is OrderPlaced) && Interlocked.Exchange(ref isFirst, 0) == 1
            ? FaultyLog.Fault.BeforeCommit : null;
        await Assert.ThrowsAsync<LogUnavailableException>(() => silos.Desk.Place(id, command, Silos.By(id)));
        Assert.Equal(((5, 5), (2, 2)), (await Counts(silos), await Counts(silos, "B")));
        var order = (await silos.Desk.Place(id, command, Silos.By(id))).Value!;
        Assert.Equal([2, 5], order.Lines.Select(l => l.Allocated));
        Assert.Equal(((5, 5), (2, 2)), (await Counts(silos), await Counts(silos, "B")));
        await Check(silos);
    }

    [Fact]
    public async Task An_order_with_a_cart_is_not_refused_for_want_of_what_another_body_of_it_has_tried()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        await silos.Receive("LON", "B", 1);
        var cart = await Held(silos, ("A", 3));
        silos.Faults.OnAppend = a => a.Main.Events.Any(e => e.Data is OrderPlaced) ? FaultyLog.Fault.BeforeCommit : null;
        await Assert.ThrowsAsync<LogUnavailableException>(() => Order(silos, cart.Id, out _, StockPolicy.Reject, ("A", 5)));
        silos.Faults.OnAppend = null;
        Assert.Equal((5, 5), await Counts(silos));
        var order = (await Order(silos, cart.Id, out _, StockPolicy.Reject, ("B", 1), ("A", 5))).Value;
        Assert.Equal([1, 5], order!.Lines.Select(l => l.Allocated));
        await Check(silos);
    }

    [Fact]
    public async Task A_cart_that_is_over_has_its_units_for_its_order_before_its_stocks_have_heard_of_it()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 3);
        var cart = await Held(silos, ("A", 3));
        await silos.UntilHandled("fulfilment");
        var goesOn = new TaskCompletionSource();
        silos.Faults.Reads = goesOn.Task;
        // Ended, and whoever was to tell the stock has died.
        Assert.IsType<AppendResult.Committed>(await silos.Log.Append(new Append(new StreamEvents(cart.Id, cart.Version, [new NewEvent(
            new CartEnded(CartEnd.Released, [new LineAllocation(1, "A", "LON", 3)], []), "up", "test", DateTimeOffset.UtcNow)]))));
        var order = (await Order(silos, cart.Id, out _, lines: ("A", 3))).Value!;
        Assert.Equal(3, order.Lines[0].Allocated);
        Assert.Equal((3, 3), await Counts(silos));
        goesOn.SetResult();
        await Check(silos);
    }

    [Fact]
    public async Task Stocks_know_what_became_of_a_cart_when_the_order_is_answered()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        var cart = await Held(silos, ("A", 4));
        await silos.UntilHandled("fulfilment");
        var goesOn = new TaskCompletionSource();
        silos.Faults.Reads = goesOn.Task; // The follower hears of nothing.
        var order = (await Order(silos, cart.Id, out _, lines: [("A", 1), ("A", 2)])).Value!;
        Assert.Equal((5, 3), await Counts(silos));
        Assert.Equal(
            [(1, 1), (2, 2)], (await silos.Stock("LON", "A").ReservedFor(order.Id, [1, 2])).Select(h => (h.LineId, h.Quantity)));
        goesOn.SetResult();
        await Check(silos);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task An_order_whose_answer_is_lost_is_placed_once_and_leaves_with_the_units_of_its_lines(bool stocksHearLate)
    {
        await using var silos = await Silos.Start(Soon);
        await silos.Receive("LON", "A", 9);
        await silos.Receive("LON", "B", 9);
        var cart = await Held(silos, ("A", 6), ("B", 1));
        await silos.UntilHandled("fulfilment");
        var (id, command) = silos.NewOrder(PaymentReport.Pending, lines: [("B", 1), ("A", 6)]);
        command = command with { Reservation = cart.Id };
        var isFirst = 1;
        var goesOn = new TaskCompletionSource();
        if (stocksHearLate) silos.Faults.Reads = goesOn.Task;
        // Stored, and nobody is told; what the stocks are to do, the follower has to see to, or whoever asks them for something else.
        silos.Faults.OnAppend = a => a.Main.Events.Any(e => e.Data is OrderPlaced) && Interlocked.Exchange(ref isFirst, 0) == 1
            ? FaultyLog.Fault.AfterCommit : null;
        await Assert.ThrowsAsync<LogUnavailableException>(() => silos.Desk.Place(id, command, Silos.By(id)));
        if (!stocksHearLate) await silos.UntilHandled("fulfilment");
        var order = (await silos.Desk.Place(id, command, Silos.By(id))).Value!;
        Assert.Equal([1, 6], order.Lines.Select(l => l.Allocated));
        var fewer = await silos.Order(order.Id).Execute(
            new CancelOrder("c", "one fewer", [new LineUnits(2, 1)]), Silos.By("cancel"));
        Assert.Equal(1, fewer.Value!.Lines[1].Cancelled);
        Assert.Equal((9, 5), await Counts(silos));
        goesOn.SetResult();
        Assert.Null((await silos.Order(order.Id).Execute(
            new RecordPayment(PaymentReport.Paid, 6 * 12m, "pi"), Silos.By("paid"))).Rejection);
        await silos.UntilOrder(order.Id, o => o.Shipments.Count == 1);
        var shipment = silos.Shipment(Keys.OfShipment(order.Id, 1));
        foreach (var todo in (ShipmentCommand[])
            [
                new PickUnits([new SkuUnits("A", 5), new SkuUnits("B", 1)]),
                new PackShipment([new Package(500, [new SkuUnits("A", 5), new SkuUnits("B", 1)])]), new ShipShipment("dhl", "parcel", "T"),
            ])
            Assert.Null((await shipment.Execute(todo, Silos.By(todo.GetType().Name))).Rejection);
        await silos.UntilStock("LON", "A", s => (s.OnHand, s.Reserved) == (4, 0));
        await silos.UntilStock("LON", "B", s => (s.OnHand, s.Reserved) == (8, 0));
        await Check(silos);
    }

    [Fact]
    public async Task Two_orders_at_once_with_one_cart_are_one_order_and_its_units_are_there()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 9);
        await silos.Receive("LON", "B", 9);
        for (var n = 0; n < 10; n++)
        {
            var cart = await Held(silos, ("A", 2), ("B", 1));
            var replies = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Order(silos, cart.Id, out var _, lines: [("B", 1), ("A", 1)])));
            Assert.Single(replies, r => r.Rejection is null);
            Assert.Equal(2, replies.Count(r => r.Rejection?.Code == "reservation_over"));
            var order = replies.Single(r => r.Rejection is null).Value!;
            await silos.UntilHandled("fulfilment");
            Assert.Equal([(2, 1)], (await silos.Stock("LON", "A").ReservedFor(order.Id, [1, 2])).Select(h => (h.LineId, h.Quantity)));
            Assert.Equal([(1, 1)], (await silos.Stock("LON", "B").ReservedFor(order.Id, [1, 2])).Select(h => (h.LineId, h.Quantity)));
            await silos.Order(order.Id).Execute(new CancelOrder("c", "why", null), Silos.By($"cancel {n}"));
        }
        await silos.UntilStock("LON", "A", s => s.Reserved == 0);
        await Check(silos);
    }

    [Fact]
    public async Task A_cart_that_is_given_up_while_an_order_is_placed_with_it_is_free_or_ordered_and_nothing_between()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        await silos.Receive("LON", "B", 5);
        var cart = await Held(silos, ("A", 5), ("B", 1));
        silos.Faults.OnAppendAsync = async append =>
        {
            if (append.Main.Events.All(e => e.Data is not OrderPlaced)) return null;
            silos.Faults.OnAppendAsync = null;
            Assert.Null((await silos.Order(cart.Id).ChangeReservation(new ReleaseCart(), Silos.By("up"))).Rejection);
            Assert.Equal((5, 0), await Counts(silos)); // Free when it is answered, whatever is about to be placed.
            return null;
        };
        var order = (await Order(silos, cart.Id, out _, StockPolicy.Reject, ("B", 1), ("A", 5))).Value!;
        Assert.Equal([1, 5], order.Lines.Select(l => l.Allocated));
        await silos.UntilHandled("fulfilment");
        Assert.Equal((5, 5), await Counts(silos));
        await Check(silos);
    }

    [Fact]
    public async Task A_key_that_was_tried_without_a_cart_is_used_up()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        var cart = await Held(silos, ("A", 2));
        var (id, command) = silos.NewOrder(lines: ("A", 2));
        await silos.Order(id).SettleReservation("LON", "A"); // as the watch does when whoever tried has died
        Assert.Equal("idempotency_key_reused", (await silos.Desk.Place(
            id, command with { Reservation = cart.Id }, Silos.By(id))).Rejection?.Code);
    }
}
