using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres;

/// <summary>An aggregate before a batch and after it.</summary>
/// <param name="At">When its last event of the batch was recorded, UTC.</param>
sealed record Change<T>(string Id, T Before, T After, DateTimeOffset At);

/// <summary>
/// Folds the streams of one kind. A stream that goes on is remembered, because it may soon go on again; others are read
/// from the log. A remembered state is used only if the batch goes on exactly where it ends, so it can be old but never
/// wrong. Streams that have only begun are not remembered: most of them rest for a while, and there are many. On a long
/// way through the log they are, because there all of them go on soon. What is over is forgotten.
/// </summary>
/// <param name="log">Where the streams are.</param>
/// <param name="capacity">Most weight of all remembered states.</param>
/// <param name="create">The state before the first event.</param>
/// <param name="version">Number of the last event of a state.</param>
/// <param name="weigh">What a state weighs in memory, 1 or more.</param>
/// <param name="apply">The state after one more event.</param>
/// <param name="isOver">Whether a stream hardly ever goes on after this state.</param>
sealed class StreamFold<T>(
    IEventLog log, int capacity, Func<string, T> create, Func<T, int> version, Func<T, int> weigh,
    Func<T, LogEvent, T> apply, Func<T, bool> isOver)
{
    /// <summary>Events of a batch that only someone far behind the log gets.</summary>
    const int OfLongWay = 5_000;

    readonly FoldMemory<T> _memory = new(capacity, weigh);

    /// <summary>What the batch changes in streams with this prefix, by stream.</summary>
    public async Task<IReadOnlyList<Change<T>>> Fold(IReadOnlyList<LogEvent> batch, string prefix)
    {
        var streams = batch
            .Where(e => e.Stream.StartsWith(prefix, StringComparison.Ordinal))
            .GroupBy(e => e.Stream, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal) // one order of rows for every writer: no deadlocks
            .Select(g => (Id: g.Key, Events: g.ToList()))
            .ToList();
        var before = await Before([.. streams.Select(s => (s.Id, s.Events[0].Version - 1))]);
        return [.. streams.Select(s => new Change<T>(
            s.Id, before[s.Id], s.Events.Aggregate(before[s.Id], apply), s.Events[^1].At))];
    }

    /// <summary>Keeps what was written of streams that will soon go on.</summary>
    /// <param name="events">How many the batch had.</param>
    public void Remember(IReadOnlyList<Change<T>> changes, int events)
    {
        foreach (var change in changes)
            if (isOver(change.After)) _memory.Remove(change.Id);
            else if (version(change.Before) > 0 || events >= OfLongWay) _memory.Set(change.Id, change.After);
    }

    public void Forget() => _memory.Clear();

    async Task<Dictionary<string, T>> Before(IReadOnlyList<(string Id, int Version)> wanted)
    {
        var states = new Dictionary<string, T>(wanted.Count, StringComparer.Ordinal);
        var unknown = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (id, at) in wanted)
        {
            if (at == 0) states[id] = create(id);
            else if (_memory.TryGet(id, out var state) && version(state) == at) states[id] = state;
            else unknown[id] = at;
        }
        if (unknown.Count == 0) return states;
        foreach (var e in await log.ReadStreams(unknown.Keys))
            if (e.Version <= unknown[e.Stream])
                states[e.Stream] = apply(states.TryGetValue(e.Stream, out var state) ? state : create(e.Stream), e);
        return states;
    }
}
