using DbUp;
using Npgsql;

namespace OrleansOms.Postgres;

/// <summary>Brings a database to the present schema: the SQL files in <c>Migrations</c>, each once, in order.</summary>
public static class Migrator
{
    // One number that all versions of this program share; other programs in the database should not use it.
    const long LockKey = 0x6F6D_735F_6D69_6772; // "oms_migr"

    // Another process may be in the middle of a long migration.
    const int LockTimeoutSeconds = 600;

    /// <summary>
    /// Runs what has not run yet. Safe to call from several processes at once: they take turns by a lock that
    /// PostgreSQL gives up if its holder dies.
    /// </summary>
    /// <exception cref="InvalidOperationException">A script failed (it was rolled back), or the data is foreign.</exception>
    public static async Task Run(string connectionString)
    {
        // Not pooled: closing it ends the session, and with it the lock.
        var session = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString;
        await using var connection = new NpgsqlConnection(session);
        await connection.OpenAsync();
        await Execute(connection, $"select pg_advisory_lock({LockKey})");
        await Execute(connection, "create schema if not exists oms");
        var result = DeployChanges.To.PostgresqlDatabase(session)
            .WithScriptsEmbeddedInAssembly(typeof(Migrator).Assembly, name => name.EndsWith(".sql"))
            .WithVariablesDisabled() // $…$ quotes text in PostgreSQL
            .WithTransactionPerScript()
            .JournalToPostgresqlTable("oms", "migration")
            .LogToNowhere()
            .Build()
            .PerformUpgrade();
        if (!result.Successful)
        {
            throw new InvalidOperationException(
                $"Migration {result.ErrorScript?.Name} failed: {result.Error.Message}", result.Error);
        }
        await RefuseForeignTransactions(connection);
    }

    // Readers order by transaction id and stop at the newest running one. A logical dump carries the ids of the server
    // it was taken from: restored elsewhere, its events may lie in the future and would not be read for a long time.
    static async Task RefuseForeignTransactions(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("""
            select coalesce((select max(xid) from oms.event) >= pg_snapshot_xmax(pg_current_snapshot()), false)
            """, connection);
        if (await command.ExecuteScalarAsync() is true)
        {
            throw new InvalidOperationException(
                "The event log has transactions that this PostgreSQL has not reached: it was restored from a logical " +
                "dump of another server. Restore a physical backup, or advance the server's transaction id first.");
        }
    }

    static async Task Execute(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = LockTimeoutSeconds };
        await command.ExecuteNonQueryAsync();
    }
}
