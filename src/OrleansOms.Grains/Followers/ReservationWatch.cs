using System.Collections.Immutable;
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
public sealed partial class ReservationWatch(
    IEventLog log, ICheckpoints checkpoints, IGrainFactory grains, TimeProvider time, OmsSettings settings,
    GrainMetrics metrics, ILogger<ReservationWatch> logger)
    : EffectFollower(log, checkpoints, metrics, logger), IReservationWatch
{
    /// <summary>Looks at all that are alone, within the time that they may be.</summary>
    const int Looks = 20;

    readonly Dictionary<(string Stock, string OrderId), Alone> _alone = [];
    DateTimeOffset _looksAt;

    /// <param name="Units">Reserved beyond what the order has stored; below zero if the order was heard of first.</param>
    /// <param name="Lines">What was reserved.</param>
    /// <param name="From">Where the batch begins that it came in.</param>
    sealed record Alone(int Units, ImmutableList<LineUnits> Lines, DateTimeOffset Since, Checkpoint From);

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
        await Settle([.. _alone.Where(a => a.Value.Since <= old)]);
        return await base.Tick();
    }

    /// <summary>Order by order. One that cannot be settled stays, to be looked at again, and the others do not wait for it.</summary>
    async Task Settle(IReadOnlyList<KeyValuePair<(string Stock, string OrderId), Alone>> old)
    {
        var failed = new List<(string OrderId, Exception Reason)>();
        foreach (var order in old.GroupBy(a => a.Key.OrderId, StringComparer.Ordinal))
        {
            // Below zero nothing is reserved: the order was heard of, and its stock before this watch began to read.
            LineAllocation[] reserved = [.. order.Where(a => a.Value.Units > 0).SelectMany(a => Allocations(a.Key.Stock, a.Value))];
            try
            {
                // What changed under its hands is looked at again.
                if (reserved.Length > 0 && !await grains.GetGrain<IOrderGrain>(order.Key).SettleReservations(reserved)) continue;
                foreach (var (key, _) in order) _alone.Remove(key);
            }
            catch (Exception e) when (!Stopping.IsCancellationRequested) { failed.Add((order.Key, e)); }
        }
        if (failed.Count > 0) LogLater(logger, failed[0].Reason, failed.Count, failed[0].OrderId);
    }

    static IEnumerable<LineAllocation> Allocations(string stock, Alone alone)
    {
        var (warehouse, sku) = Keys.ReadStock(stock);
        return alone.Lines.Select(l => new LineAllocation(l.LineId, sku, warehouse, l.Quantity));
    }

    void Pair(LogEvent e)
    {
        switch (e.Data)
        {
            case StockReserved r:
                Add((e.Stream, r.OrderId), Stock.Sum(r.Lines), e, r.Lines);
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

    void Add((string Stock, string OrderId) key, int units, LogEvent e, IReadOnlyList<LineUnits>? reserved = null)
    {
        var before = _alone.GetValueOrDefault(key) ?? new Alone(0, [], e.At, Handled);
        var now = before.Units + units;
        if (now == 0) _alone.Remove(key);
        else _alone[key] = before with { Units = now, Lines = before.Lines.AddRange(reserved ?? []) };
    }

    /// <inheritdoc />
    protected override Checkpoint BeginAgain => Before(_alone.Values.Select(a => a.From));

    [LoggerMessage(LogLevel.Warning, "Reservations of {Count} orders could not be settled and are looked at again. The first is {Order}.")]
    static partial void LogLater(ILogger logger, Exception e, int count, string order);
}
