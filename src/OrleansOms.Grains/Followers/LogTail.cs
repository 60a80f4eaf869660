using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Grains.Stock;

namespace OrleansOms.Grains.Followers;

/// <summary>
/// Reads the log as it grows and tells everyone in this process: the indexes that plans and checks are made from, and
/// live screens. It starts where the read model stands and must be started before grains are called. It stops at nothing: what
/// a newer program has written is passed on as unknown, and what a stock has after that is asked of the stock. Where the read
/// model is far behind the program starts nevertheless, and this process knows too little to plan until it has caught up.
/// </summary>
public sealed partial class LogTail(
    IEventLog log, IReadModel readModel, CatalogueIndex catalogue, AvailabilityIndex availability, WaitingIndex waiting, WaitingOrders waitingOrders, StockCounting counting,
    TimeProvider time, ILogger<LogTail> logger) : IHostedService
{
    const int BatchSize = 1000;
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    static readonly TimeSpan Blink = TimeSpan.FromMilliseconds(1);

    /// <summary>How long a start waits for what is stored. Followers, which move the read model, come after it.</summary>
    static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);

    readonly CancellationTokenSource _stop = new();
    readonly Lock _gate = new();
    Action<IReadOnlyList<LogEvent>>[] _subscribers = [];
    TaskCompletionSource _moved = New();
    Checkpoint _position, _complete;
    long _asked, _answered;
    CancellationTokenSource? _wake;
    bool _isAwaited, _isStill;
    Task _begun = new TaskCompletionSource().Task;
    DateTimeOffset _readAt;
    DateTimeOffset? _overtakenSince;
    Task _loop = Task.CompletedTask;

    /// <summary>Everything up to here has been told.</summary>
    public Checkpoint Position { get { lock (_gate) return _position; } }

    /// <summary>When the log was read for the last time, UTC, if it cannot be read at the moment; null if it can.</summary>
    public DateTimeOffset? StillSince { get { lock (_gate) return _isStill ? _readAt : null; } }

    /// <summary>Whether everything that was stored before the start has been told.</summary>
    public bool HasBegun => _begun.IsCompletedSuccessfully;

    /// <summary>Since when the log has events that only a newer program knows, UTC; null if this process has met none.</summary>
    public DateTimeOffset? OvertakenSince { get { lock (_gate) return _overtakenSince; } }

    /// <summary>
    /// Tells <paramref name="onBatch"/> of every event from now on, each stream in its order, one call at a time. It must be
    /// quick and must not throw: a slow reader slows every screen of this process.
    /// </summary>
    public IDisposable Subscribe(Action<IReadOnlyList<LogEvent>> onBatch)
    {
        lock (_gate) _subscribers = [.. _subscribers, onBatch];
        return new Subscription(this, onBatch);
    }

    /// <summary>Completes when everything that was committed before this call has been told.</summary>
    public async Task CaughtUp(CancellationToken cancel = default)
    {
        var now = await log.Now();
        await Until(() => _complete.Covers(now), isHurried: true, cancel);
    }

    /// <summary>
    /// Completes when everything that was committed before this call and can be read has been told. What stands behind an
    /// append that is still under way is not waited for: it may be one that waits for a standby that is gone.
    /// </summary>
    /// <exception cref="LogUnavailableException">The log does not answer.</exception>
    public async Task AtEnd(CancellationToken cancel = default)
    {
        var now = await log.Now();
        long mine;
        lock (_gate) mine = ++_asked;
        // Under load there is always more; then it is enough to have come past this moment.
        await Until(() => _answered >= mine || _complete.Covers(now), isHurried: true, cancel);
    }

    /// <summary>Completes when everything up to a checkpoint has been told.</summary>
    public Task Reached(Checkpoint through, CancellationToken cancel = default) =>
        Until(() => _position.Covers(through), isHurried: false, cancel);

    /// <summary>Looks after each read.</summary>
    /// <param name="isHurried">Whether the next read may not wait for more.</param>
    async Task Until(Func<bool> isSo, bool isHurried, CancellationToken cancel)
    {
        while (true)
        {
            Task moved;
            lock (_gate)
            {
                if (isSo()) return;
                moved = _moved.Task;
                if (isHurried)
                {
                    _isAwaited = true;
                    _wake?.Cancel();
                }
            }
            await moved.WaitAsync(cancel);
        }
    }

    /// <inheritdoc />
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var snapshot = await readModel.LoadIndexes();
        foreach (var product in snapshot.Products) catalogue.Set(product);
        foreach (var warehouse in snapshot.Warehouses) catalogue.Set(warehouse);
        foreach (var stock in snapshot.Stocks) availability.Set(stock);
        foreach (var sku in snapshot.Waiting.GroupBy(w => w.Line.Sku)) availability.SetWaiting(sku.Key, sku.Sum(w => (long)w.Line.Units));
        foreach (var held in waiting.Set(snapshot.Waiting)) _ = waitingOrders.Ask(held);
        lock (_gate) (_position, _readAt) = (snapshot.Position, time.GetUtcNow());
        _loop = Task.Run(Follow, CancellationToken.None);
        // Orders may be placed as soon as the process is ready, so it must know what is committed by now.
        _begun = CaughtUp(_stop.Token);
        try { await _begun.WaitAsync(StartPatience, time, cancellationToken); }
        catch (TimeoutException) { LogFar(logger); }
    }

    /// <inheritdoc />
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        // Nothing is lost with it: whoever stops the program need not wait for a database that does not answer.
        await _loop.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    async Task Follow()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                long asked;
                lock (_gate) asked = _asked;
                var batch = await log.ReadAll(Position, BatchSize).WaitAsync(_stop.Token);
                Tell(batch, asked);
                if (batch.Events.Count < BatchSize) await Rest(batch.Through);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested) { return; }
            catch (Exception e)
            {
                lock (_gate) _isStill = true;
                LogBehind(logger, e is OmsFaultException or TimeoutException ? e.Message : $"{e}");
                await Task.Delay(Pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Waits for more, or for someone who cannot wait that long.</summary>
    async Task Rest(Checkpoint through)
    {
        using var wake = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        bool isAwaited;
        lock (_gate)
        {
            (isAwaited, _isAwaited) = (_isAwaited, false);
            if (!isAwaited) _wake = wake;
        }
        try
        {
            // What is awaited may hang on a transaction that is under way: look again soon.
            if (isAwaited) await Task.Delay(Blink, _stop.Token);
            else await log.WaitForMore(through, Pause, wake.Token);
        }
        catch (OperationCanceledException) when (!_stop.IsCancellationRequested) { return; }
        finally
        {
            lock (_gate) _wake = null;
        }
    }

    void Tell(LogBatch batch, long asked)
    {
        foreach (var e in batch.Events)
        {
            if (e.Data is null) NoteNewer(e);
            if (e.Data is CatalogueEvent c)
            {
                catalogue.Apply(c, e.Version);
                continue;
            }
            if (!waiting.Apply(e)) _ = waitingOrders.Ask(e.Stream);
            if (!availability.Apply(e)) counting.Ask(e.Stream);
        }
        Action<IReadOnlyList<LogEvent>>[] subscribers;
        lock (_gate) subscribers = _subscribers;
        if (batch.Events.Count > 0)
            foreach (var subscriber in subscribers)
            {
                try { subscriber(batch.Events); }
                catch (Exception e) { LogSubscriber(logger, e); }
            }
        TaskCompletionSource moved;
        lock (_gate)
        {
            (_position, _complete) = (batch.Through, batch.Complete);
            if (batch.Events.Count < BatchSize) _answered = asked;
            (_isStill, _readAt) = (false, time.GetUtcNow());
            (moved, _moved) = (_moved, New());
        }
        moved.TrySetResult();
    }

    void NoteNewer(LogEvent e)
    {
        lock (_gate)
        {
            if (_overtakenSince is not null) return;
            _overtakenSince = e.At;
        }
        LogNewer(logger, e.Stream, e.Type);
    }

    static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(LogLevel.Warning, "The lists are far behind the log. This process starts, and is ready when it has read the rest.")]
    static partial void LogFar(ILogger logger);

    [LoggerMessage(LogLevel.Warning, "The log's tail stands still: {Reason}")]
    static partial void LogBehind(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Warning, "{Stream} goes on with {Type}, which a newer version of this program has written: what this process "
        + "shows is behind from now on. Replace it by that version.")]
    static partial void LogNewer(ILogger logger, string stream, string type);

    [LoggerMessage(LogLevel.Error, "A reader of the log's tail failed on a batch.")]
    static partial void LogSubscriber(ILogger logger, Exception e);

    sealed class Subscription(LogTail tail, Action<IReadOnlyList<LogEvent>> onBatch) : IDisposable
    {
        public void Dispose()
        {
            lock (tail._gate) tail._subscribers = [.. tail._subscribers.Where(s => s != onBatch)];
        }
    }
}
