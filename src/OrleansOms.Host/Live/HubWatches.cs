using Microsoft.AspNetCore.SignalR;

namespace OrleansOms.Host.Live;

/// <summary>
/// What one connection watches. Each watch has a pump of its own that waits for the connection, so a connection that does
/// not read fills its own mailboxes and hurts nobody else.
/// </summary>
/// <param name="client">The connection.</param>
/// <param name="abort">Cuts the connection when a watch breaks off: the client connects again and has missed nothing.</param>
sealed class HubWatches(ISingleClientProxy client, Action abort, ILogger logger)
{
    /// <summary>Most things that one connection can watch.</summary>
    public const int Capacity = 100;

    readonly Lock _gate = new();
    readonly Dictionary<string, Pump> _pumps = new(StringComparer.Ordinal);
    readonly List<Pump> _waiting = [];
    bool _isClosed;

    /// <summary>Whether one more thing can be watched under this name.</summary>
    public bool HasRoomFor(string name)
    {
        lock (_gate) return _pumps.Count < Capacity || _pumps.ContainsKey(name);
    }

    /// <summary>
    /// Adds a watch in place of the one of the same name. It says nothing before <see cref="StartWaiting"/>, so that the
    /// answer to the call that began it is sent first.
    /// </summary>
    public async Task Add(string name, IDisposable watch, Func<ISingleClientProxy, CancellationToken, Task> push)
    {
        await Remove(name);
        var pump = new Pump(watch, push);
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
            foreach (var pump in _waiting) pump.Start(client, abort, logger);
            _waiting.Clear();
        }
    }

    /// <summary>Ends a watch; nothing of it is sent after this.</summary>
    public async Task Remove(string name)
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

    sealed class Pump(IDisposable watch, Func<ISingleClientProxy, CancellationToken, Task> push)
    {
        readonly CancellationTokenSource _stop = new();
        Task _run = Task.CompletedTask;

        public void Start(ISingleClientProxy client, Action abort, ILogger logger) => _run = Run(client, abort, logger);

        public async Task Stop()
        {
            watch.Dispose();
            await _stop.CancelAsync();
            await _run;
            _stop.Dispose();
        }

        async Task Run(ISingleClientProxy client, Action abort, ILogger logger)
        {
            await Task.Yield();
            try { await push(client, _stop.Token); }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested) { return; }
            catch (Exception e)
            {
                HubLog.PumpFailed(logger, e);
                abort();
            }
        }
    }
}

static partial class HubLog
{
    [LoggerMessage(LogLevel.Error, "A live watch broke off.")]
    public static partial void PumpFailed(ILogger logger, Exception e);

    [LoggerMessage(LogLevel.Error, "A live call failed.")]
    public static partial void CallFailed(ILogger logger, Exception e);
}
