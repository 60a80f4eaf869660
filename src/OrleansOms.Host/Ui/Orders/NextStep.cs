using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shipments;
using OrleansOms.Host.Ui.Shared;

namespace OrleansOms.Host.Ui.Orders;

/// <summary>What an order waits for, in one sentence, and the action or the place that moves it on.</summary>
/// <param name="Action">The action to offer first; null if people cannot move it on this page.</param>
/// <param name="Link">Where the work is, if it is elsewhere.</param>
public sealed record NextStep(string Sentence, OrderActionKind? Action = null, string? Link = null, string? LinkWords = null)
{
    /// <summary>The next step of an order.</summary>
    public static NextStep Of(Order order, Viewer viewer) => order.DeriveStatus() switch
    {
        _ when order.PendingCancellation is { } pending =>
            new($"A cancellation waits for the warehouse's answer ({pending.Reason})."),
        OrderStatus.OnHold when order.Holds is [{ Name: OrderPayments.PartPaidHold } partly] => new(
            $"Stopped: {partly.Reason}. Take the {Show.Money(OrderActions.Open(order), order.Placed!.Currency)} that "
            + "is open and it goes on by itself, or cancel it and give the money back.", OrderActionKind.RecordPayment),
        OrderStatus.OnHold => new(
            $"Stopped: {Show.Join([.. order.Holds.Select(h => $"{h.Name} ({h.Reason})")])}. Lift the hold when that is settled.",
            OrderActionKind.LiftHold),
        OrderStatus.AwaitingPayment => Unpaid(order, viewer),
        OrderStatus.PartiallyShipped when order.WaitsForPaymentUntil is not null => Unpaid(order, viewer),
        OrderStatus.Backordered or OrderStatus.PartiallyAllocated => new(
            $"{Show.Count(order.Lines.Sum(l => (long)l.Backordered), "unit")} wait for stock, promised by "
            + $"{viewer.Day(order.Placed!.PromisedBy)}. They are allocated by themselves when stock arrives."),
        OrderStatus.Pending or OrderStatus.Accepted => new("Its units are being looked for."),
        OrderStatus.Allocated => new("Everything is allocated and is being handed to the warehouse."),
        OrderStatus.InFulfilment or OrderStatus.PartiallyShipped => InWarehouse(order),
        OrderStatus.Shipped => new("Everything has left. It is done when the carrier reports it delivered."),
        OrderStatus.Delivered => new("Everything has arrived. Close it when nothing more is expected.", OrderActionKind.Close),
        OrderStatus.Closed => new("Done. Nothing more is expected."),
        _ => new("Cancelled. Nothing of it will ship."),
    };

    static NextStep Unpaid(Order order, Viewer viewer)
    {
        var open = Show.Money(OrderActions.Open(order), order.Placed!.Currency);
        var then = order.Covered > 0
            ? "Paid in part, it is then held for you to decide."
            : order.Lines.Any(l => l.Shipped > 0) ? "Unpaid, what has not left is then cancelled and its stock released."
            : "Unpaid, it is then cancelled and its stock released.";
        return new(order.WaitsForPaymentUntil is { } due
            ? $"Waits for {open} until {viewer.Clock(due)}, {viewer.Day(due)}. {then}"
            : $"Waits for {open}.", OrderActionKind.RecordPayment);
    }

    static NextStep InWarehouse(Order order)
    {
        var waiting = order.Lines.Sum(l => (long)l.Backordered);
        var rest = waiting == 0 ? "" : $" {Show.Count(waiting, "unit")} wait for stock.";
        OrderShipment[] inside = [.. order.Shipments.Where(s => s.IsInWarehouse)];
        if (inside is not [var first, ..])
            return new($"A part has left.{(rest.Length == 0 ? " The rest is being handed to the warehouse." : rest)}");
        var doing = inside.GroupBy(s => s.Status).OrderBy(g => g.Key)
            .Select(g => Doing(g.Key, [.. g.Select(s => s.Warehouse).Distinct(StringComparer.Ordinal)]));
        return new($"{string.Join("; ", doing)}.{rest}", null,
            $"/warehouse/{Uri.EscapeDataString(first.Warehouse)}/{first.Id}",
            inside.Length == 1 ? "Open the shipment" : $"Open the one in {first.Warehouse}");
    }

    static string Doing(ShipmentStatus status, IReadOnlyList<string> warehouses)
    {
        var one = warehouses.Count == 1;
        return Show.Join(warehouses) + status switch
        {
            ShipmentStatus.Released => one ? " has not begun to pick" : " have not begun to pick",
            ShipmentStatus.Picking => one ? " is picking" : " are picking",
            _ => one ? " has packed it and ships it next" : " have packed theirs and ship them next",
        };
    }
}
