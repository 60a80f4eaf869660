using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Grains.Followers;

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

    /// <summary>Orders that are asked at once: while an upgrade lasts, it may be each that older silos store.</summary>
    const int AtOnce = 64;

    readonly LoneReservations<Checkpoint> _alone = new();
    DateTimeOffset _looksAt;

    /// <inheritdoc />
    protected override void Forget() => _alone.Clear();

    /// <inheritdoc />
    protected override Task Handle(LogBatch batch)
    {
        foreach (var e in batch.Events) _alone.Hear(e.Stream, e.Data, e.CommandId, e.At, Handled);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    protected override async Task<bool> Tick()
    {
        var now = time.GetUtcNow();
        if (now < _looksAt) return await base.Tick();
        _looksAt = now + settings.ReservationGrace / Looks;
        await Settle(_alone.Since(now - settings.ReservationGrace));
        return await base.Tick();
    }

    /// <summary>Some orders at once. One that cannot be settled stays, to be looked at again, and the others do not wait for it.</summary>
    async Task Settle(IReadOnlyList<KeyValuePair<ReservationKey, LoneReservation<Checkpoint>>> old)
    {
        var failed = new List<(string OrderId, Exception Reason)>();
        foreach (var some in old.GroupBy(a => a.Key.OrderId, StringComparer.Ordinal).Chunk(AtOnce))
            await Task.WhenAll(some.Select(Ask));
        if (failed.Count > 0) LogLater(logger, failed[0].Reason, failed.Count, failed[0].OrderId);

        async Task Ask(IGrouping<string, KeyValuePair<ReservationKey, LoneReservation<Checkpoint>>> order)
        {
            LineAllocation[] reserved = [.. order.SelectMany(a => Allocations(a.Key.Stock, a.Value.Lines))];
            try
            {
                // What changed under its hands is looked at again.
                if (reserved.Length > 0 && !await grains.GetGrain<IOrderGrain>(order.Key).SettleReservations(reserved)) return;
                foreach (var (key, _) in order) _alone.Remove(key);
            }
            catch (Exception e) when (!Stopping.IsCancellationRequested) { failed.Add((order.Key, e)); }
        }
    }

    static IEnumerable<LineAllocation> Allocations(string stock, IReadOnlyList<LineUnits> lines)
    {
        var (warehouse, sku) = Keys.ReadStock(stock);
        return lines.Select(l => new LineAllocation(l.LineId, sku, warehouse, l.Quantity));
    }

    /// <inheritdoc />
    protected override Checkpoint BeginAgain => Before(_alone.Places);

    [LoggerMessage(LogLevel.Warning, "Reservations of {Count} orders could not be settled and are looked at again. The first is {Order}.")]
    static partial void LogLater(ILogger logger, Exception e, int count, string order);
}
