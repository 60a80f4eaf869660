using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;
using OrleansOms.Grains.Upgrades;

namespace OrleansOms.Grains.Followers;

/// <summary>
/// Reads the log from its own checkpoint, each stream in its order, and handles it batch by batch. What fails is tried again, at
/// growing intervals, before anything later is touched: handling must bear repetition. Before an event that a newer program
/// has written it stops, and goes on in a silo that knows it, or when there is one.
/// </summary>
[KeepAlive]
public abstract partial class FollowerGrain(IEventLog log, GrainMetrics metrics, ILogger logger)
    : Grain, IFollower
{
    static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(15);

    /// <summary>A wait that is over because the activation ends is no error.</summary>
    const ConfigureAwaitOptions Quietly =
        ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext;

    readonly CancellationTokenSource _stop = new();
    Task _loop = Task.CompletedTask;

    /// <summary>Prefix of the keys of followers.</summary>
    public const string Prefix = "fol-";

    /// <summary>The event log.</summary>
    protected IEventLog Log => log;

    /// <summary>Figures for those who watch the program.</summary>
    protected GrainMetrics Metrics => metrics;

    /// <summary>Its name in the table of checkpoints.</summary>
    protected string Follower => this.GetPrimaryKeyString()[Prefix.Length..];

    /// <summary>Most events that are handled at once.</summary>
    protected virtual int BatchSize => 500;

    /// <summary>Cancelled when the activation ends.</summary>
    protected CancellationToken Stopping => _stop.Token;

    /// <inheritdoc />
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _loop = Follow();
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _loop.WaitAsync(cancellationToken).ConfigureAwait(Quietly);
    }

    /// <inheritdoc />
    public Task Ensure()
    {
        if (MayMove && ServiceProvider.GetRequiredService<SilosByVersion>().TakeTo(Place, GrainContext)) LogMoves(logger, Follower);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Where it runs: on the silo that is so many younger than the oldest, or the youngest. Without it all followers would stay
    /// with the first silo that was there, which would have all of their work and as many orders as every other.
    /// </summary>
    protected virtual int Place => 2;

    /// <summary>Whether it knows nothing at the moment that it would not find again from its checkpoint on.</summary>
    protected virtual bool MayMove => true;

    /// <summary>Where to begin.</summary>
    protected abstract Task<Checkpoint> Load();

    /// <summary>Handles a batch and saves how far it has come; false if another activation was faster.</summary>
    protected abstract Task<bool> Handle(Checkpoint from, LogBatch batch);

    /// <summary>
    /// Called when there is nothing more to read, and again after <see cref="Patience"/> without any event; false if
    /// another activation was faster.
    /// </summary>
    protected virtual Task<bool> Tick() => Task.FromResult(true);

    /// <summary>How long it waits for events before the next tick.</summary>
    protected virtual TimeSpan Patience => TimeSpan.FromSeconds(2);

    async Task Follow()
    {
        await Task.Yield();
        try { await Run(); }
        finally { metrics.Gone(Follower); }
    }

    async Task Run()
    {
        var pause = TimeSpan.FromMilliseconds(100);
        Checkpoint? saved = null;
        var at = Checkpoint.Start;
        (Task<LogBatch> Read, int Size)? ahead = null;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (saved is null) (saved, ahead) = (at = await Load(), null);
                var (read, size) = ahead ?? (log.ReadAll(at, BatchSize), BatchSize);
                ahead = null;
                var batch = await read;
                var newer = batch.Events.FirstOrDefault(e => e.Data is null);
                if (newer is not null) batch = Before(newer, at, batch);
                if (batch.Events.Count > 0)
                {
                    metrics.Behind(Follower);
                    if (batch.Events.Count >= size) ahead = (ReadAhead(batch.Through), BatchSize);
                    if (!await Handle(saved.Value, batch))
                    {
                        saved = null;
                        continue;
                    }
                    saved = batch.Through;
                }
                at = batch.Through;
                newer?.Known();
                if (batch.Events.Count < size)
                {
                    if (!await Tick())
                    {
                        saved = null;
                        continue;
                    }
                    metrics.AtEnd(Follower);
                    await log.WaitForMore(batch.Through, Patience, _stop.Token);
                }
                pause = TimeSpan.FromMilliseconds(100);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested) { return; }
            catch (NewerEventException e) when (ServiceProvider.GetRequiredService<SilosByVersion>().TakeToNewer(GrainContext))
            {
                LogLeaves(logger, Follower, e.Message);
                return;
            }
            catch (NewerEventException e)
            {
                LogNewer(logger, Follower, e.Message, pause.TotalSeconds);
                await Fail();
            }
            catch (Exception e)
            {
                // Faults pass; a bug is told again and again until someone mends it, and nothing is skipped meanwhile.
                LogFailed(logger, e, Follower, pause.TotalSeconds);
                await Fail();
            }
        }

        async Task Fail()
        {
            metrics.Behind(Follower);
            saved = null;
            await Task.Delay(pause, _stop.Token).ConfigureAwait(Quietly);
            pause = pause * 2 < MaxPause ? pause * 2 : MaxPause;
        }
    }

    static LogBatch Before(LogEvent newer, Checkpoint at, LogBatch batch)
    {
        LogEvent[] known = [.. batch.Events.TakeWhile(e => e != newer)];
        return new LogBatch(known, at.And(known));
    }

    /// <summary>
    /// Reads the next batch of a long way beside the handling of this one, on a thread of its own: to parse it is half of the
    /// work. If this one fails, what was read is forgotten with whatever was wrong with it.
    /// </summary>
    Task<LogBatch> ReadAhead(Checkpoint after)
    {
        var size = BatchSize;
        var ahead = Task.Run(() => log.ReadAll(after, size));
        _ = ahead.ContinueWith(t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return ahead;
    }

    [LoggerMessage(LogLevel.Information, "Follower {Follower} moves to another silo.")]
    static partial void LogMoves(ILogger logger, string follower);

    [LoggerMessage(LogLevel.Information, "Follower {Follower} goes to a silo of a newer version: {Reason}")]
    static partial void LogLeaves(ILogger logger, string follower, string reason);

    [LoggerMessage(LogLevel.Error, "Follower {Follower} waits for a silo of a newer version and looks again in {Seconds} s: {Reason} "
        + "Start the version that has written it, and do not go back behind it.")]
    static partial void LogNewer(ILogger logger, string follower, string reason, double seconds);

    [LoggerMessage(LogLevel.Error, "Follower {Follower} failed and tries again in {Seconds} s.")]
    static partial void LogFailed(ILogger logger, Exception e, string follower, double seconds);
}
