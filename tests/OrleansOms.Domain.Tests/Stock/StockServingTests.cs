using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Tests.Stock;

using Stock = Domain.Stock.Stock;

/// <summary>What entries make free is promised with them, and what an order may take of that.</summary>
public sealed class StockServingTests
{
    const string Order = "ord-1";
    static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    static readonly Stock Held = After(
        new Stock("LON", "A"), new StockReceived(5, "po"), new StockReserved("ord-0", [new(1, 4)]), new StockNotFound("ord-0", "shp-0", [new(1, 1)]));

    static Stock After(Stock stock, params StockEvent[] entries) => entries.Aggregate(stock, (s, e) => s.Apply(e, $"c{s.Version + 1}", Now));

    static WaitingLine Line(string order, int units = 1, int line = 1) => new(order, line, "A", units, "web", Now, Now);

    static IReadOnlyList<Served> Serve(Stock stock, StockEvent entry, params WaitingLine[] waiting) => ServeIn("turn", stock, entry, waiting);

    static IReadOnlyList<Served> ServeIn(string turn, Stock stock, StockEvent entry, params WaitingLine[] waiting) =>
        Decide(stock, entry, "test", turn, waiting);

    static IReadOnlyList<Served> Decide(Stock stock, StockEvent entry, string command, string turn, params WaitingLine[] waiting) =>
        StockServing.Decide(stock, [entry], command, WaitingPolicy.Usual.ByChannel(waiting), _ => 3, WaitingPolicy.Usual, turn);

    [Fact]
    public void All_that_is_free_is_given_when_some_becomes_free()
    {
        Assert.Equal(1, Held.Available);
        Assert.Empty(Serve(Held, new StockReserved("ord-9", [new(1, 1)]), Line("ord-2")));
        Assert.Empty(Serve(Held, new StockShipped("ord-0", "shp-0", [new(1, 1)]), Line("ord-2")));
        Assert.Empty(Serve(Held, new ConditionChanged(null, StockCondition.Damaged, 4, "wet"), Line("ord-2")));
        var served = Assert.Single(Serve(Held, new ReservationReleased("ord-0", [new(1, 2)], "cancelled"), Line("ord-2", units: 9)));
        Assert.Equal(("ord-2", 3), (served.Entry.OrderId, served.Entry.Lines[0].Quantity));
    }

    [Fact]
    public void Each_line_is_served_by_an_attempt_of_its_own_that_says_how_far_its_order_had_come()
    {
        var served = Serve(Held, new StockReceived(4, "po"), Line("ord-2"), Line("ord-2", line: 2), Line("ord-3"));
        Assert.Equal(
            ["ord-2/after/3/served/turn/1", "ord-2/after/3/served/turn/2", "ord-3/after/3/served/turn/3"], served.Select(s => s.Attempt));
        Assert.Equal(3, ReserveStock.AfterOf("ord-2", served[0].Attempt));
        Assert.Null(StockConsequences.VersionOf("ord-2", served[0].Attempt));
    }

    /// <summary>Two activations of one stock, of which one stores what it has decided.</summary>
    [Fact]
    public void What_is_decided_twice_at_the_same_version_are_two_attempts()
    {
        var line = Line("ord-2", units: 5);
        var (five, two) = (ServeIn("one", Held, new StockReceived(5, "po"), line)[0], ServeIn("two", Held, new StockReceived(1, "po"), line)[0]);
        Assert.Equal((5, 2), (five.Entry.Lines[0].Quantity, two.Entry.Lines[0].Quantity));
        var stock = After(Held, new StockReceived(1, "po")).Apply(two.Entry, two.Attempt, Now);
        Assert.True(stock.Holds("ord-2", two.Entry.Lines, two.Attempt));
        Assert.False(stock.Holds("ord-2", five.Entry.Lines, five.Attempt));
    }

    [Fact]
    public void Where_its_units_were_not_found_an_order_waits_for_others()
    {
        Assert.Empty(Serve(Held, new ReservationReleased("ord-0", [new(1, 2)], "cancelled"), Line("ord-0")));
        Assert.Single(Serve(Held, new StockReceived(2, "po"), Line("ord-0")));
    }

    [Fact]
    public void Whoever_frees_units_by_what_is_not_known_of_it_yet_is_not_given_them_back()
    {
        var freed = new ReservationReleased("ord-0", [new(1, 2)], "cancelled");
        Assert.Equal(["ord-2"], ServedBy("ord-1/4"));
        foreach (var known in (string[])["ord-1/3", "ord-9/4", "ord-1/after/4/x/back"]) Assert.Equal(["ord-1", "ord-2"], ServedBy(known));

        IEnumerable<string> ServedBy(string command) =>
            Decide(Held, freed, command, "turn", Line("ord-1", units: 2), Line("ord-2")).Select(s => s.Entry.OrderId);
    }

    [Fact]
    public void No_turn_serves_more_lines_than_it_may() => Assert.Equal(StockServing.MostLines, Serve(
        Held, new StockReceived(5000, "po"), [.. Enumerable.Range(1, StockServing.MostLines + 5).Select(n => Line($"ord-{n}"))]).Count);

    [Fact]
    public void A_share_is_one_of_about_the_last_thousand_units()
    {
        var stock = After(Held, new StockReceived(5000, "po"), Given("web", 700), Given("b2b", 200));
        Assert.Equal((700, 200), (stock.Given["web"], stock.Given["b2b"]));
        // All of a turn is counted before anything is forgotten.
        stock = After(stock, Given("b2b", 301));
        Assert.Equal((700, 501), (stock.Given["web"], stock.Given["b2b"]));
        foreach (StockEvent free in (StockEvent[])[new StockReceived(1, "po"), new ReservationReleased("ord-b2b-301", [new(1, 1)], "cancelled")])
            Assert.Equal((350, 250), (After(stock, free).Given["web"], After(stock, free).Given["b2b"]));
        Assert.InRange(After(stock, Given("web", 3000), new StockReceived(1, "po")).Given.Values.Sum(), 500, 1000);

        static StockServed Given(string channel, int units) => new($"ord-{channel}-{units}", [new(1, units)], channel, "");
    }

    /// <summary>The others are always promised earlier: but for its share the channel had nothing.</summary>
    [Theory]
    [InlineData("web", 0.3), InlineData("b2b", 0.3), InlineData("both", 0.3), InlineData("web", 0.5), InlineData("b2b", 0.05)]
    public void A_channel_has_its_share_of_many_turns_however_large_lines_are(string large, double share)
    {
        var policy = WaitingPolicy.Usual with { Channels = new Dictionary<string, WaitingChannel> { ["b2b"] = new(0, share) } };
        var (stock, random, had) = (new Stock("LON", "A"), new Random(7), new Dictionary<string, int>());
        for (var turn = 0; turn < 150; turn++)
        {
            WaitingLine[] waiting = [.. Lines("web", Now), .. Lines("b2b", Now.AddDays(1))];
            var received = new StockReceived(random.Next(3) == 0 ? random.Next(1, 4) : random.Next(1, 900), "po");
            var served = StockServing.Decide(stock, [received], "po", policy.ByChannel(waiting), _ => 3, policy, $"{turn}");
            stock = After(stock, [received, .. served.Select(s => s.Entry)]);
            foreach (var s in served) had[s.Entry.Channel] = had.GetValueOrDefault(s.Entry.Channel) + s.Entry.Lines[0].Quantity;
            Assert.Equal(0, stock.Available);

            IEnumerable<WaitingLine> Lines(string channel, DateTimeOffset promised)
            {
                var isLarge = large == channel || large == "both";
                return Enumerable.Range(0, isLarge ? 2 : 900).Select(n =>
                    Line($"ord-{channel}-{turn}-{n}", isLarge ? 1000 : 1) with { Channel = channel, PromisedBy = promised });
            }
        }
        Assert.InRange((double)had["b2b"] / had.Values.Sum(), share - 0.02, share + 0.02);
    }

    [Fact]
    public void What_an_attempt_has_reserved_is_held_until_anything_of_it_ends()
    {
        var (one, two) = ($"{Order}/after/3/served/turn/1", $"{Order}/after/3/served/another/1");
        LineUnits[] units = [new(1, 2)];
        var stock = new Stock("LON", "A").Apply(new StockReceived(9, "po"), "in", Now).Apply(new StockReserved(Order, units), one, Now);
        Assert.True(stock.Holds(Order, units, one));
        Assert.False(stock.Holds(Order, units, two));
        stock = stock.Apply(new StockReserved(Order, units), two, Now);
        Assert.True(stock.Holds(Order, units, one));
        foreach (var end in (string[])[$"{Order}/7", ReleaseStock.BackOf(two), SettleStock.IdOf(Order, Guid.Empty)])
            Assert.False(stock.Apply(new ReservationReleased(Order, [new(1, 1)], "test"), end, Now).Holds(Order, units, one));
    }

    [Fact]
    public void An_order_that_has_given_up_what_a_stock_holds_or_asks_it_for_some_leaves_the_rest_alone()
    {
        var served = new TakeServed("LON", "A", [new(1, 2)], "why", "attempt", Now);
        Assert.False(Left(new ReservationSettled("LON", "A", [new(1, 2)])));
        Assert.True(Left(new ReservationSettled("MAN", "A", [new(1, 2)])));
        Assert.False(Left(new UnitsCancelled("c", "why", [new CancelledUnits(1, "A", 1, "LON", null)])));
        Assert.True(Left(new UnitsCancelled("c", "why", [new CancelledUnits(1, "A", 1, null, null)])));
        Assert.True(Left(new HoldLifted("fraud")));

        bool Left(OrderEvent e) => served.IsLeftBy(Order, 4, e, Now);
    }
}
