using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Sourcing;

/// <summary>A warehouse that may ship, and what it can promise now.</summary>
/// <param name="Location">Where it stands; unknown places come after known ones.</param>
/// <param name="Available">Available-to-promise units by SKU; what is absent is zero.</param>
public sealed record Candidate(string Warehouse, GeoPoint? Location, IReadOnlyDictionary<string, int> Available);

/// <summary>
/// Chooses which warehouses ship an order. One warehouse that has everything, the nearest first; else the fewest
/// warehouses, and among equals the nearest; what nobody has stays missing.
/// </summary>
public static class Sourcer
{
    /// <summary>Up to this many candidates the fewest warehouses are found exactly; above it, greedily.</summary>
    public const int ExactUpTo = 12;

    /// <summary>Makes the plan. Pure: the same input always gives the same plan.</summary>
    /// <param name="demand">Units wanted by SKU, each above zero.</param>
    /// <param name="destination">Where it goes, if known.</param>
    /// <param name="candidates">Active warehouses.</param>
    public static SourcingPlan Plan(
        IReadOnlyDictionary<string, int> demand, GeoPoint? destination, IReadOnlyList<Candidate> candidates)
    {
        var ranked = candidates
            .Select(c => new Ranked(c, Distance(c.Location, destination)))
            .OrderBy(r => r.Kilometres ?? double.MaxValue)
            .ThenBy(r => r.Warehouse, StringComparer.Ordinal)
            .ToList();

        var whole = ranked.FindIndex(r => HasAll(r, demand));
        if (whole >= 0) return Describe(demand, ranked, [whole], "one warehouse has everything");

        // What can be shipped at all; beyond that the units are missing wherever the rest comes from.
        var reachable = demand.ToDictionary(
            d => d.Key, d => (int)Math.Min(d.Value, ranked.Sum(r => (long)r.Of(d.Key))), StringComparer.Ordinal);
        foreach (var sku in demand.Keys.Where(s => reachable[s] == 0)) reachable.Remove(sku);
        if (reachable.Count == 0) return Describe(demand, ranked, [], "no warehouse has any of it");

        var useful = Enumerable.Range(0, ranked.Count)
            .Where(i => reachable.Keys.Any(sku => ranked[i].Of(sku) > 0)).ToList();
        var chosen = useful.Count <= ExactUpTo
            ? Fewest(ranked, useful, reachable)
            : Greedy(ranked, useful, reachable);
        var complete = reachable.Count == demand.Count && demand.All(d => reachable[d.Key] == d.Value);
        var proven = useful.Count <= ExactUpTo ? ", no fewer" : "";
        return Describe(demand, ranked, chosen,
            chosen.Count == 1 ? "one warehouse has all that is there"
            : complete ? $"no single warehouse has everything; {chosen.Count} together do{proven}"
            : $"not everything is there; {chosen.Count} warehouses together have what is{proven}");
    }

    sealed record Ranked(Candidate Candidate, double? Kilometres)
    {
        public string Warehouse => Candidate.Warehouse;
        public int Of(string sku) => Math.Max(0, Candidate.Available.GetValueOrDefault(sku));
    }

    static double? Distance(GeoPoint? from, GeoPoint? to) =>
        from is { } a && to is { } b ? Math.Round(a.KilometresTo(b), 1) : null;

    static bool HasAll(Ranked r, IReadOnlyDictionary<string, int> demand)
    {
        foreach (var (sku, quantity) in demand)
            if (r.Of(sku) < quantity) return false;
        return true;
    }

    static bool Covers(List<Ranked> ranked, IEnumerable<int> subset, Dictionary<string, int> reachable) =>
        reachable.All(d => subset.Sum(i => (long)ranked[i].Of(d.Key)) >= d.Value);

    static List<int> Fewest(List<Ranked> ranked, List<int> useful, Dictionary<string, int> reachable)
    {
        List<int>? best = null;
        var bestKilometres = double.MaxValue;
        for (var size = 1; size <= useful.Count && best is null; size++)
            foreach (var subset in Subsets(useful, size))
            {
                if (!Covers(ranked, subset, reachable)) continue;
                var kilometres = subset.Sum(i => ranked[i].Kilometres ?? 20_000);
                if (kilometres < bestKilometres) (best, bestKilometres) = (subset, kilometres);
            }
        return best ?? useful;
    }

    static IEnumerable<List<int>> Subsets(List<int> of, int size)
    {
        var at = Enumerable.Range(0, size).ToArray();
        while (true)
        {
            yield return [.. at.Select(i => of[i])];
            var k = size - 1;
            while (k >= 0 && at[k] == of.Count - size + k) k--;
            if (k < 0) yield break;
            at[k]++;
            for (var j = k + 1; j < size; j++) at[j] = at[j - 1] + 1;
        }
    }

    static List<int> Greedy(List<Ranked> ranked, List<int> useful, Dictionary<string, int> reachable)
    {
        var open = new Dictionary<string, int>(reachable, StringComparer.Ordinal);
        var chosen = new List<int>();
        while (open.Values.Any(v => v > 0))
        {
            var next = useful.Except(chosen)
                .MaxBy(i => open.Sum(d => (long)Math.Min(d.Value, ranked[i].Of(d.Key))));
            chosen.Add(next);
            foreach (var sku in open.Keys.ToList()) open[sku] = Math.Max(0, open[sku] - ranked[next].Of(sku));
        }
        chosen.Sort();
        return chosen;
    }

    static SourcingPlan Describe(
        IReadOnlyDictionary<string, int> demand, List<Ranked> ranked, List<int> chosen, string reason)
    {
        var open = new Dictionary<string, int>(demand, StringComparer.Ordinal);
        var units = new List<PlannedUnits>();
        foreach (var i in chosen.Order())
            foreach (var sku in demand.Keys)
            {
                var take = Math.Min(open[sku], ranked[i].Of(sku));
                if (take == 0) continue;
                open[sku] -= take;
                units.Add(new PlannedUnits(ranked[i].Warehouse, sku, take));
            }
        var shipping = units.Select(u => u.Warehouse).ToHashSet(StringComparer.Ordinal);
        return new SourcingPlan(
            units,
            open.Where(o => o.Value > 0).ToDictionary(StringComparer.Ordinal),
            reason,
            [.. ranked.Select(r => new CandidateOutcome(
                r.Warehouse, r.Kilometres, shipping.Contains(r.Warehouse), Why(r, demand, shipping)))]);
    }

    static string Why(Ranked r, IReadOnlyDictionary<string, int> demand, HashSet<string> shipping)
    {
        if (shipping.Contains(r.Warehouse)) return shipping.Count == 1 ? "ships everything that is there" : "ships a part";
        var has = demand.Count(d => r.Of(d.Key) >= d.Value);
        return has == demand.Count ? "has everything, but is farther away"
            : has == 0 && demand.All(d => r.Of(d.Key) == 0) ? "has none of it"
            : $"has enough of {has} of {demand.Count} SKUs";
    }
}
