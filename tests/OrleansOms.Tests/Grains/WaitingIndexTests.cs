using Microsoft.Extensions.Time.Testing;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains;
using OrleansOms.Grains.Stock;

namespace OrleansOms.Tests.Grains;

using Stock = Domain.Stock.Stock;

/// <summary>Who is known to wait, whatever is heard of them and in whatever order.</summary>
public sealed class WaitingIndexTests
{
    const string One = "ord-1", Two = "ord-2", London = "stk-LON/A";

    readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 12, 1, 9, 0, 0, TimeSpan.Zero));
    readonly Dictionary<string, int> _versions = [];
    readonly WaitingIndex _index;

    public WaitingIndexTests() => _index = new WaitingIndex(new OmsSettings(), _time);

    bool Hear(string stream, DomainEvent? data, string command = "test")
    {
        var version = _versions[stream] = _versions.GetValueOrDefault(stream) + 1;
        return _index.Apply(new LogEvent(default, stream, version, "", data, command, "test", _time.GetUtcNow()));
    }

    OrderPlaced Placed(params string[] skus) => new(
        "1", "web", null, _time.GetUtcNow(), "GBP", "GB", [.. skus.Select((s, i) => new PlacedLine(i + 1, s, 9, 1m, 0m, 0m))],
        new ShippingChoice("standard", 0m), new PaymentTerms(PaymentMethod.Terms, PaymentReport.Authorized, null, null), StockPolicy.Backorder,
        null, _time.GetUtcNow().AddDays(14), "hash", null);

    static OrderAllocated Backordered(SourcingCause cause, params (int Line, int Units)[] lines) => new(
        cause, [], [.. lines.Select(l => new LineUnits(l.Line, l.Units))], new SourcingPlan([], new Dictionary<string, int>(), "", []));

    static OrderAllocated Taken(string attempt, int units, int line = 1) => new(
        SourcingCause.Arrival, [new LineAllocation(line, "A", "LON", units)], [], new SourcingPlan([], new Dictionary<string, int>(), "", []), attempt);

    void Wait(string order, int units)
    {
        Assert.True(Hear(order, Placed("A", "B")));
        Assert.True(Hear(order, Backordered(SourcingCause.Placing, (1, units))));
        _time.Advance(TimeSpan.FromSeconds(1));
    }

    ListedWait Listed(string order, int version, int line = 1, string sku = "A", bool isHeld = false) =>
        new(new WaitingLine(order, line, sku, 2, "web", _time.GetUtcNow(), _time.GetUtcNow().AddDays(14)), version, isHeld);

    /// <summary>The lists tell of these; answers which are to be read.</summary>
    IReadOnlyList<string> List(params ListedWait[] waits)
    {
        foreach (var wait in waits) _versions[wait.Line.OrderId] = wait.OrderVersion;
        return _index.Set(waits);
    }

    /// <summary>Whom so many units of A would be given to, and the attempts.</summary>
    IReadOnlyList<Served> Serve(int units) => _index.Serve(new Stock("LON", "A") { Version = ++_stock }, [new StockReceived(units, "po")], "po");
    int _stock;

    /// <summary>How another process has served the first order, which it knew up to a version.</summary>
    static Served ByAnother(string turn, int after, int units) =>
        new(new StockServed(One, [new LineUnits(1, units)], "web", "test"), ReserveStock.AttemptOf(One, after, turn));

    (string, int)[] Line(int units = 100)
    {
        var served = Serve(units);
        _index.Forget(served);
        return [.. served.Select(s => (s.Entry.OrderId, s.Entry.Lines[0].Quantity))];
    }

    [Fact]
    public void Whoever_is_served_is_not_served_with_the_same_again_and_stands_in_line_for_the_rest()
    {
        Wait(One, 5);
        Wait(Two, 2);
        Assert.True(_index.IsWaitedFor("A"));
        Assert.False(_index.IsWaitedFor("B"));
        var served = Assert.Single(Serve(3));
        Assert.Equal((3, 3L), (served.Entry.Lines[0].Quantity, _index.OnTheirWay("A")));
        Assert.Equal([(One, 2), (Two, 2)], Line());
        Hear(London, served.Entry, served.Attempt);
        Assert.Equal([(One, 2), (Two, 2)], Line());
        Hear(One, Taken(served.Attempt, 3));
        Assert.Equal([(One, 2), (Two, 2)], Line());
        Assert.Equal(0, _index.OnTheirWay("A"));
        Hear(One, Taken("another", 2));
        Assert.Equal([(Two, 2)], Line());
    }

    /// <summary>Two activations of one stock: what the first was about to store when the second was faster was never stored.</summary>
    [Fact]
    public void Nobody_is_told_of_a_promise_before_the_log_has_told_of_it()
    {
        Wait(One, 5);
        var (first, second) = (Assert.Single(Serve(5)), new WaitingIndex(new OmsSettings(), _time));
        second.Set([Listed(One, _versions[One])]);
        var stored = Assert.Single(second.Serve(new Stock("LON", "A") { Version = _stock }, [new StockReceived(2, "po")], "po"));
        Assert.NotEqual(first.Attempt, stored.Attempt);
        Assert.Empty(_index.OnItsWay(One));
        Assert.True(_index.IsBeingServed(One));
        Hear(London, stored.Entry, stored.Attempt);
        Assert.Equal([stored.Attempt], _index.OnItsWay(One).Select(s => s.Attempt));
        _index.Forget([first]);
        Assert.False(_index.IsBeingServed(One));
        Assert.Equal([stored.Attempt], _index.OnItsWay(One).Select(s => s.Attempt));
    }

    [Fact]
    public void An_order_may_be_heard_of_before_the_stock_that_has_served_it()
    {
        Wait(One, 5);
        var served = Assert.Single(Serve(3));
        _index.Forget([served]); // By another process.
        Hear(One, Taken(served.Attempt, 3));
        Hear(London, served.Entry, served.Attempt);
        Assert.Equal([(One, 2)], Line());
        Assert.Equal(0, _index.OnTheirWay("A"));
    }

    [Fact]
    public void Whoever_could_not_be_served_stands_where_it_stood()
    {
        Wait(One, 2);
        Wait(Two, 2);
        var failed = Serve(2);
        Assert.Equal([(Two, 2)], Line());
        _index.Forget(failed);
        Assert.Equal([(One, 2), (Two, 2)], Line());
    }

    [Fact]
    public void What_was_stored_though_the_answer_was_lost_is_not_promised_again()
    {
        Wait(One, 2);
        Wait(Two, 2);
        var served = Serve(2);
        Hear(London, served[0].Entry, served[0].Attempt);
        _index.Forget(served);
        Assert.Equal([(Two, 2)], Line());
        Assert.Equal([served[0].Attempt], _index.OnItsWay(One).Select(s => s.Attempt));
    }

    [Fact]
    public void What_nobody_has_taken_is_forgotten_after_a_while()
    {
        Wait(One, 2);
        Serve(2);
        Assert.Empty(Line());
        _time.Advance(WaitingIndex.OnItsWayAtMost);
        Assert.True(_index.IsWaitedFor("A"));
        Assert.Equal([(One, 2)], Line());
    }

    [Fact]
    public void A_process_that_serves_nobody_forgets_it_when_it_hears_of_anything()
    {
        Wait(One, 2);
        var served = ByAnother("x", after: 2, 2);
        Hear(London, served.Entry, served.Attempt);
        Assert.Equal(2, _index.OnTheirWay("A"));
        _time.Advance(WaitingIndex.OnItsWayAtMost);
        Hear(Two, Placed("B"));
        Assert.Equal((0, 0), (_index.OnTheirWay("A"), _index.OnItsWay(One).Count));
    }

    [Fact]
    public void Whoever_was_served_just_after_a_hold_and_refused_stands_where_it_stood_when_the_hold_is_lifted()
    {
        Wait(One, 2);
        Wait(Two, 2);
        var served = Assert.Single(Serve(2));
        Hear(London, served.Entry, served.Attempt);
        Hear(One, new HoldPlaced("fraud", "look", HoldStops.Allocate));
        Hear(One, new ReservationSettled("LON", "A", [new LineUnits(1, 2)]));
        Assert.Equal([(Two, 2)], Line());
        Assert.Equal((0, 0), (_index.OnTheirWay("A"), _index.OnItsWay(One).Count));
        Hear(One, new HoldLifted("fraud"));
        Assert.Equal([(One, 2), (Two, 2)], Line());
    }

    [Fact]
    public void Whoever_two_stocks_serve_at_once_with_more_than_it_wants_refuses_one_and_waits_for_the_rest()
    {
        Wait(One, 5);
        var (london, manchester) = (Assert.Single(Serve(3)), ByAnother("x", after: 2, 3));
        Hear(London, london.Entry, london.Attempt);
        Hear("stk-MAN/A", manchester.Entry, manchester.Attempt);
        Assert.Empty(Line());
        Hear(One, Taken(london.Attempt, 3));
        Assert.Empty(Line());
        Hear(One, new ReservationSettled("MAN", "A", [new LineUnits(1, 3)]));
        Assert.Equal([(One, 2)], Line());
    }

    [Fact]
    public void An_order_may_be_heard_to_refuse_before_the_stock_that_has_served_it()
    {
        Wait(One, 5);
        var (before, since, other) = (ByAnother("x", after: 2, 3), ByAnother("y", after: 3, 1), ByAnother("z", after: 2, 2));
        Hear(One, new ReservationSettled("LON", "A", [new LineUnits(1, 3)]));
        Hear(London, before.Entry, before.Attempt);
        Assert.Equal([(One, 5)], Line());
        Hear(London, since.Entry, since.Attempt);
        Hear("stk-MAN/A", other.Entry, other.Attempt);
        Assert.Equal([(One, 2)], Line());
    }

    [Fact]
    public void Whoever_the_lists_have_told_of_is_read_when_it_refuses()
    {
        List(Listed(One, 3));
        var served = Assert.Single(Serve(2));
        Hear(London, served.Entry, served.Attempt);
        Assert.False(Hear(One, new ReservationSettled("LON", "A", [new LineUnits(1, 2)])));
        Assert.Empty(Line());
        Assert.True(_index.Set(One, new Order(One).Apply([
            Placed("A"), Backordered(SourcingCause.Placing, (1, 2)), new CancellationRequested("c", "why", [new LineUnits(1, 1)]),
            new ReservationSettled("LON", "A", [new LineUnits(1, 2)]),
        ])));
        Assert.Empty(Line());
        Hear(One, new UnitsCancelled("c", "why", []));
        Assert.Equal([(One, 2)], Line());
    }

    [Fact]
    public void Of_whom_a_newer_program_has_written_nobody_knows_whether_it_may_be_served()
    {
        Wait(One, 2);
        Hear(One, null);
        Assert.Empty(Line());
        Hear(One, Taken("x", 1));
        Assert.Empty(Line());
    }

    [Fact]
    public void Whoever_is_held_or_being_cancelled_is_passed_over_and_goes_on_where_it_stood()
    {
        Wait(One, 2);
        Wait(Two, 2);
        Hear(One, new HoldPlaced("fraud", "look", HoldStops.Allocate | HoldStops.Release));
        Hear(One, new HoldPlaced("address", "look", HoldStops.Release));
        Assert.Equal([(Two, 2)], Line());
        Hear(One, new HoldLifted("fraud"));
        Assert.Equal([(One, 2), (Two, 2)], Line());
        Hear(One, new CancellationRequested("c", "why", null));
        Assert.Equal([(Two, 2)], Line());
        Hear(One, new UnitsCancelled("c", "why", [new CancelledUnits(1, "A", 1, null, null)]));
        Assert.Equal([(One, 1), (Two, 2)], Line());
        Hear(One, new UnitsCancelled("d", "why", [new CancelledUnits(1, "A", 1, null, null, IsOpen: false)]));
        Hear(Two, new UnitsCancelled("c", "why", [new CancelledUnits(1, "A", 2, null, null, IsOpen: true)]));
        Assert.Equal([(Two, 2)], Line());
    }

    [Fact]
    public void An_order_that_begins_to_wait_later_is_read_and_whatever_is_heard_meanwhile_is_not_lost()
    {
        var begun = new Order(One).Apply([Placed("A", "B"), Backordered(SourcingCause.Placing)]);
        Hear(One, Placed("A", "B"));
        Assert.True(Hear(One, Backordered(SourcingCause.Placing)));
        Assert.False(Hear(One, Backordered(SourcingCause.ShortPick, (1, 4))));
        var waits = begun.Apply(Backordered(SourcingCause.ShortPick, (1, 4)));
        Assert.True(Hear(One, Taken("x", 1)));
        Assert.False(_index.Set(One, waits));
        Assert.Empty(Line());
        Assert.True(_index.Set(One, waits.Apply(Taken("x", 1))));
        Assert.Equal([(One, 3)], Line());
        Hear(One, Taken("y", 3));
        Assert.Empty(Line());
    }

    [Fact]
    public void What_the_lists_tell_of_an_order_is_made_complete_when_another_line_begins_to_wait()
    {
        List(Listed(One, 7));
        Assert.Equal([(One, 2)], Line());
        Assert.False(Hear(One, Backordered(SourcingCause.ShortPick, (2, 1))));
        Assert.Empty(Line());
        Assert.True(_index.Set(One, null));
        Assert.Empty(Line());
    }

    [Fact]
    public void Whoever_is_held_when_a_process_begins_stands_in_no_line_before_it_is_known_what_the_hold_stops()
    {
        var held = new Order(One).Apply(
            [Placed("A", "B"), Backordered(SourcingCause.Placing, (1, 2), (2, 2)), new HoldPlaced("fraud", "look", HoldStops.Allocate)]);
        Assert.Equal([One], List(Listed(One, 3, isHeld: true), Listed(One, 3, line: 2, sku: "B", isHeld: true), Listed(Two, 2)));
        Assert.Equal([(Two, 2)], Line());
        Assert.True(_index.Set(One, held));
        Assert.Equal([(Two, 2)], Line());
        Hear(One, new HoldLifted("fraud"));
        Assert.Equal([(One, 2), (Two, 2)], Line());
    }

    [Fact]
    public void What_was_heard_before_changes_nothing()
    {
        Wait(One, 5);
        Hear(One, Taken("x", 3));
        _versions[One] = 2;
        Hear(One, Taken("x", 3));
        Assert.Equal([(One, 2)], Line());
    }
}
