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

    /// <inheritdoc />
    protected override int BatchSize => 2000;

    /// <inheritdoc />
    protected override Task<Checkpoint> Load() => readModel.Position();

    /// <inheritdoc />
    protected override async Task<bool> Handle(Checkpoint from, LogBatch batch)
    {
        using (Traces.BeginAll(Follower, ActivityKind.Consumer, batch.Events.Select(e => e.Trace)))
            if (!await readModel.Apply(from, batch)) return false;
        if (batch.Events.Count < BatchSize) await Task.Delay(Moment, Stopping);
        return true;
    }
}
