using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres.Log;

/// <summary>A transaction of this process: its id and its events in their order.</summary>
readonly record struct OwnTransaction(long Id, ReadEvent[] Events);

/// <summary>
/// Transactions that this process has committed and not yet read back. It has their events in memory, so readers ask the
/// database for everybody else's only and put these in their places. What is missing here is read like everything else:
/// forgetting costs time, never an event.
/// </summary>
/// <param name="log">Number of the log that they are in.</param>
sealed class OwnTransactions(int log)
{
    /// <summary>Events that are kept; past this the oldest transactions are forgotten: nobody reads along.</summary>
    const int MaxEvents = 20_000;

    readonly Lock gate = new();
    readonly SortedDictionary<long, ReadEvent[]> known = [];
    int count;

    /// <summary>Keeps what a commit has stored.</summary>
    /// <param name="transaction">Its id.</param>
    /// <param name="positions">Of its events, in the order of the appends' rows.</param>
    public void Add(long transaction, IReadOnlyList<PendingAppend> appends, IReadOnlyList<long> positions)
    {
        var events = new ReadEvent[positions.Count];
        var i = 0;
        foreach (var append in appends)
        {
            var row = 0;
            foreach (var stream in append.Streams)
                foreach (var written in stream.Events)
                {
                    var stored = append.Rows[row++];
                    events[i] = new ReadEvent(
                        new LogEvent(
                            new LogPosition(transaction, positions[i]), stored.Stream, stored.Version, stored.Type,
                            written.Data, stored.Command, stored.Actor, written.At, log)
                        { Trace = stored.Trace },
                        stored.Json.Length);
                    i++;
                }
        }
        lock (gate)
        {
            known[transaction] = events;
            count += events.Length;
            while (count > MaxEvents && known.Count > 1) Remove(known.First());
        }
    }

    /// <summary>The known transactions behind a position, by id. One that the position is in is not among them.</summary>
    public List<OwnTransaction> After(LogPosition position)
    {
        var after = new List<OwnTransaction>();
        lock (gate)
            foreach (var (id, events) in known)
                if (id > position.Transaction) after.Add(new OwnTransaction(id, events));
        return after;
    }

    /// <summary>Lets go of what has been read back up to a position.</summary>
    public void Forget(LogPosition through)
    {
        lock (gate)
            while (known.Count > 0 && known.First() is var first && first.Key <= through.Transaction) Remove(first);
    }

    void Remove(KeyValuePair<long, ReadEvent[]> transaction)
    {
        known.Remove(transaction.Key);
        count -= transaction.Value.Length;
    }
}
