using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Tests.Stock;

/// <summary>Who waits and is served next, and what is said of it.</summary>
public sealed class WaitingPolicyTests
{
    static readonly DateTimeOffset Day = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);
    static readonly Dictionary<string, int> Nothing = [];

    static WaitingLine Line(string id, int promised = 0, int placed = 0, string channel = "web", int units = 1) =>
        new(id, 1, "A", units, channel, Day.AddHours(placed), Day.AddDays(promised));

    static WaitingPolicy By(params WaitingCriterion[] criteria) => WaitingPolicy.Usual with { Criteria = criteria };

    static List<WaitingChoice> Serve(WaitingPolicy policy, int units, params WaitingLine[] waiting) => [.. policy.Serve(policy.ByChannel(waiting), _ => true, Nothing, units)];

    [Fact]
    public void The_earliest_promise_comes_first_and_among_equals_the_oldest()
    {
        WaitingLine[] all = [Line("c", promised: 2), Line("b", promised: 1, placed: 5), Line("a", promised: 1, placed: 6)];
        Assert.Equal(
            [
                new(all[1], 1, "placed on 2026-12-01 05:00, the earliest of 3 that wait, with the same promise as the next"),
                new(all[2], 1, "promised by 2026-12-02 00:00, the earliest of 2 that wait"), new(all[0], 1, "nobody else waits"),
            ], Serve(WaitingPolicy.Usual, 9, all));
        Assert.Equal(["b", "a"], Serve(WaitingPolicy.Usual, 2, all).Select(c => c.Line.OrderId));
        Assert.Empty(Serve(WaitingPolicy.Usual, 0, all));
        Assert.Empty(Serve(WaitingPolicy.Usual, 5));
    }

    [Fact]
    public void Whoever_comes_last_has_what_is_left_and_goes_on_waiting()
    {
        var served = Serve(WaitingPolicy.Usual, 6, Line("a", units: 4), Line("b", placed: 1, units: 5), Line("c", placed: 2));
        Assert.Equal([("a", 4), ("b", 2)], served.Select(c => (c.Line.OrderId, c.Units)));
    }

    [Fact]
    public void What_is_declared_first_decides_first()
    {
        var policy = By(WaitingCriterion.Priority, WaitingCriterion.Age) with
        {
            Channels = new Dictionary<string, WaitingChannel> { ["b2b"] = new(5, null), ["store"] = new(-1, null) },
        };
        var served = Serve(
            policy, 9, Line("a", channel: "store"), Line("b", placed: 2), Line("c", placed: 3, channel: "b2b"), Line("d", placed: 1));
        Assert.Equal(["c", "d", "b", "a"], served.Select(c => c.Line.OrderId));
        Assert.Equal(
            [
                "priority 5, the highest of 4 that wait", "placed on 2026-12-01 01:00, the earliest of 3 that wait, with the same priority as the next",
                "priority 0, the highest of 2 that wait", "nobody else waits",
            ], served.Select(c => c.Why));
        Assert.Equal(
            "the first by its id of 2 that wait, with the same priority and age as the next", Serve(policy, 1, Line("y"), Line("x"))[0].Why);
    }

    [Fact]
    public void However_large_lines_are_a_channel_has_its_share_of_what_there_is_and_no_more_of_it()
    {
        var policy = WaitingPolicy.Usual with { Channels = new Dictionary<string, WaitingChannel> { ["b2b"] = new(0, 0.5) } };
        var (web, b2b) = (Line("a", units: 1000), Line("z", promised: 1, channel: "b2b", units: 1000));
        Assert.Equal(
            [
                ("a", 50, "promised by 2026-12-01 00:00, the earliest of 2 that wait"),
                ("z", 50, "b2b has had 0 of 50 units, its share is 50 %; nobody else of it waits"),
            ], Told(Serve(policy, 100, web, b2b)));
        // What a channel does not want of its share the others have, for the reason that they have by then.
        Assert.Equal([("a", 50), ("z", 10), ("a", 40)], Serve(policy, 100, web, b2b with { Units = 10 }).Select(c => (c.Line.OrderId, c.Units)));
        Assert.Equal(("nobody else waits", 950), Serve(policy, 100, web, b2b with { Units = 10 }).Select(c => (c.Why, c.Line.Units)).Last());
        // What it lacks of what was given before it has first.
        var before = new Dictionary<string, int> { ["web"] = 8, ["b2b"] = 4 };
        Assert.Equal(
            [("z", 52), ("a", 48)], policy.Serve(policy.ByChannel([web, b2b]), _ => true, before, 100).Select(c => (c.Line.OrderId, c.Units)));
    }

    [Fact]
    public void Where_shares_leave_nothing_to_others_these_have_what_no_channel_wants_of_its_share()
    {
        var policy = WaitingPolicy.Usual with
        {
            Channels = new Dictionary<string, WaitingChannel> { ["b2b"] = new(0, 0.5), ["store"] = new(0, 0.5) },
        };
        WaitingLine[] all = [Line("a", units: 9), Line("b", promised: 1, channel: "b2b", units: 9), Line("c", promised: 2, channel: "store", units: 3)];
        Assert.Equal(
            [
                ("b", 5, "b2b has had 0 of 10 units with those that are given now, its share is 50 %; nobody else of it waits"),
                ("c", 3, "store has had 0 of 5 units, its share is 50 %; nobody else of it waits"),
                ("a", 2, "promised by 2026-12-01 00:00, the earliest of 2 that wait"),
            ], Told(Serve(policy, 10, all)));
    }

    static IEnumerable<(string, int, string)> Told(IEnumerable<WaitingChoice> choices) => choices.Select(c => (c.Line.OrderId, c.Units, c.Why));

    [Fact]
    public void A_channel_has_its_share_for_as_long_as_it_wants_it()
    {
        var policy = WaitingPolicy.Usual with
        {
            Channels = new Dictionary<string, WaitingChannel> { ["b2b"] = new(0, 0.5), ["store"] = new(0, 0.2) },
        };
        var served = Serve(
            policy, 300, [.. Enumerable.Range(0, 300).Select(n => Line($"{n:000}", promised: n, channel: ((string[])["web", "b2b", "store"])[n / 100]))]);
        foreach (var n in new[] { 20, 50, 100, 150 })
        {
            var had = served.Take(n).CountBy(c => c.Line.Channel).ToDictionary();
            Assert.InRange(had.GetValueOrDefault("b2b"), n * 0.5 - 1, n * 0.5 + 1);
            Assert.InRange(had.GetValueOrDefault("store"), n * 0.2 - 1, n * 0.2 + 1);
        }
        // Everybody is served in the end, each channel in its own order.
        Assert.Equal(300, served.Select(c => c.Line.OrderId).Distinct().Count());
        foreach (var channel in served.GroupBy(c => c.Line.Channel)) Assert.Equal(channel.Select(c => c.Line.OrderId).Order(), channel.Select(c => c.Line.OrderId));
        Assert.Equal(
            "b2b has had 0 of 1 units, its share is 50 %; promised by 2027-03-11 00:00, the earliest of 100 that wait", served[1].Why);
        // What was given before counts.
        Assert.Equal("b2b", policy.Serve(policy.ByChannel([Line("a"), Line("z", promised: 9, channel: "b2b")]), _ => true, new Dictionary<string, int> { ["web"] = 3, ["b2b"] = 2 }, 1)
            .Single().Line.Channel);
    }
}
