using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;
using OrleansOms.Domain.Tests.Orders;

namespace OrleansOms.Domain.Tests.Laws;

/// <summary>Each law is seen to hold on a good history and to be broken by one bad event in it.</summary>
public sealed class LawTests
{
    const string StockKey = "stk-LON/A", OrderKey = Given.Id;
    static readonly DateTimeOffset Now = Given.Now;
    static readonly LineUnits[] One = [new LineUnits(1, 2)];

    static IReadOnlyList<Breach> Hear(StreamAudit audit, params IEnumerable<DomainEvent?> events) =>
        [.. events.SelectMany(e => audit.Hear(audit.Version + 1, e, $"c{audit.Version + 1}", Now)).ToList()];

    static StockAudit GoodStock()
    {
        var audit = new StockAudit(StockKey);
        Assert.Empty(Hear(audit, new StockReceived(5, "po"), new StockReserved(OrderKey, One), new StockReserved("ord-2", One),
            new ReservationReleased("ord-2", One, "why"), new StockShipped(OrderKey, "shp-1", One), new StockAdjusted(-1, "count")));
        return audit;
    }

    static OrderAudit GoodOrder()
    {
        var audit = new OrderAudit(OrderKey);
        var request = Given.Request(PaymentReport.Pending, lines: [("A", 2)]);
        var plan = new SourcingPlan([new PlannedUnits("LON", "A", 2)], new Dictionary<string, int>(), "one", []);
        var taken = OrderDecider.Decide(
            new Order(OrderKey), new TakeOrder(request, [new LineAllocation(1, "A", "LON", 2)], plan, Given.Terms), Now);
        Assert.Empty(Hear(audit, taken.Events));
        return audit;
    }

    [Fact]
    public void L1_more_reserved_than_there_is()
    {
        var breach = Assert.Single(Hear(GoodStock(), new StockReserved("ord-3", [new LineUnits(1, 3)])));
        Assert.Equal((Law.NoOversell, StockKey, "3 reserved, 2 on hand at version 7"), (breach.Law, breach.Aggregate, breach.Numbers));
        Assert.Equal(Law.NoOversell, Assert.Single(Hear(GoodStock(), new StockAdjusted(-3, "lost"))).Law);
    }

    [Fact]
    public void L2_counts_that_are_not_their_ledger()
    {
        var audit = GoodStock();
        var counts = StockCounts.Of(audit.Stock);
        Assert.Null(StockLaws.CountsAreTheirLedger(StockKey, counts, audit.Ledger));
        foreach (var wrong in new[]
            { counts with { OnHand = 3 }, counts with { Reserved = 1 }, counts with { Version = 5 } })
            Assert.Equal(Law.CountsAreTheirLedger, StockLaws.CountsAreTheirLedger(StockKey, wrong, audit.Ledger)!.Law);
    }

    [Fact]
    public void L2_a_history_that_cannot_be()
    {
        var breach = Assert.Single(Hear(GoodOrder(), new UnitsShipped("shp-1", "LON", [new LineAllocation(7, "A", "LON", 1)])));
        Assert.Equal(Law.CountsAreTheirLedger, breach.Law);
    }

    [Fact]
    public void L3_units_that_came_from_nowhere()
    {
        var audit = GoodStock();
        Assert.Null(StockLaws.Conservation("A", 2, [audit.Ledger]));
        Assert.Equal(
            "3 in warehouses, 5 received, -1 adjusted, 2 shipped, 0 written off",
            StockLaws.Conservation("A", 3, [audit.Ledger])!.Numbers);
    }

    [Fact]
    public void L4_a_reservation_without_its_order_and_an_allocation_without_its_stock()
    {
        var pairs = new Pairing();
        pairs.Hear(StockKey, new StockReserved(OrderKey, One), Now);
        var (key, sides) = Assert.Single(pairs.Open);
        Assert.Equal((new PairKey(StockKey, OrderKey, 1), 2), (key, sides.Surplus));
        Assert.Null(StockLaws.ReservationsAreAllocations(StockKey, OrderKey, 1, 2, 0, TimeSpan.FromMinutes(4)));
        Assert.Equal(
            Law.ReservationsAreAllocations,
            StockLaws.ReservationsAreAllocations(StockKey, OrderKey, 1, 2, 0, TimeSpan.FromMinutes(5))!.Law);
        foreach (var e in GoodOrderEvents()) pairs.Hear(OrderKey, e, Now);
        Assert.Empty(pairs.Open);
        pairs.Hear(OrderKey, new UnitsCancelled("c", "why", [new CancelledUnits(1, "A", 2, "LON", null)]), Now);
        Assert.Equal(2, Assert.Single(pairs.Open).Value.Surplus);
        pairs.Hear(StockKey, new ReservationReleased(OrderKey, One, "why"), Now);
        Assert.Empty(pairs.Open);
    }

    static OrderEvent[] GoodOrderEvents() =>
        [new OrderAllocated(SourcingCause.Placing, [new LineAllocation(1, "A", "LON", 2)], [],
            new SourcingPlan([], new Dictionary<string, int>(), "one", []))];

    [Fact]
    public void L5_units_that_end_twice()
    {
        foreach (var again in new StockEvent[]
        {
            new StockShipped(OrderKey, "shp-1", One), new ReservationReleased(OrderKey, One, "why"),
            new StockNotFound(OrderKey, "shp-1", One),
        })
            Assert.Contains(Hear(GoodStock(), again), b => b.Law == Law.EndsOnce);
    }

    [Fact]
    public void L6_an_order_that_nobody_moves_and_one_that_exists_twice()
    {
        var order = GoodOrder().Order;
        Assert.Null(OrderLaws.NothingLost(order, Now, false, Now.AddMinutes(34)));
        Assert.Equal(Law.NothingLost, OrderLaws.NothingLost(order, Now, false, Now.AddMinutes(36))!.Law);
        Assert.Null(OrderLaws.NothingLost(order, Now, true, Now.AddMinutes(36)));
        var held = order.Apply(new HoldPlaced("look", "why", HoldStops.Release)); // Its time to be paid is up all the same.
        Assert.Null(OrderLaws.NothingLost(held, Now, false, Now.AddMinutes(34)));
        Assert.Equal(Law.NothingLost, OrderLaws.NothingLost(held, Now, false, Now.AddMinutes(36))!.Law);
        Assert.Null(OrderLaws.ExistsOnce("web", "1", [OrderKey]));
        Assert.Equal(Law.NothingLost, OrderLaws.ExistsOnce("web", "1", [OrderKey, "ord-2"])!.Law);
    }

    [Fact]
    public void L7_a_gap_and_a_view_that_goes_back()
    {
        var audit = GoodOrder();
        Assert.Equal(Law.NoGap, Assert.Single(audit.Hear(4, new HoldPlaced("look", "why", HoldStops.None), "h", Now)).Law);
        Assert.Null(LogLaws.NeverBack(OrderKey, 3, 3));
        Assert.Equal(Law.NoGap, LogLaws.NeverBack(OrderKey, 3, 2)!.Law);
    }

    [Fact]
    public void L8_more_captured_than_was_authorized()
    {
        Assert.Empty(Hear(GoodOrder(), new PaymentRecorded(PaymentReport.Paid, 5, "p")));
        Assert.Empty(Hear(GoodOrder(),
            new PaymentRecorded(PaymentReport.Authorized, 5, "p"), new PaymentRecorded(PaymentReport.Paid, 5, "p")));
        var breach = Assert.Single(Hear(GoodOrder(),
            new PaymentRecorded(PaymentReport.Authorized, 5, "p"), new PaymentRecorded(PaymentReport.Paid, 6, "p")));
        Assert.Equal((Law.Money, "6 captured, 5 authorized by p"), (breach.Law, breach.Numbers));
    }

    [Fact]
    public void L8_a_time_out_of_what_was_paid()
    {
        var late = new UnitsCancelled("payment-timeout/7", "not paid in time", [new CancelledUnits(1, "A", 2, "LON", null)]);
        Assert.Empty(Hear(GoodOrder(), late));
        var breach = Assert.Single(Hear(GoodOrder(), new PaymentRecorded(PaymentReport.Authorized, 5, "p"), late));
        Assert.Equal((Law.Money, "cancelled as not paid in time, 5 authorized and 0 captured of 10.07"), (breach.Law, breach.Numbers));
    }

    [Fact]
    public void L8_a_time_out_that_money_has_overtaken()
    {
        DomainEvent[] overtaken =
        [
            new ShipmentReleased("shp-1", "LON", [new LineUnits(1, 1)]),
            new CancellationRequested("payment-timeout/7", "not paid in time", null),
            new PaymentRecorded(PaymentReport.Authorized, 5, "p"),
        ];
        UnitsCancelled Taken(string? shipment) => new(
            "payment-timeout/7", "not paid in time", [new CancelledUnits(1, "A", 1, "LON", shipment)]);
        Assert.Equal(Law.Money, Assert.Single(Hear(GoodOrder(), [.. overtaken, Taken(null)])).Law);
        Assert.Empty(Hear(GoodOrder(), [.. overtaken, Taken("shp-1")]));
    }

    [Fact]
    public void L9_more_shipped_than_was_kept()
    {
        var breaches = Hear(GoodOrder(), new UnitsCancelled("c", "why", [new CancelledUnits(1, "A", 3, "LON", null)]));
        Assert.Equal(Law.Units, Assert.Single(breaches).Law);
    }

    [Fact]
    public void L10_a_command_with_two_effects()
    {
        var audit = GoodStock();
        Assert.Empty(audit.Hear(7, new StockReceived(1, "po"), "again", Now));
        Assert.Empty(audit.Hear(8, new StockReceived(1, "po"), "other", Now));
        var breach = Assert.Single(audit.Hear(9, new StockReceived(1, "po"), "again", Now));
        Assert.Equal((Law.OneEffect, "event 9 is a second effect of again"), (breach.Law, breach.Numbers));
    }

    [Fact]
    public void L11_a_shipment_that_leaves_twice_and_a_payment_that_counts_twice()
    {
        var shipment = new ShipmentAudit("shp-1");
        Assert.Empty(Hear(shipment,
            new ShipmentCreated(OrderKey, "1", "LON", "GB", "standard", [new ShipmentUnit(1, "A", 2)], null),
            new UnitsPicked([new PickedUnits(1, "A", 2, 0)]), new ShipmentPacked([new Package(1, [new SkuUnits("A", 2)])]),
            new ShipmentShipped("dhl", "parcel", "T")));
        Assert.Equal(Law.OutsideOnce, Assert.Single(Hear(shipment, new ShipmentShipped("ups", "parcel", "U"))).Law);
        Assert.Contains(
            Hear(GoodOrder(), new PaymentRecorded(PaymentReport.Paid, 1, "p"), new PaymentRecorded(PaymentReport.Paid, 1, "p")),
            b => b.Law == Law.OutsideOnce);
    }

    [Fact]
    public void L12_a_list_that_says_something_else()
    {
        Assert.Null(LogLaws.ListsAreTheLog(OrderKey, "version", 3, 3));
        Assert.Equal("version is 2, by the log 3", LogLaws.ListsAreTheLog(OrderKey, "version", 2, 3)!.Numbers);
    }

    [Fact]
    public void What_is_of_a_newer_program_is_numbered_and_no_more()
    {
        var audit = GoodOrder();
        Assert.Empty(audit.Hear(audit.Version + 1, null, "new", Now));
        Assert.False(audit.IsWhole);
        Assert.Empty(audit.Hear(audit.Version + 1, new OrderClosed(), "close", Now));
        Assert.Equal(Law.NoGap, Assert.Single(audit.Hear(audit.Version + 2, new OrderClosed(), "x", Now)).Law);
    }
}
