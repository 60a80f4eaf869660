using System.Data.Common;
using System.Globalization;
using Npgsql;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres.Log;

/// <summary>
/// Checkpoints of followers in <c>oms.checkpoint</c>: for the first log a row under the follower's name, for each other
/// one a row under its name, a slash and the log's number.
/// </summary>
public sealed class Checkpoints(NpgsqlDataSource source) : ICheckpoints
{
    /// <summary>SQL for whether a row belongs to the follower that is the first parameter.</summary>
    internal const string IsOfFollower = "split_part(follower, '/', 1) = $1";

    /// <inheritdoc />
    public Task<Checkpoint> Load(string follower) => Ask(connection => Load(connection, follower));

    /// <inheritdoc />
    public Task<bool> Advance(string follower, Checkpoint from, Checkpoint to) => Ask(async connection =>
    {
        await using var transaction = to.Logs > 1 ? await connection.BeginTransactionAsync() : null;
        var isMoved = await Advance(connection, follower, from, to);
        if (isMoved && transaction is not null) await transaction.CommitAsync();
        return isMoved;
    });

    /// <summary>The same as <see cref="Load(string)"/> on a connection of the caller.</summary>
    public static async Task<Checkpoint> Load(
        NpgsqlConnection connection, string follower, CancellationToken cancel = default)
    {
        await using var command = new NpgsqlCommand($"""
            select split_part(follower, '/', 2), transaction, position from oms.checkpoint where {IsOfFollower}
            """, connection)
        { Parameters = { LogSql.Of(follower) } };
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var positions = new List<LogPosition>(1);
        while (await reader.ReadAsync(cancel))
        {
            var log = reader.GetString(0) is { Length: > 0 } number ? int.Parse(number, CultureInfo.InvariantCulture) : 0;
            while (positions.Count <= log) positions.Add(LogPosition.Start);
            positions[log] = new LogPosition(reader.GetInt64(1), reader.GetInt64(2));
        }
        return positions.Count == 0 ? Checkpoint.Start : Checkpoint.At([.. positions]);
    }

    /// <summary>
    /// The same as <see cref="Advance(string, Checkpoint, Checkpoint)"/> on a connection of the caller, in its
    /// transaction: what a projection writes and how far it has read then become visible together. The rows stay locked
    /// until the transaction ends; where the answer is false, it must be rolled back.
    /// </summary>
    public static async Task<bool> Advance(NpgsqlConnection connection, string follower, Checkpoint from, Checkpoint to)
    {
        for (var log = 0; log < to.Logs; log++)
        {
            // Rows of all logs, moved or not, so that of two readers from one checkpoint only one goes on.
            if (!await Advance(connection, log == 0 ? follower : $"{follower}/{log}", from[log], to[log])) return false;
        }
        return true;
    }

    /// <summary>
    /// Takes every follower back to where its log ends, if it stands behind that: it has read there what the log has lost since,
    /// on another server, and would pass over what comes now. To be called before anything new is appended. Of a log that is
    /// in the database of its followers' places neither can be lost without the other.
    /// </summary>
    /// <param name="places">The database that the followers' places are in.</param>
    /// <param name="logs">By the log's number.</param>
    public static async Task StayWithin(NpgsqlDataSource places, IReadOnlyList<NpgsqlDataSource> logs)
    {
        await using var connection = await places.OpenConnectionAsync();
        for (var log = 0; log < logs.Count; log++)
        {
            if (logs[log] == places) continue;
            var kept = await Rows(log == 0 ? "" : $"{log}");
            // The end is asked for after them: a follower that goes on meanwhile is not behind an end that has moved too.
            await using var ask = logs[log].CreateCommand("select pg_snapshot_xmax(pg_current_snapshot())");
            var end = new LogPosition((long)(ulong)(await ask.ExecuteScalarAsync())! - 1, long.MaxValue);
            foreach (var (follower, at) in kept.Where(k => k.At > end)) await Advance(connection, follower, at, end);
        }

        async Task<List<(string Follower, LogPosition At)>> Rows(string log)
        {
            await using var read = new NpgsqlCommand(
                "select follower, transaction, position from oms.checkpoint where split_part(follower, '/', 2) = $1", connection)
            { Parameters = { LogSql.Of(log) } };
            await using var reader = await read.ExecuteReaderAsync();
            var rows = new List<(string, LogPosition)>();
            while (await reader.ReadAsync()) rows.Add((reader.GetString(0), new LogPosition(reader.GetInt64(1), reader.GetInt64(2))));
            return rows;
        }
    }

    static async Task<bool> Advance(NpgsqlConnection connection, string row, LogPosition from, LogPosition to)
    {
        // Only whoever begins at the start may create the row.
        var sql = from == LogPosition.Start
            ? """
              insert into oms.checkpoint as c (follower, transaction, position) values ($1, $4, $5)
              on conflict (follower) do update set transaction = $4, position = $5
              where c.transaction = $2 and c.position = $3
              """
            : """
              update oms.checkpoint set transaction = $4, position = $5
              where follower = $1 and transaction = $2 and position = $3
              """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                LogSql.Of(row), LogSql.Of(from.Transaction), LogSql.Of(from.Ordinal),
                LogSql.Of(to.Transaction), LogSql.Of(to.Ordinal),
            },
        };
        return await command.ExecuteNonQueryAsync() == 1;
    }

    async Task<T> Ask<T>(Func<NpgsqlConnection, Task<T>> question)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync();
            return await question(connection);
        }
        catch (DbException e)
        {
            throw new LogUnavailableException($"The checkpoints did not answer: {e.Message}");
        }
    }
}
