using Npgsql;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres.Log;

/// <summary>
/// The event log in PostgreSQL: one log, or several that streams are spread over by <see cref="LogOf"/>. Disposing stores
/// what waits, then ends.
/// </summary>
public sealed class EventLog : IEventLog, IAsyncDisposable
{
    readonly OneLog[] logs;

    /// <summary>The event log in one database.</summary>
    public EventLog(NpgsqlDataSource source, EventLogOptions? options = null, LogMetrics? metrics = null)
        : this([source], options, metrics) { }

    /// <summary>The event log in several databases; see <see cref="LogDatabases.Check"/>.</summary>
    /// <param name="sources">By the log's number.</param>
    public EventLog(IReadOnlyList<NpgsqlDataSource> sources, EventLogOptions? options = null, LogMetrics? metrics = null)
    {
        options ??= new EventLogOptions();
        logs = [.. sources.Select((source, number) => new OneLog(number, source, options, metrics))];
        metrics?.Queue(() => logs.Sum(l => l.Queued));
    }

    /// <inheritdoc />
    /// <exception cref="ArgumentException">
    /// The append can never be stored: it is malformed, or PostgreSQL refuses one of its values. Nothing was stored.
    /// </exception>
    public ValueTask<AppendResult> Append(Append append)
    {
        if (logs.Length == 1) return logs[0].Append(append);
        var number = LogOf.Stream(append.Main.Stream, logs.Length);
        // One transaction stores it, so all of it is in one log; and only one log can tell that a claim is taken.
        if (append.Births.Any(b => LogOf.Stream(b.Stream, logs.Length) != number))
            throw new ArgumentException($"What is born with {append.Main.Stream} is in another log.");
        if (append.Claims.Count > 0 && number != LogOf.Claims)
            throw new ArgumentException($"{append.Main.Stream} is not in the log of claims.");
        return logs[number].Append(append);
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<LogEvent>> ReadStream(string stream, int afterVersion = 0, int? max = null) =>
        ReaderOf(stream).Stream(stream, afterVersion, max);

    /// <inheritdoc />
    public Task<IReadOnlyList<LogEvent>> ReadStreamBackwards(string stream, int beforeVersion, int max) =>
        ReaderOf(stream).StreamBackwards(stream, beforeVersion, max);

    /// <inheritdoc />
    public async Task<IReadOnlyList<LogEvent>> ReadStreams(IReadOnlyCollection<string> streams)
    {
        if (logs.Length == 1) return await logs[0].Reader.Streams([.. streams]);
        var read = await Task.WhenAll(streams.GroupBy(ReaderOf).Select(g => g.Key.Streams([.. g])));
        return [.. read.SelectMany(r => r)];
    }

    /// <inheritdoc />
    public async Task<LogBatch> ReadAll(Checkpoint after, int max)
    {
        if (logs.Length == 1)
        {
            var read = await logs[0].ReadAll(after[0], max);
            return new LogBatch(read.Events, Checkpoint.At(read.Through)) { Complete = Checkpoint.At(read.Complete) };
        }
        var share = Math.Max(1, max / logs.Length);
        var parts = await Task.WhenAll(logs.Select((log, number) => log.ReadAll(after[number], share)));
        var all = parts.SelectMany(p => p.Events).ToList();
        // What others leave of their shares goes to those who have more, so that nobody takes a small batch for the end.
        for (var number = 0; number < logs.Length; number++)
        {
            if (parts[number].Events.Count < share || all.Count >= max) continue;
            var more = await logs[number].ReadAll(parts[number].Through, max - all.Count);
            all.AddRange(more.Events);
            parts[number] = more;
        }
        return new LogBatch(all, Checkpoint.At([.. parts.Select(p => p.Through)]))
        {
            Complete = Checkpoint.At([.. parts.Select(p => p.Complete)]),
        };
    }

    /// <inheritdoc />
    public Task<bool> IsStored(string stream, string commandId, DateTimeOffset since) =>
        ReaderOf(stream).Has(stream, commandId, since);

    /// <inheritdoc />
    public async Task WaitForMore(Checkpoint after, TimeSpan atMost, CancellationToken cancel)
    {
        if (logs.Length == 1)
        {
            await logs[0].WaitForMore(after[0], atMost, cancel);
            return;
        }
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task[] waits = [.. logs.Select((log, number) => log.WaitForMore(after[number], atMost, enough.Token))];
        var first = await Task.WhenAny(waits);
        await enough.CancelAsync();
        await Task.WhenAll(waits).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
    }

    /// <inheritdoc />
    public async Task<Checkpoint> Now() => Checkpoint.At(await Task.WhenAll(logs.Select(l => l.Reader.Now())));

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var log in logs) await log.DisposeAsync();
    }

    LogReader ReaderOf(string stream) => logs[LogOf.Stream(stream, logs.Length)].Reader;
}
