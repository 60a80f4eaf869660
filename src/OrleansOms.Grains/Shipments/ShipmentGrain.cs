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
    /// <inheritdoc />
    protected override Shipment Empty => new(Key);
    /// <inheritdoc />
    protected override int VersionOf(Shipment state) => state.Version;
    /// <inheritdoc />
    protected override Shipment Apply(Shipment state, ShipmentEvent @event, string commandId, DateTimeOffset at) =>
        state.Apply(@event, commandId, at);
    /// <inheritdoc />
    public async Task<Reply<ShipmentView>> Execute(ShipmentCommand command, Caller caller)
    {
        var decision = Decide();
        if (decision.Events.Count == 0 && await IsBehind())
        {
            decision = Decide();
            if (decision.Events.Count == 0) await Flushed();
        }
        if (decision.Rejection is { } no) return Reply<ShipmentView>.Refused(no);
        if (decision.Events.Count > 0) await Store(decision.Events, caller);
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
        var shown = await Shown();
        if (shown.Exists) return ShipmentView.Of(shown);
        DeactivateOnIdle(); // Asked for something that does not exist: keep no memory of it.
        return null;
    }

    /// <inheritdoc />
    public async Task CheckTracking()
    {
        if (!State.Exists) return;
        var decision = ShipmentDecider.Decide(State, new CheckTracking(settings.TrackingSilence), Now);
        if (decision.Events.Count == 0) return;
        await Store(decision.Events, new Caller($"{Key}/silence/{State.Version}", Caller.System));
        metrics.TrackingSilence();
    }

    /// <summary>From a store of a time when each shipment that waited had a reminder of its own.</summary>
    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        await CheckTracking();
        await this.Remove(reminderName);
    }
}
