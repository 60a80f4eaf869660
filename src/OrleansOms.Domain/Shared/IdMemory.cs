namespace OrleansOms.Domain.Shared;

/// <summary>
/// The last <see cref="Capacity"/> ids, oldest forgotten first, and none for longer than is asked. A value: one more id
/// gives another one, and this one stays as it is. The newest of those that came from one another is a hash table; an older
/// one finds its way from there by what has changed since, and is meant to be read a few changes later at most. Those that
/// came from one another are for one thread at a time.
/// </summary>
public sealed class IdMemory
{
    /// <summary>Most ids that are kept.</summary>
    public const int Capacity = 4096;

    /// <summary>Ids that are forgotten at most for one that is added, or one of so many; no change is a long one.</summary>
    const int Stride = 4, Part = 64;

    readonly Queue<(string Id, long Ticks)> _order;
    readonly HashSet<string> _ids;
    IdMemory? _newer;
    string? _added;
    string[] _forgotten = [];

    IdMemory(Queue<(string Id, long Ticks)> order, HashSet<string> ids) => (_order, _ids, Count) = (order, ids, order.Count);

    /// <summary>Nothing remembered. Not shared: what comes from it would be a copy each time.</summary>
    public static IdMemory None() => new([], new HashSet<string>(StringComparer.Ordinal));

    /// <summary>The last of these ids, oldest first.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="at">When they are taken to have come, where it matters.</param>
    public static IdMemory Of(IReadOnlyCollection<string> ids, DateTimeOffset at = default) =>
        Of([.. ids.Select(id => (id, at.UtcTicks))]);

    static IdMemory Of((string Id, long Ticks)[] ids)
    {
        var known = new HashSet<string>(Math.Min(ids.Length, Capacity), StringComparer.Ordinal);
        return new IdMemory(new Queue<(string, long)>(ids.Skip(ids.Length - Capacity).Where(e => known.Add(e.Id))), known);
    }

    /// <summary>How many ids are remembered.</summary>
    public int Count { get; }

    /// <summary>The ids, oldest first.</summary>
    public IEnumerable<string> Order
    {
        get
        {
            var since = new List<string>();
            for (var version = this; version._newer is { } newer; version = newer) since.AddRange(version._forgotten);
            return since.Concat(_order.Select(e => e.Id)).Take(Count);
        }
    }

    /// <summary>Whether the id is remembered.</summary>
    public bool Contains(string id)
    {
        for (var version = this; version._newer is { } newer; version = newer)
        {
            if (version._added == id) return false;
            if (version._forgotten.AsSpan().Contains(id)) return true;
        }
        return _ids.Contains(id);
    }

    /// <summary>Remembers one more id, for as long as not too many others come.</summary>
    public IdMemory Add(string id) => Add(id, 0, long.MinValue);

    /// <summary>Remembers one more id, and no longer those that came before a moment.</summary>
    /// <param name="id">The id.</param>
    /// <param name="at">When it came.</param>
    /// <param name="since">From when on ids are kept.</param>
    public IdMemory Add(string id, DateTimeOffset at, DateTimeOffset since) => Add(id, at.UtcTicks, since.UtcTicks);

    IdMemory Add(string id, long at, long since)
    {
        if (Contains(id)) return this;
        // Two futures of one past: the second one goes its own way.
        if (_newer is not null) return Of([.. Order.Select(known => (known, at))]).Add(id, at, since);
        _forgotten = Forget(since);
        _added = id;
        _order.Enqueue((id, at));
        _ids.Add(id);
        return _newer = new IdMemory(_order, _ids);
    }

    string[] Forget(long since)
    {
        var (old, most) = (0, Math.Max(Stride, Count / Part));
        foreach (var (_, ticks) in _order)
        {
            if (old == most || ticks >= since && old > Count - Capacity) break;
            old++;
        }
        var forgotten = old == 0 ? [] : new string[old];
        for (var n = 0; n < old; n++)
        {
            forgotten[n] = _order.Dequeue().Id;
            _ids.Remove(forgotten[n]);
        }
        if (_order.Capacity > 16 * Stride && _order.Count < _order.Capacity / 4)
        {
            _order.TrimExcess();
            _ids.TrimExcess();
        }
        return forgotten;
    }
}
