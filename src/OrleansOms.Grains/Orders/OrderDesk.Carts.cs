using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Upgrades;

namespace OrleansOms.Grains.Orders;

// Orders whose units were reserved before, for a cart.
public sealed partial class OrderDesk
{
    /// <summary>Each of them failed because somebody else was faster.</summary>
    internal const int MaxTries = 10;

    /// <summary>
    /// Places an order under the id of its cart. It takes of the cart's units what it wants, and what it wants besides is sourced; a cart that
    /// has ended has none. The key's own stream says which order it has placed.
    /// </summary>
    async Task<Reply<OrderView>> PlaceFromCart(string id, string cartId, PlaceOrder command, Caller caller)
    {
        upgrade.RequireOver(Upgrade.Carts);
        for (var tries = 0; tries < MaxTries; tries++)
        {
            var streams = (await log.ReadStreams([id, cartId])).ToLookup(e => e.Stream, StringComparer.Ordinal);
            LogEvent[] events = [.. streams[cartId].OrderBy(e => e.Version)];
            var before = Fold(id, streams[id].OrderBy(e => e.Version).TakeWhile(e => e.Data is not OrderPlaced));
            // Whatever was placed or tried by this key without a cart was another request.
            if (streams[id].Any() && before is { PlacedAs: null, Refused: null }) return Reused();
            if (before.PlacedAs is { } elsewhere && elsewhere.RequestHash != command.RequestHash) return Reused();
            if (before.Refused is { } no) return no.RequestHash == command.RequestHash ? RefusedAs(no) : Reused();
            var cart = FirstOf(cartId, events);
            if (cart.Cart is null) return Reply<OrderView>.Refused(CartDesk.Unknown(cartId));
            if (cart.Exists)
                return before.PlacedAs is not null ? Reply<OrderView>.Of(OrderView.Of(cart)) : Reply<OrderView>.Refused(
                    Rejection.Conflict("reservation_over", "An order was placed with it."));
            if (await PlaceFrom(cart, id, command, caller) is { } reply) return reply;
        }
        throw new LogBusyException();
    }

    /// <summary>Takes, sources the rest and stores; null if one of the streams has grown meanwhile.</summary>
    /// <param name="key">The id that the key stands for; nothing is stored there.</param>
    async Task<Reply<OrderView>?> PlaceFrom(Order cart, string key, PlaceOrder command, Caller caller)
    {
        var share = cart.Cart is { IsOpen: true } open ? open.ShareOf(command.Lines) : null;
        WantedUnits[] rest = [.. command.Lines
            .Select(l => new WantedUnits(
                l.LineId, l.Sku, l.Quantity - (share?.Taken.Where(t => t.LineId == l.LineId).Sum(t => t.Held.Quantity) ?? 0)))
            .Where(w => w.Quantity > 0)];
        var reserved = await Source(cart.Id, ReserveStock.AttemptOf(cart.Id, cart.Version, $"{Guid.NewGuid():N}"), rest, command);
        // By whatever lines: another key may have tried it with another body. And what is missing may be what the cart has had: its stocks
        // may not have heard yet that it is over.
        if ((share is null || command.StockPolicy == StockPolicy.Reject)
            && await sourcing.HasGivenBack(cart, OrderSourcing.AllLines, reserved)) return null;
        // A refusal is the key's: the cart keeps what it has, for an order of less.
        if (command.StockPolicy == StockPolicy.Reject && reserved.Plan.Missing.Count > 0)
            return await Store(new Order(key), new TakeOrder(command, [], reserved.Plan, Terms), caller, [], () => Task.CompletedTask);
        var placedAs = new NewEvent(
            new OrderPlacedAs(cart.Id, command.RequestHash), caller.CommandId, caller.Actor, time.GetUtcNow());
        var reply = await Store(
            cart, new TakeOrder(command, reserved.Units, reserved.Plan, Terms, reserved.Attempt, share), caller,
            [new StreamEvents(key, 0, [placedAs])], () => sourcing.Release(cart.Id, reserved));
        // The follower sees to it that it is done.
        if (reply?.Value is not null && share is not null) await sourcing.Pass(cart.Id, cart.Version + 1, share, time.GetUtcNow());
        return reply;
    }

    async Task<ReservedUnits> Source(string cartId, string attempt, IReadOnlyList<WantedUnits> rest, PlaceOrder command) =>
        rest.Count == 0 ? new ReservedUnits([], Nothing, attempt) : await sourcing.Reserve(
            cartId, attempt, rest, command.ShipTo.Country, command.ShipTo.PostalCode, standsInLine: true,
            looksAgain: command.StockPolicy != StockPolicy.Reject, allOrNothing: command.StockPolicy == StockPolicy.Reject);

    static SourcingPlan Nothing { get; } = new([], new Dictionary<string, int>(), "nothing else was wanted", []);
}
