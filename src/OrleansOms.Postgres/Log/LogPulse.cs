using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres.Log;

/// <summary>
/// Wakes those who wait for new events. While somebody waits, one loop for the whole process reads on from the newest
/// known position: at once after a commit of this process, and at an interval for the commits of others. NOTIFY is not
/// used: it makes all commits of the database wait for each other.
/// </summary>
sealed class LogPulse : IAsyncDisposable
{
    static readonly TimeSpan PauseAfterFault = TimeSpan.FromMilliseconds(500);

    readonly LogReader reader;
    readonly RecentEvents recent;
    readonly OwnTransactions own;
    readonly EventLogOptions options;
    readonly SemaphoreSlim wake = new(0);
    readonly CancellationTokenSource stopping = new();
    readonly Task loop;
    int woken;
    int waiters;

    public LogPulse(LogReader reader, RecentEvents recent, OwnTransactions own, EventLogOptions options)
    {
        (this.reader, this.recent, this.own, this.options) = (reader, recent, own, options);
        loop = Task.Run(Follow);
    }

    /// <summary>Something was committed here.</summary>
    public void Committed()
    {
        if (Volatile.Read(ref waiters) > 0)
            Wake();
    }

    /// <summary>Completes when there is something after the position, or when the time is up.</summary>
    public async Task Wait(LogPosition after, TimeSpan atMost, CancellationToken cancel)
    {
        var deadline = Environment.TickCount64 + (long)atMost.TotalMilliseconds;
        var first = Interlocked.Increment(ref waiters) == 1;
        try
        {
            while (true)
            {
                var look = recent.LookAt(after);
                var growth = look.Growth;
                if (growth is null)
                    return;
                if (first || look.From is not { } from || after < from)
                {
                    // Nobody has followed until now, or not from so far back: the memory cannot tell.
                    if (await reader.Any(after))
                        return;
                    first = false;
                    growth = recent.Begin(after, look);
                    if (growth is null)
                        continue;
                }
                Wake();
                var left = TimeSpan.FromMilliseconds(Math.Max(0, deadline - Environment.TickCount64));
                await growth.WaitAsync(left, cancel);
                return;
            }
        }
        catch (TimeoutException)
        {
            return;
        }
        finally
        {
            Interlocked.Decrement(ref waiters);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await loop;
        stopping.Dispose();
        wake.Dispose();
    }

    void Wake()
    {
        if (Interlocked.Exchange(ref woken, 1) == 0)
            wake.Release();
    }

    async Task Follow()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var idle = Volatile.Read(ref waiters) == 0;
                await wake.WaitAsync(idle ? Timeout.InfiniteTimeSpan : options.PollInterval, stopping.Token);
                Volatile.Write(ref woken, 0);
                if (Volatile.Read(ref waiters) == 0 || recent.Through is not { } after)
                    continue;
                var read = await reader.All(after, options.MaxReadEvents);
                recent.Add(after, read);
                own.Forget(read.Through);
                await Task.Delay(options.MinPollGap, stopping.Token);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception)
            {
                // Whoever waits is told by its next read, or goes on waiting until the database is back.
                await Task.WhenAny(Task.Delay(PauseAfterFault, stopping.Token));
            }
        }
    }
}
