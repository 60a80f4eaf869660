using Npgsql;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres;

/// <summary>How the read model talks to its database.</summary>
static class ReadModelSql
{
    /// <summary>A statement with its parameters by position: arrays, texts, numbers and moments, or a parameter whose type must be told.</summary>
    public static NpgsqlBatchCommand Statement(string sql, params IEnumerable<object?> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in parameters)
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value ?? DBNull.Value });
        return command;
    }

    /// <summary>Runs a query that is planned for its own parameters and reads its rows.</summary>
    public static Task<List<T>> Read<T>(
        NpgsqlDataSource database, string sql, IEnumerable<object?> parameters, Func<NpgsqlDataReader, T> row) =>
        Ask(database, connection => Read(connection, sql, parameters, row));

    /// <summary>The same on a connection of the caller, in its transaction.</summary>
    public static async Task<List<T>> Read<T>(
        NpgsqlConnection connection, string sql, IEnumerable<object?> parameters, Func<NpgsqlDataReader, T> row)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Statement(sql, parameters) } };
        await using var reader = await batch.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
            rows.Add(row(reader));
        return rows;
    }

    /// <exception cref="LogUnavailableException">The database did not answer, or cannot now.</exception>
    public static async Task<T> Ask<T>(NpgsqlDataSource database, Func<NpgsqlConnection, Task<T>> question)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync();
            return await question(connection);
        }
        catch (NpgsqlException e) when (!IsBug(e))
        {
            throw new LogUnavailableException($"The read model did not answer: {e.Message}");
        }
    }

    // Class 22: a value that does not fit; 23: a broken constraint; 42: a statement that is wrong.
    static bool IsBug(NpgsqlException e) => e.SqlState is { } state
        && (state.StartsWith("22", StringComparison.Ordinal) || state.StartsWith("23", StringComparison.Ordinal)
            || state.StartsWith("42", StringComparison.Ordinal));
}
