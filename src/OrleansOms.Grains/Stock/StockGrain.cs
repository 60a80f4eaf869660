using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Aggregates;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Grains.Upgrades;

namespace OrleansOms.Grains.Stock;

using Stock = Domain.Stock.Stock;

/// <summary>One SKU in one warehouse.</summary>
[GrainType("oms-stock"), Reentrant]
public sealed class StockGrain(
    IEventLog log, TimeProvider time, AvailabilityIndex availability, WaitingIndex waiting, CatalogueIndex catalogue, Upgrade upgrade,
    SnapshotStore snapshots, ILogger<StockGrain> logger)
    : AggregateGrain<Stock, StockEvent>(log, time), IStockGrain
{
    /// <summary>Events of most stocks: fewer need no look for a snapshot.</summary>
    const int Few = 50;

    StockSnapshots? _snapshots;

    /// <inheritdoc />
    protected override Stock Empty
    {
        get
        {
            var (warehouse, sku) = Keys.ReadStock(Key);
            return new Stock(warehouse, sku);
        }
    }

    /// <inheritdoc />
    protected override int VersionOf(Stock state) => state.Version;

    /// <inheritdoc />
    protected override Stock Apply(Stock state, StockEvent @event, string commandId, DateTimeOffset at) =>
        state.Apply(@event, commandId, at);

    /// <inheritdoc />
    protected override async Task Load()
    {
        _snapshots = new StockSnapshots(snapshots, this.GetGrainId(), logger);
        var events = await Log.ReadStream(Key, 0, Few);
        if (events.Count < Few)
        {
            Adopt(Fold(Empty, events));
            return;
        }
        var start = await _snapshots.Read(Empty, Now);
        // Where it is understood, what lies before it need not be read.
        if (_snapshots.IsNewer && Leaves()) throw new NewerEventException(Key, "a snapshot");
        if (start.Version > 0)
        {
            var tail = await Log.ReadStream(Key, start.Version - 1);
            if (tail is [var last, ..] && last.Version == start.Version)
            {
                Adopt(Fold(start, tail.Skip(1)));
                return;
            }
            // It is of a history that is not the log's: of a server that was lost, or of a copy. Once the log has come as far
            // nobody can tell any more, so it must be gone before anything is stored.
            await _snapshots.Clear();
        }
        Adopt(Fold(Fold(Empty, events), await Log.ReadStream(Key, events[^1].Version)));
    }

    /// <inheritdoc />
    public async Task<Reply<StockView>> Execute(StockCommand command, string actor)
    {
        var decision = StockDecider.Decide(State, command);
        if (decision.Events.Count == 0 && await IsBehind()) decision = StockDecider.Decide(State, command);
        if (decision.Events.Count > 0 && command is { DecidedAt: { } decided } && command.IsLate(Now))
        {
            if (await Log.IsStored(Key, command.CommandId, decided - ClockSkew))
                return Reply<StockView>.Of(StockView.Of(Durable));
            decision = StockDecider.Decide(State, command);
        }
        if (decision.Events.Count == 0) await Flushed();
        if (decision.Rejection is { } no) return Reply<StockView>.Refused(no);
        if (decision.Events.Count > 0) await StoreAndServe(decision.Events, new Caller(command.CommandId, actor));
        return Reply<StockView>.Of(StockView.Of(Durable));
    }

    /// <summary>What becomes free goes to those that wait in the same append: nobody else sees it in between.</summary>
    async Task StoreAndServe(IReadOnlyList<StockEvent> entries, Caller caller)
    {
        var (at, served) = (Now, Served(entries, caller.CommandId));
        try
        {
            await Store(
            [
                .. entries.Select(e => new NewEvent(e, caller.CommandId, caller.Actor, at)),
                .. served.Select(s => new NewEvent(s.Entry, s.Attempt, Caller.System, at)),
            ], []);
        }
        catch
        {
            waiting.Forget(served);
            throw;
        }
    }

    IReadOnlyList<Served> Served(IReadOnlyList<StockEvent> entries, string commandId) =>
        waiting.IsWaitedFor(State.Sku) && StockServing.MakesFree(entries)
        && catalogue.TryGetWarehouse(State.Warehouse, out var warehouse) && warehouse.Details.IsActive && upgrade.IsOver(Upgrade.Serving)
            ? waiting.Serve(State, entries, commandId) : [];

    /// <inheritdoc />
    public async Task<StockView> Get() => StockView.Of(await Shown());

    /// <inheritdoc />
    public async Task<IReadOnlyList<HeldUnits>> ReservedFor(string orderId, IReadOnlyList<int> lineIds)
    {
        await IsBehind();
        var held = new List<HeldUnits>();
        foreach (var id in lineIds)
            if (Durable.Reservations.Of(orderId, id) is { } r) held.Add(new HeldUnits(id, r.Quantity, r.Commands[^1]));
        return held;
    }

    /// <inheritdoc />
    public async Task<bool> Holds(string orderId, IReadOnlyList<LineUnits> lines, string attempt) =>
        (await Shown()).Holds(orderId, lines, attempt);

    /// <inheritdoc />
    public async Task<bool> HasFailed(string orderId)
    {
        await IsBehind();
        return Durable.Failed.Contains(orderId);
    }

    /// <inheritdoc />
    protected override void OnDurable(Stock durable)
    {
        availability.Set(StockView.Of(durable));
        _snapshots!.Offer(durable);
    }
}
