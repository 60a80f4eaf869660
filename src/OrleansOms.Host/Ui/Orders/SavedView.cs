using OrleansOms.Domain.Orders;

namespace OrleansOms.Host.Ui.Orders;

/// <summary>A tab above the list: some statuses under one name.</summary>
public sealed record SavedView(string Name, IReadOnlyList<OrderStatus> Statuses)
{
    /// <summary>The tabs, in the order in which an order passes them.</summary>
    public static IReadOnlyList<SavedView> All { get; } =
    [
        new("All", []),
        new("Needs attention",
        [
            OrderStatus.OnHold, OrderStatus.AwaitingPayment, OrderStatus.Backordered, OrderStatus.PartiallyAllocated,
        ]),
        new("To ship", [OrderStatus.Allocated, OrderStatus.InFulfilment, OrderStatus.PartiallyShipped]),
        new("Shipped", [OrderStatus.Shipped]),
        new("Delivered", [OrderStatus.Delivered, OrderStatus.Closed]),
        new("Cancelled", [OrderStatus.Cancelled]),
    ];

    /// <summary>How many orders it shows.</summary>
    public long Count(IReadOnlyDictionary<OrderStatus, long> counts) =>
        Statuses.Count == 0 ? counts.Values.Sum() : Statuses.Sum(counts.GetValueOrDefault);

    /// <summary>Whether these statuses are this view's.</summary>
    public bool Is(IReadOnlyList<OrderStatus> statuses) =>
        statuses.Count == Statuses.Count && statuses.All(Statuses.Contains);
}

/// <summary>Lists and their tabs.</summary>
public static class SavedViews
{
    /// <summary>The same list under another tab.</summary>
    public static OrderListQuery With(this OrderListQuery query, SavedView view) => query with { Statuses = view.Statuses };
}
