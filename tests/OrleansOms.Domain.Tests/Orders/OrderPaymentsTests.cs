using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Domain.Tests.Orders;

/// <summary>What money that comes, fails and comes again does to an order, and to its time.</summary>
public sealed class OrderPaymentsTests
{
    static readonly DateTimeOffset Now = Given.Now;

    static Decision<OrderEvent> Decide(Order order, OrderCommand command, DateTimeOffset? now = null) =>
        OrderDecider.Decide(order, command, now ?? Now);

    static Order Pending => Given.Allocated(PaymentReport.Pending);

    static RecordPayment Authorized(decimal amount, string reference = "a") => new(PaymentReport.Authorized, amount, reference);

    static RecordPayment Paid(decimal amount, string reference = "a") => new(PaymentReport.Paid, amount, reference);

    static RecordPayment Failed(string reference = "a", decimal amount = 22.31m) =>
        new(PaymentReport.Failed, amount, reference, Given.Terms.PaymentWindow);

    [Theory]
    [InlineData(22.31)]
    [InlineData(0)]
    public void A_payment_that_failed_and_was_authorized_since_can_fail_again(double amount)
    {
        var order = Pending.When(Failed()).When(Authorized(22.31m));
        Assert.Equal(OrderStatus.Allocated, order.DeriveStatus());
        var again = Assert.Single(Decide(order, Failed(amount: (decimal)amount)).Events);
        var failed = order.Apply(again);
        Assert.Equal((0m, OrderStatus.AwaitingPayment), (failed.Authorized, failed.DeriveStatus()));
        Assert.Empty(Decide(failed, new ReleaseToWarehouses()).Events);
        // Nothing was authorized since: from here on it is the same report.
        Assert.Empty(Decide(failed, Failed(amount: (decimal)amount)).Events);
        Assert.Equal("payment_reference_reused", Decide(failed, Failed(amount: 1)).Rejection?.Code);
    }

    [Fact]
    public void An_order_that_was_placed_with_its_money_waits_for_more_from_when_that_fails()
    {
        var later = Now.AddDays(2);
        var failed = Given.Allocated(PaymentReport.Authorized).When(Failed("pi_1"), later);
        Assert.Equal((OrderStatus.AwaitingPayment, later.AddMinutes(30)), (failed.DeriveStatus(), failed.WaitsForPaymentUntil));
        // Attempts that fail do not give it more time.
        failed = failed.When(Failed("pi_2"), later.AddMinutes(20));
        Assert.Equal(later.AddMinutes(30), failed.WaitsForPaymentUntil);
        Assert.Empty(Decide(failed, new ExpirePayment(), later.AddMinutes(29)).Events);
        var cancelled = failed.When(new ExpirePayment(), later.AddMinutes(30));
        Assert.Equal((OrderStatus.Cancelled, null), (cancelled.DeriveStatus(), cancelled.WaitsForPaymentUntil));

        // Money ends the wait, and when it fails too the next one begins.
        var paid = failed.When(Authorized(22.31m, "pi_3"), later.AddMinutes(25));
        Assert.Null(paid.WaitsForPaymentUntil);
        Assert.Equal(later.AddDays(1).AddMinutes(30), paid.When(Failed("pi_3"), later.AddDays(1)).WaitsForPaymentUntil);
    }

    [Fact]
    public void An_order_whose_money_fails_waits_also_while_it_is_held()
    {
        var held = Given.Allocated(PaymentReport.Authorized)
            .When(new PlaceHold("look", "odd address", HoldStops.Release)).When(Failed("pi_1"));
        Assert.Equal((OrderStatus.OnHold, Now.AddMinutes(30)), (held.DeriveStatus(), held.WaitsForPaymentUntil));
    }

    [Theory]
    [InlineData(PaymentReport.Pending)]
    [InlineData(PaymentReport.Authorized)]
    public void What_has_not_left_when_the_money_fails_is_cancelled_when_its_time_is_up_and_what_has_left_stays(PaymentReport placed)
    {
        var order = Given.Placed(
            Given.Request(placed), new LineAllocation(1, "A", "LON", 4), new LineAllocation(1, "A", "MAN", 2));
        if (placed == PaymentReport.Pending) order = order.When(Authorized(22.31m, "pi_1"));
        var failed = order.When(new ReleaseToWarehouses())
            .When(Given.Report(4, ShipmentStatus.Shipped)).When(Failed("pi_1"));
        Assert.Equal((OrderStatus.PartiallyShipped, Now.AddMinutes(30)), (failed.DeriveStatus(), failed.WaitsForPaymentUntil));

        var asked = failed.When(new ExpirePayment(), Now.AddMinutes(30));
        var done = asked.When(new CompleteCancellation(OrderCancellation.AskShipments(asked)));
        Assert.Equal((4, 2, 0), (done.Lines[0].Shipped, done.Lines[0].Cancelled, done.Lines[0].Allocated));
        Assert.Equal((OrderStatus.Shipped, null), (done.DeriveStatus(), done.WaitsForPaymentUntil));
        Assert.Empty(Decide(done, new ExpirePayment(), Now.AddDays(1)).Events);
    }

    [Fact]
    public void A_failure_that_gave_no_time_is_given_one_by_the_next_report()
    {
        var old = Given.Allocated(PaymentReport.Authorized).Apply(new PaymentRecorded(PaymentReport.Failed, 22.31m, "pi_1"));
        Assert.Null(old.WaitsForPaymentUntil);
        Assert.Equal(Now.AddMinutes(30), old.When(Failed("pi_2")).WaitsForPaymentUntil);
    }

    [Fact]
    public void Money_that_comes_while_a_time_out_waits_for_the_warehouse_keeps_what_no_shipment_has_given_back()
    {
        var order = Pending.When(Authorized(22.31m)).When(new ReleaseToWarehouses()).When(Failed())
            .When(new ExpirePayment(), Now.AddMinutes(30));
        Assert.NotNull(order.PendingCancellation);
        var paid = order.When(Paid(22.31m, "b"));

        // Its shipments are asked for no units, only for what they gave back before.
        var ask = Assert.Single(OrderCancellation.AskShipments(paid));
        Assert.Empty(ask.Lines);
        var kept = paid.When(new CompleteCancellation([]));
        Assert.Equal((OrderStatus.InFulfilment, PaymentStatus.Paid), (kept.DeriveStatus(), kept.DerivePaymentStatus()));
        Assert.Null(kept.PendingCancellation);
        Assert.Equal(6, kept.Lines[0].Allocated);

        var less = paid.When(new CompleteCancellation([new ShipmentUnits(order.Shipments[0].Id, [new LineUnits(1, 2)])]));
        Assert.Equal((4, 2), (less.Lines[0].Allocated, less.Lines[0].Cancelled));
    }

    [Fact]
    public void A_time_out_takes_nothing_outside_shipments_either_once_money_has_come()
    {
        var order = Given.Placed(
                Given.Request(PaymentReport.Pending, lines: [("A", 2), ("B", 1)]), new LineAllocation(1, "A", "LON", 2))
            .When(Authorized(13.13m)).When(new ReleaseToWarehouses()).When(Failed("a", 13.13m))
            .When(new ExpirePayment(), Now.AddMinutes(30)).When(Authorized(5m, "b"));
        var kept = order.When(new CompleteCancellation([]));
        Assert.Equal((2, 1), (kept.Lines[0].Allocated, kept.Lines[1].Backordered));
        Assert.Equal(OrderPayments.PartPaidHold, Assert.Single(kept.When(new ExpirePayment(), Now.AddMinutes(31)).Holds).Name);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_one_reference_has_paid_and_another_has_authorized_counts_together(bool paidFirst)
    {
        RecordPayment[] both = [Paid(10m, "gift"), Authorized(12.31m, "card")];
        var order = (paidFirst ? both : both.Reverse()).Aggregate(Pending, (o, c) => o.When(c));
        Assert.True(order.IsPayable);
        Assert.Single(Decide(order, new ReleaseToWarehouses()).Events);
        Assert.Empty(Decide(order, new ExpirePayment(), Now.AddDays(1)).Events);
        Assert.Equal("amount_too_high", Decide(order, Authorized(0.01m, "more")).Rejection?.Code);
        Assert.Equal(PaymentStatus.Paid, order.When(Paid(12.31m, "card")).DerivePaymentStatus());
    }

    [Fact]
    public void What_was_captured_of_an_authorization_counts_once()
    {
        var order = Pending.When(Authorized(12.31m)).When(Paid(12.31m));
        Assert.False(order.IsPayable);
        Assert.True(order.When(Authorized(10m, "b")).IsPayable);
    }

    [Fact]
    public void A_capture_that_the_provider_calls_otherwise_is_of_the_authorization_beside_which_it_does_not_fit()
    {
        var order = Pending.When(Authorized(22.31m, "a")).When(Paid(12.31m, "capture 1"));
        Assert.Equal((22.31m, 12.31m), (order.Covered, order.Captured));
        Assert.Equal("a", order.Payments[^1].Money);
        Assert.Equal("amount_too_high", Decide(order, Paid(10.01m, "capture 2")).Rejection?.Code);
        Assert.Empty(Decide(order, Paid(12.31m, "capture 1")).Events);
        Assert.Equal(12.31m, order.When(Failed("a")).Covered);
        Assert.Equal(PaymentStatus.Paid, order.When(Paid(10m, "capture 2")).DerivePaymentStatus());
        Assert.Null(OrderLaws.Money(order.When(Paid(10m, "capture 2"))));
    }

    [Fact]
    public void A_part_that_is_authorized_and_captured_under_two_names_does_not_count_twice()
    {
        var order = Pending.When(Authorized(15m, "a")).When(Paid(15m, "capture"));
        Assert.Equal(15m, order.Covered);
        Assert.False(order.IsPayable);
        Assert.True(order.When(Paid(7.31m, "rest")).IsPayable);
    }

    [Fact]
    public void What_was_authorized_is_captured_also_when_units_were_cancelled_since()
    {
        var order = Pending.When(Authorized(12.31m, "a")).When(Authorized(10m, "b"))
            .When(new CancelOrder("c1", "fewer", [new LineUnits(1, 2)]));
        Assert.Equal(16.19m, order.Due());
        Assert.Equal(12.31m, order.When(Paid(12.31m, "a")).Captured);
        Assert.Equal("b", order.When(Paid(12.31m, "a")).When(Paid(3.88m, "c")).Payments[^1].Money);
        Assert.Equal("Only 3.88 GBP is due.", Decide(order.When(Paid(12.31m, "a")), Paid(4m, "c")).Rejection?.Detail);
    }

    [Fact]
    public void An_order_paid_and_authorized_in_part_is_held_when_its_time_is_up()
    {
        var held = Pending.When(Paid(10m, "gift")).When(Authorized(5m, "card")).When(new ExpirePayment(), Now.AddMinutes(30));
        Assert.Equal("15.00 of 22.31 GBP was paid or authorized when its time was up", Assert.Single(held.Holds).Reason);
        Assert.Equal(OrderStatus.Allocated, held.When(Authorized(7.31m, "card 2")).DeriveStatus());
    }
}
