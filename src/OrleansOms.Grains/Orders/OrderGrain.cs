using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Aggregates;
using OrleansOms.Grains.Shipments;
using OrleansOms.Grains.Stock;

namespace OrleansOms.Grains.Orders;

/// <summary>
/// One order, from the moment that it is stored. Commands run one after the other behind a gate, because some ask stocks
/// and shipments on their way; reads do not wait for them.
/// </summary>
[GrainType("oms-order"), Reentrant]
public sealed partial class OrderGrain(
    IEventLog log, TimeProvider time, IGrainFactory grains, StockGrains stocks, OrderSourcing sourcing, OmsSettings settings,
    ILogger<OrderGrain> logger)
    : AggregateGrain<Order, OrderEvent>(log, time), IOrderGrain, IRemindable
{
    readonly SemaphoreSlim _gate = new(1, 1);

    /// <inheritdoc />
    protected override Order Empty => new(Key);
    /// <inheritdoc />
    protected override bool TakesWhatIsSeen => _gate.CurrentCount > 0;
    /// <inheritdoc />
    protected override int VersionOf(Order state) => state.Version;
    /// <inheritdoc />
    protected override Order Apply(Order state, OrderEvent @event, string commandId, DateTimeOffset at) =>
        state.Apply(@event);

    /// <inheritdoc />
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        try { await base.OnActivateAsync(cancellationToken); }
        // A fault of the calls that come, each of which reads again: Orleans would let them wait for a failed activation.
        catch (LogUnavailableException) { return; }
    }

    /// <inheritdoc />
    public async Task<OrderView?> Get()
    {
        if (!IsLoaded || !Durable.Exists) await Locked(() => Task.CompletedTask);
        var shown = await Shown();
        if (shown.Exists) return OrderView.Of(shown);
        DeactivateOnIdle(); // Asked for something that does not exist: keep no memory of it.
        return null;
    }

    /// <inheritdoc />
    public Task<Reply<OrderView>> Execute(OrderCommand command, Caller caller) => Locked(async () =>
    {
        if (await IsOfBefore(command, caller)) return Reply<OrderView>.Of(OrderView.Of(Durable));
        if (command is RecordPayment payment) command = payment with { Window = settings.PaymentWindow };
        if (command is CancelOrder) await HearShipments();
        var from = State.Version;
        var decision = OrderDecider.Decide(State, command, Now);
        if (decision.Events.Count == 0 && await IsBehind())
        {
            from = State.Version;
            decision = OrderDecider.Decide(State, command, Now);
        }
        if (decision.Rejection is { } no) return Reply<OrderView>.Refused(no);
        if (decision.Events.Count > 0) await Store(decision.Events, caller);
        if (command is CancelOrder cancel)
        {
            // A command of its own: another one may come between the intent and its end.
            var answer = await FinishCancellation(System("cancel") with { Actor = caller.Actor });
            await Consequences(from);
            // Everything left in the moment since it was heard. The intent had to be stored before the warehouse was
            // asked, so that a crash loses no unit that it gave back; the end of it is stored too, and counts as nothing.
            if (answer is { Units.Count: 0 } && answer.RequestId == cancel.RequestId)
                return Reply<OrderView>.Refused(OrderCancellation.TooLate);
        }
        return Reply<OrderView>.Of(OrderView.Of(Durable));
    });

    /// <summary>
    /// Whether a hold was placed or lifted, or a payment failed, by this very command before. What other commands have done
    /// can be told from the order; a hold that was lifted since, or placed again, cannot, nor a payment that was authorized
    /// since.
    /// </summary>
    async Task<bool> IsOfBefore(OrderCommand command, Caller caller) =>
        command is PlaceHold or LiftHold or RecordPayment { Status: PaymentReport.Failed } && State.Exists
        && await Log.IsStored(Key, caller.CommandId, State.Placed!.PlacedAt - ClockSkew);

    /// <inheritdoc />
    public Task Report(ReportShipment report) => Locked(async () =>
    {
        // What shipments gave back must be counted as cancelled before the rest is counted as shipped.
        await FinishCancellation(System("report"));
        await Hear(report);
    });

    async Task Hear(ReportShipment report)
    {
        var decision = OrderDecider.Decide(State, report, Now);
        if (decision.Events.Count == 0 && await IsBehind()) decision = OrderDecider.Decide(State, report, Now);
        if (decision.Rejection is { } no)
            throw new InvalidOperationException($"{Key} refused what its shipment {report.ShipmentId} says: {no.Detail}");
        if (decision.Events.Count > 0)
            await Store(decision.Events, new Caller($"{report.ShipmentId}/{report.Version}", Caller.System));
    }

    /// <summary>
    /// Hears what its shipments have stored and the follower has not told yet: a cancellation is decided on what has
    /// left and what was not found, all that is asked for or nothing, and a refused one leaves no trace.
    /// </summary>
    async Task HearShipments()
    {
        if (!State.Exists || State.PendingCancellation is not null) return;
        foreach (var shipment in State.Shipments.Where(s => s.IsInWarehouse))
            foreach (var e in await Log.ReadStream(shipment.Id, shipment.Version))
            {
                // One that is not known here may be the one that counts.
                Known<ShipmentEvent>(e);
                if (ShipmentReports.Of(e) is { } report) await Hear(report);
            }
    }

    /// <inheritdoc />
    public Task Settle() => Locked(async () =>
    {
        if (!State.Exists) return;
        // Nothing to do may be what an activation says that does not know what there is to do.
        do
        {
            var before = State.Version;
            await FinishCancellation(System("settle"));
            await SourceAgain();
            await ReleaseShipments();
            if (State.Version != before) break;
        }
        while (await IsBehind());
    });

    async Task ReleaseShipments()
    {
        var release = OrderReleases.Decide(State, Now);
        if (release.Events.Count > 0) await Store(release.Events, release.Births);
    }

    /// <summary>Looks again for units that a warehouse did not find.</summary>
    async Task SourceAgain()
    {
        if (!State.IsSourced || State.IsStopped(HoldStops.Allocate)) return;
        WantedUnits[] open = [.. State.Lines
            .Where(l => l.Open > 0).Select(l => new WantedUnits(l.Placed.LineId, l.Placed.Sku, l.Open))];
        if (open.Length == 0) return;
        await Allocate(SourcingCause.ShortPick, open);
    }

    /// <inheritdoc />
    public Task AllocateWaiting() => Locked(async () =>
    {
        // Nothing waits in an order that is over, whatever was stored since.
        if (!State.Exists || OrderTransitions.IsFinal(State.DeriveStatus())) return;
        if (Waiting().Length == 0 && !await IsBehind()) return;
        if (Waiting() is { Length: > 0 } waiting) await Allocate(SourcingCause.Arrival, waiting);

        WantedUnits[] Waiting() => State.IsStopped(HoldStops.Allocate) || State.PendingCancellation is not null ? [] :
        [
            .. State.Lines.Where(l => l.Backordered > 0)
                .Select(l => new WantedUnits(l.Placed.LineId, l.Placed.Sku, l.Backordered)),
        ];
    });

    /// <inheritdoc />
    public Task Take(TakeServed served) => Locked(async () =>
    {
        await IsBehind();
        if (await Log.IsStored(Key, served.Attempt, served.At - ClockSkew)) return;
        if (await stocks.Of(served.Warehouse, served.Sku).Holds(Key, served.Lines, served.Attempt)
            && await IsLeft(served) && OrderDecider.Decide(State, served, Now) is { Events: { Count: > 0 } events })
            await Store(events, new Caller(served.Attempt, Caller.System));
        // What changes under its hands is settled by whoever has changed it, or found by the watch.
        else await Settle([new Suspect(served.Warehouse, served.Sku, [.. served.Lines.Select(l => l.LineId)])], isFound: false);
    });

    /// <summary>
    /// Whether the units with which it was served stay its own whatever it has stored since it was known to wait.
    /// </summary>
    async Task<bool> IsLeft(TakeServed served)
    {
        var since = await Log.ReadStream(Key, ReserveStock.AfterOf(Key, served.Attempt));
        return since.All(e => served.IsLeftBy(Key, e.Version, Known<OrderEvent>(e), e.At));
    }

    async Task Allocate(SourcingCause cause, WantedUnits[] wanted)
    {
        await PassCart();
        var placed = State.Placed!;
        var reserved = await sourcing.Reserve(
            Key, ReserveStock.AttemptOf(Key, State.Version, $"{Guid.NewGuid():N}"), wanted, placed.Country, placed.Personal?.ShipTo?.PostalCode,
            standsInLine: false, looksAgain: false, except: await FailedStocks());
        var decision = OrderDecider.Decide(State, new AllocateUnits(cause, reserved.Units, reserved.Plan, reserved.Attempt), Now);
        if (decision.Rejection is not null || decision.Events.Count == 0)
        {
            await sourcing.Release(Key, reserved);
            return;
        }
        try { await Store(decision.Events, new Caller(reserved.Attempt, Caller.System)); }
        // Nothing of it is stored, which cannot be said of a log that does not answer.
        catch (Exception e) when (e is AggregateReloadedException or LogBusyException)
        {
            await sourcing.Release(Key, reserved);
            throw;
        }
    }

    /// <summary>Stocks that did not find units of this order and have had none come in since.</summary>
    async Task<IReadOnlyCollection<(string Warehouse, string Sku)>> FailedStocks()
    {
        if (State.NotFoundIn.IsEmpty) return [];
        // Open units are units not found that nobody has looked for again: their stock may not have heard of them yet.
        if (State.Lines.Any(l => l.Open > 0))
            foreach (var e in (await Log.ReadStream(Key)).Reverse()
                .TakeWhile(e => Known<OrderEvent>(e) is not OrderAllocated { Cause: SourcingCause.ShortPick }))
                if (e.Data is UnitsNotFound) await Consequences(e);
        var failed = new HashSet<(string, string)>();
        foreach (var (warehouse, sku) in State.NotFoundIn)
            if (await stocks.Of(warehouse, sku).HasFailed(Key)) failed.Add((warehouse, sku));
        return failed;
    }

    /// <summary>Asks the shipments of a pending cancellation for their units and says what was cancelled.</summary>
    async Task<UnitsCancelled?> FinishCancellation(Caller caller)
    {
        if (State.PendingCancellation is not { } pending) return null;
        var withdrawn = new List<ShipmentUnits>();
        foreach (var ask in OrderCancellation.AskShipments(State))
        {
            var reply = await grains.GetGrain<IShipmentGrain>(ask.ShipmentId)
                .Withdraw(new WithdrawUnits($"{Key}/{pending.RequestId}", ask.Lines));
            if (reply.Value is { Lines.Count: > 0 } given) withdrawn.Add(new ShipmentUnits(ask.ShipmentId, given.Lines));
        }
        var decision = OrderDecider.Decide(State, new CompleteCancellation(withdrawn), Now);
        await Store(decision.Events, caller);
        return (UnitsCancelled)decision.Events[0];
    }

    /// <summary>
    /// Does at once what the events after a version ask of the stocks. The follower does it again, to no effect, and so
    /// makes sure that it is done.
    /// </summary>
    async Task Consequences(int afterVersion)
    {
        try
        {
            await PassCart();
            foreach (var e in await Log.ReadStream(Key, afterVersion))
                await Consequences(e);
        }
        catch (Exception e) when (OrderSourcing.IsLost(e))
        {
            LogLater(logger, Key, e.Message);
        }
    }

    Task Consequences(LogEvent e) => Task.WhenAll(
        StockConsequences.Of(Key, e.Version, Known<OrderEvent>(e), e.At).Select(c =>
            stocks.Of(c.Warehouse, c.Sku).Execute(c.Command, Caller.System)));

    /// <inheritdoc />
    public Task ExpirePayment() => Locked(async () =>
    {
        if (!State.Exists) return;
        var from = State.Version;
        var decision = OrderDecider.Decide(State, new ExpirePayment(), Now);
        if (decision.Events.Count == 0) return;
        await Store(decision.Events, System("payment-timeout"));
        await FinishCancellation(System("payment-timeout"));
        await Consequences(from);
    });

    /// <summary>From a store of a time when each order that waited had a reminder of its own.</summary>
    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        await ExpirePayment();
        await this.Remove(reminderName);
    }

    Task Locked(Func<Task> work) => Locked(async () =>
    {
        await work();
        return true;
    });

    async Task<T> Locked<T>(Func<Task<T>> work)
    {
        await _gate.WaitAsync();
        try
        {
            // The desk stores a new order without asking its grain: that there is none is never believed from memory.
            if (!IsLoaded || !State.Exists) await Load();
            return await work();
        }
        finally { _gate.Release(); }
    }

    Caller System(string what) => new($"{Key}/{State.Version}/{what}", Caller.System);

    [LoggerMessage(LogLevel.Information, "{Order}: its stocks are told later ({Reason}).")]
    static partial void LogLater(ILogger logger, string order, string reason);
}
