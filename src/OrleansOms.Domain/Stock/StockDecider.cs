using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Stock;

/// <summary>Turns (stock, command) into ledger entries or a refusal. Pure.</summary>
public static class StockDecider
{
    /// <summary>The one decision function of stocks.</summary>
    public static Decision<StockEvent> Decide(Stock stock, StockCommand command) => command switch
    {
        ReceiveStock c => stock.HasDone(c.CommandId, null, null) ? Decision<StockEvent>.AlreadyDone
            : (long)stock.OnHand + c.Quantity > Stock.MaxOnHand ? Decision<StockEvent>.Refuse(TooMuch)
            : Decision<StockEvent>.Accept(new StockReceived(c.Quantity, c.Reference)),
        AdjustStock c => Adjust(stock, c),
        ChangeCondition c => Change(stock, c),
        ReserveStock c => Reserve(stock, c),
        ReleaseStock c => End(stock, c.CommandId, c.OrderId, Undone(stock, c),
            lines => new ReservationReleased(c.OrderId, lines, c.Reason)),
        SettleStock c => Settle(stock, c),
        PassCart c => Pass(stock, c),
        ShipStock c => End(stock, c.CommandId, c.OrderId, c.Lines,
            lines => new StockShipped(c.OrderId, c.ShipmentId, lines)),
        WriteOffStock c => End(stock, c.CommandId, c.OrderId, c.Lines,
            lines => new StockNotFound(c.OrderId, c.ShipmentId, lines)),
        _ => throw new InvalidOperationException($"A stock does not know {command.GetType().Name}."),
    };

    /// <summary>Why units cannot come in.</summary>
    public static Rejection TooMuch { get; } = Rejection.Conflict(
        "stock_too_large", $"A stock holds at most {Stock.MaxOnHand} units.");

    // What was settled since the attempt is settled: the attempt's units were the surplus.
    static IReadOnlyList<LineUnits> Undone(Stock stock, ReleaseStock c) => c.Undoes is not { } undoes ? c.Lines :
    [
        .. c.Lines.Where(l => stock.Reservations.Of(c.OrderId, l.LineId) is { } held
            && held.Commands.LastIndexOf(undoes) is >= 0 and var at
            && !held.Commands.Skip(at).Any(SettleStock.IsIdOf)),
    ];

    static Decision<StockEvent> Settle(Stock stock, SettleStock c)
    {
        var surplus = new List<LineUnits>(c.Lines.Count);
        foreach (var line in c.Lines)
        {
            if (stock.Reservations.Of(c.OrderId, line.LineId) is not { } held) continue;
            if (held.Commands[^1] != line.Seen)
                return Decision<StockEvent>.Refuse("reservation_changed", "It has changed since it was looked at.");
            if (held.Quantity > line.Kept) surplus.Add(new LineUnits(line.LineId, held.Quantity - line.Kept));
        }
        return surplus.Count == 0 ? Decision<StockEvent>.AlreadyDone
            : Decision<StockEvent>.Accept(new ReservationReleased(c.OrderId, surplus, c.Reason));
    }

    static Decision<StockEvent> Pass(Stock stock, PassCart c)
    {
        // Any of its lines that still lives remembers it.
        if (stock.HasDone(c.CommandId, c.OrderId, [.. c.Freed, .. c.Moves.SelectMany(m =>
            (LineUnits[])[new LineUnits(m.From, m.Quantity), new LineUnits(m.To, m.Quantity)])]))
            return Decision<StockEvent>.AlreadyDone;
        var left = c.Freed.Select(f => f.LineId).Concat(c.Moves.Select(m => m.From)).Distinct()
            .ToDictionary(id => id, id => HeldBefore(stock, c.OrderId, id, c.CommandId));
        var freed = Take(c.Freed.Select(f => (f.LineId, f.LineId, f.Quantity)));
        var (from, to) = (new List<LineUnits>(), new List<LineUnits>());
        foreach (var m in c.Moves)
            foreach (var moved in Take([(m.From, m.To, m.Quantity)]))
            {
                from.Add(moved with { LineId = m.From });
                to.Add(moved);
            }
        var events = new List<StockEvent>(3);
        if (freed.Count > 0) events.Add(new ReservationReleased(c.OrderId, freed, c.Reason));
        if (from.Count > 0)
        {
            events.Add(new ReservationReleased(c.OrderId, from, "for other lines of the order"));
            events.Add(new StockReserved(c.OrderId, to));
        }
        return Decision<StockEvent>.Accept(events);

        List<LineUnits> Take(IEnumerable<(int From, int To, int Quantity)> wanted)
        {
            var taken = new List<LineUnits>();
            foreach (var w in wanted)
            {
                var units = Math.Min(w.Quantity, left[w.From]);
                if (units == 0) continue;
                left[w.From] -= units;
                taken.Add(new LineUnits(w.To, units));
            }
            return taken;
        }
    }

    /// <summary>What a line holds that was reserved before the order decided what a command follows from; all, of any other command.</summary>
    static int HeldBefore(Stock stock, string orderId, int lineId, string commandId) =>
        stock.Reservations.Of(orderId, lineId) is { } r
        && (StockConsequences.VersionOf(orderId, commandId) is not { } decided || ReserveStock.AfterOf(orderId, r.Commands[0]) < decided)
            ? r.Quantity : 0;

    static Decision<StockEvent> Adjust(Stock stock, AdjustStock c)
    {
        if (stock.HasDone(c.CommandId, null, null)) return Decision<StockEvent>.AlreadyDone;
        if ((long)stock.OnHand + c.Delta > Stock.MaxOnHand) return Decision<StockEvent>.Refuse(TooMuch);
        return stock.OnHand + c.Delta < stock.Reserved
            ? Decision<StockEvent>.Refuse("insufficient_stock",
                $"{stock.Sku} in {stock.Warehouse} has {stock.OnHand} on hand, {stock.Reserved} of them promised.")
            : Decision<StockEvent>.Accept(new StockAdjusted(c.Delta, c.Reason));
    }

    static Decision<StockEvent> Change(Stock stock, ChangeCondition c)
    {
        if (stock.HasDone(c.CommandId, null, null)) return Decision<StockEvent>.AlreadyDone;
        if (c.From == c.To || c.Quantity < 1)
            throw new InvalidOperationException($"{c.Quantity} units cannot go from {c.From} to {c.To}.");
        if (c.From is { } from && stock.Of(from) - (from == StockCondition.Sellable ? stock.Reserved : 0) < c.Quantity)
            return Decision<StockEvent>.Refuse("insufficient_stock", from == StockCondition.Sellable
                ? $"{stock.Sku} in {stock.Warehouse} has {stock.OnHand} on hand, {stock.Reserved} of them promised."
                : $"{stock.Sku} in {stock.Warehouse} has {stock.Of(from)} {from.InWords()}.");
        return c.To is { } to && (long)stock.Of(to) + c.Quantity > Stock.MaxOnHand
            ? Decision<StockEvent>.Refuse(TooMuch)
            : Decision<StockEvent>.Accept(new ConditionChanged(c.From, c.To, c.Quantity, c.Reason));
    }

    static Decision<StockEvent> Reserve(Stock stock, ReserveStock c)
    {
        if (stock.HasDone(c.CommandId, c.OrderId, c.Lines)) return Decision<StockEvent>.AlreadyDone;
        if (Stock.Sum(c.Lines) > stock.Available)
            return Decision<StockEvent>.Refuse("insufficient_stock",
                $"{stock.Sku} in {stock.Warehouse} has {stock.Available} available.");
        return stock.Reservations.Count + c.Lines.Count > Stock.MaxReservations
            ? Decision<StockEvent>.Refuse("too_many_reservations",
                $"{stock.Sku} in {stock.Warehouse} has {stock.Reservations.Count} open reservations.")
            : Decision<StockEvent>.Accept(new StockReserved(c.OrderId, c.Lines));
    }

    /// <summary>
    /// Ends reserved units once. A command that was done, or whose units are gone, changes nothing: whoever ended them
    /// first has counted them. A stock forgets what it has done; what was reserved after the order has decided this is not
    /// what it was decided about.
    /// </summary>
    static Decision<StockEvent> End(
        Stock stock, string commandId, string orderId, IReadOnlyList<LineUnits> lines,
        Func<IReadOnlyList<LineUnits>, StockEvent> entry)
    {
        if (stock.HasDone(commandId, orderId, lines)) return Decision<StockEvent>.AlreadyDone;
        LineUnits[] held = [.. lines
            .Select(l => l with { Quantity = Math.Min(l.Quantity, HeldBefore(stock, orderId, l.LineId, commandId)) })
            .Where(l => l.Quantity > 0)];
        return held.Length == 0 ? Decision<StockEvent>.AlreadyDone : Decision<StockEvent>.Accept(entry(held));
    }
}
