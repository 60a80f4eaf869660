using System.Text;
using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Postgres.Laws;

/// <summary>
/// Every event of a store, whatever log it is in, by stream and version; streams in the order of the database, by bytes.
/// </summary>
sealed class StoredEvents : IAsyncDisposable
{
    static readonly Comparer<string> InBytes = Comparer<string>.Create(Compare);

    readonly List<Snapshot> _logs = [];

    /// <summary>
    /// Begins to read. What the lists have read is in it: each log's moment is that of the lists or a later one.
    /// </summary>
    /// <param name="logs">By their numbers; null if there is one, in the database of the lists.</param>
    public static async Task<StoredEvents> Begin(
        Snapshot lists, IReadOnlyList<NpgsqlDataSource>? logs, CancellationToken cancel)
    {
        var events = new StoredEvents();
        if (logs is null) events._logs.Add(await lists.Beside(cancel));
        else
            foreach (var log in logs) events._logs.Add(await Snapshot.Begin(log, cancel));
        return events;
    }

    /// <summary>Reads them all.</summary>
    public async IAsyncEnumerable<LogEvent> All()
    {
        List<IAsyncEnumerator<LogEvent>> heads = [.. _logs.Select((log, number) => Read(log.Connection, number))];
        var open = new List<IAsyncEnumerator<LogEvent>>();
        try
        {
            foreach (var head in heads)
                if (await head.MoveNextAsync()) open.Add(head);
            while (open.Count > 0)
            {
                var first = open.MinBy(h => h.Current.Stream, InBytes)!;
                yield return first.Current;
                if (!await first.MoveNextAsync()) open.Remove(first);
            }
        }
        finally
        {
            foreach (var head in heads) await head.DisposeAsync();
        }
    }

    /// <summary>As the database orders streams.</summary>
    public static int Compare(string a, string b) =>
        Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));

    static async IAsyncEnumerator<LogEvent> Read(NpgsqlConnection connection, int log)
    {
        await using var command = new NpgsqlCommand(
            $"select {LogReader.Columns} from oms.event order by stream, version", connection) { CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) yield return LogReader.Decode(reader, log).Event;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var log in _logs) await log.DisposeAsync();
    }
}
