using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Postgres.Log;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Log;

/// <summary>A database and a log for each test, and short words for appends.</summary>
public abstract class LogTest : IAsyncLifetime
{
    protected static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    protected TestDatabase Database { get; private set; } = null!;
    protected EventLog Log { get; private set; } = null!;
    protected virtual EventLogOptions Options => new();

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.Create();
        Log = new EventLog(Database.Source, Options);
        await Prepare();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await End();
        await Log.DisposeAsync();
        await Database.DisposeAsync();
    }

    protected virtual Task Prepare() => Task.CompletedTask;
    protected virtual Task End() => Task.CompletedTask;

    protected static NewEvent Event(int quantity = 1, string command = "c-1") =>
        new(new StockReceived(quantity, "PO-1"), command, "system", Noon);

    protected static NewEvent Event(DomainEvent data) => new(data, "c-1", "system", Noon);

    protected static StreamEvents Events(string stream, int expected = 0, int count = 1) =>
        new(stream, expected, [.. Enumerable.Range(1, count).Select(i => Event(i))]);

    protected static Append Of(string stream, int expected = 0, int count = 1) => new(Events(stream, expected, count));

    protected static Append Claiming(string stream, params Claim[] claims) => new(Events(stream), [], claims);

    /// <summary>Appends that must be stored.</summary>
    protected async Task Store(params Append[] appends)
    {
        foreach (var append in appends)
            Assert.IsType<AppendResult.Committed>(await Log.Append(append));
    }

    /// <summary>Keeps everybody from writing events until the answer is disposed.</summary>
    protected async Task<IAsyncDisposable> StopWrites()
    {
        var connection = await Database.Source.OpenConnectionAsync();
        await Run(connection, "begin; lock table oms.event in share mode");
        return connection;
    }

    /// <summary>Makes appends meet in one batch: they are all queued while a first one keeps each writer busy.</summary>
    protected async Task<AppendResult[]> Together(params Append[] appends)
    {
        List<Task<AppendResult>> results;
        await using (await StopWrites())
        {
            var busy = new List<Task<AppendResult>>();
            for (var writer = 1; writer <= Options.Writers; writer++)
            {
                busy.Add(Log.Append(Of($"busy-{Guid.NewGuid()}")).AsTask());
                await Until(async () => await WaitingForLock() == busy.Count);
            }
            results = [.. busy, .. appends.Select(a => Log.Append(a).AsTask())];
        }
        return [.. (await Task.WhenAll(results).WaitAsync(Patience)).Skip(Options.Writers)];
    }

    protected Task<long> WaitingForLock() => Database.Ask<long>("""
        select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        """);

    protected static async Task Until(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await condition())
            await Task.Delay(5, patience.Token);
    }

    protected static async Task Run(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>What another process would have written.</summary>
    protected static string InsertSql(string stream, int version, string type = "stock.received.v1") => $$"""
        insert into oms.event (stream, version, type, data, command, actor, at)
        values ('{{stream}}', {{version}}, '{{type}}', '{"quantity":1,"reference":"x"}', 'c', 'system', now())
        """;

    /// <summary>Reads the log in small steps up to a moment.</summary>
    protected async Task<List<LogEvent>> ReadUpTo(Checkpoint moment, int step = 7)
    {
        var (read, at) = (new List<LogEvent>(), Checkpoint.Start);
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var batch = await Log.ReadAll(at, step);
            read.AddRange(batch.Events);
            at = batch.Through;
            if (batch.Complete.Covers(moment)) return read;
            if (batch.Events.Count == 0) await Task.Delay(5, patience.Token);
        }
    }

    /// <summary>The first read after a position that has events.</summary>
    protected async Task<LogBatch> ReadSome(Checkpoint after)
    {
        LogBatch? read = null;
        await Until(async () => (read = await Log.ReadAll(after, 100)).Events.Count > 0);
        return read!;
    }

    protected async Task<int> HeadOf(string stream) =>
        (await Log.ReadStreamBackwards(stream, int.MaxValue, 1)).SingleOrDefault()?.Version ?? 0;

    /// <summary>The streams are at these versions.</summary>
    protected async Task AssertHeads(int[] expected, params string[] streams) =>
        Assert.Equal(expected, await Task.WhenAll(streams.Select(HeadOf)));
}
