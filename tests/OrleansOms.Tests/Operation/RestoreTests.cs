using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OrleansOms.Host.Database;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Operation;

/// <summary>A backup is one that was restored: with the commands that the runbook has, from real programs at work.</summary>
[Collection(AloneCollection.Name)]
public sealed class RestoreTests
{
    /// <summary>Transactions by which the server of the backup is ahead of the one that it is restored to, at least.</summary>
    const int Ahead = 20_000;

    [Fact]
    public async Task What_was_acknowledged_before_a_backup_is_there_on_another_server_and_goes_on()
    {
        await using var database = await TestDatabase.Create();
        await database.Execute($"do $$ begin for n in 1..{Ahead} loop perform pg_current_xact_id(); commit; end loop; end $$");
        await using var program = new OmsProcess(database.ConnectionString, Trade.Address);
        await program.Start();
        using var trade = await Trade.Begin(program.Url);
        using var folder = new TestFolder();

        var moment = trade.Now;
        await Runbook.Run(["backup"], folder.Path, Variables(database.ConnectionString));
        await trade.Until(more: 5);
        await trade.End();

        using var elsewhere = new TestFolder();
        await using var server = await PrivatePostgres.Start(elsewhere.Path, null, NullLogger.Instance, CancellationToken.None);
        var target = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = "oms_restored" }.ConnectionString;
        await using (var postgres = NpgsqlDataSource.Create(server.ConnectionString))
        await using (var next = postgres.CreateCommand("select pg_current_xact_id()::text::bigint"))
            Assert.True((long)(await next.ExecuteScalarAsync())! < Ahead, "The other server has come as far already.");
        await Runbook.Run(["restore"], folder.Path, Variables(target));

        // The one that the backup is of still runs: this one must not take it for its own.
        await using var restored = new OmsProcess(target, Trade.Address);
        await restored.Start();
        await using var source = NpgsqlDataSource.Create(target);
        await Trade.Check(restored, source, trade.PlacedBefore(moment));
        Assert.NotEqual(0, await database.Ask<long>("select count(*) from oms.orleans_silo"));
        await using var silos = source.CreateCommand("select count(*) from oms.orleans_silo");
        Assert.Equal(1L, await silos.ExecuteScalarAsync());
    }

    [Fact]
    public async Task The_programs_own_database_is_restored_in_another_folder()
    {
        await using var program = new OmsProcess("", Trade.Address);
        await program.Start();
        using var trade = await Trade.Begin(program.Url);
        var moment = trade.Now;
        await Runbook.Run(["own server", "backup"], program.Data, []);
        await trade.End();

        await using var restored = new OmsProcess("", Trade.Address);
        await restored.Start();
        await restored.Signal("TERM");
        await restored.Ended;
        await Runbook.Run(["start own", "own server", "restore own", "restore", "stop own"], restored.Data, [("BACKUP", program.Data)]);
        await restored.Start();
        await using var source = NpgsqlDataSource.Create(
            await File.ReadAllTextAsync(Path.Combine(restored.Data, "postgres.connection")));
        await Trade.Check(restored, source, trade.PlacedBefore(moment));
    }

    static IReadOnlyList<(string, string)> Variables(string connectionString)
    {
        var to = new NpgsqlConnectionStringBuilder(connectionString);
        return
        [
            ("PGHOST", to.Host!), ("PGPORT", $"{to.Port}"), ("PGUSER", to.Username!), ("PGPASSWORD", to.Password!),
            ("PGDATABASE", to.Database!),
        ];
    }
}
