using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Tests.ApiTests;

/// <summary>The real log, in which appends can be held back for as long as a test looks at what happens meanwhile.</summary>
public sealed class SlowLog
{
    volatile Hold? _hold;

    /// <summary>Takes the place of the log that is registered.</summary>
    public Func<IServiceProvider, IEventLog> Around(IServiceCollection services)
    {
        var real = services.Last(s => s.ServiceType == typeof(IEventLog)).ImplementationFactory!;
        return p => new Log((IEventLog)real(p), this);
    }

    /// <summary>Holds the next appends of streams that start so, until disposed.</summary>
    public Hold HoldAppendsOf(string prefix) => _hold = new Hold(this, prefix);

    /// <summary>Appends that are held.</summary>
    public sealed class Hold(SlowLog owner, string prefix) : IDisposable
    {
        readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Completes when the first one is held.</summary>
        public Task Reached => _reached.Task.WaitAsync(TimeSpan.FromSeconds(60));

        internal async Task Pass(string stream)
        {
            if (!stream.StartsWith(prefix, StringComparison.Ordinal)) return;
            _reached.TrySetResult();
            await _released.Task;
        }

        /// <inheritdoc />
        public void Dispose()
        {
            owner._hold = null;
            _released.TrySetResult();
        }
    }

    sealed class Log(IEventLog log, SlowLog owner) : IEventLog, IAsyncDisposable
    {
        public async ValueTask<AppendResult> Append(Append append)
        {
            if (owner._hold is { } hold) await hold.Pass(append.Main.Stream);
            return await log.Append(append);
        }

        public Task<IReadOnlyList<LogEvent>> ReadStream(string stream, int afterVersion = 0, int? max = null) =>
            log.ReadStream(stream, afterVersion, max);
        public Task<IReadOnlyList<LogEvent>> ReadStreamBackwards(string stream, int beforeVersion, int max) =>
            log.ReadStreamBackwards(stream, beforeVersion, max);
        public Task<IReadOnlyList<LogEvent>> ReadStreams(IReadOnlyCollection<string> streams) => log.ReadStreams(streams);
        public Task<LogBatch> ReadAll(LogPosition after, int max) => log.ReadAll(after, max);
        public Task<string?> FindHolder(Claim claim) => log.FindHolder(claim);
        public Task WaitForMore(LogPosition after, TimeSpan atMost, CancellationToken cancel) =>
            log.WaitForMore(after, atMost, cancel);
        public Task<LogPosition> Now() => log.Now();
        public ValueTask DisposeAsync() => ((IAsyncDisposable)log).DisposeAsync();
    }
}
