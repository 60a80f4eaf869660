using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres.Log;

/// <summary>
/// The newest events of the log that this process has read: all of them between two positions. Whoever is first to read
/// on fills it; the others need no database.
/// </summary>
sealed class RecentEvents(EventLogOptions options)
{
    readonly Lock gate = new();
    readonly List<ReadEvent> events = [];
    long bytes;
    LogPosition? from;
    LogPosition through, complete;
    TaskCompletionSource grown = NewSignal();

    /// <summary>The last event that is known; null as long as it remembers nothing.</summary>
    public LogPosition? Through
    {
        get
        {
            lock (gate)
                return from is null ? null : through;
        }
    }

    /// <summary>What is known of a position.</summary>
    /// <param name="Growth">Completes with the next event; null if a later one is known already.</param>
    /// <param name="From">Where the memory began.</param>
    public readonly record struct Look(Task? Growth, LogPosition? From);

    /// <summary>What is known of a position now.</summary>
    public Look LookAt(LogPosition after)
    {
        lock (gate)
            return new Look(IsNewer(after) ? null : grown.Task, from);
    }

    /// <summary>
    /// Goes on from a position after which the database has nothing. Returns what completes with the next event, or
    /// null if the memory's beginning has moved since the look: the database has to be asked again.
    /// </summary>
    public Task? Begin(LogPosition after, Look look)
    {
        lock (gate)
        {
            if (from != look.From)
                return null;
            if (from is not null && through >= after)
                return look.Growth;
            events.Clear();
            bytes = 0;
            (from, through, complete) = (after, after, after);
            Signal(); // others may wait for something that is forgotten now
            return grown.Task;
        }
    }

    /// <summary>Takes what was read after a position, if it continues what is here.</summary>
    public void Add(LogPosition after, LogRead<ReadEvent> read)
    {
        lock (gate)
        {
            if (from is null || after < from || after > through || read.Through < through)
                return;
            var known = through;
            (through, complete) = (read.Through, read.Complete);
            IReadOnlyList<ReadEvent> fresh = after == known ? read.Events : [.. read.Events.Where(e => e.Event.Position > known)];
            if (fresh.Count == 0)
                return;
            events.AddRange(fresh);
            bytes += fresh.Sum(e => (long)e.Bytes);
            Forget();
            Signal();
        }
    }

    /// <summary>What follows a position; null if nothing that is remembered does.</summary>
    public LogRead<LogEvent>? Read(LogPosition after, int max)
    {
        lock (gate)
        {
            if (from is null || after < from || !IsNewer(after))
                return null;
            var first = FirstAfter(after);
            var count = Math.Min(max, events.Count - first);
            var slice = new LogEvent[count];
            for (var i = 0; i < count; i++)
                slice[i] = events[first + i].Event;
            var last = slice[^1].Position;
            return new LogRead<LogEvent>(slice, last, first + count < events.Count ? last : complete);
        }
    }

    bool IsNewer(LogPosition after) => events.Count > 0 && events[^1].Event.Position > after;

    int FirstAfter(LogPosition after)
    {
        var (low, high) = (0, events.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (events[middle].Event.Position > after)
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }

    // A quarter more than allowed is let in before the oldest go, so that the list is not moved at every step.
    void Forget()
    {
        if (events.Count <= options.MaxRecentEvents * 5 / 4 && bytes <= options.MaxRecentBytes)
            return;
        var gone = Math.Max(0, events.Count - options.MaxRecentEvents);
        var left = bytes - events.Take(gone).Sum(e => (long)e.Bytes);
        while (gone < events.Count && left > options.MaxRecentBytes * 3L / 4)
            left -= events[gone++].Bytes;
        if (gone == 0)
            return;
        from = events[gone - 1].Event.Position;
        bytes = left;
        events.RemoveRange(0, gone);
    }

    void Signal()
    {
        grown.SetResult();
        grown = NewSignal();
    }

    static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
