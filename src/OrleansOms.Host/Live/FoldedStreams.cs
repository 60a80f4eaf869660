using OrleansOms.Contracts.Log;

namespace OrleansOms.Host.Live;

/// <summary>
/// Streams of one kind as folded from the log's tail: the most recently used ones are in memory. A wanted stream that is
/// not is noted as missing, to be read from the log; none is skipped. A stream that a newer program goes on with is given up:
/// whoever watches it keeps what is true of its version, until this process is replaced. Not safe for use by several threads
/// at once.
/// </summary>
/// <param name="capacity">Most streams in memory.</param>
/// <param name="start">The state of a stream before its first event.</param>
/// <param name="fold">The state after one more event.</param>
/// <param name="versionOf">Number of events folded into a state.</param>
/// <param name="isWanted">Whether anybody watches a stream.</param>
/// <param name="publish">Told of each state that has changed and is wanted.</param>
sealed class FoldedStreams<T>(
    int capacity, Func<string, T> start, Func<T, LogEvent, T> fold, Func<T, int> versionOf,
    Func<string, bool> isWanted, Action<string, T> publish) where T : class
{
    readonly Dictionary<string, LinkedListNode<(string Stream, T State)>> _states = new(StringComparer.Ordinal);
    readonly LinkedList<(string Stream, T State)> _byUse = new();
    readonly Dictionary<string, int> _missing = new(StringComparer.Ordinal);
    readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    /// <summary>Known as a newcomer has read them, ahead of the tail: the others hear of it when the tail gets there.</summary>
    readonly HashSet<string> _ahead = new(StringComparer.Ordinal);

    /// <summary>Streams in memory.</summary>
    public int Count => _states.Count;

    /// <summary>Streams that must be read from the log.</summary>
    public int Missing => _missing.Count;

    /// <summary>Folds an event of the tail in. Events that were seen before change nothing.</summary>
    public void Take(LogEvent e)
    {
        if (!isWanted(e.Stream) || e.Data is null)
        {
            Forget(e.Stream);
            return;
        }
        var state = _states.TryGetValue(e.Stream, out var node) ? node.Value.State
            : e.Version == 1 ? start(e.Stream) : null;
        if (state is null || e.Version > versionOf(state) + 1)
        {
            _missing[e.Stream] = e.Version;
            return;
        }
        if (e.Version <= versionOf(state))
        {
            if (e.Version == versionOf(state) && _ahead.Remove(e.Stream)) _changed.Add(e.Stream);
            return;
        }
        Keep(e.Stream, fold(state, e));
        _changed.Add(e.Stream);
    }

    /// <summary>Publishes what has changed since the last call.</summary>
    public void Publish()
    {
        foreach (var stream in _changed)
            if (_states.TryGetValue(stream, out var node)) publish(stream, node.Value.State);
        _changed.Clear();
    }

    /// <summary>Takes a state in that was read from the log, unless a newer one is known.</summary>
    /// <param name="isChange">Whether those who watch must hear of it now, and not when the tail gets there.</param>
    public void Set(string stream, T state, bool isChange)
    {
        if (!isWanted(stream)) return;
        if (_states.TryGetValue(stream, out var node) && versionOf(node.Value.State) >= versionOf(state)) return;
        var wasMissing = _missing.ContainsKey(stream);
        Keep(stream, state);
        // What was missing is what the tail has told of already.
        (isChange || (wasMissing && !_missing.ContainsKey(stream)) ? _changed : _ahead).Add(stream);
    }

    /// <summary>Some of the missing streams; those that nobody wants any more are forgotten.</summary>
    public List<string> NextMissing(int max)
    {
        foreach (var stream in _missing.Keys.Where(s => !isWanted(s)).ToList()) _missing.Remove(stream);
        return [.. _missing.Keys.Take(max)];
    }

    /// <summary>Gives up the missing streams that are not in <paramref name="keep"/>.</summary>
    public void ForgetMissing(Func<string, bool> keep)
    {
        foreach (var stream in _missing.Keys.Where(s => !keep(s)).ToList()) _missing.Remove(stream);
    }

    void Keep(string stream, T state)
    {
        if (_missing.TryGetValue(stream, out var version) && versionOf(state) >= version) _missing.Remove(stream);
        Unlink(stream);
        _states[stream] = _byUse.AddFirst((stream, state));
        if (_states.Count <= capacity) return;
        // What has just changed is at the front, so a batch larger than the memory loses its oldest part only here.
        var oldest = _byUse.Last!.Value;
        if (_changed.Remove(oldest.Stream)) publish(oldest.Stream, oldest.State);
        Unlink(oldest.Stream);
    }

    /// <summary>Knows nothing of a stream any more and does not look for it, until it goes on.</summary>
    public void Forget(string stream)
    {
        Unlink(stream);
        _missing.Remove(stream);
        _changed.Remove(stream);
    }

    void Unlink(string stream)
    {
        _ahead.Remove(stream);
        if (!_states.Remove(stream, out var node)) return;
        _byUse.Remove(node);
    }
}
