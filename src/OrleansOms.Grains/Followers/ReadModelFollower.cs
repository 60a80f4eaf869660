using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Grains.Followers;

/// <summary>Folds the log into the read model.</summary>
[GrainType("oms-read-model")]
public sealed class ReadModelFollower(
    IEventLog log, IReadModel readModel, GrainMetrics metrics, ILogger<ReadModelFollower> logger)
    : FollowerGrain(log, metrics, logger), IReadModelFollower
{
    /// <summary>
    /// What an aggregate does within this time is written as one row: an order is placed, allocated, paid and released in
    /// a moment, and its rows need not be written for each step. The first event after a rest does not wait.
    /// </summary>
    static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    const int Usual = 2_000;

    /// <summary>
    /// Events at once when it is far behind. What has happened to an order in that time is written as one row, and what is
    /// read back from the log is less.
    /// </summary>
    const int FarBehind = 10_000;

    bool _isFarBehind;

    /// <inheritdoc />
    protected override int Place => 0;

    /// <inheritdoc />
    protected override int BatchSize => _isFarBehind ? FarBehind : Usual;

    /// <inheritdoc />
    protected override Task<Checkpoint> Load() => readModel.Begin();

    /// <inheritdoc />
    protected override async Task<bool> Handle(Checkpoint from, LogBatch batch)
    {
        using (Traces.BeginAll(Follower, ActivityKind.Consumer, batch.Events.Select(e => e.Trace)))
            if (!await readModel.Apply(from, batch)) return false;
        _isFarBehind = batch.Events.Count >= Usual;
        if (!_isFarBehind) await Task.Delay(Moment, Stopping);
        return true;
    }
}
