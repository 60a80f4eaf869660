using OrleansOms.Contracts.Log;

namespace OrleansOms.Bench.History;

/// <summary>
/// Appends to the log as grains do: at most one append of a stream is under way, and what comes for it meanwhile goes
/// with the next one. Appends of different streams are under way by the thousand and share transactions.
/// </summary>
public sealed class LogFeed(IEventLog log)
{
    const int AtOnce = 4_000;

    readonly Lock _gate = new();
    /// <summary>Streams with an append under way, and what waits for its end.</summary>
    readonly Dictionary<string, Waiting> _busy = new(StringComparer.Ordinal);
    TaskCompletionSource _moved = NewSignal();
    Exception? _fault;

    /// <summary>Events that were handed over so far.</summary>
    public long Events { get; private set; }

    /// <summary>Hands events of one stream over, with what is stored together with them.</summary>
    /// <param name="append">Expects the version after everything that was handed over before.</param>
    public void Add(Append append)
    {
        lock (_gate)
        {
            Events += append.Main.Events.Count + append.Births.Sum(b => b.Events.Count);
            if (_busy.TryGetValue(append.Main.Stream, out var waiting))
            {
                if (append.Births.Count + append.Claims.Count > 0)
                    throw new InvalidOperationException($"{append.Main.Stream} has not begun alone.");
                waiting.Add(append.Main);
                return;
            }
            _busy[append.Main.Stream] = new Waiting();
            foreach (var birth in append.Births) _busy[birth.Stream] = new Waiting();
        }
        _ = Write(append);
    }

    /// <summary>Waits until there is room for more.</summary>
    /// <exception cref="InvalidOperationException">An append was not stored.</exception>
    public Task Room() => Below(AtOnce);

    /// <summary>Waits until everything is stored.</summary>
    /// <exception cref="InvalidOperationException">An append was not stored.</exception>
    public Task End() => Below(1);

    async Task Below(int count)
    {
        while (true)
        {
            Task moved;
            lock (_gate)
            {
                if (_fault is not null) throw new InvalidOperationException($"The log did not take it: {_fault.Message}", _fault);
                if (_busy.Count < count) return;
                moved = _moved.Task;
            }
            await moved;
        }
    }

    async Task Write(Append append)
    {
        try
        {
            if (await log.Append(append) is not AppendResult.Committed and var result)
                throw new InvalidOperationException($"{append.Main.Stream}: {result}");
        }
        catch (Exception e)
        {
            lock (_gate)
            {
                _fault ??= e;
                Move();
            }
            return;
        }
        Go(append.Main.Stream);
        foreach (var birth in append.Births) Go(birth.Stream);
    }

    void Go(string stream)
    {
        StreamEvents next;
        lock (_gate)
        {
            var waiting = _busy[stream];
            if (waiting.Events.Count == 0)
            {
                _busy.Remove(stream);
                Move();
                return;
            }
            next = new StreamEvents(stream, waiting.After, waiting.Events);
            _busy[stream] = new Waiting();
        }
        _ = Write(new Append(next));
    }

    void Move()
    {
        _moved.TrySetResult();
        _moved = NewSignal();
    }

    static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    sealed class Waiting
    {
        public int After { get; private set; }
        public List<NewEvent> Events { get; } = [];

        public void Add(StreamEvents more)
        {
            if (Events.Count == 0) After = more.ExpectedVersion;
            Events.AddRange(more.Events);
        }
    }
}
