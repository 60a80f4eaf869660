using Npgsql;

namespace OrleansOms.Postgres.Laws;

/// <summary>A connection whose reads all see one moment of the database.</summary>
sealed class Snapshot : IAsyncDisposable
{
    readonly NpgsqlDataSource _database;
    readonly NpgsqlTransaction _transaction;
    readonly string _name;

    Snapshot(NpgsqlDataSource database, NpgsqlTransaction transaction, string name) =>
        (_database, _transaction, _name) = (database, transaction, name);

    public NpgsqlConnection Connection => _transaction.Connection!;

    public static async Task<Snapshot> Begin(NpgsqlDataSource database, CancellationToken cancel)
    {
        var transaction = await Open(database, cancel);
        await using var command = new NpgsqlCommand("select pg_export_snapshot()", transaction.Connection);
        return new Snapshot(database, transaction, (string)(await command.ExecuteScalarAsync(cancel))!);
    }

    /// <summary>Another connection that sees the same moment.</summary>
    public async Task<Snapshot> Beside(CancellationToken cancel)
    {
        var transaction = await Open(_database, cancel);
        await using var command = new NpgsqlCommand($"set transaction snapshot '{_name}'", transaction.Connection);
        await command.ExecuteNonQueryAsync(cancel);
        return new Snapshot(_database, transaction, _name);
    }

    static async Task<NpgsqlTransaction> Open(NpgsqlDataSource database, CancellationToken cancel)
    {
        var connection = await database.OpenConnectionAsync(cancel);
        return await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancel);
    }

    public async ValueTask DisposeAsync()
    {
        var connection = Connection;
        await _transaction.DisposeAsync();
        await connection.DisposeAsync();
    }
}
