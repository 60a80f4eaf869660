using System.Collections.Concurrent;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Postgres.Log;

/// <summary>
/// Events that this process has committed and not yet read back. They are facts that it has in memory already, so the
/// first reader that meets them need not parse them again; it takes them out. The fence makes (stream, version) one event
/// for ever, so what was committed under it is what the log holds.
/// </summary>
sealed class OwnEvents
{
    /// <summary>Past this the oldest are forgotten: somebody was faster and has parsed them, or nobody reads along.</summary>
    const int Max = 20_000;

    readonly ConcurrentDictionary<(string Stream, int Version), (DomainEvent Data, int Characters)> _events = new();
    readonly ConcurrentQueue<(string Stream, int Version)> _order = new();

    /// <summary>Keeps what was committed. Before the commit it would not be certain whose event it is.</summary>
    public void Add(PendingAppend append)
    {
        var row = 0;
        foreach (var stream in append.Streams)
            foreach (var written in stream.Events)
            {
                var stored = append.Rows[row++];
                _events[(stored.Stream, stored.Version)] = (written.Data, stored.Json.Length);
                _order.Enqueue((stored.Stream, stored.Version));
            }
        while (_order.Count > Max && _order.TryDequeue(out var oldest)) _events.TryRemove(oldest, out _);
    }

    public bool TryTake(string stream, int version, out DomainEvent? data, out int characters)
    {
        var found = _events.TryRemove((stream, version), out var own);
        (data, characters) = own;
        return found;
    }
}
