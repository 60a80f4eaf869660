using Orleans;
using OrleansOms.Domain.Orders;

namespace OrleansOms.Contracts.Orders;

/// <summary>
/// One order. Key: <c>ord-</c> and 26 characters. It owns the order's events and promises that an acknowledged order is
/// stored, that its units are reserved once, and that a repeated command gets its first answer.
/// </summary>
[Alias("oms.IOrderGrain")]
public interface IOrderGrain : IGrainWithStringKey
{
    /// <summary>
    /// Sources, reserves and stores the order. A retry with the same request hash gets the answer of the first one;
    /// another hash is refused with <c>idempotency_key_reused</c>, a retry before the first one is done with
    /// <c>request_in_progress</c>.
    /// </summary>
    [Alias("Place")]
    Task<Reply<OrderView>> Place(PlaceOrder command, Caller caller);

    /// <summary>The order as stored; null if there is none.</summary>
    [Alias("Get")]
    Task<OrderView?> Get();

    /// <summary>A payment, a cancellation, a hold, its lifting, or the close of the order.</summary>
    [Alias("Execute")]
    Task<Reply<OrderView>> Execute(OrderCommand command, Caller caller);

    /// <summary>Repeats what one of its shipments has told the log.</summary>
    [Alias("Report")]
    Task Report(ReportShipment report);

    /// <summary>
    /// Does whatever its stored events still ask for: finishes a cancellation, sources open units again, releases
    /// shipments. Safe to call at any time, any number of times.
    /// </summary>
    [Alias("Settle")]
    Task Settle();

    /// <summary>Tries to reserve stock for its waiting units.</summary>
    [Alias("AllocateWaiting")]
    Task AllocateWaiting();

    /// <summary>
    /// Compares what a stock has reserved for this order with what the order has stored, and frees the surplus. An order
    /// that does not exist is first made impossible, so that a late write cannot bring it to life.
    /// </summary>
    /// <param name="warehouse">Code of the warehouse.</param>
    /// <param name="sku">The SKU.</param>
    [Alias("SettleReservation")]
    Task SettleReservation(string warehouse, string sku);
}
