using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Postgres.Log;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Log;

public sealed class AppendFaultTests : LogTest
{
    protected override EventLogOptions Options => new() { MaxQueuedAppends = 20, Writers = 1, MaxBatchRows = 5 };

    [Fact]
    public async Task A_full_queue_refuses_at_once_and_recovers()
    {
        var accepted = new List<Task<AppendResult>>();
        var refused = 0;
        await using (await StopWrites())
        {
            for (var i = 0; i < 100; i++)
            {
                try
                {
                    accepted.Add(Log.Append(Of($"stk-A/{i}")).AsTask());
                }
                catch (LogBusyException)
                {
                    refused++;
                }
            }
            // 20 wait, and at most two batches of 5 are in the writer's hands.
            Assert.InRange(accepted.Count, 20, 30);
            Assert.Equal(100, accepted.Count + refused);
            Assert.All(accepted, a => Assert.False(a.IsCompleted));
        }
        Assert.All(await Task.WhenAll(accepted).WaitAsync(Patience), r => Assert.IsType<AppendResult.Committed>(r));
        Assert.Equal(accepted.Count, await Database.Ask<long>("select count(*) from oms.event"));
        await Store(Of("stk-A/later"));
    }

    [Fact]
    public async Task A_database_that_does_not_answer_in_time_makes_the_outcome_unknown()
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        using var failed = new Counted(meters, "oms.log.failed");
        await using var log = new EventLog(Database.Source, Options with { CommandTimeoutSeconds = 1 }, new LogMetrics(meters));
        await using (await StopWrites())
            await Assert.ThrowsAsync<LogUnavailableException>(async () => await log.Append(Of("ord-1")));
        Assert.Equal(1, failed.Sum);

        Assert.IsType<AppendResult.Committed>(await log.Append(Of("ord-2")));
        Assert.Equal(0, await HeadOf("ord-1"));
    }

    [Fact]
    public async Task A_server_that_has_fallen_silent_is_given_up_and_asked_again_when_it_speaks()
    {
        var target = new NpgsqlConnectionStringBuilder(Database.ConnectionString);
        var port = target.Port;
        await using var wire = new Relay(() => port);
        (target.Host, target.Port, target.Timeout) = ("127.0.0.1", new Uri(wire.Url).Port, 2);
        await using var source = NpgsqlDataSource.Create(target.ConnectionString);
        await using var log = new EventLog(source, Options with { CommandTimeoutSeconds = 1 });
        await log.Append(Of("ord-1"));

        wire.IsMute = true;
        await Assert.ThrowsAsync<LogUnavailableException>(() => log.Append(Of("ord-2")).AsTask().WaitAsync(Patience));
        wire.IsMute = false;
        for (AppendResult? stored = null; stored is null;)
        {
            try { stored = await log.Append(Of("ord-3")).AsTask().WaitAsync(Patience); }
            catch (OmsFaultException) { continue; } // It is still giving up.
            Assert.IsType<AppendResult.Committed>(stored);
        }
    }

    [Fact]
    public async Task A_database_that_is_not_there_fails_every_append_and_none_waits()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Database=x;Username=x");
        await using var log = new EventLog(nowhere);

        var all = Enumerable.Range(0, 50).Select(i => log.Append(Of($"ord-{i}")).AsTask()).ToArray();

        foreach (var append in all)
            await Assert.ThrowsAsync<LogUnavailableException>(() => append.WaitAsync(Patience));
        await Assert.ThrowsAsync<LogUnavailableException>(() => log.ReadStream("ord-1"));
        await Assert.ThrowsAsync<LogUnavailableException>(() => log.ReadAll(Checkpoint.Start, 1));
    }

    [Fact]
    public async Task Killed_connections_lose_nothing_that_was_acknowledged_and_split_nothing()
    {
        await using var log = new EventLog(Database.Source, new EventLogOptions { MaxBatchRows = 20 });
        var (stored, unknown) = (new ConcurrentBag<string>(), new ConcurrentBag<string>());
        using var enough = new CancellationTokenSource();
        async Task Caller(int caller)
        {
            for (var i = 0; !enough.IsCancellationRequested; i++)
            {
                var key = $"{caller}-{i}";
                try
                {
                    var append = new Append(Events($"ord-{key}", count: 2), [Events($"shp-{key}")],
                        [new Claim("key", key)]);
                    Assert.IsType<AppendResult.Committed>(await log.Append(append));
                    stored.Add(key);
                }
                catch (LogUnavailableException)
                {
                    unknown.Add(key);
                }
            }
        }
        var callers = Enumerable.Range(0, 32).Select(i => Task.Run(() => Caller(i))).ToArray();
        for (var round = 0; round < 40 || unknown.Count < 20; round++)
        {
            Assert.True(round < 2_000, "No append was hit.");
            await Database.Execute("""
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and query like '%insert into oms.event%'
                """);
            var seen = stored.Count;
            await Until(() => Task.FromResult(stored.Count > seen));
        }
        await enough.CancelAsync();
        await Task.WhenAll(callers).WaitAsync(Patience);

        var rows = await Rows();
        Assert.All(stored, key => Assert.Equal((2, 1, 1), rows[key]));
        Assert.All(unknown, key => Assert.True(!rows.TryGetValue(key, out var found) || found == (2, 1, 1)));
        Assert.True(rows.Keys.ToHashSet().SetEquals(stored.Concat(unknown.Where(rows.ContainsKey))));
        Assert.IsType<AppendResult.Committed>(await log.Append(Of("ord-after")));
    }

    async Task<Dictionary<string, (int Order, int Shipment, int Claims)>> Rows()
    {
        var rows = new Dictionary<string, (int, int, int)>();
        await using var command = Database.Source.CreateCommand("""
            select coalesce(e.key, c.key), coalesce(e.orders, 0)::int, coalesce(e.shipments, 0)::int, coalesce(c.n, 0)::int
            from (
              select substr(stream, 5) as key, count(*) filter (where stream like 'ord-%') as orders,
                count(*) filter (where stream like 'shp-%') as shipments
              from oms.event group by 1) e
            full join (select value as key, count(*) as n from oms.claim group by 1) c on c.key = e.key
            """);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            rows.Add(reader.GetString(0), (reader.GetInt32(1), reader.GetInt32(2), reader.GetInt32(3)));
        return rows;
    }
}
