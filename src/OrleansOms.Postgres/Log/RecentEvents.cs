using System.Diagnostics;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres.Log;

/// <summary>
/// The newest events of the log that this process has read: all of them between two positions. Whoever is first to read
/// on fills it; the others need no database. What all of them have read is forgotten: each event that is still alive when
/// the collector comes makes everybody wait, and at full rate there are thousands a second.
/// </summary>
sealed class RecentEvents(EventLogOptions options)
{
    /// <summary>Who does not come within this time counts no more, and reads from the database if it comes later.</summary>
    static readonly TimeSpan ComesAgainWithin = TimeSpan.FromSeconds(10);

    // Where each reader is and when it came. Readers have no names: who asks at a place where one was left is that one.
    readonly List<(LogPosition At, long Came)> readers = [];
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
        {
            Move(after, after);
            return new Look(IsNewer(after) ? null : grown.Task, from);
        }
    }

    /// <summary>A reader that was at a position has read from the database.</summary>
    public void Moved(LogPosition after, LogPosition through)
    {
        lock (gate)
            Move(after, through);
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
            Move(after, last);
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

    void Move(LogPosition after, LogPosition through)
    {
        var now = Stopwatch.GetTimestamp();
        var known = readers.FindIndex(r => r.At == after);
        if (known < 0) readers.Add((through, now));
        else readers[known] = (through, now);
    }

    // A quarter more than necessary is kept before the oldest go, so that the list is not moved at every step.
    void Forget()
    {
        var gone = Math.Max(ReadByAll(), events.Count - options.MaxRecentEvents);
        if (gone * 5L <= events.Count && bytes <= options.MaxRecentBytes)
            return;
        var left = bytes - events.Take(gone).Sum(e => (long)e.Bytes);
        while (gone < events.Count && left > options.MaxRecentBytes * 3L / 4)
            left -= events[gone++].Bytes;
        if (gone == 0)
            return;
        from = events[gone - 1].Event.Position;
        bytes = left;
        events.RemoveRange(0, gone);
    }

    /// <summary>Events that no reader needs any more. Who is so far behind that it needs the database anyhow does not count.</summary>
    int ReadByAll()
    {
        readers.RemoveAll(r => Stopwatch.GetElapsedTime(r.Came) > ComesAgainWithin);
        var slowest = through;
        foreach (var (at, _) in readers)
            if (at >= from && at < slowest) slowest = at;
        return FirstAfter(slowest);
    }

    void Signal()
    {
        grown.SetResult();
        grown = NewSignal();
    }

    static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
