using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shipments;
using OrleansOms.Host.Ui.Track;

namespace OrleansOms.Tests.Live;

/// <summary>What the customer's page says in which state.</summary>
public sealed class TrackStoryTests
{
    static readonly DateTimeOffset Start = new(2026, 12, 4, 9, 0, 0, TimeSpan.Zero);

    static OrderShipmentView Parcel(int lineId, int units, params ShipmentStatus[] steps) => new(
        $"shp-{lineId}", "London", steps.Length == 0 ? ShipmentStatus.Released : steps[^1], null, null, null,
        [new LineUnits(lineId, units)],
        [.. steps.Select((s, i) => new ShipmentStepView(s, Start.AddHours(i), null, null))]);

    static OrderLineView Line(int id, int units, int backordered = 0, int cancelled = 0) =>
        new(id, "A", units, 1, 0, 0, 0, backordered, 0, 0, cancelled, 0, []);

    static TrackStory Story(OrderStatus status, OrderLineView[] lines, params OrderShipmentView[] parcels) => new(
        new OrderView(
            "ord-1", "10001", 5, status, PaymentStatus.Paid, "web", null, Start, "GBP", null, null, lines,
            new OrderTotals(1, 0, 0, 0, 1), parcels, [], null, Start.AddDays(14)));

    const ShipmentStatus Picking = ShipmentStatus.Picking, Packed = ShipmentStatus.Packed,
        Shipped = ShipmentStatus.Shipped, InTransit = ShipmentStatus.InTransit, Late = ShipmentStatus.Exception,
        Arrived = ShipmentStatus.Delivered, Back = ShipmentStatus.ReturnedToSender;

    static void Says(TrackStory story, string state, string text)
    {
        Assert.Equal(state, story.Sentence.State);
        Assert.Equal(text, story.Sentence.Text);
    }

    [Fact]
    public void Before_a_warehouse_has_it_the_order_is_received() =>
        Says(Story(OrderStatus.Allocated, [Line(1, 2)]), "Order received", "We are getting it ready");

    [Fact]
    public void A_carrier_that_tells_whole_seconds_is_not_put_before_what_it_followed()
    {
        var parcel = Parcel(1, 1) with
        {
            Events =
            [
                new ShipmentStepView(Packed, Start.AddMilliseconds(200), null, null),
                new ShipmentStepView(Shipped, Start.AddMilliseconds(700), null, null),
                new ShipmentStepView(Arrived, Start, "At the door", null),
            ],
        };
        Assert.Equal([Arrived, Shipped, Packed], TrackStory.NewestFirst(parcel).Select(e => e.Status));
    }

    [Fact]
    public void In_a_warehouse_it_is_being_packed_then_packed()
    {
        Says(Story(OrderStatus.InFulfilment, [Line(1, 2)], Parcel(1, 2, Picking)),
            "Being packed", "In the hands of our London warehouse");
        Says(Story(OrderStatus.InFulfilment, [Line(1, 2)], Parcel(1, 2, Picking, Packed)),
            "Packed", "Waiting for the carrier in our London warehouse");
    }

    [Fact]
    public void A_parcel_that_was_opened_is_being_packed_until_it_is_packed_again()
    {
        var opened = Parcel(1, 2, Picking, Packed, Picking);
        var story = Story(OrderStatus.InFulfilment, [Line(1, 3, cancelled: 1)], opened);
        Says(story, "Being packed", "In the hands of our London warehouse");
        Assert.Equal([Reach.Passed, Reach.Ahead, Reach.Ahead, Reach.Ahead, Reach.Ahead], story.Line.Select(p => p.Reach));
        Assert.Equal(
            ["Opened, to be packed again", "Packed", "Taken from the shelf"],
            TrackStory.NewestFirst(opened).Select(e => TrackStory.WordsOf(e, opened)));

        var again = Story(
            OrderStatus.Shipped, [Line(1, 3, cancelled: 1)], Parcel(1, 2, Picking, Packed, Picking, Packed, Shipped));
        Assert.Equal((Reach.Passed, Start.AddHours(3)), (again.Line[1].Reach, again.Line[1].At));
    }

    [Fact]
    public void A_shipped_parcel_is_on_its_way_from_its_city_since_its_day()
    {
        var story = Story(OrderStatus.Shipped, [Line(1, 2)], Parcel(1, 2, Picking, Packed, Shipped, InTransit));
        Says(story, "On its way", "Left our London warehouse on");
        Assert.Equal((Tone.Moving, Start.AddHours(2)), (story.Sentence.Tone, story.Sentence.At));
    }

    [Fact]
    public void Of_two_parcels_one_is_partly_on_its_way_and_the_line_shows_a_part()
    {
        var story = Story(
            OrderStatus.PartiallyShipped, [Line(1, 2), Line(2, 1)],
            Parcel(1, 2, Picking, Packed, Shipped), Parcel(2, 1, Picking));
        Says(story, "Partly on its way", "1 of 2 parcels left our London warehouse on");
        Assert.Equal("; the rest follows.", story.Sentence.After);
        Assert.Equal(
            [Reach.Passed, Reach.Partly, Reach.Partly, Reach.Ahead, Reach.Ahead], story.Line.Select(p => p.Reach));
    }

    [Fact]
    public void Units_that_are_in_no_parcel_yet_keep_the_rest_open()
    {
        var story = Story(
            OrderStatus.PartiallyShipped, [Line(1, 2), Line(2, 3, backordered: 3)], Parcel(1, 2, Packed, Shipped));
        Says(story, "Partly on its way", "One parcel left our London warehouse on");
        Assert.Equal(3, story.UnitsWithoutParcel);
        Assert.Equal(Reach.Partly, story.Line[1].Reach);
    }

    [Fact]
    public void Delivered_names_the_last_arrival_and_ends_the_line()
    {
        var story = Story(
            OrderStatus.Delivered, [Line(1, 2), Line(2, 1)],
            Parcel(1, 2, Packed, Shipped, InTransit, Arrived), Parcel(2, 1, Packed, Shipped, Arrived));
        Says(story, "Delivered", "The last parcel arrived on");
        Assert.Equal(Start.AddHours(3), story.Sentence.At);
        Assert.All(story.Line, p => Assert.Equal(Reach.Passed, p.Reach));
        Assert.True(story.Line[^1].IsCurrent);
    }

    [Fact]
    public void A_carriers_problem_and_a_return_come_before_everything_else()
    {
        var late = Story(OrderStatus.Shipped, [Line(1, 2)], Parcel(1, 2, Packed, Shipped, Late));
        Says(late, "Delayed", "The carrier reported a problem with your parcel on");
        Assert.Equal(Tone.Attention, late.Sentence.Tone);
        Says(Story(OrderStatus.Shipped, [Line(1, 2)], Parcel(1, 2, Packed, Shipped, InTransit, Back)),
            "Returned to us", "The carrier brought your parcel back on");
    }

    [Fact]
    public void Waiting_for_stock_says_until_when_it_is_promised()
    {
        var story = Story(OrderStatus.Backordered, [Line(1, 2, backordered: 2)]);
        Says(story, "Waiting for stock", "We promise to send your items by");
        Assert.Equal(Start.AddDays(14), story.Sentence.At);
    }

    [Fact]
    public void A_cancelled_order_says_that_nothing_will_be_sent()
    {
        var story = Story(OrderStatus.Cancelled, [Line(1, 2, cancelled: 2)]);
        Says(story, "Cancelled", "Nothing will be sent");
        Assert.False(story.IsBeforeShipping);
    }

    [Fact]
    public void Cancelled_units_and_empty_shipments_do_not_hold_the_line_up()
    {
        var empty = Parcel(2, 1) with { Status = ShipmentStatus.Cancelled, Lines = [] };
        var story = Story(
            OrderStatus.Shipped, [Line(1, 2), Line(2, 1, cancelled: 1)], Parcel(1, 2, Packed, Shipped), empty);
        Says(story, "On its way", "Left our London warehouse on");
        Assert.Equal(Reach.Passed, story.Line[2].Reach);
    }

    [Fact]
    public void Every_status_has_a_sentence()
    {
        foreach (var status in Enum.GetValues<OrderStatus>())
            Assert.NotEmpty(Story(status, [Line(1, 2, cancelled: status == OrderStatus.Cancelled ? 2 : 0)]).Sentence.State);
    }
}
