using Microsoft.AspNetCore.SignalR;

namespace OrleansOms.Host.Live;

/// <summary>What a connection watches under one name.</summary>
/// <param name="What"><c>order</c>, <c>warehouse</c> or <c>orders</c>.</param>
/// <param name="Of">The argument of the call that began it; null for all orders.</param>
readonly record struct WatchName(string What, string? Of);

/// <summary>
/// What one connection watches. Each watch has a pump of its own that waits for the connection, so a connection that does
/// not read fills its own mailboxes and hurts nobody else.
/// </summary>
/// <param name="client">The connection.</param>
/// <param name="abort">Cuts the connection when a watch breaks off: the client connects again and has missed nothing.</param>
sealed class HubWatches(ISingleClientProxy client, Action abort, TimeProvider time, ILogger logger)
{
    /// <summary>Most things that one connection can watch.</summary>
    public const int Capacity = 100;

    readonly Lock _gate = new();
    readonly Dictionary<WatchName, Pump> _pumps = [];
    readonly List<Pump> _waiting = [];
    bool _isClosed;

    ISingleClientProxy Client => client;
    Action Abort => abort;
    TimeProvider Time => time;
    ILogger Logger => logger;

    /// <summary>Whether one more thing can be watched under this name.</summary>
    public bool HasRoomFor(WatchName name)
    {
        lock (_gate) return _pumps.Count < Capacity || _pumps.ContainsKey(name);
    }

    /// <summary>
    /// Adds a watch in place of the one of the same name. It says nothing before <see cref="StartWaiting"/>, so that the
    /// answer to the call that began it is sent first.
    /// </summary>
    public async Task Add(
        WatchName name, IDisposable watch, StillAllowed still, Func<ISingleClientProxy, CancellationToken, Task> push)
    {
        await Remove(name);
        var pump = new Pump(this, name, watch, still, push);
        lock (_gate)
        {
            if (!_isClosed)
            {
                _pumps[name] = pump;
                _waiting.Add(pump);
                return;
            }
        }
        await pump.Stop();
    }

    /// <summary>Starts the watches that were added since the last call.</summary>
    public void StartWaiting()
    {
        lock (_gate)
        {
            foreach (var pump in _waiting) pump.Start();
            _waiting.Clear();
        }
    }

    /// <summary>Ends a watch; nothing of it is sent after this.</summary>
    public async Task Remove(WatchName name)
    {
        Pump? pump;
        lock (_gate)
        {
            if (!_pumps.Remove(name, out pump)) return;
            _waiting.Remove(pump);
        }
        await pump.Stop();
    }

    /// <summary>Ends all watches for good.</summary>
    public async Task Close()
    {
        Pump[] pumps;
        lock (_gate)
        {
            _isClosed = true;
            pumps = [.. _pumps.Values];
            _pumps.Clear();
            _waiting.Clear();
        }
        foreach (var pump in pumps) await pump.Stop();
    }

    sealed class Pump(
        HubWatches all, WatchName name, IDisposable watch, StillAllowed still,
        Func<ISingleClientProxy, CancellationToken, Task> push)
    {
        readonly CancellationTokenSource _stop = new();
        Task _run = Task.CompletedTask;

        public void Start() => _run = Run();

        public async Task Stop()
        {
            watch.Dispose();
            await _stop.CancelAsync();
            await _run;
            _stop.Dispose();
        }

        async Task Run()
        {
            await Task.Yield();
            using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            var pushes = push(new AllowedClient(all.Client, still), over.Token);
            var asks = AskNowAndThen(over.Token);
            try { await await Task.WhenAny(pushes, asks); }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested) { }
            catch (AccessEndedException) { await End(); }
            catch (Exception e)
            {
                HubLog.PumpFailed(all.Logger, e);
                all.Abort();
            }
            await over.CancelAsync();
            await Task.WhenAll(pushes, asks).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task AskNowAndThen(CancellationToken stop)
        {
            while (true)
            {
                await Task.Delay(Security.KeyRing.Lifetime, all.Time, stop);
                if (!await still()) throw new AccessEndedException();
            }
        }

        async Task End()
        {
            watch.Dispose();
            lock (all._gate)
                if (all._pumps.GetValueOrDefault(name) == this) all._pumps.Remove(name);
            try { await all.Client.SendAsync("watchEnded", new WatchEnded(name.What, name.Of, "access_ended"), _stop.Token); }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested) { }
        }
    }

    /// <summary>Sends nothing that the receiver may not see any more.</summary>
    sealed class AllowedClient(ISingleClientProxy client, StillAllowed still) : ISingleClientProxy
    {
        public async Task SendCoreAsync(string method, object?[] args, CancellationToken cancellationToken = default)
        {
            if (!await still()) throw new AccessEndedException();
            await client.SendCoreAsync(method, args, cancellationToken);
        }

        public Task<T> InvokeCoreAsync<T>(string method, object?[] args, CancellationToken cancellationToken) =>
            throw new NotSupportedException("Clients are told, not asked.");
    }

    sealed class AccessEndedException : Exception;
}

static partial class HubLog
{
    [LoggerMessage(LogLevel.Error, "A live watch broke off.")]
    public static partial void PumpFailed(ILogger logger, Exception e);

    [LoggerMessage(LogLevel.Error, "A live call failed.")]
    public static partial void CallFailed(ILogger logger, Exception e);
}
