using System.Collections;

namespace OrleansOms.Domain.Stock;

/// <summary>An order's line.</summary>
public readonly record struct OrderLineKey(string OrderId, int LineId);

/// <summary>
/// The open reservations of a stock. A value: a change gives another one, and this one stays as it is. The newest of those
/// that came from one another is a hash table, so that a command costs the same however many are open and leaves nothing
/// to collect; an older one finds its way from there by what has changed since, and is meant to be read a few changes
/// later at most. Those that came from one another are for one thread at a time.
/// </summary>
public sealed class Reservations : IReadOnlyCollection<KeyValuePair<OrderLineKey, Reservation>>
{
    readonly Dictionary<OrderLineKey, Reservation> _table;
    Reservations? _newer;
    OrderLineKey _changed;
    Reservation? _before;

    Reservations(Dictionary<OrderLineKey, Reservation> table, int count) => (_table, Count) = (table, count);

    /// <summary>None. Not shared: what comes from it would be a copy each time.</summary>
    public static Reservations None() => new([], 0);

    /// <summary>These.</summary>
    public static Reservations Of(IEnumerable<KeyValuePair<OrderLineKey, Reservation>> open)
    {
        var table = new Dictionary<OrderLineKey, Reservation>(open);
        return new Reservations(table, table.Count);
    }

    /// <inheritdoc />
    public int Count { get; }

    /// <summary>What an order's line holds; null if it holds nothing.</summary>
    public Reservation? Of(string orderId, int lineId)
    {
        var key = new OrderLineKey(orderId, lineId);
        for (var version = this; version._newer is { } newer; version = newer)
            if (version._changed == key) return version._before;
        return _table.GetValueOrDefault(key);
    }

    /// <summary>With another reservation of an order's line, or with none if it is null.</summary>
    public Reservations With(string orderId, int lineId, Reservation? reservation)
    {
        // Two futures of one past: the second one goes its own way.
        if (_newer is not null) return Of(this).With(orderId, lineId, reservation);
        _changed = new OrderLineKey(orderId, lineId);
        _before = _table.GetValueOrDefault(_changed);
        if (reservation is null) _table.Remove(_changed);
        else _table[_changed] = reservation;
        return _newer = new Reservations(_table, _table.Count);
    }

    /// <inheritdoc />
    public IEnumerator<KeyValuePair<OrderLineKey, Reservation>> GetEnumerator()
    {
        if (_newer is null) return _table.GetEnumerator();
        var (then, changes) = (new Dictionary<OrderLineKey, Reservation>(_table), new Stack<Reservations>());
        for (var version = this; version._newer is { } newer; version = newer) changes.Push(version);
        foreach (var change in changes)
            if (change._before is { } before) then[change._changed] = before;
            else then.Remove(change._changed);
        return then.GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
