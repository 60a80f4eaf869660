using Orleans.Concurrency;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Grains.Aggregates;

namespace OrleansOms.Grains.Shipments;

/// <summary>The units of one order that leave one warehouse together.</summary>
[GrainType("oms-shipment"), Reentrant]
public sealed class ShipmentGrain(IEventLog log, TimeProvider time, OmsSettings settings, GrainMetrics metrics)
    : AggregateGrain<Shipment, ShipmentEvent>(log, time), IShipmentGrain, IRemindable
{
    const string TrackingReminder = "tracking-silence";

    /// <summary>Shortest period that the reminder service allows.</summary>
    static readonly TimeSpan MinPeriod = TimeSpan.FromMinutes(1);

    /// <summary>The reminder is set a moment before the silence begins.</summary>
    static readonly TimeSpan Margin = TimeSpan.FromSeconds(1);

    Task _unwatched = Task.CompletedTask;

    /// <inheritdoc />
    protected override Shipment Empty => new(Key);
    /// <inheritdoc />
    protected override int VersionOf(Shipment state) => state.Version;
    /// <inheritdoc />
    protected override Shipment Apply(Shipment state, ShipmentEvent @event, string commandId, DateTimeOffset at) =>
        state.Apply(@event, commandId, at);
    /// <inheritdoc />
    public override Task OnActivateAsync(CancellationToken cancellationToken) => Load();

    /// <inheritdoc />
    public async Task<Reply<ShipmentView>> Execute(ShipmentCommand command, Caller caller)
    {
        // It waits from the moment it leaves. The reminder comes first: without it a crash would leave nobody watching.
        if (command is ShipShipment && State.Status == ShipmentStatus.Packed)
            await this.RegisterOrUpdateReminder(
                TrackingReminder, settings.TrackingSilence + Margin, Longer(settings.TrackingSilence / 4, MinPeriod)).Reached();
        var decision = Decide();
        if (decision.Events.Count == 0 && await IsBehind())
        {
            decision = Decide();
            if (decision.Events.Count == 0) await Flushed();
        }
        if (decision.Rejection is { } no) return Reply<ShipmentView>.Refused(no);
        if (decision.Events.Count > 0) await Store(decision.Events, caller);
        if (Durable.IsFinal && Durable.Left is not null) await StopWatching();
        return Reply<ShipmentView>.Of(ShipmentView.Of(Durable));

        Decision<ShipmentEvent> Decide() => State.Remembered.Contains(caller.CommandId)
            ? Decision<ShipmentEvent>.AlreadyDone : ShipmentDecider.Decide(State, command, Now);
    }

    /// <inheritdoc />
    public async Task<Reply<UnitsGivenBack>> Withdraw(WithdrawUnits command)
    {
        var decision = ShipmentDecider.Decide(State, command, Now);
        if (decision.Events.Count == 0 && await IsBehind())
        {
            decision = ShipmentDecider.Decide(State, command, Now);
            if (decision.Events.Count == 0) await Flushed();
        }
        if (decision.Rejection is { } no) return Reply<UnitsGivenBack>.Refused(no);
        if (decision.Events.Count > 0) await Store(decision.Events, new Caller($"{command.RequestId}/withdraw", Caller.System));
        return Reply<UnitsGivenBack>.Of(new UnitsGivenBack(
            Durable.Withdrawals.TryGetValue(command.RequestId, out var taken) ? taken.Lines : []));
    }

    /// <inheritdoc />
    public async Task<ShipmentView?> Get()
    {
        if (!State.Exists)
        {
            DeactivateOnIdle(); // Asked for something that does not exist: keep no memory of it.
            return null;
        }
        await Flushed();
        return ShipmentView.Of(Durable);
    }

    /// <inheritdoc />
    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (State.IsFinal || !State.Exists)
        {
            await StopWatching();
            return;
        }
        var decision = ShipmentDecider.Decide(State, new CheckTracking(settings.TrackingSilence), Now);
        if (decision.Events.Count == 0) return;
        await Store(decision.Events, new Caller($"{Key}/silence/{State.Version}", Caller.System));
        metrics.TrackingSilence();
    }

    /// <summary>Once for all who wait: a reminder that is removed twice at the same time fails the second caller.</summary>
    Task StopWatching() => _unwatched.IsCompleted ? _unwatched = this.Remove(TrackingReminder) : _unwatched;

    static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
