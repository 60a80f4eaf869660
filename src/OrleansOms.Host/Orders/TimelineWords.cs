using System.Globalization;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Host.Orders;

/// <summary>Events as people say them. Never any personal data: timelines are shown to more people than orders are.</summary>
public static class TimelineWords
{
    const int Named = 5;

    /// <summary>Who did it: the name of an API key or an operator, or system.</summary>
    public static string Who(string actor) =>
        actor.StartsWith("key:", StringComparison.Ordinal) ? actor[4..]
        : actor.StartsWith("operator:", StringComparison.Ordinal) ? actor[9..]
        : actor;

    /// <summary>The stored name of an event for programs: <c>order.payment-recorded.v1</c> is <c>paymentRecorded</c>.</summary>
    public static string TypeOf(string stored)
    {
        var start = stored.IndexOf('.') + 1;
        var words = stored[start..stored.LastIndexOf('.')].Split('-');
        return string.Concat(words.Select((w, i) => i == 0 ? w : char.ToUpperInvariant(w[0]) + w[1..]));
    }

    /// <summary>What happened, in one sentence.</summary>
    /// <param name="currency">The order's.</param>
    public static string Of(DomainEvent? @event, string currency) => @event switch
    {
        OrderPlaced e => Placed(e),
        OrderRefused e => $"Refused. {e.Detail}",
        CartReserved e => $"Held {Units(e.Allocations.Sum(a => (long)a.Quantity))} for a cart until {e.Until:u}",
        CartExtended e => $"The cart is held until {e.Until:u}",
        CartEnded { End: CartEnd.Ordered } e => e.Freed.Count == 0 ? "Ordered with all that the cart held"
            : $"Ordered with {Units(e.Kept.Sum(k => (long)k.Held.Quantity))} that the cart held; {AreFree(e)}",
        CartEnded e => $"{AreFree(e)}: {OrderCarts.Why(e.End)}",
        OrderAllocated e => Allocated(e),
        PaymentRecorded e => Paid(e, currency),
        ShipmentReleased e => $"Handed {Units(e.Lines.Sum(l => l.Quantity))} to {e.Warehouse} as {e.ShipmentId}",
        UnitsNotFound e => $"{e.Warehouse} did not find {List(e.Lines.Select(l => (l.Quantity, l.Sku)))}",
        UnitsShipped e => $"{List(e.Lines.Select(l => (l.Quantity, l.Sku)))} left {e.Warehouse} as {e.ShipmentId}",
        UnitsDelivered e => $"{Units(e.Lines.Sum(l => l.Quantity))} of {e.ShipmentId} arrived",
        ShipmentProgressed e => Progressed(e),
        CancellationRequested e => $"Cancellation asked for, the warehouse decides: {e.Reason}",
        UnitsCancelled { Units.Count: 0 } e => $"Nothing could be cancelled any more: {e.Reason}",
        UnitsCancelled e => Cancelled(e),
        HoldPlaced e => $"Put on hold ({e.Name}): {e.Reason}",
        HoldLifted e => $"Hold lifted ({e.Name})",
        OrderClosed => "Closed",
        ReservationSettled e => $"{e.Warehouse} had {Units(e.Lines.Sum(l => l.Quantity))} of {e.Sku} more reserved than the order keeps; freed",
        null => "Something that only a newer version of this program can tell",
        _ => "Changed",
    };

    static string AreFree(CartEnded e)
    {
        var units = e.Freed.Sum(a => (long)a.Quantity);
        return $"{Units(units)} {(units == 1 ? "is" : "are")} free again";
    }

    static string Placed(OrderPlaced e)
    {
        var units = e.Lines.Sum(l => (long)l.Quantity);
        var total = $"{Words.Amount(e.Totals().Grand)} {e.Currency}";
        var outside = e.ExternalId is null ? "" : $" as {e.ExternalId}";
        return $"Order {e.Number} came from {e.Channel}{outside}: {Units(units)} on "
            + $"{(e.Lines.Count == 1 ? "1 line" : $"{e.Lines.Count} lines")}, {total}";
    }

    static string Allocated(OrderAllocated e)
    {
        var reserved = e.Allocations.GroupBy(a => a.Warehouse, StringComparer.Ordinal)
            .Select(g => $"{List(g.Select(a => (a.Quantity, a.Sku)))} in {g.Key}").ToList();
        var waiting = e.Backordered.Count == 0 ? "" : $"{Units(e.Backordered.Sum(b => (long)b.Quantity))} wait for stock";
        var what = (reserved.Count, waiting) switch
        {
            (0, "") => "Nothing to reserve",
            (0, _) => waiting,
            (_, "") => $"Reserved {string.Join(" and ", reserved)}",
            _ => $"Reserved {string.Join(" and ", reserved)}; {waiting}",
        };
        var why = e.Cause switch
        {
            SourcingCause.Arrival => $"it waited, {e.Sourcing.Reason}",
            SourcingCause.ShortPick => $"looked for again, {e.Sourcing.Reason}",
            _ => e.Sourcing.Reason,
        };
        return $"{what}: {why}";
    }

    static string Paid(PaymentRecorded e, string currency) => e.Status switch
    {
        PaymentReport.Authorized => $"{Words.Amount(e.Amount)} {currency} authorized ({e.Reference})",
        PaymentReport.Paid => $"{Words.Amount(e.Amount)} {currency} paid ({e.Reference})",
        PaymentReport.Failed => $"A payment failed ({e.Reference})",
        _ => $"A payment is under way ({e.Reference})",
    };

    static string Progressed(ShipmentProgressed e)
    {
        var carrier = e.Carrier is null ? "" : $" with {e.Carrier}{(e.TrackingNumber is null ? "" : $" {e.TrackingNumber}")}";
        var said = e.Description is null ? "" : $": {e.Description}";
        var where = e.Location is null ? "" : $" ({e.Location})";
        return $"{e.ShipmentId} is {Words.Of(e.Status)}{carrier}{said}{where}";
    }

    static string Cancelled(UnitsCancelled e)
    {
        var released = e.Units.Where(u => u.Warehouse is not null).GroupBy(u => u.Warehouse!, StringComparer.Ordinal)
            .Select(g => $"{Units(g.Sum(u => (long)u.Quantity))} in {g.Key}").ToList();
        var free = released.Count == 0 ? "" : $", freed {string.Join(" and ", released)}";
        return $"Cancelled {List(e.Units.GroupBy(u => u.Sku).Select(g => (g.Sum(u => u.Quantity), g.Key)))}{free}: {e.Reason}";
    }

    static string Units(long n) => n == 1 ? "1 unit" : string.Create(CultureInfo.InvariantCulture, $"{n:N0} units");

    static string List(IEnumerable<(int Quantity, string Sku)> units)
    {
        var all = units.ToList();
        var named = string.Join(", ", all.Take(Named).Select(u => $"{u.Quantity} × {u.Sku}"));
        return all.Count > Named ? $"{named} and {all.Count - Named} more SKUs" : named;
    }
}
