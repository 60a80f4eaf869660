using OrleansOms.Contracts;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;

namespace OrleansOms.Grains.Orders;

// What was reserved before the order is placed.
public sealed partial class OrderGrain
{
    bool _isCartPassed;

    /// <inheritdoc />
    public async Task<ReservationView?> GetReservation()
    {
        if (!IsLoaded || Durable.Cart is null) await Locked(() => Task.CompletedTask);
        var shown = await Shown();
        if (shown.Cart is not null) return ReservationView.Of(shown);
        if (!shown.Exists) DeactivateOnIdle(); // Asked for something that does not exist: keep no memory of it.
        return null;
    }

    /// <inheritdoc />
    public Task<Reply<ReservationView>> ChangeReservation(OrderCommand command, Caller caller) => Locked(async () =>
    {
        var from = State.Version;
        var decision = OrderDecider.Decide(State, command, Now);
        if (decision.Events.Count == 0 && await IsBehind())
        {
            from = State.Version;
            decision = OrderDecider.Decide(State, command, Now);
        }
        if (decision.Rejection is { } no) return Reply<ReservationView>.Refused(no);
        if (decision.Events.Count > 0)
        {
            await Store(decision.Events, caller);
            await Consequences(from);
        }
        return Reply<ReservationView>.Of(ReservationView.Of(Durable));
    });

    /// <inheritdoc />
    public Task<bool> ExpireReservation() => Locked(async () =>
    {
        var from = State.Version;
        var decision = OrderDecider.Decide(State, new ExpireCart(), Now);
        if (decision.Events.Count == 0) return State.CartUntil is null;
        await Store(decision.Events, System("expired"));
        await Consequences(from);
        return true;
    });

    /// <summary>
    /// Whatever else is asked of stocks is about units that the order's lines hold: those of its cart are given to them first. The desk has
    /// asked for it, and the follower does, but nobody waits for either.
    /// </summary>
    async Task PassCart()
    {
        if (_isCartPassed || State.Cart?.PassedBy is not { } version) return;
        foreach (var e in await Log.ReadStream(Key, version - 1, 1)) await Consequences(e);
        _isCartPassed = true;
    }
}
