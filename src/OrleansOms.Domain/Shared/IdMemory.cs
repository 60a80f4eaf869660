using System.Collections.Immutable;

namespace OrleansOms.Domain.Shared;

/// <summary>The last <see cref="Capacity"/> ids, oldest forgotten first.</summary>
public sealed record IdMemory(ImmutableQueue<string> Order, ImmutableHashSet<string> Ids)
{
    /// <summary>How many ids are kept.</summary>
    public const int Capacity = 4096;

    /// <summary>Nothing remembered.</summary>
    public static IdMemory Empty { get; } =
        new(ImmutableQueue<string>.Empty, ImmutableHashSet.Create<string>(StringComparer.Ordinal));

    /// <summary>The last of these ids, oldest first.</summary>
    public static IdMemory Of(IReadOnlyCollection<string> ids)
    {
        var known = Empty.Ids.ToBuilder();
        var last = ids.Skip(ids.Count - Capacity).Where(known.Add).ToList();
        return new IdMemory(ImmutableQueue.CreateRange(last), known.ToImmutable());
    }

    /// <summary>Whether the id is remembered.</summary>
    public bool Contains(string id) => Ids.Contains(id);

    /// <summary>Remembers one more id.</summary>
    public IdMemory Add(string id)
    {
        if (Ids.Contains(id)) return this;
        if (Ids.Count < Capacity) return new IdMemory(Order.Enqueue(id), Ids.Add(id));
        var order = Order.Dequeue(out var oldest);
        return new IdMemory(order.Enqueue(id), Ids.Remove(oldest).Add(id));
    }

    /// <summary>Remembers several more ids.</summary>
    public IdMemory AddRange(IEnumerable<string> ids) => ids.Aggregate(this, (memory, id) => memory.Add(id));
}
