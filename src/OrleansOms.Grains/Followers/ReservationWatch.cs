using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Grains.Followers;

using Stock = Domain.Stock.Stock;

/// <summary>
/// Pairs what stocks have reserved with what orders have stored. A reservation that stays alone, because a process died
/// between the two, is settled by its order after a while. What is unpaired is kept in memory; the checkpoint stays
/// before the batch of the oldest of it, so that a restart finds it again, in whatever log its other half is.
/// </summary>
[GrainType("oms-reservation-watch")]
public sealed class ReservationWatch(
    IEventLog log, ICheckpoints checkpoints, IGrainFactory grains, TimeProvider time, OmsSettings settings,
    GrainMetrics metrics, ILogger<ReservationWatch> logger)
    : EffectFollower(log, checkpoints, metrics, logger), IReservationWatch
{
    /// <summary>Looks at all that are alone, within the time that they may be.</summary>
    const int Looks = 20;

    readonly Dictionary<(string Stock, string OrderId), Alone> _alone = [];
    DateTimeOffset _looksAt;

    /// <param name="From">Where the batch begins that it came in.</param>
    sealed record Alone(int Units, DateTimeOffset Since, Checkpoint From);

    /// <inheritdoc />
    protected override void Forget() => _alone.Clear();

    /// <inheritdoc />
    protected override Task Handle(LogBatch batch)
    {
        foreach (var e in batch.Events) Pair(e);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    protected override async Task<bool> Tick()
    {
        var now = time.GetUtcNow();
        if (now < _looksAt) return await base.Tick();
        _looksAt = now + settings.ReservationGrace / Looks;
        var old = now - settings.ReservationGrace;
        foreach (var (key, alone) in _alone.Where(a => a.Value.Since <= old).ToList())
        {
            var (warehouse, sku) = Keys.ReadStock(key.Stock);
            // What changed under its hands is looked at again.
            if (await grains.GetGrain<IOrderGrain>(key.OrderId).SettleReservation(warehouse, sku)) _alone.Remove(key);
        }
        return await base.Tick();
    }

    void Pair(LogEvent e)
    {
        switch (e.Data)
        {
            case StockReserved r:
                Add((e.Stream, r.OrderId), Stock.Sum(r.Lines), e);
                break;
            // What its order gives back had been stored there, and left this watch with it.
            case ReservationReleased r when ReleaseStock.IsBack(e.CommandId) && _alone.ContainsKey((e.Stream, r.OrderId)):
                Add((e.Stream, r.OrderId), -Stock.Sum(r.Lines), e);
                break;
            case OrderAllocated a:
                foreach (var units in a.Allocations)
                    Add((Keys.OfStock(units.Warehouse, units.Sku), e.Stream), -units.Quantity, e);
                break;
        }
    }

    void Add((string Stock, string OrderId) key, int units, LogEvent e)
    {
        var before = _alone.GetValueOrDefault(key);
        var now = (before?.Units ?? 0) + units;
        if (now == 0) _alone.Remove(key);
        else _alone[key] = new Alone(now, before?.Since ?? e.At, before?.From ?? Handled);
    }

    /// <inheritdoc />
    protected override Checkpoint BeginAgain
    {
        get
        {
            var first = Handled;
            foreach (var alone in _alone.Values)
                if (!alone.From.Covers(first)) first = alone.From;
            return first;
        }
    }
}
