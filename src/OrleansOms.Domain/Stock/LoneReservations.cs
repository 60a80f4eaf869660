using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Stock;

/// <summary>What an attempt has asked of one stock.</summary>
/// <param name="Attempt">Id of the command that has reserved.</param>
public readonly record struct ReservationKey(string Stock, string OrderId, string Attempt);

/// <summary>One side of a reservation: the stock's, or the order's.</summary>
/// <typeparam name="TPlace">A place in the log.</typeparam>
/// <param name="Lines">What the stock has reserved; empty if it is the order that was heard.</param>
/// <param name="Since">When that was stored, UTC.</param>
/// <param name="From">Where whoever reads must begin to hear it again.</param>
public sealed record LoneReservation<TPlace>(IReadOnlyList<LineUnits> Lines, DateTimeOffset Since, TPlace From);

/// <summary>
/// Reservations of which one side only was heard. Each attempt to reserve is a matter of its own: the log is read from many
/// places on, and what was reserved by one that came to nothing must not be taken for what the order has stored of another.
/// Whoever has read the two sides of one attempt has nothing to keep for a restart that begins between them.
/// </summary>
/// <typeparam name="TPlace">A place in the log.</typeparam>
public sealed class LoneReservations<TPlace>
{
    readonly Dictionary<ReservationKey, LoneReservation<TPlace>> _sides = [];

    /// <summary>Where they begin: a restart from the first finds all of them again.</summary>
    public IEnumerable<TPlace> Places => _sides.Values.Select(s => s.From);

    /// <summary>Those that have been alone since before a time.</summary>
    public IReadOnlyList<KeyValuePair<ReservationKey, LoneReservation<TPlace>>> Since(DateTimeOffset time) =>
        [.. _sides.Where(s => s.Value.Since <= time)];

    /// <summary>Takes an event of either side.</summary>
    /// <param name="from">Where whoever reads must begin to hear it again.</param>
    public void Hear(string stream, DomainEvent? data, string commandId, DateTimeOffset at, TPlace from)
    {
        switch (data)
        {
            // What an order's stored event asks for has the order on its side.
            case StockReserved r when StockConsequences.VersionOf(r.OrderId, commandId) is null:
                Meet(new ReservationKey(stream, r.OrderId, commandId), new LoneReservation<TPlace>(r.Lines, at, from));
                break;
            // What it gives back and was settled before has left already.
            case ReservationReleased r when ReleaseStock.AttemptOf(commandId) is { } attempt:
                _sides.Remove(new ReservationKey(stream, r.OrderId, attempt));
                break;
            case CartReserved cart:
                foreach (var stock in cart.Allocations.Select(u => Keys.OfStock(u.Warehouse, u.Sku)).Distinct())
                    Meet(new ReservationKey(stock, stream, cart.Attempt), new LoneReservation<TPlace>([], at, from));
                break;
            // An event that does not say by which attempt leaves what was reserved alone: its order is asked, and knows.
            case OrderAllocated { Attempt: { } attempt } a:
                foreach (var stock in a.Allocations.Select(u => Keys.OfStock(u.Warehouse, u.Sku)).Distinct())
                    Meet(new ReservationKey(stock, stream, attempt), new LoneReservation<TPlace>([], at, from));
                break;
        }
    }

    void Meet(ReservationKey key, LoneReservation<TPlace> side)
    {
        if (!_sides.Remove(key)) _sides.Add(key, side);
    }

    /// <summary>Nothing more is to be done about it.</summary>
    public void Remove(ReservationKey key) => _sides.Remove(key);

    /// <summary>Knows of none.</summary>
    public void Clear() => _sides.Clear();
}
