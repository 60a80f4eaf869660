using System.Runtime.InteropServices;

namespace OrleansOms.Host.Cluster;

/// <summary>
/// How a process is told to stop. A front end first says for a while that it is not ready, and goes on: whoever stands
/// before it must have noticed before it takes nothing more. Told a second time, it stops at once.
/// </summary>
/// <param name="time">How long that is; zero where nobody stands before it.</param>
/// <param name="isMember">
/// Whether another process has started it and stops it in its turn: Ctrl-C at a terminal reaches all of them at once.
/// </param>
public sealed class Drain(TimeSpan time, bool isMember, IHostApplicationLifetime lifetime) : IHostLifetime, IDisposable
{
    /// <summary>
    /// Of a front end: a proxy looks once a second whether it is ready, and Kubernetes takes some seconds to tell its nodes.
    /// </summary>
    public static readonly TimeSpan OfFrontEnd = TimeSpan.FromSeconds(5);

    readonly List<PosixSignalRegistration> _signals = [];
    int _told;

    /// <summary>Whether it should be sent nothing more.</summary>
    public bool HasBegun => Volatile.Read(ref _told) > 0;

    /// <inheritdoc />
    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT])
            _signals.Add(PosixSignalRegistration.Create(signal, Hear));
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    void Hear(PosixSignalContext context)
    {
        context.Cancel = true;
        if (isMember && context.Signal != PosixSignal.SIGTERM) return;
        var isFirst = Interlocked.Increment(ref _told) == 1;
        if (isFirst && lifetime.ApplicationStarted.IsCancellationRequested) _ = StopAfter();
        else lifetime.StopApplication();
    }

    async Task StopAfter()
    {
        await Task.Delay(time);
        lifetime.StopApplication();
    }

    /// <inheritdoc />
    public void Dispose() => _signals.ForEach(s => s.Dispose());
}
