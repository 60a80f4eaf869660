using OrleansOms.Contracts.Log;

namespace OrleansOms.Tests.Fixtures;

/// <summary>The real log, all of it; what a test does to appends stands in its own class.</summary>
public abstract class LogAround(IEventLog log) : IEventLog, IAsyncDisposable
{
    public virtual ValueTask<AppendResult> Append(Append append) => log.Append(append);
    public virtual Task<IReadOnlyList<LogEvent>> ReadStream(string stream, int afterVersion = 0, int? max = null) =>
        log.ReadStream(stream, afterVersion, max);
    public Task<IReadOnlyList<LogEvent>> ReadStreamBackwards(string stream, int beforeVersion, int max) =>
        log.ReadStreamBackwards(stream, beforeVersion, max);
    public virtual Task<IReadOnlyList<LogEvent>> ReadStreams(IReadOnlyCollection<string> streams) => log.ReadStreams(streams);
    public virtual Task<LogBatch> ReadAll(Checkpoint after, int max) => log.ReadAll(after, max);
    public Task<bool> IsStored(string stream, string commandId, DateTimeOffset since) =>
        log.IsStored(stream, commandId, since);
    public Task WaitForMore(Checkpoint after, TimeSpan atMost, CancellationToken cancel) =>
        log.WaitForMore(after, atMost, cancel);
    public Task<Checkpoint> Now() => log.Now();
    public ValueTask DisposeAsync() => ((IAsyncDisposable)log).DisposeAsync();
}
