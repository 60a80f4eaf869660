using OrleansOms.Tests.Fixtures;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Stock;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Tests.Log;

[Collection(AloneCollection.Name)]
public sealed class ReadAllTests : LogTest
{
    [Fact]
    public async Task Reads_in_commit_order_in_steps()
    {
        for (var i = 0; i < 30; i++)
            await Store(Of($"stk-A/{i % 3}", i / 3 * 2, 2));

        var read = await ReadUpTo(await Log.Now());

        Assert.Equal(60, read.Count);
        Assert.Equal(read.OrderBy(e => e.Position), read);
        Assert.Equal(60, read.DistinctBy(e => e.Position).Count());
        Assert.Equal(Enumerable.Range(1, 20), read.Where(e => e.Stream == "stk-A/1").Select(e => e.Version));
    }

    [Fact]
    public async Task A_slow_transaction_is_never_skipped()
    {
        await using var slow = await Database.Source.OpenConnectionAsync();
        await Store(Of("stk-A/before"));
        await Run(slow, "begin; " + InsertSql("stk-A/slow", 1));
        await Store(Of("stk-A/after"));

        // Transactions of other tests hold readers back too, so each read is repeated until it has something.
        var early = await ReadSome(Checkpoint.Start);
        var still = await Log.ReadAll(early.Through, 100);
        await Run(slow, "commit");
        var late = await ReadUpTo(await Log.Now());

        Assert.Equal(["stk-A/before"], early.Events.Select(e => e.Stream));
        Assert.Empty(still.Events);
        Assert.Equal(["stk-A/before", "stk-A/slow", "stk-A/after"], late.Select(e => e.Stream));
        var rest = await ReadSome(still.Through);
        Assert.Equal(["stk-A/slow", "stk-A/after"], rest.Events.Select(e => e.Stream));
    }

    [Fact]
    public async Task A_slow_transaction_of_another_database_holds_nobody_up_and_one_of_this_still_does()
    {
        await using var elsewhere = await TestDatabase.Create(migrated: false);
        await using var foreign = await elsewhere.Source.OpenConnectionAsync();
        await using var slow = await Database.Source.OpenConnectionAsync();
        await Run(foreign, "begin; create table public.large (x int)");
        await Store(Of("stk-A/before"));
        Assert.Equal(["stk-A/before"], (await ReadUpTo(await Log.Now())).Select(e => e.Stream));

        await Run(slow, "begin; " + InsertSql("stk-A/slow", 1));
        await Run(foreign, "savepoint later; create table public.larger (x int)");
        await Store(Of("stk-A/after"));
        var now = await Log.Now();
        for (var i = 0; i < 60; i++) // longer than it takes to find out who holds readers back
        {
            var early = await Log.ReadAll(Checkpoint.Start, 100);
            Assert.Equal(["stk-A/before"], early.Events.Select(e => e.Stream));
            Assert.False(early.Complete.Covers(now));
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
        await Run(slow, "commit");

        Assert.Equal(
            ["stk-A/before", "stk-A/slow", "stk-A/after"], (await ReadUpTo(await Log.Now())).Select(e => e.Stream));
        await Run(foreign, "rollback");
        Assert.Equal(3, (await ReadUpTo(await Log.Now())).Count);
    }

    [Fact]
    public async Task A_transaction_that_writes_to_other_tables_holds_nobody_up()
    {
        await using var open = await Database.Source.OpenConnectionAsync();
        await Run(open, "begin; create table public.large (x int)");
        await Store(Of("stk-A/during"));
        Assert.Equal(["stk-A/during"], (await ReadUpTo(await Log.Now())).Select(e => e.Stream));
        await Run(open, "rollback");
    }

    [Fact]
    public async Task An_append_that_has_its_claims_and_no_event_yet_is_waited_for()
    {
        // Its one writer has prepared its statements: to prepare them takes the locks too, before there is a number.
        await using var log = new EventLog(Database.Source, Options with { Writers = 1 });
        Assert.IsType<AppendResult.Committed>(await log.Append(Claiming("ord-before", new Claim("external", "0"))));
        Task<AppendResult> append;
        LogBatch early;
        await using (await StopWrites())
        {
            append = log.Append(Claiming("ord-1", new Claim("external", "1"))).AsTask();
            await Until(async () => await WaitingForLock() == 1);
            await Database.Execute("create table public.elsewhere (x int)");
            var now = await Log.Now();
            early = await ReadSome(Checkpoint.Start);
            for (var i = 0; i < 60; i++) // longer than it takes to find out who holds readers back
            {
                early = await Log.ReadAll(early.Through, 100);
                Assert.False(early.Complete.Covers(now));
                await Task.Delay(5, TestContext.Current.CancellationToken);
            }
        }
        Assert.IsType<AppendResult.Committed>(await append);
        Assert.Equal(["ord-1"], (await ReadSome(early.Through)).Events.Select(e => e.Stream));
    }

    [Fact]
    public async Task Under_slow_and_quick_writers_a_follower_sees_each_event_once_and_in_order()
    {
        const int Writers = 8, Each = 40;
        async Task Slow(int writer)
        {
            var random = new Random(writer);
            await using var connection = await Database.Source.OpenConnectionAsync();
            for (var i = 1; i <= Each; i++)
            {
                var end = random.Next(4) == 0 ? "rollback" : "commit";
                await Run(connection, "begin; " + InsertSql($"stk-{writer}/{i}", 1));
                await Store(Of($"ord-{writer}-{i}"));
                await Run(connection, end);
            }
        }
        var writers = Task.WhenAll(Enumerable.Range(0, Writers).Select(w => Task.Run(() => Slow(w))));
        var (seen, at) = (new List<LogEvent>(), Checkpoint.Start);
        while (!writers.IsCompleted)
        {
            await Log.WaitForMore(at, TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken);
            var batch = await Log.ReadAll(at, 5);
            Assert.All(batch.Events, e => Assert.True(!at.Covers(e) && batch.Through.Covers(e)));
            seen.AddRange(batch.Events);
            at = batch.Through;
        }
        await writers;
        var end = await Log.Now();
        for (var complete = Checkpoint.Start; !complete.Covers(end);)
        {
            var batch = await Log.ReadAll(at, 1000);
            (at, complete, seen) = (batch.Through, batch.Complete, [.. seen, .. batch.Events]);
        }

        Assert.Equal(await Database.Ask<long>("select count(*) from oms.event"), seen.Count);
        Assert.Equal(seen.Count, seen.DistinctBy(e => (e.Stream, e.Version)).Count());
        Assert.Equal(seen.OrderBy(e => e.Position), seen);
        Assert.Equal(Writers * Each, seen.Count(e => e.Stream.StartsWith("ord-")));
    }

    [Fact]
    public async Task What_a_process_wrote_itself_stands_in_its_place_among_others_as_it_is_stored()
    {
        await using var other = new EventLog(Database.Source, Options);
        var at = Noon.AddTicks(7); // finer than PostgreSQL keeps
        async Task Write(IEventLog log, string name)
        {
            for (var i = 0; i < 60; i++)
                Assert.IsType<AppendResult.Committed>(await log.Append(new Append(
                    new StreamEvents($"stk-{name}/{i}", 0, [new NewEvent(new StockReceived(i, name), $"c-{i}", name, at)]),
                    [Events($"shp-{name}-{i}", 0, 2)], [])));
        }
        var writers = Task.WhenAll(Write(Log, "a"), Write(other, "b"), Write(Log, "c"));
        var (followed, through, complete) = (new List<LogEvent>(), Checkpoint.Start, Checkpoint.Start);
        async Task Follow()
        {
            await Log.WaitForMore(through, TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
            var batch = await Log.ReadAll(through, 4);
            followed.AddRange(batch.Events);
            (through, complete) = (batch.Through, batch.Complete);
        }
        while (!writers.IsCompleted) await Follow();
        await writers;
        for (var end = await Log.Now(); !complete.Covers(end);) await Follow();

        await using var stranger = new EventLog(Database.Source, Options);
        var stored = (await stranger.ReadAll(Checkpoint.Start, 1000)).Events;
        Assert.Equal(540, stored.Count);
        Assert.Equal(stored, followed);
        Assert.Equal(stored, await ReadUpTo(through));
    }

    [Fact]
    public async Task An_empty_read_says_up_to_where_it_is_empty_and_stays_where_it_was()
    {
        await Store(Of("stk-A/1"));
        var first = await ReadSome(Checkpoint.Start);
        await Database.Execute("create table public.elsewhere (x int)");

        var now = await Log.Now();
        var empty = await Log.ReadAll(first.Through, 100);
        await Until(async () => (empty = await Log.ReadAll(first.Through, 100)).Complete.Covers(now));

        Assert.Empty(empty.Events);
        Assert.Equal(first.Through, empty.Through);
        await Store(Of("stk-A/2"));
        Assert.Equal("stk-A/2", Assert.Single((await ReadSome(empty.Through)).Events).Stream);
    }

    [Fact]
    public async Task Whoever_passes_now_has_read_everything_committed_before()
    {
        await using var slow = await Database.Source.OpenConnectionAsync();
        await Run(slow, "begin; " + InsertSql("stk-A/slow", 1));
        await Store(Of("stk-A/1"), Of("stk-A/2"));

        var now = await Log.Now();
        var blocked = await Log.ReadAll(Checkpoint.Start, 100);
        await Run(slow, "rollback");
        var read = await ReadUpTo(now);

        Assert.False(blocked.Complete.Covers(now), "An older transaction is still under way.");
        Assert.Equal(["stk-A/1", "stk-A/2"], read.Select(e => e.Stream));
    }

    [Fact]
    public async Task On_a_quiet_log_an_empty_read_reaches_now()
    {
        var now = await Log.Now();

        await Until(async () => (await Log.ReadAll(Checkpoint.Start, 10)).Complete.Covers(now));
    }

    [Fact]
    public async Task Waiting_ends_with_a_commit_here_and_with_one_elsewhere()
    {
        var at = (await Log.ReadAll(Checkpoint.Start, 10)).Through;
        var waiting = Log.WaitForMore(at, Patience, TestContext.Current.CancellationToken);
        await Store(Of("stk-A/1"));
        await waiting.WaitAsync(Patience, TestContext.Current.CancellationToken);
        var batch = await Log.ReadAll(at, 10);
        Assert.Single(batch.Events); // at once: what ended the waiting can be read

        waiting = Log.WaitForMore(batch.Through, Patience, TestContext.Current.CancellationToken);
        await Database.Execute(InsertSql("stk-A/2", 1));
        await waiting.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Single((await Log.ReadAll(batch.Through, 10)).Events);
    }

    [Fact]
    public async Task Waiting_ends_at_once_for_whoever_is_behind_and_also_beside_one_who_is_not()
    {
        await Store(Of("stk-A/1"));
        var head = (await ReadSome(Checkpoint.Start)).Through;
        using var enough = new CancellationTokenSource();
        var other = Log.WaitForMore(head, Patience, enough.Token);

        await Log.WaitForMore(Checkpoint.Start, Patience, enough.Token).WaitAsync(Patience / 2, enough.Token);

        Assert.False(other.IsCompleted);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => other);
    }

    [Fact]
    public async Task Waiting_without_news_takes_its_time()
    {
        var at = (await Log.ReadAll(Checkpoint.Start, 10)).Through;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var waits = Enumerable.Range(0, 20).Select(_ =>
            Log.WaitForMore(at, TimeSpan.FromMilliseconds(400), TestContext.Current.CancellationToken));
        await Task.WhenAll(waits);

        Assert.True(clock.ElapsedMilliseconds >= 390);
    }

    [Fact]
    public async Task Followers_near_the_head_share_what_one_has_read()
    {
        var at = (await Log.ReadAll(Checkpoint.Start, 10)).Through;
        var waiting = Log.WaitForMore(at, Patience, TestContext.Current.CancellationToken);
        await Store(Of("stk-A/1", count: 50));
        await waiting;

        await using var blocker = await Database.Source.OpenConnectionAsync();
        await Run(blocker, "begin; lock table oms.event in access exclusive mode");
        var first = await Log.ReadAll(at, 20);
        var second = await Log.ReadAll(first.Through, 100);
        var again = await Log.ReadAll(at, 100);

        Assert.Equal(Enumerable.Range(1, 50), first.Events.Concat(second.Events).Select(e => e.Version));
        Assert.Same(first.Events[0], again.Events[0]);
        Assert.Equal(again.Through, second.Through);
    }
}

public sealed class SmallMemoryTests : LogTest
{
    protected override EventLogOptions Options => new() { MaxRecentEvents = 8, MaxReadEvents = 5, MaxReadBytes = 90 };

    [Fact]
    public async Task A_follower_that_outruns_and_is_outrun_by_the_memory_misses_nothing()
    {
        using var enough = new CancellationTokenSource();
        async Task<List<LogEvent>> Follow(int step, int total)
        {
            var (seen, at) = (new List<LogEvent>(), Checkpoint.Start);
            while (seen.Count < total)
            {
                await Log.WaitForMore(at, Patience, enough.Token);
                var batch = await Log.ReadAll(at, step);
                seen.AddRange(batch.Events);
                at = batch.Through;
            }
            return seen;
        }
        var followers = new[] { 1, 2, 3, 5 }.Select(step => Task.Run(() => Follow(step, 600))).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 10).Select(async i =>
        {
            for (var n = 0; n < 20; n++)
                await Store(Of($"stk-A/{i}", n * 3, 3));
        }));

        foreach (var seen in await Task.WhenAll(followers).WaitAsync(Patience))
        {
            Assert.Equal(600, seen.DistinctBy(e => (e.Stream, e.Version)).Count());
            Assert.Equal(seen.OrderBy(e => e.Position), seen);
        }
    }
}
