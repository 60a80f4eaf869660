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
/// Carries out what has been decided: stocks hear of their orders, orders of their stocks and shipments, allocated and payable
/// orders are released to warehouses. What belongs to one order happens in the order of the log; orders do not wait for
/// each other, and nothing waits for a movement of stock: it is looked after until it has ended, and a restart begins before
/// the oldest that has not.
/// </summary>
[GrainType("oms-fulfilment")]
public sealed partial class FulfilmentFollower(
    IEventLog log, ICheckpoints checkpoints, IGrainFactory grains, StockGrains stocks,
    GrainMetrics metrics, ILogger<FulfilmentFollower> logger)
    : EffectFollower(log, checkpoints, metrics, logger), IFulfilmentFollower
{
    /// <summary>Aggregates that are worked on at once.</summary>
    const int AtOnce = 64;

    /// <summary>How often movements are looked after. Most have ended by then.</summary>
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>How long one waits that could not be continued.</summary>
    static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(5);

    readonly Dictionary<string, OpenMovement> _movements = new(StringComparer.Ordinal);
    long _lookedAt;

    /// <summary>A movement that has not ended.</summary>
    /// <param name="from">Where the batch begins that it came in.</param>
    sealed class OpenMovement(Checkpoint from)
    {
        public Checkpoint From => from;
        public Task Continued { get; set; } = Task.CompletedTask;
    }

    /// <inheritdoc />
    protected override void Forget() => _movements.Clear();

    /// <inheritdoc />
    protected override async Task Handle(LogBatch batch)
    {
        var work = new Dictionary<string, Work>(StringComparer.Ordinal);
        foreach (var e in batch.Events)
            switch (e.Data)
            {
                case OrderEvent order: Note(WorkOf(e, e.Stream), e, order); break;
                case StockServed served:
                    WorkOf(e, served.OrderId).Steps.Add(() =>
                        grains.GetGrain<IOrderGrain>(served.OrderId).Take(TakeServed.Of(e.Stream, served, e.CommandId, e.At)));
                    break;
                case ShipmentEvent when ShipmentReports.Of(e) is { } report:
                    WorkOf(e, Keys.OrderOfShipment(e.Stream)).Steps.Add(() => OrderOf(report.ShipmentId).Report(report));
                    break;
                // Whoever stood still may ask a stock when the movement is over.
                case StockReceived or StockAdjusted or ConditionChanged when MovementStep.MovementOf(e.CommandId) is { } late
                    && !_movements.ContainsKey(late) && !work.ContainsKey(late):
                    WorkOf(e, late).Steps.Add(() => grains.GetGrain<IMovementGrain>(late).Continue());
                    break;
                case MovementStarted or ConditionMovementStarted: _movements.TryAdd(e.Stream, new OpenMovement(Handled)); break;
                case MovementCompleted or MovementRefused: _movements.Remove(e.Stream); break;
            }
        LookAfterMovements();
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

    /// <inheritdoc />
    protected override Task<bool> Tick()
    {
        LookAfterMovements();
        return base.Tick();
    }

    /// <inheritdoc />
    protected override Checkpoint BeginAgain => Before(_movements.Values.Select(m => m.From));

    void LookAfterMovements()
    {
        if (Environment.TickCount64 - _lookedAt < LookEvery.TotalMilliseconds) return;
        _lookedAt = Environment.TickCount64;
        foreach (var (stream, movement) in _movements)
            if (movement.Continued.IsCompleted) movement.Continued = Continue(stream);
    }

    async Task Continue(string movement)
    {
        try { await grains.GetGrain<IMovementGrain>(movement).Continue(); }
        catch (TimeoutException) { return; } // It goes on nevertheless.
        catch (Exception e) when (!Stopping.IsCancellationRequested)
        {
            LogMovement(logger, e, movement);
            await Task.Delay(AfterFault, Stopping).ConfigureAwait(
                ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    void Note(Work work, LogEvent e, OrderEvent order)
    {
        if (order is OrderAllocated or PaymentRecorded or HoldLifted or CancellationRequested or UnitsCancelled or UnitsNotFound)
            work.ToSettle = e.Position;
        // Released with what has just happened, in one append: there is nothing left to settle.
        else if (order is ShipmentReleased && work.ToSettle?.Transaction == e.Position.Transaction)
            work.ToSettle = null;
        foreach (var c in StockConsequences.Of(e.Stream, e.Version, order, e.At))
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

    [LoggerMessage(LogLevel.Warning, "{Movement} could not be continued and is tried again.")]
    static partial void LogMovement(ILogger logger, Exception e, string movement);
}
