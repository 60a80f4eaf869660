using System.Collections.Immutable;

namespace OrleansOms.Domain.Stock;

/// <summary>The last <see cref="Stock.RememberedCommands"/> ids, oldest forgotten first.</summary>
public sealed record CommandMemory(ImmutableQueue<string> Order, ImmutableHashSet<string> Ids)
{
    /// <summary>Nothing remembered.</summary>
    public static CommandMemory Empty { get; } =
        new(ImmutableQueue<string>.Empty, ImmutableHashSet.Create<string>(StringComparer.Ordinal));

    /// <summary>Whether the id is remembered.</summary>
    public bool Contains(string id) => Ids.Contains(id);

    /// <summary>Remembers one more id.</summary>
    public CommandMemory Add(string id)
    {
        if (Ids.Contains(id)) return this;
        if (Ids.Count < Stock.RememberedCommands) return new CommandMemory(Order.Enqueue(id), Ids.Add(id));
        var order = Order.Dequeue(out var oldest);
        return new CommandMemory(order.Enqueue(id), Ids.Remove(oldest).Add(id));
    }

    /// <summary>Remembers several more ids.</summary>
    public CommandMemory AddRange(IEnumerable<string> ids) => ids.Aggregate(this, (memory, id) => memory.Add(id));
}
