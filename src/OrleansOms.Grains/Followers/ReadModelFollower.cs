using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Grains.Followers;

/// <summary>Folds the log into the read model.</summary>
[GrainType("oms-read-model")]
public sealed class ReadModelFollower(IEventLog log, IReadModel readModel, ILogger<ReadModelFollower> logger)
    : FollowerGrain(log, logger), IReadModelFollower
{
    /// <inheritdoc />
    protected override Task<LogPosition> Load() => readModel.Position();

    /// <inheritdoc />
    protected override Task<bool> Handle(LogPosition from, LogBatch batch) => readModel.Apply(from, batch);
}
