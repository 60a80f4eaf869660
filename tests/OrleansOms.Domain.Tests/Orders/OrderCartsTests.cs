using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Tests.Orders;

/// <summary>What is decided of an order before it is placed.</summary>
public sealed class OrderCartsTests
{
    static readonly DateTimeOffset Until = Given.Now.AddMinutes(15);

    /// <summary>Three of A in LON on the first line, two of B on the second: one in LON, one in MAN.</summary>
    static Order Held() => new Order(Given.Id).When(new ReserveCart(
        [new CartLine(1, "A", 3), new CartLine(2, "B", 2)],
        [new LineAllocation(1, "A", "LON", 3), new LineAllocation(2, "B", "LON", 1), new LineAllocation(2, "B", "MAN", 1)],
        Given.Plan(), Until, IsAllOrNothing: true, "hash", "try"));

    static ReserveCart Wanting(bool isAllOrNothing, int reserved, int missing) => new(
        [new CartLine(1, "A", reserved + missing)], reserved == 0 ? [] : [new LineAllocation(1, "A", "LON", reserved)],
        Given.Plan(missing == 0 ? [] : [("A", missing)]), Until, isAllOrNothing, "hash", "try");

    [Theory]
    [InlineData(true, 2, 0, true), InlineData(true, 2, 1, false), InlineData(false, 2, 1, true), InlineData(false, 0, 3, false)]
    public void All_or_nothing_is_held_or_what_is_there_but_never_nothing(bool isAllOrNothing, int reserved, int missing, bool isHeld)
    {
        var order = new Order(Given.Id).When(Wanting(isAllOrNothing, reserved, missing));
        Assert.Equal(isHeld, order.Cart is not null);
        Assert.Equal(isHeld ? null : "insufficient_stock", order.Refused?.Code);
        Assert.False(order.Exists);
    }

    [Fact]
    public void It_ends_when_its_time_is_up_and_not_a_moment_before()
    {
        Assert.Empty(OrderDecider.Decide(Held(), new ExpireCart(), Until.AddTicks(-1)).Events);
        var ended = Held().When(new ExpireCart(), Until);
        Assert.Equal(CartEnd.Expired, ended.Cart!.End);
        Assert.Null(ended.CartUntil);
        Assert.Equal(0, ended.HeldIn("LON", "A", 1));
        Assert.Empty(OrderDecider.Decide(ended, new ExpireCart(), Until).Events);
    }

    [Fact]
    public void It_is_held_for_longer_and_never_for_less_and_not_once_it_has_ended()
    {
        var longer = Held().When(new ExtendCart(Until.AddMinutes(5)), Until);
        Assert.Equal(Until.AddMinutes(5), longer.CartUntil);
        Assert.Empty(OrderDecider.Decide(longer, new ExtendCart(Until), Given.Now).Events);
        var ended = Held().When(new ExpireCart(), Until);
        Assert.Equal("reservation_over", OrderDecider.Decide(ended, new ExtendCart(Until.AddMinutes(5)), Until).Rejection?.Code);
    }

    [Fact]
    public void What_is_given_up_is_over_and_is_not_given_up_twice()
    {
        var ended = Held().When(new ReleaseCart());
        Assert.Equal(CartEnd.Released, ended.Cart!.End);
        Assert.Empty(OrderDecider.Decide(ended, new ReleaseCart(), Given.Now).Events);
        Assert.Equal("reservation_over", OrderDecider.Decide(ended, new ExtendCart(Until.AddDays(1)), Given.Now).Rejection?.Code);
    }

    [Fact]
    public void Where_nothing_is_held_there_is_nothing_to_change()
    {
        foreach (var command in (OrderCommand[])[new ExtendCart(Until), new ReleaseCart()])
            Assert.Equal(RejectionKind.NotFound, OrderDecider.Decide(new Order(Given.Id), command, Given.Now).Rejection?.Kind);
        Assert.Empty(OrderDecider.Decide(new Order(Given.Id), new ExpireCart(), Given.Now).Events);
    }

    [Fact]
    public void What_has_ended_is_told_to_the_stocks_once_by_the_event()
    {
        var ended = new CartEnded(CartEnd.Expired, Held().Cart!.Held, []);
        var asked = StockConsequences.Of(Given.Id, 2, ended, Given.Now).ToList();
        Assert.Equal([("LON", "A"), ("LON", "B"), ("MAN", "B")], asked.Select(c => (c.Warehouse, c.Sku)));
        Assert.All(asked, c => Assert.Equal($"{Given.Id}/2", c.Command.CommandId));
        // What an order's same line has taken stays with it; what another one has is passed on.
        var taken = Held().Cart!.ShareOf(Given.Request(lines: [("A", 3), ("A", 1), ("B", 1)]).Lines);
        var passed = Assert.Single(StockConsequences.Of(Given.Id, 2, new CartEnded(CartEnd.Ordered, [], taken.Taken), Given.Now));
        Assert.Equal([new LineMove(2, 3, 1)], Assert.IsType<PassCart>(passed.Command).Moves);
    }

    [Fact]
    public void An_order_takes_what_its_lines_have_held_and_then_what_others_have_and_leaves_the_rest()
    {
        var cart = Held().Cart!;
        var same = cart.ShareOf(Given.Request(lines: [("A", 3), ("B", 2)]).Lines);
        Assert.All(same.Taken, t => Assert.Equal(t.Held.LineId, t.LineId));
        Assert.Empty(same.Freed);
        // The other way round, one A fewer, one B more.
        var other = cart.ShareOf(Given.Request(lines: [("B", 3), ("A", 2)]).Lines);
        Assert.Equal(
            [(1, 2, "B", "LON", 1), (1, 2, "B", "MAN", 1), (2, 1, "A", "LON", 2)],
            other.Taken.Select(t => (t.LineId, t.Held.LineId, t.Held.Sku, t.Held.Warehouse, t.Held.Quantity)));
        Assert.Equal([new LineAllocation(1, "A", "LON", 1)], other.Freed);
    }

    [Fact]
    public void Lines_of_one_SKU_share_what_was_held_for_it()
    {
        var cart = Held().Cart!;
        var share = cart.ShareOf(Given.Request(lines: [("A", 1), ("A", 1)]).Lines);
        Assert.Equal([(1, 1), (2, 1)], share.Taken.Select(t => (t.LineId, t.Held.Quantity)));
        Assert.Equal(3, share.Freed.Sum(f => f.Quantity));
    }

    [Fact]
    public void An_order_that_is_placed_with_it_has_its_units_and_the_cart_none()
    {
        var held = Held();
        var request = Given.Request(lines: [("A", 2), ("B", 3)]);
        var share = held.Cart!.ShareOf(request.Lines);
        var order = held.When(new TakeOrder(
            request, [new LineAllocation(2, "B", "MAN", 1)], Given.Plan(), Given.Terms, "try again", share));
        Assert.Equal((CartEnd.Ordered, OrderStatus.Allocated), (order.Cart!.End, order.DeriveStatus()));
        Assert.Equal((2, 1, 2), (order.HeldIn("LON", "A", 1), order.HeldIn("LON", "B", 2), order.HeldIn("MAN", "B", 2)));
        Assert.Equal("reservation_over", OrderDecider.Decide(order, new ReleaseCart(), Given.Now).Rejection?.Code);
        Assert.Empty(OrderDecider.Decide(order, new ExpireCart(), Until).Events);
    }
}
