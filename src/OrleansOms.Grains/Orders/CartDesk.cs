using System.Collections.Concurrent;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Upgrades;

namespace OrleansOms.Grains.Orders;

/// <summary>What somebody wants held.</summary>
/// <param name="IsAllOrNothing">Whether nothing is held if something is missing.</param>
/// <param name="Until">UTC.</param>
/// <param name="Country">ISO 3166-1 alpha-2 of where it would go, if that is known: the nearest warehouse holds it.</param>
/// <param name="RequestHash">SHA-256 of the request in hexadecimal: tells a retry from a reused key.</param>
public sealed record WantedCart(
    IReadOnlyList<CartLine> Lines, bool IsAllOrNothing, DateTimeOffset Until, string? Country, string? PostalCode, string RequestHash);

/// <summary>
/// Holds stock for carts, as the order desk does for orders: in this process, with the first append as the fence. What comes after is for
/// the grain of the order that the cart may become.
/// </summary>
public sealed class CartDesk(IEventLog log, TimeProvider time, OrderSourcing sourcing, IGrainFactory grains, Upgrade upgrade)
{
    /// <summary>Requests that run now.</summary>
    readonly ConcurrentDictionary<string, byte> _running = new(StringComparer.Ordinal);

    /// <summary>The reservation as it is now; null if there is none.</summary>
    /// <exception cref="UpgradeUnderWayException">A silo does not know of carts.</exception>
    public async Task<ReservationView?> Find(string id)
    {
        if (!Keys.IsId(Keys.Order, id)) return null;
        upgrade.RequireOver(Upgrade.Carts);
        return await grains.GetGrain<IOrderGrain>(id).GetReservation();
    }

    /// <summary>No cart is stored there, or none that may be seen.</summary>
    public static Rejection Unknown(string id) => new(
        "unknown_reservation", $"There is no reservation {id}.", RejectionKind.Meaning,
        new Dictionary<string, string> { ["reservation"] = id });

    /// <summary>
    /// Reserves what can be reserved, and stores it. A retry with the same request hash gets the first answer; another hash is refused with
    /// <c>idempotency_key_reused</c>, a retry before the first one is done with <c>request_in_progress</c>.
    /// </summary>
    /// <param name="id">Made of the caller and the idempotency key.</param>
    /// <exception cref="LogBusyException">Nothing was stored.</exception>
    /// <exception cref="LogUnavailableException">The outcome is unknown; a retry with the same id finds it out.</exception>
    /// <exception cref="UpgradeUnderWayException">A silo does not know of carts.</exception>
    public async Task<Reply<ReservationView>> Reserve(string id, WantedCart cart, Caller caller)
    {
        if (!_running.TryAdd(id, 0))
            return Reply<ReservationView>.Refused(Rejection.Conflict(
                "request_in_progress", "The first request with this key is still running."));
        try
        {
            // Each of them failed because another process tries the same.
            for (var tries = 0; tries < OrderDesk.MaxTries; tries++)
            {
                var order = First(id, await log.ReadStream(id));
                if (order.Cart is not null || order.Refused is not null) return Answer(order, cart);
                upgrade.RequireOver(Upgrade.Carts);
                if (await Store(order, cart, caller) is { } stored) return Answer(stored, cart);
            }
            throw new LogBusyException();
        }
        finally { _running.TryRemove(id, out _); }
    }

    /// <summary>What the first answer is made of: what came after it is no part of it, and may be of a newer program.</summary>
    static Order First(string id, IReadOnlyList<LogEvent> events)
    {
        var order = new Order(id);
        foreach (var e in events)
        {
            order = order.Apply((OrderEvent)e.Known());
            if (e.Data is CartReserved or OrderRefused) break;
        }
        return order;
    }

    /// <summary>The cart as it was stored; null if its stream has grown meanwhile.</summary>
    async Task<Order?> Store(Order start, WantedCart cart, Caller caller)
    {
        var reserved = await sourcing.Reserve(
            start.Id, ReserveStock.AttemptOf(start.Id, start.Version, $"{Guid.NewGuid():N}"),
            [.. cart.Lines.Select(l => new WantedUnits(l.LineId, l.Sku, l.Quantity))], cart.Country ?? "", cart.PostalCode,
            standsInLine: true, looksAgain: false, allOrNothing: cart.IsAllOrNothing);
        // Of what a cart goes without nobody looks again.
        if (await sourcing.HasGivenBack(start, [.. cart.Lines.Select(l => l.LineId)], reserved)) return null;
        var now = time.GetUtcNow();
        var decided = OrderDecider.Decide(start, new ReserveCart(
            cart.Lines, reserved.Units, reserved.Plan, cart.Until, cart.IsAllOrNothing, cart.RequestHash, reserved.Attempt), now).Events;
        AppendResult result;
        try
        {
            result = await log.Append(new Append(new StreamEvents(
                start.Id, start.Version, [.. decided.Select(e => new NewEvent(e, caller.CommandId, caller.Actor, now))])));
        }
        catch (LogBusyException)
        {
            await sourcing.Release(start.Id, reserved);
            throw;
        }
        if (result is AppendResult.Committed) return start.Apply(decided);
        await sourcing.Release(start.Id, reserved);
        return null;
    }

    static Reply<ReservationView> Answer(Order order, WantedCart cart) =>
        (order.Refused?.RequestHash ?? order.Cart!.RequestHash) != cart.RequestHash
            ? Reply<ReservationView>.Refused(OrderDesk.KeyReused)
            : order.Refused is { } no
                ? Reply<ReservationView>.Refused(Rejection.Conflict(no.Code, no.Detail))
                : Reply<ReservationView>.Of(ReservationView.Of(order));
}
