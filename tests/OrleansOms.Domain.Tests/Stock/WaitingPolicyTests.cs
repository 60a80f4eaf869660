using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Tests.Stock;

/// <summary>Who waits and is served next, and what is said of it.</summary>
public sealed class WaitingPolicyTests
{
    static readonly DateTimeOffset Day = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);
    static readonly Dictionary<string, long> Nothing = [];

    static WaitingLine Line(string id, int promised = 0, int placed = 0, string channel = "web", int units = 1) =>
        new(id, 1, "A", units, channel, Day.AddHours(placed), Day.AddDays(promised));

    static WaitingPolicy By(params WaitingCriterion[] criteria) => WaitingPolicy.Usual with { Criteria = criteria };

    [Fact]
    public void The_earliest_promise_comes_first_and_among_equals_the_oldest()
    {
        WaitingLine[] all = [Line("c", promised: 2), Line("b", promised: 1, placed: 5), Line("a", promised: 1, placed: 6)];
        Assert.Equal(
            new WaitingChoice(all[1], "waits since 2026-12-01 05:00:00Z, the longest of 2 with the same promise"), WaitingPolicy.Usual.Next(all, Nothing));
        Assert.Equal(
            new WaitingChoice(all[2], "promised by 2026-12-02 00:00:00Z, the earliest of 2"), WaitingPolicy.Usual.Next([all[0], all[2]], Nothing));
        Assert.Equal(new WaitingChoice(all[0], "nobody else waits"), WaitingPolicy.Usual.Next([all[0]], Nothing));
        Assert.Null(WaitingPolicy.Usual.Next([], Nothing));
    }

    [Fact]
    public void What_is_declared_first_decides_first()
    {
        var policy = By(WaitingCriterion.Priority, WaitingCriterion.Age) with
        {
            Channels = new Dictionary<string, WaitingChannel> { ["b2b"] = new(5, null), ["store"] = new(-1, null) },
        };
        WaitingLine[] all = [Line("a", channel: "store"), Line("b", placed: 2), Line("c", placed: 3, channel: "b2b"), Line("d", placed: 1)];
        Assert.Equal(["c", "d", "b", "a"], Served(policy, all).Select(c => c.Line.OrderId));
        Assert.Equal(
            [
                "priority 5, the highest of 4", "waits since 2026-12-01 01:00:00Z, the longest of 2 with the same priority",
                "priority 0, the highest of 2", "nobody else waits",
            ], Served(policy, all).Select(c => c.Why));
        Assert.Equal("the first of 2 with the same priority and age, by its id", policy.Next([Line("y"), Line("x")], Nothing)!.Why);
    }

    [Fact]
    public void A_channel_has_its_share_for_as_long_as_it_wants_it()
    {
        var policy = WaitingPolicy.Usual with
        {
            Channels = new Dictionary<string, WaitingChannel> { ["b2b"] = new(0, 0.5), ["store"] = new(0, 0.2) },
        };
        var all = Enumerable.Range(0, 300).Select(n => Line($"{n:000}", promised: n, channel: ((string[])["web", "b2b", "store"])[n / 100])).ToList();
        var served = Served(policy, all);
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
            "b2b has had 0 of 1 units, its share is 50 %; promised by 2027-03-11 00:00:00Z, the earliest of 100", served[1].Why);
    }

    static List<WaitingChoice> Served(WaitingPolicy policy, IEnumerable<WaitingLine> waiting)
    {
        var (left, given, served) = (waiting.ToList(), new Dictionary<string, long>(), new List<WaitingChoice>());
        while (policy.Next(left, given) is { } next)
        {
            served.Add(next);
            left.Remove(next.Line);
            given[next.Line.Channel] = given.GetValueOrDefault(next.Line.Channel) + next.Line.Units;
        }
        return served;
    }
}
