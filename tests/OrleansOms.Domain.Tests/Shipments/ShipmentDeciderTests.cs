using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Domain.Tests.Shipments;

public sealed class ShipmentDeciderTests
{
    static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    static readonly Shipment Fresh = new Shipment("shp-1").Apply(new ShipmentCreated(
        "ord-1", "100001", "LON", "GB", "standard",
        [new ShipmentUnit(1, "A", 4), new ShipmentUnit(2, "A", 2), new ShipmentUnit(3, "B", 1)], null), Now);

    static Shipment When(Shipment shipment, ShipmentCommand command, DateTimeOffset? now = null)
    {
        var decision = ShipmentDecider.Decide(shipment, command, now ?? Now);
        Assert.Null(decision.Rejection);
        return decision.Events.Aggregate(shipment, (s, e) => s.Apply(e, now ?? Now));
    }

    static string? Refusal(Shipment shipment, ShipmentCommand command) =>
        ShipmentDecider.Decide(shipment, command, Now).Rejection?.Code;

    static PickUnits Pick(params (string Sku, int Quantity)[] lines) =>
        new([.. lines.Select(l => new SkuUnits(l.Sku, l.Quantity))]);

    static PackShipment Box(params (string Sku, int Quantity)[] lines) =>
        new([new Package(900, [.. lines.Select(l => new SkuUnits(l.Sku, l.Quantity))])]);

    static Shipment Picked => When(Fresh, Pick(("A", 6), ("B", 1)));
    static Shipment Packed => When(Picked, Box(("A", 6), ("B", 1)));
    static Shipment Shipped => When(Packed, new ShipShipment("dhl", "parcel", "T1"));

    static RecordTracking Track(ShipmentStatus status, int minutes, string id) =>
        new(status, "scan", null, Now.AddMinutes(minutes), id);

    [Fact]
    public void A_sku_is_spread_over_its_lines_and_finished() =>
        Assert.Equal([4, 2, 1], Picked.Lines.Select(l => l.Picked!.Value));

    [Fact]
    public void Skus_can_be_picked_one_after_the_other()
    {
        var half = When(Fresh, Pick(("A", 6)));
        Assert.Equal(ShipmentStatus.Picking, half.Status);
        Assert.Equal("shipment_not_picked", Refusal(half, Box(("A", 6))));
        Assert.Equal(ShipmentStatus.Packed, When(When(half, Pick(("B", 1))), Box(("A", 6), ("B", 1))).Status);
    }

    [Fact]
    public void What_is_not_found_leaves_the_shipment()
    {
        var picked = Assert.IsType<UnitsPicked>(
            Assert.Single(ShipmentDecider.Decide(Fresh, Pick(("A", 3), ("B", 0)), Now).Events));
        Assert.Equal([1, 2, 1], picked.Lines.Select(l => l.Missing));
        Assert.Equal([3], Fresh.Apply(picked, Now).Lines.Select(l => l.Quantity));
        Assert.Equal(ShipmentStatus.Cancelled, When(Fresh, Pick(("A", 0), ("B", 0))).Status);
    }

    [Fact]
    public void A_cancelled_shipment_is_not_picked_and_the_pick_that_ended_it_is_done()
    {
        var nothing = Pick(("A", 0), ("B", 0));
        var ended = When(Fresh, nothing);
        Assert.Empty(ShipmentDecider.Decide(ended, nothing, Now).Events);
        Assert.Null(Refusal(ended, nothing));
        Assert.Equal("shipment_not_pickable", Refusal(ended, Pick(("A", 1))));
        var withdrawn = When(Fresh, new WithdrawUnits("c1", [new LineUnits(1, 4), new LineUnits(2, 2), new LineUnits(3, 1)]));
        Assert.Equal("shipment_not_pickable", Refusal(withdrawn, Pick(("A", 6))));
        Assert.Equal("shipment_not_pickable", Refusal(withdrawn, nothing));
    }

    [Fact]
    public void Picking_refuses_what_does_not_belong()
    {
        Assert.Equal("sku_not_in_shipment", Refusal(Fresh, Pick(("C", 1))));
        Assert.Equal("too_many_units", Refusal(Fresh, Pick(("A", 7))));
        Assert.Equal("already_picked", Refusal(Picked, Pick(("A", 5))));
        Assert.Empty(ShipmentDecider.Decide(Picked, Pick(("A", 6)), Now).Events);
        Assert.Empty(ShipmentDecider.Decide(Packed, Pick(("A", 6)), Now).Events);
    }

    [Fact]
    public void Boxes_hold_exactly_what_was_picked()
    {
        Assert.Equal("contents_do_not_match", Refusal(Picked, Box(("A", 6))));
        Assert.Equal("contents_do_not_match", Refusal(Picked, Box(("A", 6), ("B", 2))));
        Assert.Equal("shipment_not_packable", Refusal(Fresh, Box(("A", 6), ("B", 1))));
        Assert.Empty(ShipmentDecider.Decide(Packed, Box(("A", 6), ("B", 1)), Now).Events);
    }

    [Fact]
    public void Shipping_needs_boxes_and_happens_once()
    {
        Assert.Equal("shipment_not_packed", Refusal(Picked, new ShipShipment("dhl", "parcel", "T1")));
        Assert.Empty(ShipmentDecider.Decide(Shipped, new ShipShipment("dhl", "parcel", "T1"), Now).Events);
        Assert.Equal("shipment_not_packed", Refusal(Shipped, new ShipShipment("dhl", "parcel", "T2")));
    }

    [Fact]
    public void Tracking_before_shipping_is_refused() =>
        Assert.Equal("shipment_not_shipped", Refusal(Packed, Track(ShipmentStatus.InTransit, 1, "e1")));

    [Fact]
    public void Repeated_late_and_final_reports_change_nothing()
    {
        var moving = When(Shipped, Track(ShipmentStatus.InTransit, 10, "e1"));
        Assert.Empty(ShipmentDecider.Decide(moving, Track(ShipmentStatus.InTransit, 20, "e1"), Now).Events);
        Assert.Empty(ShipmentDecider.Decide(moving, Track(ShipmentStatus.Exception, 5, "e0"), Now).Events);
        var delivered = When(moving, Track(ShipmentStatus.Delivered, 30, "e2"));
        Assert.Empty(ShipmentDecider.Decide(delivered, Track(ShipmentStatus.InTransit, 40, "e3"), Now).Events);
    }

    [Fact]
    public void A_report_from_the_far_future_is_refused() =>
        Assert.Equal("occurred_in_the_future", Refusal(Shipped, Track(ShipmentStatus.InTransit, 60 * 25, "e1")));

    [Fact]
    public void A_carrier_that_reports_for_ever_is_refused_and_how_it_ends_is_heard()
    {
        var reported = Enumerable.Range(0, ShipmentDecider.MaxReports).Aggregate(
            Shipped, (s, n) => When(s, Track(ShipmentStatus.InTransit, 1, $"e{n}")));
        Assert.Equal("too_many_reports", Refusal(reported, Track(ShipmentStatus.InTransit, 2, "more")));
        Assert.Empty(ShipmentDecider.Decide(reported, Track(ShipmentStatus.InTransit, 1, "e7"), Now).Events);
        Assert.Equal(ShipmentStatus.Delivered, When(reported, Track(ShipmentStatus.Delivered, 2, "there")).Status);
    }

    [Fact]
    public void Units_can_be_taken_back_until_they_left()
    {
        var less = When(Fresh, new WithdrawUnits("c1", [new LineUnits(1, 3)]));
        Assert.Equal([1, 2, 1], less.Lines.Select(l => l.Quantity));
        Assert.Empty(ShipmentDecider.Decide(less, new WithdrawUnits("c1", [new LineUnits(1, 3)]), Now).Events);
        var all = new WithdrawUnits("c1", [new LineUnits(1, 4), new LineUnits(2, 2), new LineUnits(3, 1)]);
        Assert.Equal(ShipmentStatus.Cancelled, When(Packed, all).Status);
        Assert.Equal("shipment_left", Refusal(Shipped, all));
    }

    [Fact]
    public void A_shipment_that_was_asked_for_nothing_gives_nothing_under_that_request_either()
    {
        var nothing = When(Fresh, new WithdrawUnits("c1", []));
        Assert.Equal(Fresh.Lines, nothing.Lines);
        Assert.Empty(ShipmentDecider.Decide(nothing, new WithdrawUnits("c1", [new LineUnits(1, 3)]), Now).Events);
        Assert.Single(ShipmentDecider.Decide(nothing, new WithdrawUnits("c2", [new LineUnits(1, 3)]), Now).Events);
        // What it gave before it says again.
        var some = When(Fresh, new WithdrawUnits("c1", [new LineUnits(1, 3)]));
        Assert.Empty(ShipmentDecider.Decide(some, new WithdrawUnits("c1", []), Now).Events);
        Assert.Equal([new LineUnits(1, 3)], some.Withdrawals["c1"].Lines);
    }

    [Fact]
    public void A_packed_shipment_that_keeps_some_units_is_packed_again()
    {
        var take = new WithdrawUnits("c1", [new LineUnits(1, 3), new LineUnits(3, 1)]);
        Assert.Equal(
            [typeof(UnitsWithdrawn), typeof(ShipmentUnpacked)],
            ShipmentDecider.Decide(Packed, take, Now).Events.Select(e => e.GetType()));
        var opened = When(Packed, take);
        Assert.Equal(ShipmentStatus.Picking, opened.Status);
        Assert.Empty(opened.Packages);
        Assert.Equal([(1, 1, 1), (2, 2, 2)], opened.Lines.Select(l => (l.LineId, l.Quantity, l.Picked!.Value)));
        Assert.Empty(ShipmentDecider.Decide(opened, take, Now).Events);
        Assert.Equal("shipment_not_packed", Refusal(opened, new ShipShipment("dhl", "parcel", "T1")));
        // The first packing, come late: its boxes would hold what was cancelled.
        Assert.Equal("contents_do_not_match", Refusal(opened, Box(("A", 6), ("B", 1))));

        var again = When(opened, Box(("A", 3)));
        Assert.Equal(ShipmentStatus.Packed, again.Status);
        Assert.Empty(ShipmentDecider.Decide(again, take, Now).Events);
        var left = When(again, new ShipShipment("dhl", "parcel", "T1"));
        Assert.Empty(ShipmentDecider.Decide(left, take, Now).Events);
        Assert.Equal("shipment_left", Refusal(left, take with { RequestId = "c2" }));
    }

    [Fact]
    public void Silence_raises_one_alarm_until_something_is_heard()
    {
        var check = new CheckTracking(TimeSpan.FromDays(3));
        Assert.Empty(ShipmentDecider.Decide(Shipped, check, Now.AddDays(2)).Events);
        var alarmed = When(Shipped, check, Now.AddDays(3));
        Assert.NotNull(alarmed.AlarmSince);
        Assert.Empty(ShipmentDecider.Decide(alarmed, check, Now.AddDays(9)).Events);
        var heard = When(alarmed, Track(ShipmentStatus.InTransit, 60 * 24 * 4, "e1"), Now.AddDays(4));
        Assert.Null(heard.AlarmSince);
        Assert.Single(ShipmentDecider.Decide(heard, check, Now.AddDays(8)).Events);
        Assert.Empty(ShipmentDecider.Decide(
            When(heard, Track(ShipmentStatus.Delivered, 60 * 24 * 5, "e2"), Now.AddDays(5)), check, Now.AddDays(30)).Events);
    }
}
