namespace OrleansOms.Domain.Shared;

/// <summary>
/// The last <see cref="Capacity"/> ids, oldest forgotten first. A value: one more id gives another one, and this one stays as
/// it is. The newest of those that came from one another is a hash table; an older one finds its way from there by what has
/// changed since, and is meant to be read a few changes later at most. Those that came from one another are for one thread
/// at a time.
/// </summary>
public sealed class IdMemory
{
    /// <summary>How many ids are kept.</summary>
    public const int Capacity = 4096;

    readonly Queue<string> _order;
    readonly HashSet<string> _ids;
    IdMemory? _newer;
    string? _added, _forgotten;

    IdMemory(Queue<string> order, HashSet<string> ids) => (_order, _ids, Count) = (order, ids, order.Count);

    /// <summary>Nothing remembered. Not shared: what comes from it would be a copy each time.</summary>
    public static IdMemory None() => new([], new HashSet<string>(StringComparer.Ordinal));

    /// <summary>The last of these ids, oldest first.</summary>
    public static IdMemory Of(IReadOnlyCollection<string> ids)
    {
        var known = new HashSet<string>(Math.Min(ids.Count, Capacity), StringComparer.Ordinal);
        return new IdMemory(new Queue<string>(ids.Skip(ids.Count - Capacity).Where(known.Add)), known);
    }

    /// <summary>How many ids are remembered.</summary>
    public int Count { get; }

    /// <summary>The ids, oldest first.</summary>
    public IEnumerable<string> Order
    {
        get
        {
            var since = new List<string>();
            for (var version = this; version._newer is { } newer; version = newer)
                if (version._forgotten is { } id) since.Add(id);
            return since.Concat(_order).Take(Count);
        }
    }

    /// <summary>Whether the id is remembered.</summary>
    public bool Contains(string id)
    {
        for (var version = this; version._newer is { } newer; version = newer)
        {
            if (version._added == id) return false;
            if (version._forgotten == id) return true;
        }
        return _ids.Contains(id);
    }

    /// <summary>Remembers one more id.</summary>
    public IdMemory Add(string id)
    {
        if (Contains(id)) return this;
        // Two futures of one past: the second one goes its own way.
        if (_newer is not null) return Of([.. Order]).Add(id);
        if (Count == Capacity)
        {
            _forgotten = _order.Dequeue();
            _ids.Remove(_forgotten);
        }
        _added = id;
        _order.Enqueue(id);
        _ids.Add(id);
        return _newer = new IdMemory(_order, _ids);
    }

    /// <summary>Remembers several more ids.</summary>
    public IdMemory AddRange(IEnumerable<string> ids) => ids.Aggregate(this, (memory, id) => memory.Add(id));
}
