using Orleans;
using OrleansOms.Domain.Orders;

namespace OrleansOms.Contracts.Orders;

/// <summary>
/// One order. Key: <c>ord-</c> and 26 characters. It owns the order's events from its first append on, which the order
/// desk writes, and promises that its units are reserved once and that a repeated command gets its first answer.
/// </summary>
[Alias("oms.IOrderGrain")]
public interface IOrderGrain : IGrainWithStringKey
{
    /// <summary>The order as stored; null if there is none.</summary>
    [Alias("Get")]
    Task<OrderView?> Get();

    /// <summary>A payment, a cancellation, a hold, its lifting, or the close of the order.</summary>
    [Alias("Execute")]
    Task<Reply<OrderView>> Execute(OrderCommand command, Caller caller);

    /// <summary>What was reserved for it before it was placed; null if nothing was.</summary>
    [Alias("GetReservation")]
    Task<ReservationView?> GetReservation();

    /// <summary><see cref="ExtendCart"/> or <see cref="ReleaseCart"/>. Units that become free are in
    /// their stocks when it answers, or as soon as those can be reached.</summary>
    [Alias("ChangeReservation")]
    Task<Reply<ReservationView>> ChangeReservation(OrderCommand command, Caller caller);

    /// <summary>
    /// Looks whether the time of what was reserved for it is up, and frees it if it is. False if it is not, and has to be looked at again.
    /// </summary>
    [Alias("ExpireReservation")]
    Task<bool> ExpireReservation();

    /// <summary>Repeats what one of its shipments has told the log.</summary>
    [Alias("Report")]
    Task Report(ReportShipment report);

    /// <summary>
    /// Does whatever its stored events still ask for: finishes a cancellation, sources open units again, releases
    /// shipments. Safe to call at any time, any number of times.
    /// </summary>
    [Alias("Settle")]
    Task Settle();

    /// <summary>Looks whether its time to be paid is up, and acts if it is.</summary>
    [Alias("ExpirePayment")]
    Task ExpirePayment();

    /// <summary>
    /// Takes units with which a stock has served it, or frees them there if it may not have them. Once, however often it is asked; what it
    /// cannot free is found by the watch over reservations.
    /// </summary>
    [Alias("Take")]
    Task Take(TakeServed served);

    /// <summary>Tries to reserve stock for its waiting units.</summary>
    [Alias("AllocateWaiting")]
    Task AllocateWaiting();

    /// <summary>
    /// Compares what a stock has reserved for this order with what the order has stored, and frees the surplus. An order
    /// that does not exist is first made impossible, so that a late write cannot bring it to life. False if the
    /// reservation changed meanwhile and has to be looked at again.
    /// </summary>
    /// <param name="warehouse">Code of the warehouse.</param>
    /// <param name="sku">The SKU.</param>
    [Alias("SettleReservation")]
    Task<bool> SettleReservation(string warehouse, string sku);

    /// <summary>
    /// The same for all that is suspect of the order at once: one that does not exist is made impossible once, however many
    /// stocks have reserved for it. False if one of them has to be looked at again.
    /// </summary>
    /// <param name="reserved">What stocks have reserved for its lines and nobody has heard of from the order.</param>
    [Alias("SettleReservations")]
    Task<bool> SettleReservations(IReadOnlyList<LineAllocation> reserved);
}
