namespace OrleansOms.Domain.Orders;

using static OrderStatus;

/// <summary>
/// Every move that an order's status can make with one command. A test walks orders at random and holds this table
/// against what it sees, both ways; <c>docs/order-status.md</c> is drawn from it.
/// </summary>
public static class OrderTransitions
{
    /// <summary>From each status, where it can go. A status without a row is final.</summary>
    public static IReadOnlyDictionary<OrderStatus, IReadOnlyList<OrderStatus>> Table { get; } =
        new Dictionary<OrderStatus, IReadOnlyList<OrderStatus>>
        {
            [Pending] = [AwaitingPayment, Backordered, PartiallyAllocated, Allocated],
            [AwaitingPayment] =
            [
                OnHold, Accepted, Backordered, PartiallyAllocated, Allocated, InFulfilment, PartiallyShipped, Shipped, Cancelled,
            ],
            [OnHold] =
            [
                AwaitingPayment, Accepted, Backordered, PartiallyAllocated, Allocated, InFulfilment, PartiallyShipped,
                Shipped, Delivered, Cancelled,
            ],
            [Accepted] = [AwaitingPayment, OnHold, Backordered, PartiallyAllocated, Allocated, Cancelled],
            [Backordered] = [AwaitingPayment, OnHold, Accepted, PartiallyAllocated, Allocated, Cancelled],
            [PartiallyAllocated] = [AwaitingPayment, OnHold, Backordered, Allocated, InFulfilment, Cancelled],
            [Allocated] = [AwaitingPayment, OnHold, InFulfilment, Cancelled],
            [InFulfilment] =
            [
                AwaitingPayment, OnHold, Accepted, Backordered, PartiallyAllocated, Allocated, PartiallyShipped, Shipped,
                Cancelled,
            ],
            [PartiallyShipped] = [OnHold, Shipped, Delivered],
            [Shipped] = [Delivered],
            [Delivered] = [Closed],
        };

    /// <summary>The table as a Mermaid state diagram.</summary>
    public static string Diagram()
    {
        var rows = Table.SelectMany(row => row.Value.Select(to => $"    {row.Key} --> {to}"));
        var ends = Enum.GetValues<OrderStatus>().Where(IsFinal).Select(s => $"    {s} --> [*]");
        return string.Join('\n', ["stateDiagram-v2", "    [*] --> Pending", .. rows, .. ends]);
    }

    /// <summary>Whether a status has no way out.</summary>
    public static bool IsFinal(OrderStatus status) => !Table.ContainsKey(status);
}
