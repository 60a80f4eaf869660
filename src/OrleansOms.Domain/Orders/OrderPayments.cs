using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Orders;

/// <summary>What payment reports and their time limit do to an order.</summary>
public static class OrderPayments
{
    /// <summary>
    /// The hold on an order of which only a part was paid when its time was up: it keeps its stock, and a person decides.
    /// It goes by itself when nothing more is due.
    /// </summary>
    public const string PartPaidHold = "part-paid";

    const string Timeout = "payment-timeout";

    /// <summary>Whether a request id is that of a cancellation of an order that was not paid in time.</summary>
    public static bool IsTimeout(string requestId) =>
        requestId == Timeout || requestId.StartsWith($"{Timeout}/", StringComparison.Ordinal);

    /// <summary>
    /// Each time-out asks anew: one may come too late for the units that are with a warehouse, which then does not find them.
    /// </summary>
    static string TimeoutId(Order order) => $"{Timeout}/{order.Version}";

    /// <summary>
    /// A payment report: the same one again changes nothing, and no more is taken than is due. A failure is another one if
    /// its reference was authorized since it last failed. What leaves an order short of money that had no time limit gives
    /// it one.
    /// </summary>
    public static Decision<OrderEvent> Record(Order order, RecordPayment c, DateTimeOffset now)
    {
        var before = order.Payments.LastOrDefault(p => p.Reference == c.Reference
            && (p.Status == c.Status || (c.Status == PaymentReport.Failed && p.Status == PaymentReport.Authorized)));
        if (before?.Status == c.Status)
            return before.Amount == c.Amount
                ? Decision<OrderEvent>.AlreadyDone
                : Decision<OrderEvent>.Refuse(Rejection.Meaning(
                    "payment_reference_reused", $"{c.Reference} was recorded with the amount {Words.Amount(before.Amount)}."));
        var status = order.DeriveStatus();
        if (status is OrderStatus.Cancelled or OrderStatus.Closed)
            return Decision<OrderEvent>.Refuse("order_not_payable", $"The order is {Words.Of(status)}.");
        if (order.Placed!.Payment.Method == PaymentMethod.Prepaid && order.DerivePaymentStatus() == PaymentStatus.Paid)
            return Decision<OrderEvent>.Refuse("order_not_payable", "The order is paid.");
        var authorized = c.Status == PaymentReport.Paid ? order.AuthorizedBy(c.Reference) : null;
        // Many providers give a capture a name of its own. What does not fit beside what is authorized is taken from that.
        if (c.Status == PaymentReport.Paid && authorized is null && order.Covered + c.Amount > order.Due())
            authorized = order.AuthorizedFor(c.Amount);
        // What takes money that is authorized brings no other; everything else comes beside what is there.
        var open = Math.Max(0, order.Due() - (authorized is null ? order.Covered : order.Captured));
        if (c.Status is PaymentReport.Paid or PaymentReport.Authorized && c.Amount > open)
            return Decision<OrderEvent>.Refuse(Rejection.Meaning(
                "amount_too_high", $"Only {Words.Amount(open)} {order.Placed.Currency} is due."));
        if (authorized is not null && c.Amount > authorized.Amount)
            return Decision<OrderEvent>.Refuse(Rejection.Meaning(
                "amount_too_high", $"Only {Words.Amount(authorized.Amount)} {order.Placed.Currency} is authorized by {c.Reference}."));
        var recorded = new PaymentRecorded(
            c.Status, c.Amount, c.Reference, Of: authorized is null || authorized.Reference == c.Reference ? null : authorized.Reference);
        var hasNoTime = order.Placed.PaymentDueAt is null && order.WaitsForPaymentUntil is null;
        return Decision<OrderEvent>.Accept(
            hasNoTime && !order.Apply(recorded).IsPayable ? recorded with { DueAt = now + c.Window } : recorded);
    }

    /// <summary>Cancels what was not paid at all, and holds what was paid in part.</summary>
    public static Decision<OrderEvent> Expire(Order order, DateTimeOffset now)
    {
        if (!(order.WaitsForPaymentUntil <= now)) return Decision<OrderEvent>.AlreadyDone;
        var had = order.Covered;
        var word = had == order.Captured ? "paid" : order.Captured == 0 ? "authorized" : "paid or authorized";
        if (had == 0) return OrderCancellation.Request(order, new CancelOrder(TimeoutId(order), "not paid in time", null));
        return OrderDecider.Hold(order, new PlaceHold(
            PartPaidHold,
            $"{Words.Amount(had)} of {Words.Amount(order.Due())} {order.Placed!.Currency} was {word} when its time was up",
            HoldStops.Release));
    }

    /// <summary>Lifts <see cref="PartPaidHold"/> with the fact that leaves nothing due: a payment, or fewer units.</summary>
    internal static Decision<OrderEvent> WithoutNeedlessHold(Order order, Decision<OrderEvent> decision) =>
        decision.Events.Count > 0 && order.Holds.Any(h => h.Name == PartPaidHold)
        && order.Apply(decision.Events) is { IsPayable: true } after && after.Holds.Any(h => h.Name == PartPaidHold)
            ? Decision<OrderEvent>.Accept([.. decision.Events, new HoldLifted(PartPaidHold)])
            : decision;
}
