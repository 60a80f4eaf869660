using CsCheck;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Sourcing;

namespace OrleansOms.Domain.Tests.Sourcing;

public sealed class SourcerTests
{
    static readonly GeoPoint Worthing = new(50.818, -0.3754);
    static readonly GeoPoint London = new(51.5072, -0.1276);
    static readonly GeoPoint Manchester = new(53.4808, -2.2426);
    static readonly GeoPoint Rotterdam = new(51.9244, 4.4777);

    static Candidate At(string code, GeoPoint where, params (string Sku, int Units)[] available) =>
        new(code, where, available.ToDictionary(a => a.Sku, a => a.Units));

    static SourcingPlan Plan(Dictionary<string, int> demand, params Candidate[] candidates) =>
        Sourcer.Plan(demand, Worthing, candidates);

    [Fact]
    public void The_nearest_warehouse_with_everything_ships()
    {
        var plan = Plan(
            new() { ["A"] = 2, ["B"] = 1 },
            At("RTM", Rotterdam, ("A", 9), ("B", 9)), At("MAN", Manchester, ("A", 9), ("B", 9)), At("LON", London, ("A", 9)));
        Assert.All(plan.Units, u => Assert.Equal("MAN", u.Warehouse));
        Assert.Equal(["LON", "MAN", "RTM"], plan.Candidates.Select(c => c.Warehouse));
        Assert.Equal("has everything, but is farther away", plan.Candidates[2].Reason);
        Assert.Equal("has enough of 1 of 2 SKUs", plan.Candidates[0].Reason);
    }

    [Fact]
    public void Without_one_that_has_everything_the_fewest_ship()
    {
        var plan = Plan(
            new() { ["A"] = 1, ["B"] = 1, ["C"] = 1 },
            At("LON", London, ("A", 1)), At("RTM", Rotterdam, ("B", 1)), At("MAN", Manchester, ("B", 1), ("C", 1)));
        Assert.Equal(["LON", "MAN"], plan.Units.Select(u => u.Warehouse).Distinct());
        Assert.Empty(plan.Missing);
    }

    [Fact]
    public void What_nobody_has_is_missing_and_the_rest_still_ships()
    {
        var plan = Plan(new() { ["A"] = 5, ["B"] = 2 }, At("LON", London, ("A", 3)));
        Assert.Equal([new PlannedUnits("LON", "A", 3)], plan.Units);
        Assert.Equal((2, 2), (plan.Missing["A"], plan.Missing["B"]));
    }

    [Fact]
    public void No_candidates_is_a_plan_too()
    {
        var plan = Plan(new() { ["A"] = 5 });
        Assert.Empty(plan.Units);
        Assert.Equal(5, plan.Missing["A"]);
    }

    [Fact]
    public void Unknown_places_come_last_and_never_break_it()
    {
        var plan = Sourcer.Plan(
            new Dictionary<string, int> { ["A"] = 1 }, null,
            [new("B", null, new Dictionary<string, int> { ["A"] = 1 }), At("A", London, ("A", 1))]);
        Assert.Equal("A", plan.Units[0].Warehouse);
    }

    [Fact]
    public void It_never_plans_more_than_there_is_nor_more_warehouses_than_needed()
    {
        var stock = Gen.Int[0, 6].Array[3].Array[1, 6];
        Gen.Select(Gen.Int[1, 6].Array[3], stock).Sample((demand, stocks) =>
        {
            var wanted = demand.Select((n, i) => ($"S{i}", n)).ToDictionary(x => x.Item1, x => x.n);
            Candidate[] candidates = [.. stocks.Select((row, w) => At(
                $"W{w}", new GeoPoint(w, w), [.. row.Select((n, i) => ($"S{i}", n))]))];
            var plan = Sourcer.Plan(wanted, new GeoPoint(0, 0), candidates);
            foreach (var unit in plan.Units)
                if (unit.Quantity > candidates.First(c => c.Warehouse == unit.Warehouse).Available[unit.Sku]) return false;
            foreach (var (sku, n) in wanted)
            {
                var planned = plan.Units.Where(u => u.Sku == sku).Sum(u => u.Quantity);
                var there = Math.Min(n, stocks.Sum(r => r[sku[1] - '0']));
                if (planned != there || planned + plan.Missing.GetValueOrDefault(sku) != n) return false;
            }
            return plan.Units.Select(u => u.Warehouse).Distinct().Count() == BruteForce(wanted, stocks);
        }, iter: 3000);
    }

    /// <summary>The smallest number of warehouses that can ship all that is there, by trying every subset.</summary>
    static int BruteForce(Dictionary<string, int> wanted, int[][] stocks)
    {
        var best = int.MaxValue;
        for (var mask = 0; mask < 1 << stocks.Length; mask++)
        {
            var covers = wanted.All(d => stocks.Where((_, w) => (mask >> w & 1) == 1).Sum(r => r[d.Key[1] - '0'])
                >= Math.Min(d.Value, stocks.Sum(r => r[d.Key[1] - '0'])));
            if (covers) best = Math.Min(best, int.PopCount(mask));
        }
        return best;
    }

    [Fact]
    public void Planned_units_are_spread_over_lines_that_want_the_same_sku()
    {
        (int, string, int)[] wanted = [(1, "A", 3), (2, "A", 4), (3, "B", 1)];
        Assert.Equal(7, LineSplit.Demand(wanted)["A"]);
        var split = LineSplit.Assign(wanted, [new("LON", "A", 5), new("MAN", "A", 2), new("MAN", "B", 1)]);
        Assert.Equal(
            [(1, "LON", 3), (2, "LON", 2), (2, "MAN", 2), (3, "MAN", 1)],
            split.Select(a => (a.LineId, a.Warehouse, a.Quantity)));
    }
}
