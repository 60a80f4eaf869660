using Npgsql;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres;

/// <summary>The tables behind lists and searches: each row is the fold of one aggregate's events.</summary>
public sealed class ReadModel(NpgsqlDataSource database, IEventLog log) : IReadModel
{
    /// <summary>The name under which its position is kept.</summary>
    public const string Follower = "read-model";

    /// <inheritdoc />
    public Task<LogPosition> Position() => throw new NotImplementedException(database.ToString());

    /// <inheritdoc />
    public Task<bool> Apply(LogPosition from, LogBatch batch) => throw new NotImplementedException(log.ToString());

    /// <inheritdoc />
    public Task<IndexSnapshot> LoadIndexes() => throw new NotImplementedException();

    /// <inheritdoc />
    public Task<IReadOnlyList<string>> FindWaitingOrders(IReadOnlyCollection<string> skus, int max) =>
        throw new NotImplementedException();

    /// <summary>
    /// Empties every table of the read model and sets its position to the log's start, in one transaction; the follower
    /// then folds everything again.
    /// </summary>
    public Task Rebuild() => throw new NotImplementedException();
}
