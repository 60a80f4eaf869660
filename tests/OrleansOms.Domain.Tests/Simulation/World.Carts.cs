using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;
using OrleansOms.Domain.Tests.Orders;

namespace OrleansOms.Domain.Tests.Simulation;

// The desk, for those who have something held before they order.
sealed partial class World
{
    /// <summary>Whether something is held.</summary>
    async Task<bool> ReserveCart(Process from, string id, (string Sku, int Quantity)[] lines, bool isAllOrNothing)
    {
        while (true)
        {
            var start = _scheduler.Random.Next(2) == 0 ? new Order(id) : Log.Order(id);
            if (start.Cart is not null || start.Refused is not null) return start.Cart is not null;
            CartLine[] wanted = [.. lines.Select((l, i) => new CartLine(i + 1, l.Sku, l.Quantity))];
            var reserved = await Reserve(
                from, id, ReserveStock.AttemptOf(id, start.Version, $"k{Next()}"),
                [.. wanted.Select(l => (l.LineId, l.Sku, l.Quantity))], new HashSet<(string, string)>());
            var decided = OrderDecider.Decide(start, new ReserveCart(
                wanted, reserved.Units, reserved.Plan, Now + CartTime, isAllOrNothing, "cart", reserved.Attempt), Now).Events;
            var after = start.Apply(decided);
            var isStored = await Log.Append(from, new NewEvents(id, start.Version, [.. decided.Select(e => ((Domain.Shared.DomainEvent)e, $"{id}/reserve"))]));
            if (!isStored || after.Cart is null) await GiveBack(from, id, reserved.Attempt, reserved.Units);
            if (isStored) return after.Cart is not null;
        }
    }

    /// <summary>As the desk places an order whose units a cart may have.</summary>
    async Task<bool> PlaceFromCart(Process from, string key, string id, PlaceOrder request)
    {
        while (true)
        {
            var (cart, before) = (Log.Order(id), Log.Order(key));
            await _scheduler.Pause(from);
            if (before.Refused is not null) return false;
            if (cart.Exists) return true;
            var share = cart.Cart is { IsOpen: true } open ? open.ShareOf(request.Lines) : null;
            var attempt = ReserveStock.AttemptOf(id, cart.Version, $"p{Next()}");
            (int, string, int)[] rest = [.. request.Lines
                .Select(l => (l.LineId, l.Sku, l.Quantity - (share?.Taken.Where(t => t.LineId == l.LineId).Sum(t => t.Held.Quantity) ?? 0)))
                .Where(l => l.Item3 > 0)];
            var reserved = rest.Length == 0 ? new Reserved([], Given.Plan(), attempt)
                : await Reserve(from, id, attempt, rest, new HashSet<(string, string)>());
            if (request.StockPolicy == StockPolicy.Reject && reserved.Plan.Missing.Count > 0)
            {
                await GiveBack(from, id, reserved.Attempt, reserved.Units);
                if (await Log.Append(from, New(key, before, new TakeOrder(request, [], reserved.Plan, Given.Terms), $"{key}/place"))) return false;
                continue;
            }
            var placed = New(id, cart, new TakeOrder(
                request, reserved.Units, reserved.Plan, Given.Terms, reserved.Attempt, share), $"{key}/place");
            var release = Release(cart.Apply(placed.Events.Select(e => (OrderEvent)e.Data)));
            var all = placed with { Events = [.. placed.Events, .. release.Events.Select(e => ((Domain.Shared.DomainEvent)e.Item1, e.Item2))] };
            if (await Log.Append(from, [all, .. release.Births, new NewEvents(key, before.Version, [(new OrderPlacedAs(id, "hash"), $"{key}/place")])]))
            {
                if (share is not null) await Pass(from, id, cart.Version + 1, share);
                return true;
            }
            await GiveBack(from, id, reserved.Attempt, reserved.Units);
        }
    }

    async Task Pass(Process from, string id, int version, CartShare share)
    {
        try
        {
            foreach (var c in StockConsequences.Of(id, version, new CartEnded(CartEnd.Ordered, share.Freed, share.Taken), Now))
                await OnStock(from, c.Warehouse, c.Sku, s => s.Execute(c.Command));
        }
        catch (LostException) { return; }
    }

    NewEvents New(string stream, Order order, TakeOrder take, string command) => new(
        stream, order.Version, [.. OrderDecider.Decide(order, take, Now).Events.Select(e => ((Domain.Shared.DomainEvent)e, command))]);
}
