using System.Data.Common;
using Npgsql;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres.Log;

/// <summary>Positions of followers in <c>oms.checkpoint</c>.</summary>
public sealed class Checkpoints(NpgsqlDataSource source) : ICheckpoints
{
    /// <inheritdoc />
    public Task<LogPosition> Load(string follower) => Ask(async connection =>
    {
        await using var command = new NpgsqlCommand(
            "select transaction, position from oms.checkpoint where follower = $1", connection)
        { Parameters = { LogSql.Of(follower) } };
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? new LogPosition(reader.GetInt64(0), reader.GetInt64(1)) : LogPosition.Start;
    });

    /// <inheritdoc />
    public Task<bool> Advance(string follower, LogPosition from, LogPosition to) =>
        Ask(connection => Advance(connection, follower, from, to));

    /// <summary>
    /// The same on a connection of the caller, in its transaction: what a projection writes and how far it has read
    /// then become visible together. The row stays locked until the transaction ends.
    /// </summary>
    public static async Task<bool> Advance(
        NpgsqlConnection connection, string follower, LogPosition from, LogPosition to)
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
                LogSql.Of(follower), LogSql.Of(from.Transaction), LogSql.Of(from.Ordinal),
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
