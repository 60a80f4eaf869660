using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Domain.Tests.Orders;

public sealed class OrderDeciderTests
{
    static readonly DateTimeOffset Now = Given.Now;

    static Decision<OrderEvent> Decide(Order order, OrderCommand command, DateTimeOffset? now = null) =>
        OrderDecider.Decide(order, command, now ?? Now);

    static string? Refusal(Order order, OrderCommand command) => Decide(order, command).Rejection?.Code;

    [Fact]
    public void A_paid_order_with_stock_is_allocated_at_version_three()
    {
        var order = Given.Allocated();
        Assert.Equal(3, order.Version);
        Assert.Equal(OrderStatus.Allocated, order.DeriveStatus());
        Assert.Equal(PaymentStatus.Paid, order.DerivePaymentStatus());
        Assert.Equal(new OrderTotals(15.30m, 0, 3.06m, 3.95m, 22.31m), order.Placed!.Totals());
    }

    [Fact]
    public void Placing_twice_changes_nothing() =>
        Assert.Empty(Decide(Given.Allocated(), new TakeOrder(Given.Request(), [], Given.Plan(), Given.Terms)).Events);

    [Fact]
    public void Missing_units_wait_as_backordered()
    {
        var order = Given.Placed(Given.Request(), new LineAllocation(1, "A", "LON", 4));
        Assert.Equal((4, 2), (order.Lines[0].Allocated, order.Lines[0].Backordered));
        Assert.Equal(OrderStatus.PartiallyAllocated, order.DeriveStatus());
    }

    [Fact]
    public void Policy_reject_refuses_the_whole_order_and_remembers_the_answer()
    {
        var decision = Decide(new Order(Given.Id), new TakeOrder(
            Given.Request(policy: StockPolicy.Reject), [], Given.Plan(("A", 2)), Given.Terms));
        var refused = Assert.IsType<OrderRefused>(Assert.Single(decision.Events));
        Assert.Equal("insufficient_stock", refused.Code);
        Assert.False(new Order(Given.Id).Apply(refused).Exists);
    }

    [Fact]
    public void An_abandoned_order_can_still_be_placed()
    {
        var order = new Order(Given.Id).Apply(new OrderAbandoned());
        var decision = Decide(order, new TakeOrder(Given.Request(), [], Given.Plan(("A", 6)), Given.Terms));
        Assert.IsType<OrderPlaced>(decision.Events[0]);
        Assert.Equal(4, order.Apply(decision.Events).Version);
    }

    [Theory]
    [InlineData(PaymentReport.Pending, OrderStatus.AwaitingPayment, PaymentStatus.Pending)]
    [InlineData(PaymentReport.Authorized, OrderStatus.Allocated, PaymentStatus.Authorized)]
    [InlineData(PaymentReport.Paid, OrderStatus.Allocated, PaymentStatus.Paid)]
    public void Only_money_or_terms_let_an_order_go_on(PaymentReport payment, OrderStatus status, PaymentStatus money)
    {
        var order = Given.Allocated(payment);
        Assert.Equal((status, money), (order.DeriveStatus(), order.DerivePaymentStatus()));
        Assert.Equal(payment == PaymentReport.Pending, Decide(order, new ReleaseToWarehouses()).Events.Count == 0);
    }

    [Fact]
    public void Terms_ship_without_money()
    {
        var order = Given.Placed(
            Given.Request(PaymentReport.Pending, PaymentMethod.Terms), new LineAllocation(1, "A", "LON", 6));
        Assert.Equal(PaymentStatus.OnTerms, order.DerivePaymentStatus());
        Assert.Single(Decide(order, new ReleaseToWarehouses()).Events);
    }

    [Fact]
    public void Release_makes_one_shipment_per_warehouse_and_only_once()
    {
        var order = Given.Placed(
            Given.Request(lines: [("A", 6), ("B", 1)]),
            new LineAllocation(1, "A", "LON", 4), new LineAllocation(1, "A", "MAN", 2), new LineAllocation(2, "B", "LON", 1));
        order = order.When(new ReleaseToWarehouses());
        Assert.Equal(["LON", "MAN"], order.Shipments.Select(s => s.Warehouse));
        Assert.Equal([new LineUnits(1, 4), new LineUnits(2, 1)], order.Shipments[0].Lines);
        Assert.Empty(Decide(order, new ReleaseToWarehouses()).Events);
    }

    [Fact]
    public void Payment_in_parts_is_partially_paid_until_the_last()
    {
        var order = Given.Allocated(PaymentReport.Pending).When(new RecordPayment(PaymentReport.Paid, 20m, "a"));
        Assert.Equal(PaymentStatus.PartiallyPaid, order.DerivePaymentStatus());
        Assert.Equal("amount_too_high", Refusal(order, new RecordPayment(PaymentReport.Paid, 2.32m, "b")));
        Assert.Equal(PaymentStatus.Paid,
            order.When(new RecordPayment(PaymentReport.Paid, 2.31m, "b")).DerivePaymentStatus());
    }

    [Fact]
    public void A_payment_reference_counts_once()
    {
        var order = Given.Allocated(PaymentReport.Pending).When(new RecordPayment(PaymentReport.Paid, 20m, "a"));
        Assert.Empty(Decide(order, new RecordPayment(PaymentReport.Paid, 20m, "a")).Events);
        Assert.Equal("payment_reference_reused", Refusal(order, new RecordPayment(PaymentReport.Paid, 1m, "a")));
    }

    [Fact]
    public void No_more_is_captured_under_a_reference_than_was_authorized()
    {
        var order = Given.Allocated(PaymentReport.Pending).When(new RecordPayment(PaymentReport.Authorized, 12m, "a"));
        Assert.Equal("amount_too_high", Refusal(order, new RecordPayment(PaymentReport.Paid, 12.01m, "a")));
        Assert.Equal(12m, order.When(new RecordPayment(PaymentReport.Paid, 12m, "a")).Captured);
    }

    [Fact]
    public void A_failed_authorization_counts_no_more_and_nothing_is_released()
    {
        var authorized = new RecordPayment(PaymentReport.Authorized, 22.31m, "pi_1");
        var order = Given.Allocated(PaymentReport.Authorized).When(new RecordPayment(PaymentReport.Failed, 22.31m, "pi_1"));
        Assert.Equal(
            (0m, OrderStatus.AwaitingPayment, PaymentStatus.Pending),
            (order.Authorized, order.DeriveStatus(), order.DerivePaymentStatus()));
        Assert.Empty(Decide(order, new ReleaseToWarehouses()).Events);
        Assert.Empty(Decide(order, authorized).Events); // The first report, come again: it stays failed.
        Assert.Equal(OrderStatus.Allocated, order.When(authorized with { Reference = "pi_2" }).DeriveStatus());
    }

    [Fact]
    public void A_failure_leaves_what_was_captured_before_and_what_others_have_authorized()
    {
        var order = Given.Allocated(PaymentReport.Pending)
            .When(new RecordPayment(PaymentReport.Authorized, 12.31m, "a"))
            .When(new RecordPayment(PaymentReport.Authorized, 10m, "b"))
            .When(new RecordPayment(PaymentReport.Paid, 4m, "a"))
            .When(new RecordPayment(PaymentReport.Failed, 0, "a"));
        Assert.Equal((14m, 4m), (order.Authorized, order.Captured));
        Assert.Equal(PaymentStatus.PartiallyPaid, order.DerivePaymentStatus());
    }

    [Fact]
    public void An_authorization_after_a_failure_counts()
    {
        var order = Given.Allocated(PaymentReport.Pending)
            .When(new RecordPayment(PaymentReport.Failed, 22.31m, "a"))
            .When(new RecordPayment(PaymentReport.Authorized, 22.31m, "a"));
        Assert.Equal(PaymentStatus.Authorized, order.DerivePaymentStatus());
    }

    [Fact]
    public void An_order_whose_authorization_failed_is_cancelled_when_its_time_is_up_also_in_fulfilment()
    {
        var order = Given.Allocated(PaymentReport.Pending)
            .When(new RecordPayment(PaymentReport.Authorized, 22.31m, "a")).When(new ReleaseToWarehouses())
            .When(new RecordPayment(PaymentReport.Failed, 22.31m, "a"));
        Assert.Equal(OrderStatus.AwaitingPayment, order.DeriveStatus());
        Assert.IsType<CancellationRequested>(Assert.Single(Decide(order, new ExpirePayment(), Now.AddMinutes(30)).Events));
    }

    [Fact]
    public void A_timeout_that_came_too_late_for_units_that_are_then_not_found_comes_again()
    {
        var late = Given.Allocated(PaymentReport.Pending)
            .When(new RecordPayment(PaymentReport.Authorized, 22.31m, "a")).When(new ReleaseToWarehouses())
            .When(new RecordPayment(PaymentReport.Failed, 22.31m, "a"))
            .When(new ExpirePayment(), Now.AddMinutes(30)).When(new CompleteCancellation([]))
            .When(Given.Report(2, ShipmentStatus.Picking, new LineUnits(1, 6)));
        Assert.Equal(OrderStatus.AwaitingPayment, late.DeriveStatus());
        Assert.Equal(OrderStatus.Cancelled, late.When(new ExpirePayment(), Now.AddMinutes(60)).DeriveStatus());
    }

    [Fact]
    public void An_unpaid_order_is_cancelled_when_its_time_is_up_and_not_before()
    {
        var order = Given.Allocated(PaymentReport.Pending);
        Assert.Empty(Decide(order, new ExpirePayment(), Now.AddMinutes(29)).Events);
        var cancelled = order.When(new ExpirePayment(), Now.AddMinutes(30));
        Assert.Equal(OrderStatus.Cancelled, cancelled.DeriveStatus());
        Assert.Equal(PaymentStatus.Voided, cancelled.DerivePaymentStatus());
    }

    [Fact]
    public void An_order_paid_in_part_is_held_for_a_person_when_its_time_is_up_and_goes_on_when_the_rest_is_paid()
    {
        var order = Given.Allocated(PaymentReport.Pending).When(new RecordPayment(PaymentReport.Paid, 10m, "a"));
        Assert.Empty(Decide(order, new ExpirePayment(), Now.AddMinutes(29)).Events);
        var held = order.When(new ExpirePayment(), Now.AddMinutes(30));
        Assert.Equal(OrderStatus.OnHold, held.DeriveStatus());
        Assert.Equal("10.00 of 22.31 GBP was paid when its time was up", Assert.Single(held.Holds).Reason);
        Assert.Equal(6, held.Lines[0].Allocated);
        Assert.Empty(Decide(held, new ExpirePayment(), Now.AddMinutes(60)).Events);
        Assert.Empty(Decide(held, new ReleaseToWarehouses()).Events);

        Assert.Equal(OrderStatus.OnHold, held.When(new RecordPayment(PaymentReport.Paid, 12m, "b")).DeriveStatus());
        var paid = held.When(new RecordPayment(PaymentReport.Paid, 12.31m, "b"));
        Assert.Equal(OrderStatus.Allocated, paid.DeriveStatus());
        Assert.NotEmpty(Decide(paid, new ReleaseToWarehouses()).Events);
    }

    [Fact]
    public void A_hold_for_a_part_payment_goes_when_fewer_units_leave_nothing_due_and_another_hold_stays()
    {
        var held = Given.Allocated(PaymentReport.Pending).When(new RecordPayment(PaymentReport.Authorized, 16.19m, "a"))
            .When(new PlaceHold("look", "odd address", HoldStops.Release)).When(new ExpirePayment(), Now.AddMinutes(30));
        Assert.Equal(2, held.Holds.Length);
        var fewer = held.When(new CancelOrder("c1", "fewer", [new LineUnits(1, 2)]));
        Assert.Equal("look", Assert.Single(fewer.Holds).Name);
        Assert.Equal(PaymentStatus.Authorized, fewer.DerivePaymentStatus());
    }

    [Fact]
    public void A_timeout_after_payment_does_nothing()
    {
        var order = Given.Allocated(PaymentReport.Pending).When(new RecordPayment(PaymentReport.Paid, 22.31m, "a"));
        Assert.Empty(Decide(order, new ExpirePayment(), Now.AddDays(1)).Events);
        Assert.Empty(Decide(Given.Released(), new ExpirePayment(), Now.AddDays(1)).Events);
    }

    [Fact]
    public void A_payment_after_the_timeout_is_refused()
    {
        var order = Given.Allocated(PaymentReport.Pending).When(new ExpirePayment(), Now.AddMinutes(30));
        Assert.Equal("order_not_payable", Refusal(order, new RecordPayment(PaymentReport.Paid, 22.31m, "late")));
    }

    [Fact]
    public void Cancelling_before_fulfilment_names_the_stock_to_free()
    {
        var order = Given.Placed(Given.Request(), new LineAllocation(1, "A", "LON", 4));
        var cancelled = Assert.IsType<UnitsCancelled>(Assert.Single(
            Decide(order, new CancelOrder("c1", "changed my mind", null)).Events));
        Assert.Equal(
            [new CancelledUnits(1, "A", 2, null, null), new CancelledUnits(1, "A", 4, "LON", null)], cancelled.Units);
        Assert.Equal(OrderStatus.Cancelled, order.Apply(cancelled).DeriveStatus());
    }

    [Fact]
    public void Cancelling_units_takes_those_that_wait_first()
    {
        var order = Given.Placed(Given.Request(), new LineAllocation(1, "A", "LON", 4))
            .When(new CancelOrder("c1", "fewer", [new LineUnits(1, 3)]));
        Assert.Equal((3, 0, 3), (order.Lines[0].Allocated, order.Lines[0].Backordered, order.Lines[0].Cancelled));
        Assert.Equal(OrderStatus.Allocated, order.DeriveStatus());
    }

    [Fact]
    public void Cancelling_the_same_request_twice_counts_once()
    {
        var cancel = new CancelOrder("c1", "fewer", [new LineUnits(1, 1)]);
        Assert.Empty(Decide(Given.Allocated().When(cancel), cancel).Events);
    }

    [Fact]
    public void Units_in_a_shipment_are_asked_of_it_before_they_count_as_cancelled()
    {
        var order = Given.Released().When(new CancelOrder("c1", "late", null));
        Assert.NotNull(order.PendingCancellation);
        Assert.Equal(6, order.Lines[0].Allocated);
        var ask = Assert.Single(OrderCancellation.AskShipments(order));
        Assert.Equal([new LineUnits(1, 6)], ask.Lines);
        var done = order.When(new CompleteCancellation([ask]));
        Assert.Equal(OrderStatus.Cancelled, done.DeriveStatus());
        Assert.Equal(ShipmentStatus.Cancelled, done.Shipments[0].Status);
    }

    [Fact]
    public void A_cancellation_that_comes_too_late_changes_no_count()
    {
        var order = Given.Released().When(new CancelOrder("c1", "late", null)).When(new CompleteCancellation([]));
        Assert.Equal(OrderStatus.InFulfilment, order.DeriveStatus());
        Assert.Null(order.PendingCancellation);
        // The same one again has the same answer; another one is decided anew.
        Assert.Equal("order_not_cancellable", Refusal(order, new CancelOrder("c1", "late", null)));
        Assert.Single(Decide(order, new CancelOrder("c2", "late", null)).Events);
    }

    [Fact]
    public void A_cancellation_that_took_nothing_is_not_answered_as_done_when_it_comes_again()
    {
        var cancel = new CancelOrder("c1", "late", null);
        var order = Given.Released().When(cancel).When(new CompleteCancellation([]))
            .When(Given.Report(4, ShipmentStatus.Shipped));
        Assert.Equal("order_not_cancellable", Refusal(order, cancel));
    }

    [Fact]
    public void A_shipped_order_cannot_be_cancelled()
    {
        var order = Given.Released().When(Given.Report(4, ShipmentStatus.Shipped));
        Assert.Equal("order_not_cancellable", Refusal(order, new CancelOrder("c1", "late", null)));
        Assert.Equal("order_not_cancellable", Refusal(order, new CancelOrder("c2", "late", [new LineUnits(1, 1)])));
    }

    [Fact]
    public void A_line_that_does_not_exist_has_no_meaning() => Assert.Equal(
        "unknown_line", Refusal(Given.Allocated(), new CancelOrder("c1", "x", [new LineUnits(2, 1)])));

    [Fact]
    public void Missing_units_are_open_again_and_the_rest_goes_on()
    {
        var order = Given.Released().When(Given.Report(2, ShipmentStatus.Picking, new LineUnits(1, 2)));
        Assert.Equal((4, 2), (order.Lines[0].Allocated, order.Lines[0].Open));
        Assert.Equal(("LON", "A"), Assert.Single(order.NotFoundIn));
        var again = order.When(new AllocateUnits(
            SourcingCause.ShortPick, [new LineAllocation(1, "A", "MAN", 1)], Given.Plan(("A", 1))));
        Assert.Equal((5, 0, 1), (again.Lines[0].Allocated, again.Lines[0].Open, again.Lines[0].Backordered));
        Assert.Equal(("LON", "A"), Assert.Single(again.NotFoundIn));
    }

    [Fact]
    public void A_shipment_with_nothing_found_is_cancelled()
    {
        var order = Given.Released().When(Given.Report(2, ShipmentStatus.Picking, new LineUnits(1, 6)));
        Assert.Equal(ShipmentStatus.Cancelled, order.Shipments[0].Status);
        Assert.Equal(OrderStatus.Accepted, order.DeriveStatus());
    }

    [Fact]
    public void Shipment_reports_count_once_and_never_go_back()
    {
        var shipped = Given.Released().When(Given.Report(4, ShipmentStatus.Shipped));
        Assert.Empty(Decide(shipped, Given.Report(4, ShipmentStatus.Shipped)).Events);
        Assert.Empty(Decide(shipped, Given.Report(3, ShipmentStatus.Packed)).Events);
        var delivered = shipped.When(Given.Report(5, ShipmentStatus.Delivered));
        Assert.Equal((6, 6), (delivered.Lines[0].Shipped, delivered.Lines[0].Delivered));
        Assert.Equal(OrderStatus.Delivered, delivered.DeriveStatus());
        Assert.Equal(OrderStatus.Closed, delivered.When(new CloseOrder()).DeriveStatus());
    }

    [Fact]
    public void Arriving_stock_fills_waiting_units_and_no_more()
    {
        var order = Given.Placed(Given.Request());
        Assert.Equal(OrderStatus.Backordered, order.DeriveStatus());
        var arrival = new AllocateUnits(
            SourcingCause.Arrival, [new LineAllocation(1, "A", "LON", 6)], Given.Plan());
        Assert.Equal(OrderStatus.Allocated, order.When(arrival).DeriveStatus());
        Assert.Equal("units_not_wanted", Refusal(order.When(arrival), arrival));
    }

    [Fact]
    public void Arriving_stock_leaves_units_alone_that_nobody_has_looked_for_again()
    {
        var order = Given.Placed(Given.Request(lines: [("A", 2), ("B", 3)]), new LineAllocation(2, "B", "LON", 3))
            .When(new ReleaseToWarehouses())
            .When(Given.Report(2, ShipmentStatus.Picking, new LineUnits(2, 1)))
            .When(new AllocateUnits(SourcingCause.Arrival, [new LineAllocation(1, "A", "LON", 2)], Given.Plan()));
        Assert.Equal((2, 0), (order.Lines[0].Allocated, order.Lines[0].Backordered));
        Assert.Equal((1, 0), (order.Lines[1].Open, order.Lines[1].Backordered));
        Assert.Empty(Decide(order, new AllocateUnits(SourcingCause.Arrival, [], Given.Plan(("A", 1)))).Events);
    }

    [Fact]
    public void Units_with_which_it_was_served_are_taken_by_lines_that_wait_for_them_and_may_have_them()
    {
        static TakeServed Serve(int units, int line = 1, string sku = "A") =>
            new("LON", sku, [new LineUnits(line, units)], "the earliest of 2 that wait", "attempt", Given.Now);
        var order = Given.Placed(Given.Request(), new LineAllocation(1, "A", "LON", 2));
        var taken = Assert.IsType<OrderAllocated>(Assert.Single(Decide(order, Serve(3)).Events));
        Assert.Equal(("attempt", SourcingCause.Arrival, 0), (taken.Attempt, taken.Cause, taken.Backordered.Count));
        Assert.Equal("units became free: the earliest of 2 that wait", taken.Sourcing.Reason);
        var after = order.Apply(taken);
        Assert.Equal((5, 1), (after.Lines[0].Allocated, after.Lines[0].Backordered));
        foreach (var no in (TakeServed[])[Serve(5), Serve(1, line: 2), Serve(1, sku: "B")]) Assert.Equal("units_not_wanted", Decide(order, no).Rejection?.Code);
        Assert.Equal("units_not_wanted", Decide(order.When(new PlaceHold("fraud", "look", HoldStops.Allocate)), Serve(1)).Rejection?.Code);
        Assert.Empty(Decide(order.When(new PlaceHold("fraud", "look", HoldStops.Release)), Serve(1)).Rejection?.Code ?? "");
        Assert.Equal("units_not_wanted", Decide(order.When(new CancelOrder("c", "why", null)), Serve(1)).Rejection?.Code);
        Assert.Equal("units_not_wanted", Decide(order.Apply(new OrderClosed()), Serve(1)).Rejection?.Code);
    }

    [Fact]
    public void What_was_not_found_when_all_was_cancelled_is_not_looked_for_elsewhere()
    {
        var order = Given.Released().When(new CancelOrder("c1", "late", null))
            .When(new CompleteCancellation([new ShipmentUnits(Keys.OfShipment(Given.Id, 1), [new LineUnits(1, 4)])]));
        var after = order.When(Given.Report(2, ShipmentStatus.Picking, new LineUnits(1, 2)));
        Assert.Equal((0, 6), (after.Lines[0].Open, after.Lines[0].Cancelled));
        Assert.Equal(OrderStatus.Cancelled, after.DeriveStatus());
        Assert.Equal(ShipmentStatus.Cancelled, after.Shipments[0].Status);
    }

    [Theory]
    [InlineData(true, 4), InlineData(false, 0)]
    public void What_was_not_found_is_looked_for_when_only_some_was_cancelled_or_all_was_too_late(bool isSome, int givenBack)
    {
        var order = Given.Released().When(new CancelOrder("c1", "late", isSome ? [new LineUnits(1, 4)] : null))
            .When(new CompleteCancellation(givenBack == 0
                ? [] : [new ShipmentUnits(Keys.OfShipment(Given.Id, 1), [new LineUnits(1, givenBack)])]));
        Assert.Equal(2, order.When(Given.Report(2, ShipmentStatus.Picking, new LineUnits(1, 2))).Lines[0].Open);
    }

    [Fact]
    public void Cancelled_units_say_whether_they_waited_or_nobody_had_looked_for_them()
    {
        var order = Given.Placed(Given.Request(lines: [("A", 6)]), new LineAllocation(1, "A", "LON", 3))
            .When(new ReleaseToWarehouses())
            .When(Given.Report(2, ShipmentStatus.Picking, new LineUnits(1, 2)));
        Assert.Equal((2, 3), (order.Lines[0].Open, order.Lines[0].Backordered));
        var cancelled = Assert.IsType<UnitsCancelled>(Assert.Single(
            Decide(order, new CancelOrder("c1", "fewer", [new LineUnits(1, 4)])).Events));
        Assert.Equal([new CancelledUnits(1, "A", 3, null, null), new CancelledUnits(1, "A", 1, null, null, IsOpen: true)], cancelled.Units);
        var rest = order.Apply(cancelled);
        Assert.Equal((1, 0, 4), (rest.Lines[0].Open, rest.Lines[0].Backordered, rest.Lines[0].Cancelled));
    }

    [Fact]
    public void A_hold_stops_the_release_and_its_lifting_lets_it_go_on()
    {
        var order = Given.Allocated().When(new PlaceHold("fraud", "check the address", HoldStops.Release));
        Assert.Equal(OrderStatus.OnHold, order.DeriveStatus());
        Assert.Empty(Decide(order, new ReleaseToWarehouses()).Events);
        Assert.Single(Decide(order.When(new LiftHold("fraud")), new ReleaseToWarehouses()).Events);
    }

    [Fact]
    public void Nothing_is_decided_for_an_order_that_does_not_exist() =>
        Assert.Equal("not_found", Refusal(new Order(Given.Id), new CancelOrder("c1", "x", null)));

    [Theory]
    [InlineData("GBP", 2.555, 3, 7.67)]
    [InlineData("JPY", 100, 3, 300)]
    [InlineData("KWD", 1.005, 1, 1.005)]
    public void Goods_are_rounded_to_the_currency(string currency, double price, int quantity, double goods)
    {
        var request = Given.Request() with
        {
            Currency = currency,
            Lines = [new PlacedLine(1, "A", quantity, (decimal)price, 0, 0)],
        };
        Assert.Equal((decimal)goods, Given.Placed(request).Placed!.Totals().Goods);
    }
}
