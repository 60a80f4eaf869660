using Microsoft.Extensions.Logging;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Grains.Orders;

// What stocks hold for the order and the order has not stored.
public sealed partial class OrderGrain
{
    /// <summary>Stocks that are asked at once.</summary>
    const int StocksAtOnce = 64;

    /// <summary>What of the order is looked at in one stock.</summary>
    readonly record struct Suspect(string Warehouse, string Sku, IReadOnlyList<int> LineIds);

    /// <summary>What a stock holds for the order.</summary>
    readonly record struct Held(string Warehouse, string Sku, IReadOnlyList<HeldUnits> Lines);

    /// <summary>What a stock holds for the order beyond what the order has stored.</summary>
    readonly record struct Surplus(string Warehouse, string Sku, IReadOnlyList<SettledLine> Lines, IReadOnlyList<LineUnits> Units);

    /// <inheritdoc />
    public Task<bool> SettleReservation(string warehouse, string sku) => Locked(() => Settle(
        [new Suspect(warehouse, sku, OrderSourcing.AllLines)]));

    /// <inheritdoc />
    public Task<bool> SettleReservations(IReadOnlyList<LineAllocation> reserved) => Locked(() => Settle(
        [.. reserved.GroupBy(r => (r.Warehouse, r.Sku)).Select(g => new Suspect(
            g.Key.Warehouse, g.Key.Sku, [.. g.Select(r => r.LineId).Distinct()]))]));

    /// <param name="isFound">Whether nobody knew that the stocks held something.</param>
    async Task<bool> Settle(IReadOnlyList<Suspect> suspects, bool isFound = true)
    {
        var before = IsBegun ? State.Version : 0;
        // Looked at before the fence: what was reserved by then for an order that is not stored never will be stored.
        var looked = await Look(suspects);
        var fence = await Fence();
        await IsBehind();
        // What it has stored since may be of units that were reserved after the look, and not of those that were seen.
        if (IsBegun && State.Version != before + fence) return false;
        Held[] held = [.. looked.Where(h => h.Lines.Count > 0)];
        if (IsBegun && held.Length > 0)
        {
            // What the order has asked for was perhaps done after the look, by whoever has asked: a line may hold more than it was seen to.
            await Repeat(held);
            if (!IsSame(looked, await Look(suspects))) return false;
        }
        Surplus[] surplus = [.. held.Select(SurplusOf).Where(s => s.Lines.Count > 0)];
        if (surplus.Length == 0) return true;
        if (State.Exists)
            await Store([.. surplus.SelectMany(s => OrderDecider.Decide(
                State, new SettleReservation(s.Warehouse, s.Sku, s.Units), Now).Events)], System("settled"));
        if (isFound)
            foreach (var s in surplus) LogSurplus(logger, Key, s.Warehouse, s.Sku);
        return (await AtEach(surplus, Free)).All(isFreed => isFreed);
    }

    Task<List<Held>> Look(IReadOnlyList<Suspect> suspects) => AtEach(suspects, async s => new Held(
        s.Warehouse, s.Sku, await stocks.Of(s.Warehouse, s.Sku).ReservedFor(Key, s.LineIds)));

    static bool IsSame(List<Held> before, List<Held> after) => before.Zip(after).All(l => l.First.Lines.SequenceEqual(l.Second.Lines));

    Surplus SurplusOf(Held held)
    {
        (HeldUnits Units, int Kept)[] lines = [.. held.Lines
            .Select(l => (Units: l, Kept: State.HeldIn(held.Warehouse, held.Sku, l.LineId))).Where(l => l.Units.Quantity > l.Kept)];
        return new Surplus(
            held.Warehouse, held.Sku, [.. lines.Select(l => new SettledLine(l.Units.LineId, l.Kept, l.Units.LastCommand))],
            [.. lines.Select(l => new LineUnits(l.Units.LineId, l.Units.Quantity - l.Kept))]);
    }

    async Task<bool> Free(Surplus surplus)
    {
        var reply = await stocks.Of(surplus.Warehouse, surplus.Sku).Execute(
            new SettleStock(SettleStock.IdOf(Key, Guid.NewGuid()), Key, surplus.Lines, "no order holds these units"), Caller.System);
        return reply.Rejection is null;
    }

    /// <summary>
    /// Does again what the order's events ask of these units and their stock has not done. A stock forgets what it has done
    /// to units that are gone, and would do it to those that it holds now; its ledger forgets nothing.
    /// </summary>
    async Task Repeat(IReadOnlyList<Held> held)
    {
        var among = held.Select(h => (h.Warehouse, h.Sku)).ToHashSet();
        foreach (var e in await Log.ReadStream(Key))
            await AtEach(
                [.. StockConsequences.Of(Key, e.Version, Known<OrderEvent>(e), e.At).Where(c => among.Contains((c.Warehouse, c.Sku)))],
                async c => await Log.IsStored(Keys.OfStock(c.Warehouse, c.Sku), c.Command.CommandId, e.At - ClockSkew) ? null
                    : await stocks.Of(c.Warehouse, c.Sku).Execute(c.Command, Caller.System));
    }

    static async Task<List<TResult>> AtEach<T, TResult>(IReadOnlyList<T> all, Func<T, Task<TResult>> ask)
    {
        var answers = new List<TResult>(all.Count);
        foreach (var some in all.Chunk(StocksAtOnce)) answers.AddRange(await Task.WhenAll(some.Select(ask)));
        return answers;
    }

    /// <summary>Whether it has stored what stocks hold for it, as an order or as a cart.</summary>
    bool IsBegun => State.Exists || State.Cart is not null;

    /// <summary>
    /// An order that is not stored is abandoned, each time anew: the desk places orders without this grain, and whoever has
    /// reserved before this for the same order must meet it. Answers how many events that took.
    /// </summary>
    async Task<int> Fence()
    {
        if (State.Exists) return 0;
        await Load();
        var decision = OrderDecider.Decide(State, new AbandonOrder(), Now);
        if (decision.Events.Count > 0) await Store(decision.Events, System("abandon"));
        return decision.Events.Count;
    }

    [LoggerMessage(LogLevel.Warning, "{Order} holds units of {Sku} in {Warehouse} that it has not stored; they are freed.")]
    static partial void LogSurplus(ILogger logger, string order, string warehouse, string sku);
}
