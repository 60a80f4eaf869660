using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Contracts.Log;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>The real log, in which appends and followers can be held back for as long as a test looks at what happens meanwhile.</summary>
public sealed class SlowLog
{
    volatile Hold? _hold;
    volatile Hold? _reads;

    /// <summary>Takes the place of the log that is registered.</summary>
    public Func<IServiceProvider, IEventLog> Around(IServiceCollection services)
    {
        var real = services.Last(s => s.ServiceType == typeof(IEventLog)).ImplementationFactory!;
        return p => new Log((IEventLog)real(p), this);
    }

    /// <summary>Holds the next appends of streams that start so, until disposed.</summary>
    public Hold HoldAppendsOf(string prefix) => _hold = new Hold(this, prefix);

    /// <summary>Holds everybody who follows the log, until disposed: nobody is told what is stored from now on.</summary>
    public Hold HoldReads() => _reads = new Hold(this, "");

    /// <summary>What is held.</summary>
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
            if (owner._hold == this) owner._hold = null;
            if (owner._reads == this) owner._reads = null;
            _released.TrySetResult();
        }
    }

    sealed class Log(IEventLog log, SlowLog owner) : LogAround(log)
    {
        public override async ValueTask<AppendResult> Append(Append append)
        {
            if (owner._hold is { } hold) await hold.Pass(append.Main.Stream);
            return await base.Append(append);
        }

        public override async Task<LogBatch> ReadAll(Checkpoint after, int max)
        {
            await Pass();
            var batch = await base.ReadAll(after, max);
            // It may have been under way, and have read what was stored since.
            await Pass();
            return batch;
        }

        Task Pass() => owner._reads?.Pass("") ?? Task.CompletedTask;
    }
}
