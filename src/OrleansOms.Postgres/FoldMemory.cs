using System.Diagnostics.CodeAnalysis;

namespace OrleansOms.Postgres;

/// <summary>Folded states of the streams that were touched last, up to a total weight.</summary>
/// <param name="capacity">Most weight that is kept; what was used longest ago is forgotten first.</param>
/// <param name="weigh">What a state weighs, 1 or more.</param>
sealed class FoldMemory<T>(int capacity, Func<T, int> weigh)
{
    readonly Dictionary<string, LinkedListNode<(string Stream, T State)>> _nodes = new(StringComparer.Ordinal);
    readonly LinkedList<(string Stream, T State)> _byUse = new();
    int _weight;

    public bool TryGet(string stream, [MaybeNullWhen(false)] out T state)
    {
        var isKnown = _nodes.TryGetValue(stream, out var node);
        state = isKnown ? node!.Value.State : default;
        return isKnown;
    }

    public void Set(string stream, T state)
    {
        if (_nodes.Remove(stream, out var known)) Forget(known);
        _nodes[stream] = _byUse.AddLast((stream, state));
        _weight += weigh(state);
        while (_weight > capacity && _byUse.First is { } oldest)
        {
            _nodes.Remove(oldest.Value.Stream);
            Forget(oldest);
        }
    }

    public void Remove(string stream)
    {
        if (_nodes.Remove(stream, out var known)) Forget(known);
    }

    public void Clear()
    {
        _nodes.Clear();
        _byUse.Clear();
        _weight = 0;
    }

    void Forget(LinkedListNode<(string Stream, T State)> node)
    {
        _byUse.Remove(node);
        _weight -= weigh(node.Value.State);
    }
}
