using OrleansOms.Contracts;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Grains.Followers;
using OrleansOms.Grains.Stock;

namespace OrleansOms.Grains.Orders;

/// <summary>Units of one line that are looked for.</summary>
readonly record struct WantedUnits(int LineId, string Sku, int Quantity);

/// <summary>What was reserved, by which plan and under which command id.</summary>
sealed record ReservedUnits(IReadOnlyList<LineAllocation> Units, SourcingPlan Plan, string Attempt);

/// <summary>
/// Plans from the indexes of this process and reserves at the stocks, all of a plan or nothing of it. The stocks decide:
/// when one refuses, what the others have reserved is given back and the next plan is made from what is true by then.
/// </summary>
public sealed class OrderSourcing(
    StockGrains stocks, CatalogueIndex catalogue, AvailabilityIndex availability, WaitingIndex waiting, IPlaces places, LogTail tail, TimeProvider time,
    IGrainFactory grains)
{
    /// <summary>Plans tried before the units count as missing; each one failed because someone else was faster.</summary>
    const int MaxPlans = 5;

    const string OthersHadFewer = "another stock that was to give its part could not";

    /// <summary>Every line that an order may have.</summary>
    internal static int[] AllLines { get; } = [.. Enumerable.Range(1, OrderLimits.MaxLines)];

    /// <summary>How long a short plan may wait for the newest stock numbers.</summary>
    static readonly TimeSpan Freshness = TimeSpan.FromSeconds(2);

    /// <summary>Reserves what can be reserved of the wanted units.</summary>
    /// <param name="attempt">Unique for this attempt, so that its reservations can be told from any other's.</param>
    /// <param name="standsInLine">Whether older orders that wait for a SKU come first.</param>
    /// <param name="looksAgain">Whether somebody looks again for what is called missing.</param>
    /// <param name="except">Stocks that have failed to find the units.</param>
    /// <param name="allOrNothing">Reserve nothing at all if something is missing.</param>
    /// <exception cref="LogUnavailableException">
    /// This process knows too little of what is in stock to call anything missing for which nobody looks again. Nothing is reserved.
    /// </exception>
    internal async Task<ReservedUnits> Reserve(
        string orderId, string attempt, IReadOnlyList<WantedUnits> wanted, string country, string? postalCode,
        bool standsInLine, bool looksAgain, IReadOnlyCollection<(string Warehouse, string Sku)>? except = null, bool allOrNothing = false)
    {
        if (!tail.HasBegun) throw new LogUnavailableException("This process has begun and still reads what is in stock.");
        var demand = LineSplit.Demand(wanted.Select(w => (w.LineId, w.Sku, w.Quantity)));
        var destination = places.Find(country, postalCode);
        var refused = new HashSet<(string, string)>(except ?? []);
        var isFresh = false;
        for (var n = 1; ; n++)
        {
            var plan = Sourcer.Plan(demand, destination, Candidates(demand.Keys, standsInLine, refused));
            if (plan.Missing.Count > 0 && !isFresh)
            {
                // Stock that was acknowledged a moment ago elsewhere may not have reached this process yet.
                isFresh = true;
                if (!await CatchUp() && !looksAgain)
                    throw new LogUnavailableException("What has come into stock lately cannot be read yet.");
                continue;
            }
            if (plan.Units.Count == 0 || (allOrNothing && plan.Missing.Count > 0))
                return new ReservedUnits([], plan, attempt);
            var units = LineSplit.Assign(wanted.Select(w => (w.LineId, w.Sku, w.Quantity)), plan.Units);
            var command = $"{attempt}/{n}";
            var failed = await TryReserve(orderId, command, units);
            if (failed.Count == 0) return new ReservedUnits(units, plan, command);
            if (n >= MaxPlans) refused.UnionWith(failed);
            else await CatchUp();
        }
    }

    /// <summary>
    /// Whether some of what is missing is held by an attempt of the very same order that has died. It is given back then, with what this
    /// attempt has reserved, and whoever has been told so begins again.
    /// </summary>
    /// <param name="order">As it is stored.</param>
    /// <param name="lines">What the other attempt may have reserved for.</param>
    internal async Task<bool> HasGivenBack(Order order, IReadOnlyList<int> lines, ReservedUnits reserved)
    {
        if (reserved.Plan.Missing.Count == 0) return false;
        try
        {
            if (await HeldByDead(order, lines, reserved) is not { Length: > 0 } dead) return false;
            await Release(order.Id, reserved);
            await grains.GetGrain<IOrderGrain>(order.Id).SettleReservations(dead);
            return true;
        }
        catch
        {
            await Release(order.Id, reserved);
            throw;
        }
    }

    /// <summary>What the stocks of missing SKUs hold for an order by other attempts, and it has not stored.</summary>
    async Task<LineAllocation[]> HeldByDead(Order order, IReadOnlyList<int> lines, ReservedUnits reserved)
    {
        var asked = reserved.Plan.Missing.Keys.SelectMany(availability.StocksOf).Where(s => s.Reserved > 0).Select(async s =>
        {
            var held = await stocks.Of(s.Warehouse, s.Sku).ReservedFor(order.Id, lines);
            return held.Select(h => new LineAllocation(h.LineId, s.Sku, s.Warehouse, h.Quantity));
        });
        return [.. (await Task.WhenAll(asked)).SelectMany(held => held).Where(h => h.Quantity
            > order.HeldIn(h.Warehouse, h.Sku, h.LineId)
            + reserved.Units.Where(u => (u.LineId, u.Sku, u.Warehouse) == (h.LineId, h.Sku, h.Warehouse)).Sum(u => u.Quantity))];
    }

    /// <summary>Gives back what was reserved for an order that did not come about.</summary>
    internal Task Release(string orderId, ReservedUnits reserved) =>
        GiveBack(orderId, reserved.Attempt, ByStock(reserved.Units), "it had been asked for before, or could not be stored");

    /// <summary>
    /// Lets stocks know at once what has become of a cart's units. Its outcome is nobody's concern: the follower does it again, to no effect,
    /// and so makes sure that it is done.
    /// </summary>
    /// <param name="version">Of the event that the cart has ended by.</param>
    internal async Task Pass(string orderId, int version, CartShare share, DateTimeOffset at)
    {
        try
        {
            await Task.WhenAll(StockConsequences.Of(orderId, version, new CartEnded(CartEnd.Ordered, share.Freed, share.Taken), at)
                .Select(c => stocks.Of(c.Warehouse, c.Sku).Execute(c.Command, Caller.System)));
        }
        catch (Exception e) when (IsLost(e)) { return; }
    }

    /// <summary>Reserves at all of these stocks or at none; returns the ones that refused.</summary>
    async Task<List<(string, string)>> TryReserve(string orderId, string attempt, List<LineAllocation> units)
    {
        var shares = ByStock(units);
        var tries = new Task<Reply<StockView>>[shares.Count];
        var now = time.GetUtcNow();
        for (var i = 0; i < tries.Length; i++)
            tries[i] = shares[i].Stock.Execute(
                new ReserveStock(attempt, orderId, shares[i].Lines) { DecidedAt = now }, Caller.System);
        try { await Task.WhenAll(tries); }
        catch
        {
            // Nobody waits for it: who does not answer now will not answer this soon, and whoever orders has waited for it once.
            _ = GiveBack(orderId, attempt, [.. shares.Where((_, i) => !IsRefused(tries[i]))], OthersHadFewer);
            throw;
        }
        if (Array.TrueForAll(tries, t => t.Result.Rejection is null)) return [];
        await GiveBack(orderId, attempt, shares.Where((_, i) => tries[i].Result.Rejection is null), OthersHadFewer);
        return [.. shares.Where((_, i) => tries[i].Result.Rejection is not null).Select(s => (s.Warehouse, s.Sku))];
    }

    static bool IsRefused(Task<Reply<StockView>> t) => t.IsCompletedSuccessfully && t.Result.Rejection is not null;

    /// <summary>
    /// Frees what an attempt has reserved, also where the answer was lost. What cannot be reached now is found later by
    /// the watch over reservations, because no order will ever claim it.
    /// </summary>
    /// <param name="why">For the ledger.</param>
    static async Task GiveBack(string orderId, string attempt, IEnumerable<Share> shares, string why)
    {
        try
        {
            await Task.WhenAll(shares.Select(s => s.Stock.Execute(
                new ReleaseStock(ReleaseStock.BackOf(attempt), orderId, s.Lines, why, attempt), Caller.System)));
        }
        catch (Exception e) when (IsLost(e)) { return; }
    }

    /// <summary>Whether nobody knows what has become of a call. Orleans cancels what it gives up.</summary>
    internal static bool IsLost(Exception e) => e is OmsFaultException or TimeoutException or OrleansException or OperationCanceledException;

    /// <summary>Waits for the newest numbers; false if they do not come in time.</summary>
    async Task<bool> CatchUp()
    {
        using var limit = new CancellationTokenSource(Freshness);
        try { await tail.CaughtUp(limit.Token); }
        catch (OperationCanceledException) { return false; }
        return true;
    }

    List<Candidate> Candidates(
        IReadOnlyCollection<string> skus, bool standsInLine, HashSet<(string Warehouse, string Sku)> refused)
    {
        var candidates = new List<Candidate>();
        foreach (var w in catalogue.Warehouses)
        {
            if (!w.Details.IsActive) continue;
            var available = new Dictionary<string, int>(skus.Count, StringComparer.Ordinal);
            foreach (var sku in skus)
            {
                long units = availability.Find(w.Code, sku)?.Available ?? 0;
                // Those who are served with units have them, and are told.
                if (standsInLine) units -= Math.Max(0, availability.Waiting(sku) - waiting.OnTheirWay(sku));
                if (units > 0 && !refused.Contains((w.Code, sku))) available[sku] = (int)units;
            }
            var at = w.Details.Location ?? places.Find(w.Details.Address.Country, w.Details.Address.PostalCode);
            candidates.Add(new Candidate(w.Code, at, available));
        }
        return candidates;
    }

    /// <summary>What one stock is asked for.</summary>
    readonly record struct Share(string Warehouse, string Sku, IStockGrain Stock, IReadOnlyList<LineUnits> Lines);

    List<Share> ByStock(IReadOnlyList<LineAllocation> units) =>
    [
        .. units.GroupBy(u => (u.Warehouse, u.Sku)).Select(g => new Share(
            g.Key.Warehouse, g.Key.Sku, stocks.Of(g.Key.Warehouse, g.Key.Sku),
            [.. g.Select(u => new LineUnits(u.LineId, u.Quantity))])),
    ];
}
