using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Grains.Followers;

/// <summary>
/// Reservations of which one side only was heard: the stock's, or the order's. Each attempt to reserve is a matter of its own. The
/// log is read from many places on, and what was reserved by one that came to nothing must not be taken for what the order has
/// stored of another: whoever has read the two sides of one attempt has nothing to keep for a restart that begins between them.
/// </summary>
sealed class LoneReservations
{
    /// <summary>What an attempt has asked of one stock.</summary>
    public readonly record struct Key(string Stock, string OrderId, string Attempt);

    /// <summary>One side of it.</summary>
    /// <param name="Lines">What the stock has reserved; empty if it is the order that was heard.</param>
    /// <param name="Since">When that was stored, UTC.</param>
    /// <param name="From">Where the batch begins that it came in.</param>
    public sealed record Side(IReadOnlyList<LineUnits> Lines, DateTimeOffset Since, Checkpoint From);

    readonly Dictionary<Key, Side> _sides = [];

    /// <summary>Where they begin: a restart from the first finds all of them again.</summary>
    public IEnumerable<Checkpoint> Places => _sides.Values.Select(s => s.From);

    /// <summary>Those that have been alone since before a time.</summary>
    public IReadOnlyList<KeyValuePair<Key, Side>> Since(DateTimeOffset time) => [.. _sides.Where(s => s.Value.Since <= time)];

    /// <summary>Takes an event of either side.</summary>
    /// <param name="from">Where its batch begins.</param>
    public void Hear(LogEvent e, Checkpoint from)
    {
        switch (e.Data)
        {
            case StockReserved r:
                Meet(new Key(e.Stream, r.OrderId, e.CommandId), new Side(r.Lines, e.At, from));
                break;
            // What it gives back and was settled before has left already.
            case ReservationReleased r when ReleaseStock.AttemptOf(e.CommandId) is { } attempt:
                _sides.Remove(new Key(e.Stream, r.OrderId, attempt));
                break;
            // An event that does not say by which attempt leaves what was reserved alone: its order is asked, and knows.
            case OrderAllocated { Attempt: { } attempt } a:
                foreach (var stock in a.Allocations.Select(u => Keys.OfStock(u.Warehouse, u.Sku)).Distinct())
                    Meet(new Key(stock, e.Stream, attempt), new Side([], e.At, from));
                break;
        }
    }

    void Meet(Key key, Side side)
    {
        if (!_sides.Remove(key)) _sides.Add(key, side);
    }

    /// <summary>Nothing more is to be done about it.</summary>
    public void Remove(Key key) => _sides.Remove(key);

    /// <summary>Knows of none.</summary>
    public void Clear() => _sides.Clear();
}
