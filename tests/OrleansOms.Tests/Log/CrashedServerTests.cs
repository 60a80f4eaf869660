using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Postgres;
using OrleansOms.Postgres.Log;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Operation;

namespace OrleansOms.Tests.Log;

/// <summary>A server that crashes and forgets which transactions it had begun.</summary>
public sealed class CrashedServerTests
{
    [Fact]
    public async Task A_reader_that_lives_through_a_crash_misses_nothing_of_a_transaction_whose_number_was_given_out_before()
    {
        await using var server = await PlainPostgres.Start();
        // What was rolled back is not on disk for as long as that.
        await Do(server, "alter system set wal_writer_delay = '10s'");
        await Do(server, "select pg_reload_conf()");
        await Migrator.Run(server.ConnectionTo("oms"));
        await using var source = NpgsqlDataSource.Create(server.ConnectionTo("oms"));
        await using var log = new EventLog(source);
        await Store(log, "ord-1");

        // Somebody reads to the end of the log, past a transaction that comes to nothing.
        long lost;
        await using (var connection = await source.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await using var command = new NpgsqlCommand(
                "begin; create table public.nothing (x int); select pg_current_xact_id()::text::bigint", connection);
            lost = (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
            await using var rollback = new NpgsqlCommand("rollback", connection);
            await rollback.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        var end = Checkpoint.At(new LogPosition(lost, 1));
        var read = await Silos.Until(() => log.ReadAll(Checkpoint.Start, 100), b => b.Complete.Covers(end));
        await log.WaitForMore(read.Through, TimeSpan.FromMilliseconds(300), TestContext.Current.CancellationToken);

        await server.Stop("immediate");
        await server.StartAgain();
        await Store(log, "ord-2");

        var next = Assert.Single((await Silos.Until(() => log.ReadAll(read.Through, 100), b => b.Events.Count > 0)).Events);
        Assert.Equal("ord-2", next.Stream);
        Assert.True(read.Complete.Covers(next), $"Its number was to be given out again: {next.Position} after {lost}.");
    }

    static async Task Do(PlainPostgres server, string sql)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionTo("oms") + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Stores it, however often the answer is lost.</summary>
    static Task Store(EventLog log, string order) => Silos.Until(async () =>
    {
        try
        {
            return await log.Append(new Append(new StreamEvents(
                order, 0, [new NewEvent(new OrderAbandoned(), "c", "test", DateTimeOffset.UtcNow)])));
        }
        catch (LogUnavailableException) { return null; }
    }, result => result is not null);
}
