using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Grains.Stock;

namespace OrleansOms.Grains.Followers;

/// <summary>
/// Gives units that are still free, where stocks have served those that were known to wait, to others that do, oldest promise first. It looks
/// when stock comes in, when a warehouse becomes active, when an order begins to wait, so that neither can miss the other, and when one may
/// wait again that was held or being cancelled.
/// </summary>
[GrainType("oms-backorders")]
public sealed class BackorderFollower(
    IEventLog log, ICheckpoints checkpoints, IReadModel readModel, AvailabilityIndex availability,
    WaitingIndex waiting, CatalogueIndex catalogue, LogTail tail, IGrainFactory grains, GrainMetrics metrics,
    ILogger<BackorderFollower> logger)
    : EffectFollower(log, checkpoints, metrics, logger), IBackorderFollower
{
    /// <summary>Waiting orders that are read at once.</summary>
    const int MaxOrders = 1000;

    /// <summary>Most looks for what is promised and not heard of: a second or two.</summary>
    const int MaxLooks = 50;

    static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    bool _isToldHere;

    /// <inheritdoc />
    protected override void Forget() => _isToldHere = false;

    /// <inheritdoc />
    protected override async Task Handle(LogBatch batch)
    {
        var skus = batch.Events.SelectMany(Touched).ToHashSet(StringComparer.Ordinal);
        var opens = batch.Events.Any(e => e.Data is WarehousePut { Details.IsActive: true });
        // While it was held, or was being cancelled, units that came in were not for it. It takes its place in the line again.
        var freed = batch.Events.Where(e => e.Data is HoldLifted or UnitsCancelled).Select(e => e.Stream).ToHashSet(StringComparer.Ordinal);
        if (skus.Count == 0 && !opens && freed.Count == 0) return;
        var last = Checkpoint.Start.And(batch.Events);
        // Of an arrival and a wait in different logs, whichever is handled later finds the other one told here and listed.
        // What was handled before this activation was told elsewhere, so the first time all must be told here.
        if (_isToldHere) await tail.Reached(last, Stopping);
        else await tail.CaughtUp(Stopping);
        _isToldHere = true;
        if (opens || freed.Count > 0)
        {
            await Listed(last);
            skus.UnionWith(await readModel.FindWaitingSkus(opens ? null : freed));
        }
        skus.RemoveWhere(sku => !IsAvailable(sku));
        if (skus.Count > 0) await Allocate(skus, last);
    }

    /// <summary>
    /// Asks whoever waits until no unit is left. Each order is asked once, served or not, so there is an end to it.
    /// </summary>
    async Task Allocate(HashSet<string> skus, Checkpoint through)
    {
        await Listed(through);
        IReadOnlyList<string> orders = [];
        do
        {
            orders = await readModel.FindWaitingOrders(skus, MaxOrders, after: orders.LastOrDefault());
            foreach (var order in orders)
            {
                Stopping.ThrowIfCancellationRequested();
                if (!skus.Any(IsAvailable)) return;
                var grain = grains.GetGrain<IOrderGrain>(order);
                await Heard(order);
                // It would look for them a second time.
                foreach (var served in waiting.OnItsWay(order)) await grain.Take(served);
                await grain.AllocateWaiting();
            }
            skus.RemoveWhere(sku => !IsAvailable(sku));
        }
        while (orders.Count == MaxOrders && skus.Count > 0);
    }

    /// <summary>
    /// Waits until it is heard of what a stock has just promised an order: it would look for other units, and the promised ones would go to
    /// somebody else. Of what is not stored after all nobody ever tells, so not for long.
    /// </summary>
    async Task Heard(string order)
    {
        for (var looks = 0; looks < MaxLooks && waiting.IsBeingServed(order); looks++)
        {
            await Task.Delay(Poll, Stopping);
            await tail.CaughtUp(Stopping);
        }
    }

    async Task Listed(Checkpoint through)
    {
        while (!(await readModel.Position()).Covers(through)) await Task.Delay(Poll, Stopping);
    }

    bool IsAvailable(string sku) => availability.StocksOf(sku).Any(s => s.Available > 0
        && catalogue.TryGetWarehouse(s.Warehouse, out var warehouse) && warehouse.Details.IsActive);

    static IEnumerable<string> Touched(LogEvent e) => e.Data switch
    {
        StockReceived or StockAdjusted { Delta: > 0 } or ConditionChanged { To: StockCondition.Sellable } or ReservationReleased =>
            [Keys.ReadStock(e.Stream).Sku],
        OrderAllocated { Backordered.Count: > 0 } allocated => allocated.Sourcing.Missing.Keys,
        _ => [],
    };
}
