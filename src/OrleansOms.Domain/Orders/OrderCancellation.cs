using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Orders;

/// <summary>
/// Cancels units that have not shipped: first those that wait, then those reserved and not yet with a warehouse, then
/// those in shipments, which the shipment must give back because only it knows whether it has left.
/// </summary>
public static class OrderCancellation
{
    public static Decision<OrderEvent> Request(Order order, CancelOrder c)
    {
        if (order.CancellationIds.Contains(c.RequestId) || order.PendingCancellation?.RequestId == c.RequestId)
            return Decision<OrderEvent>.AlreadyDone;
        if (order.RefusedCancellationIds.Contains(c.RequestId)) return Decision<OrderEvent>.Refuse(TooLate);
        var status = order.DeriveStatus();
        if (status == OrderStatus.Cancelled && c.Lines is null) return Decision<OrderEvent>.AlreadyDone;
        if (order.PendingCancellation is not null)
            return Decision<OrderEvent>.Refuse("cancellation_in_progress", "Another cancellation waits for a warehouse.");

        var wanted = new Dictionary<int, int>();
        if (c.Lines is null)
        {
            foreach (var line in order.Lines) if (Cancellable(line) is > 0 and var n) wanted[line.Placed.LineId] = n;
        }
        else
            foreach (var asked in c.Lines)
            {
                if (asked.LineId < 1 || asked.LineId > order.Lines.Length)
                    return Decision<OrderEvent>.Refuse(Rejection.Meaning("unknown_line", $"There is no line {asked.LineId}."));
                wanted[asked.LineId] = wanted.GetValueOrDefault(asked.LineId) + asked.Quantity;
                var can = Cancellable(order.Lines[asked.LineId - 1]);
                if (wanted[asked.LineId] > can)
                    return Decision<OrderEvent>.Refuse(NotCancellable(status,
                        $"Line {asked.LineId} has {can} units that can be cancelled."));
            }
        if (wanted.Count == 0) return Decision<OrderEvent>.Refuse(NotCancellable(status, "Nothing of it is left to cancel."));

        var here = TakeOutsideShipments(order, wanted);
        return wanted.Values.Any(n => n > 0)
            ? Decision<OrderEvent>.Accept(new CancellationRequested(c.RequestId, c.Reason, c.Lines))
            : Decision<OrderEvent>.Accept(new UnitsCancelled(c.RequestId, c.Reason, here));
    }

    public static Decision<OrderEvent> Complete(Order order, CompleteCancellation c)
    {
        if (order.PendingCancellation is not { } pending) return Decision<OrderEvent>.AlreadyDone;
        var units = new List<CancelledUnits>();
        foreach (var shipment in c.Withdrawn)
            units.AddRange(shipment.Lines.Select(l => new CancelledUnits(
                l.LineId, order.Lines[l.LineId - 1].Placed.Sku, l.Quantity,
                order.Shipments.First(s => s.Id == shipment.ShipmentId).Warehouse, shipment.ShipmentId)));
        var withdrawn = units.GroupBy(u => u.LineId).ToDictionary(g => g.Key, g => g.Sum(u => u.Quantity));
        // Money that has come since the time was up keeps what no shipment has given back.
        var wanted = IsPaidSince(order, pending) ? [] : Wanted(order, pending)
            .ToDictionary(w => w.Key, w => w.Value - withdrawn.GetValueOrDefault(w.Key));
        units.AddRange(TakeOutsideShipments(order, wanted));
        return Decision<OrderEvent>.Accept(new UnitsCancelled(pending.RequestId, pending.Reason, units));
    }

    /// <summary>
    /// What a shipment did not find after all was cancelled: it had not said so when it was asked for its units, and they
    /// are not looked for elsewhere. Null if nothing is open, or if it is still wanted.
    /// </summary>
    /// <param name="requestId">A cancellation is known by one id, and this is one more.</param>
    public static UnitsCancelled? Rest(Order order, string requestId)
    {
        if (order.AllCancelled is not { } all) return null;
        CancelledUnits[] open = [.. order.Lines.Where(l => l.Open > 0).Select(l => new CancelledUnits(
            l.Placed.LineId, l.Placed.Sku, l.Open, null, null, IsOpen: true))];
        return open.Length == 0 ? null : new UnitsCancelled(requestId, all.Reason, open);
    }

    /// <summary>
    /// What a pending cancellation must ask of each shipment: first of those with the least work done, so that no box is
    /// opened for units that are still on a shelf; of these the newest first. If money has come since the time was up, each
    /// is asked for nothing: it says what it has given back before, and gives nothing any more.
    /// </summary>
    public static IReadOnlyList<ShipmentUnits> AskShipments(Order order)
    {
        if (order.PendingCancellation is not { } pending) return [];
        if (IsPaidSince(order, pending))
            return [.. order.Shipments.Where(s => s.IsInWarehouse).Select(s => new ShipmentUnits(s.Id, []))];
        var wanted = Wanted(order, pending);
        TakeOutsideShipments(order, wanted);
        var asks = new List<ShipmentUnits>();
        foreach (var shipment in order.Shipments.Reverse().OrderBy(s => s.Status))
        {
            if (!shipment.IsInWarehouse) continue;
            var lines = new List<LineUnits>();
            foreach (var l in shipment.Lines)
            {
                var n = Math.Min(l.Quantity, wanted.GetValueOrDefault(l.LineId));
                if (n <= 0) continue;
                wanted[l.LineId] -= n;
                lines.Add(new LineUnits(l.LineId, n));
            }
            if (lines.Count > 0) asks.Add(new ShipmentUnits(shipment.Id, lines));
        }
        return asks;
    }

    static bool IsPaidSince(Order order, CancellationRequested pending) =>
        OrderPayments.IsTimeout(pending.RequestId) && order.Covered > 0;

    static Dictionary<int, int> Wanted(Order order, CancellationRequested pending) => pending.Lines is null
        ? order.Lines.Where(l => Cancellable(l) > 0).ToDictionary(l => l.Placed.LineId, Cancellable)
        : pending.Lines.GroupBy(l => l.LineId).ToDictionary(
            g => g.Key, g => Math.Min(g.Sum(l => l.Quantity), Cancellable(order.Lines[g.Key - 1])));

    /// <summary>Takes what it can from units that are in no shipment and lowers <paramref name="wanted"/> by it.</summary>
    static List<CancelledUnits> TakeOutsideShipments(Order order, Dictionary<int, int> wanted)
    {
        var units = new List<CancelledUnits>();
        foreach (var lineId in wanted.Keys.Order().ToList())
        {
            var line = order.Lines[lineId - 1];
            var waiting = Math.Min(wanted[lineId], line.Backordered);
            if (waiting > 0) units.Add(new CancelledUnits(lineId, line.Placed.Sku, waiting, null, null));
            var open = Math.Min(wanted[lineId] - waiting, line.Open);
            if (open > 0) units.Add(new CancelledUnits(lineId, line.Placed.Sku, open, null, null, IsOpen: true));
            wanted[lineId] -= waiting + open;
            foreach (var a in line.Allocations)
            {
                var n = Math.Min(wanted[lineId], a.Quantity - a.Released);
                if (n <= 0) continue;
                units.Add(new CancelledUnits(lineId, line.Placed.Sku, n, a.Warehouse, null));
                wanted[lineId] -= n;
            }
        }
        return units;
    }

    static int Cancellable(OrderLine line) => line.Open + line.Backordered + line.Allocated;

    /// <summary>Everything had left when the warehouse was asked.</summary>
    public static Rejection TooLate { get; } = Rejection.Conflict(
        "order_not_cancellable", "The warehouse can no longer give these units back.");

    static Rejection NotCancellable(OrderStatus status, string detail) =>
        Rejection.Conflict("order_not_cancellable", $"The order is {Words.Of(status)}. {detail}");
}
