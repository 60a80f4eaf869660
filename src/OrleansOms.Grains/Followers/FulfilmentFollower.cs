using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Shipments;
using OrleansOms.Grains.Stock;

namespace OrleansOms.Grains.Followers;

/// <summary>
/// Carries out what has been decided: stocks hear of their orders, orders of their shipments, allocated and payable
/// orders are released to warehouses. What belongs to one order happens in the order of the log; orders do not wait for
/// each other.
/// </summary>
[GrainType("oms-fulfilment")]
public sealed class FulfilmentFollower(
    IEventLog log, ICheckpoints checkpoints, IGrainFactory grains, StockGrains stocks,
    GrainMetrics metrics, ILogger<FulfilmentFollower> logger)
    : EffectFollower(log, checkpoints, metrics, logger), IFulfilmentFollower
{
    /// <summary>Aggregates that are worked on at once.</summary>
    const int AtOnce = 64;

    /// <inheritdoc />
    protected override async Task Handle(LogBatch batch)
    {
        var work = new Dictionary<string, Work>(StringComparer.Ordinal);
        foreach (var e in batch.Events)
            switch (e.Data)
            {
                case OrderEvent order: Note(WorkOf(e, e.Stream), e, order); break;
                case ShipmentEvent when ShipmentReports.Of(e) is { } report:
                    WorkOf(e, Keys.OrderOfShipment(e.Stream)).Steps.Add(() => OrderOf(report.ShipmentId).Report(report));
                    break;
                case MovementStarted:
                    WorkOf(e, e.Stream).Steps.Add(() => grains.GetGrain<IMovementGrain>(e.Stream).Continue());
                    break;
            }
        // One that fails ends all: the batch is handled again, and nothing after it before that.
        await Parallel.ForEachAsync(
            work.Where(w => w.Value.Steps.Count > 0 || w.Value.ToSettle is not null),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, TaskScheduler = TaskScheduler.Current },
            async (w, _) => await Do(w));

        Work WorkOf(LogEvent e, string key)
        {
            var found = work.TryGetValue(key, out var w) ? w : work[key] = new Work();
            found.Trace ??= e.Trace;
            return found;
        }
    }

    void Note(Work work, LogEvent e, OrderEvent order)
    {
        if (order is OrderAllocated or PaymentRecorded or HoldLifted or CancellationRequested or UnitsCancelled or UnitsNotFound)
            work.ToSettle = e.Position;
        // Released with what has just happened, in one append: there is nothing left to settle.
        else if (order is ShipmentReleased && work.ToSettle?.Transaction == e.Position.Transaction)
            work.ToSettle = null;
        foreach (var c in StockConsequences.Of(e.Stream, e.Version, order))
            work.Steps.Add(() => Expect(stocks.Of(c.Warehouse, c.Sku).Execute(c.Command, Caller.System)));
    }

    async Task Do(KeyValuePair<string, Work> work)
    {
        using var span = Traces.Begin(Follower, ActivityKind.Consumer, work.Value.Trace);
        Activity.Current = span;
        foreach (var step in work.Value.Steps) await step();
        if (work.Value.ToSettle is not null) await grains.GetGrain<IOrderGrain>(work.Key).Settle();
    }

    static async Task Expect(Task<Reply<StockView>> command)
    {
        if ((await command).Rejection is { } no)
            throw new InvalidOperationException($"A stock refused what an order has decided: {no.Detail}");
    }

    IOrderGrain OrderOf(string shipmentId) => grains.GetGrain<IOrderGrain>(Keys.OrderOfShipment(shipmentId));

    sealed class Work
    {
        public List<Func<Task>> Steps { get; } = [];

        /// <summary>The span of the first event that asks for it; null if none has one.</summary>
        public string? Trace { get; set; }

        /// <summary>The last event after which the order has to be settled; null if none is.</summary>
        public LogPosition? ToSettle { get; set; }
    }
}
