using System.Threading.Channels;
using Npgsql;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres.Log;

/// <summary>
/// One of the logs: a database with its writers and readers. Appends are serialised on their callers' threads and wait in
/// one bounded queue, from which a few writers take what is there and commit it together. Disposing stores what waits,
/// then ends.
/// </summary>
sealed class OneLog : IAsyncDisposable
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
    /// <param name="number">Which log it is, from 0.</param>
    public OneLog(int number, NpgsqlDataSource source, EventLogOptions options, LogMetrics? metrics)
    {
        this.options = options;
        queue = Channel.CreateBounded<PendingAppend>(new BoundedChannelOptions(options.MaxQueuedAppends)
        {
            FullMode = BoundedChannelFullMode.Wait, // TryWrite then answers false
        });
        var own = new OwnTransactions(number);
        reader = new LogReader(number, source, options, own);
        recent = new RecentEvents(options);
        tail = new LogPulse(reader, recent, own, options);
        writers = Task.WhenAll(Enumerable.Range(0, options.Writers).Select(_ =>
            Task.Run(new LogWriter(queue.Reader, turn, source, options, own, metrics, tail.Committed).Run)));
    }

    /// <summary>Appends that no writer has taken yet.</summary>
    public int Queued => queue.Reader.Count;

    /// <summary>What does not go through the queue.</summary>
    public LogReader Reader => reader;

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

    /// <summary>The next events in commit order, and how far that is complete.</summary>
    public async Task<LogRead<LogEvent>> ReadAll(LogPosition after, int max)
    {
        max = Math.Clamp(max, 1, options.MaxReadEvents);
        if (recent.Read(after, max) is { } remembered)
            return remembered;
        var read = await reader.All(after, max);
        recent.Moved(after, read.Through);
        recent.Add(after, read);
        return new LogRead<LogEvent>([.. read.Events.Select(e => e.Event)], read.Through, read.Complete);
    }

    public Task WaitForMore(LogPosition after, TimeSpan atMost, CancellationToken cancel) =>
        tail.Wait(after, atMost, cancel);

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
