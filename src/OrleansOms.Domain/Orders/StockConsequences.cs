using System.Globalization;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Orders;

/// <summary>A command for one stock.</summary>
public readonly record struct StockConsequence(string Warehouse, string Sku, StockCommand Command);

/// <summary>
/// What an order's stored event asks of the stocks. The command ids are made of the event's place in its stream, so it
/// can be asked any number of times and has its effect once.
/// </summary>
public static class StockConsequences
{
    /// <summary>The commands that follow from an event.</summary>
    /// <param name="orderId">Key of the order.</param>
    /// <param name="version">The event's number in the order's stream.</param>
    /// <param name="event">The event.</param>
    /// <param name="at">When it was recorded, UTC.</param>
    public static IEnumerable<StockConsequence> Of(string orderId, int version, OrderEvent @event, DateTimeOffset at)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{orderId}/{version}");
        return @event switch
        {
            UnitsShipped e => ByStock(e.Lines).Select(s => new StockConsequence(
                s.Key.Warehouse, s.Key.Sku, new ShipStock(id, orderId, e.ShipmentId, Units(s)) { DecidedAt = at })),
            UnitsNotFound e => ByStock(e.Lines).Select(s => new StockConsequence(
                s.Key.Warehouse, s.Key.Sku, new WriteOffStock(id, orderId, e.ShipmentId, Units(s)) { DecidedAt = at })),
            CartEnded e => Of(orderId, e).Select(c => c with { Command = c.Command with { CommandId = id, DecidedAt = at } }),
            UnitsCancelled e => ByStock(e.Units.Where(u => u.Warehouse is not null)
                    .Select(u => new LineAllocation(u.LineId, u.Sku, u.Warehouse!, u.Quantity)))
                .Select(s => new StockConsequence(
                    s.Key.Warehouse, s.Key.Sku, new ReleaseStock(id, orderId, Units(s), e.Reason) { DecidedAt = at })),
            _ => [],
        };
    }

    static IEnumerable<StockConsequence> Of(string orderId, CartEnded e) =>
        e.Freed.Select(f => (f.Warehouse, f.Sku)).Union(e.Kept.Where(k => k.LineId != k.Held.LineId).Select(k => (k.Held.Warehouse, k.Held.Sku)))
            .Select(s =>
            {
                LineUnits[] freed = Units(e.Freed.Where(f => (f.Warehouse, f.Sku) == s));
                LineMove[] moves = [.. e.Kept.Where(k => (k.Held.Warehouse, k.Held.Sku) == s && k.LineId != k.Held.LineId)
                    .Select(k => new LineMove(k.Held.LineId, k.LineId, k.Held.Quantity))];
                return new StockConsequence(s.Warehouse, s.Sku, moves.Length == 0
                    ? new ReleaseStock("", orderId, freed, OrderCarts.Why(e.End))
                    : new PassCart("", orderId, freed, moves, OrderCarts.Why(e.End)));
            });

    /// <summary>The order's event that a command follows from; null if it is none of these commands.</summary>
    public static int? VersionOf(string orderId, string commandId) =>
        commandId.Length > orderId.Length && commandId.StartsWith(orderId, StringComparison.Ordinal) && commandId[orderId.Length] == '/'
        && int.TryParse(commandId.AsSpan(orderId.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version : null;

    static IEnumerable<IGrouping<(string Warehouse, string Sku), LineAllocation>> ByStock(IEnumerable<LineAllocation> units) =>
        units.GroupBy(u => (u.Warehouse, u.Sku));

    static LineUnits[] Units(IEnumerable<LineAllocation> units) =>
        [.. units.GroupBy(u => u.LineId).Select(g => new LineUnits(g.Key, g.Sum(u => u.Quantity)))];
}
