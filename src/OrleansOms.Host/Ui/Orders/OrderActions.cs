using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Host.Ui.Shared;

namespace OrleansOms.Host.Ui.Orders;

/// <summary>What staff may ask of an order.</summary>
public enum OrderActionKind
{
    /// <summary>Write down what a payment provider reports.</summary>
    RecordPayment,
    /// <summary>Put a hold on it.</summary>
    PutOnHold,
    /// <summary>Lift a hold.</summary>
    LiftHold,
    /// <summary>Cancel all of it or some units.</summary>
    Cancel,
    /// <summary>Say that nothing more is expected.</summary>
    Close,
}

/// <summary>An action and whether it is allowed now.</summary>
/// <param name="WhyNot">A sentence, as the grain would refuse it; null if it is allowed.</param>
/// <param name="Hold">The hold to lift.</param>
public sealed record OrderAction(OrderActionKind Kind, string Label, string? WhyNot, string? Hold = null)
{
    /// <summary>Whether the order would do it now.</summary>
    public bool IsAllowed => WhyNot is null;
}

/// <summary>
/// Asks the order's own decider what it would say, so that a page offers exactly what the grain will do, and words a
/// cancellation by the very units that it would take.
/// </summary>
public static class OrderActions
{
    const string Probe = "probe";

    /// <summary>Every action, allowed or not, in the order in which they are offered.</summary>
    public static IReadOnlyList<OrderAction> Of(Order order, DateTimeOffset now)
    {
        var actions = new List<OrderAction>
        {
            new(OrderActionKind.RecordPayment, "Record payment", WhyNoPayment(order, now)),
        };
        // The hold of a part payment is lifted by what settles it; without that it would only come back.
        actions.AddRange(order.Holds.Where(h => h.Name != OrderPayments.PartPaidHold).Select(h => new OrderAction(OrderActionKind.LiftHold, $"Lift hold: {h.Name}", null, h.Name)));
        actions.Add(new(OrderActionKind.PutOnHold, "Put on hold", WhyNot(order, new PlaceHold(Probe, Probe, HoldStops.Release), now)));
        actions.Add(new(OrderActionKind.Close, "Close", WhyNot(order, new CloseOrder(), now)));
        actions.Add(new(OrderActionKind.Cancel, "Cancel", WhyNot(order, new CancelOrder(Probe, Probe, null), now)));
        return actions;
    }

    /// <summary>What is still to be paid, in the order's currency.</summary>
    public static decimal Open(Order order) => Math.Max(0, order.Due() - order.Captured);

    /// <summary>Units of a line that can still be cancelled.</summary>
    public static int Cancellable(OrderLine line) => line.Open + line.Backordered + line.Allocated;

    /// <summary>What a cancellation would do, or why it would be refused; both as sentences.</summary>
    /// <param name="lines">Null for everything that has not shipped.</param>
    public static (string? Effect, string? WhyNot) Cancellation(Order order, IReadOnlyList<LineUnits>? lines, DateTimeOffset now)
    {
        if (lines is { Count: 0 }) return (null, "Say how many units of which line.");
        var decision = OrderDecider.Decide(order, new CancelOrder(Probe, Probe, lines), now);
        if (decision.Rejection is { } rejection) return (null, rejection.Detail);
        if (decision.Events is not [var first, ..]) return (null, "That was cancelled before.");
        var asked = order.Apply(first);
        var units = first is UnitsCancelled done
            ? done.Units
            : OrderDecider.Decide(asked, new CompleteCancellation(OrderCancellation.AskShipments(asked)), now)
                .Events.OfType<UnitsCancelled>().Single().Units;
        return (Words(order, units), null);
    }

    static string Words(Order order, IReadOnlyList<CancelledUnits> units)
    {
        var parts = units
            .GroupBy(u => (u.Warehouse, u.ShipmentId))
            .Select(g =>
            {
                var what = Show.Join([.. g.GroupBy(u => u.Sku, StringComparer.Ordinal)
                    .Select(s => $"{Show.Count(s.Sum(u => (long)u.Quantity), "unit")} of {s.Key}")]);
                return g.Key switch
                {
                    (null, _) => $"stops waiting for {what}",
                    ({ } warehouse, null) => $"releases {what} in {warehouse}",
                    ({ } warehouse, { } id) => IsOpened(order, id, g.Sum(u => (long)u.Quantity))
                        ? $"opens the packed shipment in {warehouse}, takes {what} out and releases "
                            + $"{(g.Sum(u => (long)u.Quantity) == 1 ? "it" : "them")} there; the rest is packed again"
                        : $"takes {what} out of the shipment in {warehouse} and releases them there",
                };
            })
            .ToList();
        var kept = order.Lines.Sum(l => (long)l.Kept) - units.Sum(u => (long)u.Quantity);
        var after = kept == 0 ? "Nothing of the order is left." : $"{Show.Count(kept, "unit")} of the order {(kept == 1 ? "stays" : "stay")}.";
        var money = order.Captured > 0
            ? $" {Show.Money(order.Captured, order.Placed!.Currency)} was paid: refund what is due where it was taken, this does not do it."
            : "";
        return $"This {Show.Join(parts)}. {after}{money}";
    }

    /// <summary>Whether units taken out of a shipment send it back to be packed again.</summary>
    static bool IsOpened(Order order, string shipmentId, long units) =>
        order.Shipments.First(s => s.Id == shipmentId) is { Status: ShipmentStatus.Packed } shipment
        && units < shipment.Lines.Sum(l => (long)l.Quantity);

    static string? WhyNoPayment(Order order, DateTimeOffset now)
    {
        if (WhyNot(order, new RecordPayment(PaymentReport.Failed, 0, Probe), now) is { } refused) return refused;
        return Open(order) == 0 ? "Nothing is left to be paid." : null;
    }

    static string? WhyNot(Order order, OrderCommand command, DateTimeOffset now)
    {
        var decision = OrderDecider.Decide(order, command, now);
        return decision.Rejection?.Detail
            ?? (decision.Events.Count == 0 ? $"The order is {Domain.Orders.Words.Of(order.DeriveStatus())}." : null);
    }
}
