using System.Threading.Channels;
using Npgsql;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres.Log;

/// <summary>
/// The event log in PostgreSQL. Appends are serialised on their callers' threads and wait in one bounded queue, from
/// which a few writers take what is there and commit it together. Disposing stores what waits, then ends.
/// </summary>
public sealed class EventLog : IEventLog, IAsyncDisposable
{
    readonly EventLogOptions options;
    readonly Channel<PendingAppend> queue;
    readonly SemaphoreSlim turn = new(1);
    readonly Task writers;
    readonly LogReader reader;
    readonly RecentEvents recent;
    readonly LogPulse tail;
    int disposed;

    /// <summary>Starts the writers; they connect with their first append.</summary>
    public EventLog(NpgsqlDataSource source, EventLogOptions? options = null, LogMetrics? metrics = null)
    {
        this.options = options ?? new EventLogOptions();
        queue = Channel.CreateBounded<PendingAppend>(new BoundedChannelOptions(this.options.MaxQueuedAppends)
        {
            FullMode = BoundedChannelFullMode.Wait, // TryWrite then answers false
        });
        metrics?.Queue(() => queue.Reader.Count);
        var own = new OwnTransactions();
        reader = new LogReader(source, this.options, own);
        recent = new RecentEvents(this.options);
        tail = new LogPulse(reader, recent, own, this.options);
        writers = Task.WhenAll(Enumerable.Range(0, this.options.Writers).Select(_ =>
            Task.Run(new LogWriter(queue.Reader, turn, source, this.options, own, metrics, tail.Committed).Run)));
    }

    /// <inheritdoc />
    /// <exception cref="ArgumentException">
    /// The append can never be stored: it is malformed, or PostgreSQL refuses one of its values. Nothing was stored.
    /// </exception>
    public ValueTask<AppendResult> Append(Append append)
    {
        var pending = new PendingAppend(append);
        if (queue.Writer.TryWrite(pending))
            return new ValueTask<AppendResult>(pending.Outcome);
        OmsFaultException fault = Volatile.Read(ref disposed) == 1
            ? new LogUnavailableException("The event log is closed.")
            : new LogBusyException();
        pending.EndSpans(fault.Message);
        throw fault;
    }

    /// <inheritdoc />
    public Task<IReadOnlyList<LogEvent>> ReadStream(string stream, int afterVersion = 0, int? max = null) =>
        reader.Stream(stream, afterVersion, max);

    /// <inheritdoc />
    public Task<IReadOnlyList<LogEvent>> ReadStreamBackwards(string stream, int beforeVersion, int max) =>
        reader.StreamBackwards(stream, beforeVersion, max);

    /// <inheritdoc />
    public Task<IReadOnlyList<LogEvent>> ReadStreams(IReadOnlyCollection<string> streams) =>
        reader.Streams([.. streams]);

    /// <inheritdoc />
    public async Task<LogBatch> ReadAll(LogPosition after, int max)
    {
        max = Math.Clamp(max, 1, options.MaxReadEvents);
        if (recent.Read(after, max) is { } remembered)
            return remembered;
        var (events, through) = await reader.All(after, max);
        recent.Add(after, events, through);
        return new LogBatch(events.ConvertAll(e => e.Event), through);
    }

    /// <inheritdoc />
    public Task<string?> FindHolder(Claim claim) => reader.Holder(claim);

    /// <inheritdoc />
    public Task WaitForMore(LogPosition after, TimeSpan atMost, CancellationToken cancel) =>
        tail.Wait(after, atMost, cancel);

    /// <inheritdoc />
    public Task<LogPosition> Now() => reader.Now();

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 1)
            return;
        queue.Writer.Complete();
        await writers;
        await tail.DisposeAsync();
        turn.Dispose();
    }
}
