using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Tests.Stock;

using Stock = Domain.Stock.Stock;

public sealed class StockDeciderTests
{
    const string Order = "ord-00000000000000000000000001";

    static readonly DateTimeOffset Now = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    static Stock With(int onHand) => When(new Stock("LON", "A"), new ReceiveStock("in", onHand, "po"));

    static Stock When(Stock stock, StockCommand command, TimeSpan after = default)
    {
        var decision = StockDecider.Decide(stock, command);
        Assert.Null(decision.Rejection);
        return decision.Events.Aggregate(stock, (s, e) => s.Apply(e, command.CommandId, Now + after));
    }

    static ReserveStock Reserve(string id, int quantity, int line = 1) => new(id, Order, [new LineUnits(line, quantity)]);

    static ReleaseStock Release(string id, int quantity, string? undoes = null) =>
        new(id, Order, [new LineUnits(1, quantity)], "test", undoes);

    [Fact]
    public void Nothing_is_promised_beyond_what_is_there()
    {
        var stock = When(With(5), Reserve("r1", 3));
        Assert.Equal(2, stock.Available);
        Assert.Equal("insufficient_stock", StockDecider.Decide(stock, Reserve("r2", 3, 2)).Rejection?.Code);
    }

    [Fact]
    public void Lines_of_one_command_are_summed_before_they_are_checked() => Assert.Equal(
        "insufficient_stock",
        StockDecider.Decide(With(5), new ReserveStock("r", Order, [new(1, 3), new(2, 3)])).Rejection?.Code);

    static PassCart Pass(int version, (int Line, int Quantity)[] freed, params (int From, int To, int Quantity)[] moves) => new(
        $"{Order}/{version}", Order, [.. freed.Select(f => new LineUnits(f.Line, f.Quantity))],
        [.. moves.Select(m => new LineMove(m.From, m.To, m.Quantity))], "the order wants fewer");

    static (int, int) Lines(Stock stock) =>
        (stock.Reservations.Of(Order, 1)?.Quantity ?? 0, stock.Reservations.Of(Order, 2)?.Quantity ?? 0);

    [Fact]
    public void What_a_cart_has_held_is_passed_on_to_the_orders_lines_once_and_the_rest_is_free()
    {
        var stock = When(When(With(9), Reserve("r1", 5)), Pass(2, [(1, 1)], (1, 2, 3)));
        Assert.Equal(((1, 3), 4, 5), (Lines(stock), stock.Reserved, stock.Available));
        Assert.Empty(StockDecider.Decide(stock, Pass(2, [(1, 1)], (1, 2, 3))).Events);
        // Lines may change places.
        Assert.Equal((3, 1), Lines(When(stock, Pass(3, [], (1, 2, 1), (2, 1, 3)))));
    }

    [Fact]
    public void What_was_passed_on_is_known_as_long_as_any_of_its_lines_lives()
    {
        var stock = When(When(When(With(9), Reserve("r1", 5)), Pass(2, [], (1, 2, 3))), new ReleaseStock($"{Order}/3", Order, [new(2, 3)], "no"));
        stock = stock with { Remembered = IdMemory.None() }; // many others have come and gone
        Assert.Empty(StockDecider.Decide(stock, Pass(2, [], (1, 2, 3))).Events);
    }

    [Fact]
    public void Nothing_is_passed_on_that_was_reserved_after_it_was_decided_or_is_gone()
    {
        var later = When(With(9), Reserve(ReserveStock.AttemptOf(Order, 2, "x"), 5));
        Assert.Empty(StockDecider.Decide(later, Pass(2, [(1, 1)], (1, 2, 3))).Events);
        Assert.Equal((2, 3), Lines(When(later, Pass(3, [], (1, 2, 3)))));
        Assert.Equal((0, 2), Lines(When(When(With(9), Reserve("r1", 2)), Pass(2, [], (1, 2, 3)))));
    }

    [Fact]
    public void A_repeated_command_has_no_effect_while_the_reservation_lives()
    {
        var stock = When(With(5), Reserve("r1", 3));
        Assert.Empty(StockDecider.Decide(stock, Reserve("r1", 3)).Events);
    }

    [Fact]
    public void A_repeated_command_has_no_effect_after_the_reservation_ended()
    {
        var stock = When(When(With(5), Reserve("r1", 3)), Release("x1", 3));
        Assert.Empty(StockDecider.Decide(stock, Reserve("r1", 3)).Events);
        Assert.Empty(StockDecider.Decide(stock, Release("x1", 3)).Events);
        Assert.Equal(5, stock.Available);
    }

    [Fact]
    public void A_finished_command_is_remembered_for_as_long_as_it_may_be_repeated_and_then_makes_room()
    {
        var stock = When(When(With(5), Reserve("r1", 3)), Release("x1", 3));
        var then = When(stock, Reserve("r2", 1), Stock.Memory);
        Assert.Empty(StockDecider.Decide(then, Reserve("r1", 3)).Events);
        Assert.Equal(["r1", "x1"], then.Remembered!.Order);

        var later = Stock.Memory + TimeSpan.FromTicks(1);
        var last = When(then, Release("x2", 1), later);
        Assert.Equal(["r2", "x2"], last.Remembered!.Order);
        Assert.Empty(StockDecider.Decide(last, new ReceiveStock("in", 5, "po")).Events);
    }

    [Fact]
    public void A_stock_that_did_not_find_units_has_failed_their_order_until_units_come_in()
    {
        var stock = When(When(With(100), Reserve("r1", 6)), new WriteOffStock("w", Order, "shp", [new LineUnits(1, 3)]));
        Assert.True(stock.Failed.Contains(Order));
        var later = When(When(stock, Release("x", 3)), new AdjustStock("a", -1, "counted"));
        Assert.True(later.Failed.Contains(Order));
        Assert.False(When(later, new AdjustStock("b", 1, "counted")).Failed.Contains(Order));
        Assert.False(When(later, new ReceiveStock("c", 1, "po")).Failed.Contains(Order));
    }

    [Fact]
    public void A_reservation_ends_once_whoever_comes_second()
    {
        var shipped = When(When(With(5), Reserve("r1", 3)), new ShipStock("s", Order, "shp", [new LineUnits(1, 3)]));
        Assert.Equal((2, 0), (shipped.OnHand, shipped.Reserved));
        Assert.Empty(StockDecider.Decide(shipped, Release("x", 3)).Events);
        Assert.Empty(StockDecider.Decide(shipped, new WriteOffStock("w", Order, "shp", [new LineUnits(1, 3)])).Events);
    }

    [Fact]
    public void Undoing_an_attempt_leaves_what_another_attempt_has_reserved()
    {
        var stock = When(With(9), Reserve("first", 3));
        Assert.Empty(StockDecider.Decide(stock, Release("second/back", 3, "second")).Events);
        stock = When(When(stock, Reserve("second", 3)), Release("second/back", 3, "second"));
        Assert.Equal(3, stock.Reserved);
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public void An_attempt_is_given_back_once_whether_its_undoing_or_the_settlement_comes_first(bool isSettledFirst)
    {
        var undo = Release("second/back", 3, "second");
        var both = When(When(With(9), Reserve("first", 3)), Reserve("second", 3));
        var after = isSettledFirst ? When(When(both, Settle("second", 3)), undo) : When(When(both, undo), Settle("second/back", 3));
        Assert.Equal(3, after.Reserved);
        Assert.Equal(3, When(When(after, Reserve("third", 3)), Release("third/back", 3, "third")).Reserved);
    }

    [Fact]
    public void A_reservation_that_has_changed_since_it_was_looked_at_is_not_settled()
    {
        var looked = When(With(9), Reserve("orphan", 3));
        var since = When(looked, Reserve("of an order that is being stored", 3));
        Assert.Equal("reservation_changed", StockDecider.Decide(since, Settle("orphan", 0)).Rejection?.Code);
        Assert.Equal(0, When(looked, Settle("orphan", 0)).Reserved);
    }

    static SettleStock Settle(string seen, int kept) =>
        new(SettleStock.IdOf(Order, Guid.NewGuid()), Order, [new SettledLine(1, kept, seen)], "test");

    [Fact]
    public void What_an_order_decided_before_is_not_about_units_that_were_reserved_since_also_when_the_stock_has_forgotten_it()
    {
        var stock = When(With(9), Reserve($"{ReserveStock.AttemptOf(Order, 6, "x")}/1", 3));
        LineUnits[] units = [new(1, 3)];
        Assert.Empty(StockDecider.Decide(stock, new ShipStock($"{Order}/5", Order, "shp", units)).Events);
        Assert.Empty(StockDecider.Decide(stock, new WriteOffStock($"{Order}/6", Order, "shp", units)).Events);
        Assert.Empty(StockDecider.Decide(stock, Release($"{Order}/6", 3)).Events);
        Assert.Equal(0, When(stock, new ShipStock($"{Order}/7", Order, "shp", units)).Reserved);
        Assert.Equal(0, When(stock, Release("test", 3)).Reserved);
    }

    [Fact]
    public void Units_that_are_added_to_a_reservation_leave_it_as_old_as_it_was()
    {
        var stock = When(When(With(9), Reserve("placing/1", 3)), Reserve($"{ReserveStock.AttemptOf(Order, 6, "x")}/1", 2));
        Assert.Equal(2, When(stock, new ShipStock($"{Order}/5", Order, "shp", [new LineUnits(1, 3)])).Reserved);
    }

    [Theory]
    [InlineData(Order + "/after/12/unique/1", 12), InlineData(Order + "/unique/1", 0), InlineData("ord-2/after/12/unique/1", 0)]
    [InlineData(Order + "/after/12", 0), InlineData(Order + "/after/x/1", 0), InlineData(Order + "/12", 0)]
    public void A_reservation_says_how_far_its_order_had_come(string command, int version) =>
        Assert.Equal(version, ReserveStock.AfterOf(Order, command));

    [Fact]
    public void A_short_pick_takes_the_units_out_of_promise_and_shelf()
    {
        var stock = When(When(With(5), Reserve("r1", 3)), new WriteOffStock("w", Order, "shp", [new LineUnits(1, 2)]));
        Assert.Equal((3, 1, 2), (stock.OnHand, stock.Reserved, stock.Available));
    }

    [Fact]
    public void Promised_units_cannot_be_corrected_away()
    {
        var stock = When(With(5), Reserve("r1", 3));
        Assert.Equal("insufficient_stock", StockDecider.Decide(stock, new AdjustStock("a", -3, "lost")).Rejection?.Code);
        Assert.Equal(3, When(stock, new AdjustStock("a", -2, "lost")).OnHand);
    }

    [Fact]
    public void A_stock_does_not_overflow() => Assert.Equal(
        "stock_too_large",
        StockDecider.Decide(With(Stock.MaxOnHand), new ReceiveStock("x", int.MaxValue, "po")).Rejection?.Code);

    [Fact]
    public void Units_of_another_condition_are_counted_and_promised_to_nobody()
    {
        var stock = When(When(With(10), Reserve("x", 6)), Change(StockCondition.Sellable, StockCondition.Quarantine, 3));
        Assert.Equal((7, 6, 0, 3, 1), (stock.OnHand, stock.Reserved, stock.Damaged, stock.Quarantine, stock.Available));
        stock = When(stock, Change(StockCondition.Quarantine, StockCondition.Damaged, 2));
        stock = When(stock, Change(StockCondition.Quarantine, StockCondition.Sellable, 1));
        Assert.Equal((8, 6, 2, 0, 2), (stock.OnHand, stock.Reserved, stock.Damaged, stock.Quarantine, stock.Available));
        stock = When(When(stock, Change(null, StockCondition.Damaged, 4)), Change(StockCondition.Damaged, null, 5));
        Assert.Equal((8, 1), (stock.OnHand, stock.Damaged));
    }

    [Theory]
    [InlineData(StockCondition.Sellable, StockCondition.Damaged, 5, "A in LON has 10 on hand, 6 of them promised.")]
    [InlineData(StockCondition.Damaged, StockCondition.Sellable, 1, "A in LON has 0 damaged.")]
    [InlineData(StockCondition.Quarantine, null, 3, "A in LON has 2 in quarantine.")]
    public void What_is_promised_or_not_there_cannot_become_something_else(
        StockCondition from, StockCondition? to, int units, string why)
    {
        var stock = When(When(With(10), Reserve("x", 6)), Change(null, StockCondition.Quarantine, 2));
        var no = StockDecider.Decide(stock, Change(from, to, units)).Rejection!;
        Assert.Equal(("insufficient_stock", why), (no.Code, no.Detail));
    }

    [Fact]
    public void A_change_of_condition_that_is_repeated_has_one_effect_and_what_was_not_found_may_be_there_again()
    {
        var change = Change(StockCondition.Damaged, StockCondition.Sellable, 1);
        var failed = When(When(With(3), Reserve("x", 2)), new WriteOffStock("o/1", Order, "shp", [new LineUnits(1, 2)]));
        var stock = When(failed, Change(null, StockCondition.Damaged, 2));
        Assert.True(stock.Failed.Contains(Order));
        stock = When(stock, change);
        Assert.False(stock.Failed.Contains(Order));
        Assert.Empty(StockDecider.Decide(stock, change).Events);
        Assert.Equal("stock_too_large", StockDecider.Decide(stock, Change(null, StockCondition.Damaged, Stock.MaxOnHand)).Rejection?.Code);
    }

    static ChangeCondition Change(StockCondition? from, StockCondition? to, int units) =>
        new($"change/{from}/{to}/{units}", from, to, units, "looked at");
}
