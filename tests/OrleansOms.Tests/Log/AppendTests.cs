using OrleansOms.Tests.Fixtures;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Stock;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Tests.Log;

[Collection(AloneCollection.Name)]
public sealed class AppendTests : LogTest
{
    static readonly Claim Web1 = new("channel", "web/1");

    [Fact]
    public async Task What_waits_is_stored_in_one_transaction()
    {
        var results = await Together([.. Enumerable.Range(0, 200).Select(i => Of($"stk-A/{i}", count: 2))]);

        Assert.All(results, r => Assert.IsType<AppendResult.Committed>(r));
        Assert.Equal(400, await Database.Ask<long>("select count(*) from oms.event where stream like 'stk-%'"));
        Assert.Equal(1, await Database.Ask<long>("select count(distinct xid) from oms.event where stream like 'stk-%'"));
    }

    [Fact]
    public async Task An_event_comes_back_as_it_was_stored()
    {
        var data = new StockReserved("ord-1", [new LineUnits(1, 2), new LineUnits(2, 3)]);
        var at = new DateTimeOffset(2026, 3, 1, 14, 0, 0, TimeSpan.FromHours(2));
        await Store(new Append(new StreamEvents("stk-LON1/A", 0, [new NewEvent(data, "cmd-7", "key:web", at)])));

        var stored = Assert.Single(await Log.ReadStream("stk-LON1/A"));

        Assert.Equivalent(data, stored.Data, strict: true);
        Assert.Equal(("stk-LON1/A", 1, "stock.reserved.v1", "cmd-7", "key:web", at),
            (stored.Stream, stored.Version, stored.Type, stored.CommandId, stored.Actor, stored.At));
        Assert.Equal(TimeSpan.Zero, stored.At.Offset);
    }

    [Fact]
    public async Task A_stream_is_read_from_a_version_and_backwards()
    {
        await Store(Of("stk-A/1", count: 5), Of("stk-A/1", expected: 5, count: 2), Of("stk-A/2", count: 2));

        Assert.Equal([1, 2, 3, 4, 5, 6, 7], (await Log.ReadStream("stk-A/1")).Select(e => e.Version));
        Assert.Equal([4, 5], (await Log.ReadStream("stk-A/1", 3, 2)).Select(e => e.Version));
        Assert.Equal([5, 4], (await Log.ReadStreamBackwards("stk-A/1", 6, 2)).Select(e => e.Version));
        var both = await Log.ReadStreams(["stk-A/2", "stk-A/1", "stk-A/none"]);
        Assert.Equal([1, 2], both.Where(e => e.Stream == "stk-A/2").Select(e => e.Version));
        Assert.Equal(9, both.Count);
    }

    [Fact]
    public async Task A_version_conflict_fails_only_its_own_stream()
    {
        await Store(Of("stk-A/stale", count: 3));

        var results = await Together(
            [Of("stk-A/1"), Of("stk-A/stale", expected: 2), .. Enumerable.Range(2, 40).Select(i => Of($"stk-A/{i}"))]);

        Assert.Equal(new AppendResult.VersionConflict("stk-A/stale"), results[1]);
        Assert.Equal(41, results.Count(r => r is AppendResult.Committed));
        Assert.Equal(3, await HeadOf("stk-A/stale"));
        Assert.Equal(44, await Database.Ask<long>("select count(*) from oms.event where stream like 'stk-%'"));
    }

    [Fact]
    public async Task A_taken_claim_fails_only_its_own_append_and_names_the_holder()
    {
        await Store(Claiming("ord-first", Web1));

        var results = await Together(Of("ord-a"), Claiming("ord-second", new Claim("key", "k"), Web1), Of("ord-b"));

        Assert.Equal(new AppendResult.ClaimTaken(Web1, "ord-first"), results[1]);
        await AssertHeads([1, 0, 1], "ord-a", "ord-second", "ord-b");
        Assert.Equal(["ord-first"], await Holders());
    }

    Task<string[]> Holders() => Database.Ask<string[]>("select array(select holder from oms.claim)");

    [Fact]
    public async Task Of_rivals_for_a_claim_in_one_batch_the_first_wins()
    {
        var results = await Together([.. Enumerable.Range(0, 50).Select(i => Claiming($"ord-{i}", Web1))]);

        Assert.IsType<AppendResult.Committed>(results[0]);
        Assert.All(results[1..], r => Assert.Equal(new AppendResult.ClaimTaken(Web1, "ord-0"), r));
        Assert.Equal(1, await Database.Ask<long>("select count(*) from oms.event where stream like 'ord-%'"));
    }

    [Fact]
    public async Task Of_rivals_for_a_stream_in_one_batch_the_first_wins()
    {
        var results = await Together(Of("ord-1", count: 2), Of("ord-1"), Of("ord-2"));

        Assert.Equal([AppendResult.Committed.Instance, new AppendResult.VersionConflict("ord-1"),
            AppendResult.Committed.Instance], results);
        Assert.Equal(2, await HeadOf("ord-1"));
    }

    [Theory, InlineData("stk-A/new", 0, 1), InlineData("stk-A/three", 3, 4), InlineData("stk-A/three", 3, 1_000_000)]
    public async Task A_gap_is_refused(string stream, int head, int expected)
    {
        if (head > 0)
            await Store(Of(stream, count: head));

        var results = await Together(Of("stk-A/before"), Of(stream, expected), Of("stk-A/after"));

        Assert.Equal([AppendResult.Committed.Instance, new AppendResult.VersionConflict(stream),
            AppendResult.Committed.Instance], results);
        Assert.Equal(head, await HeadOf(stream));
    }

    [Fact]
    public async Task A_command_is_found_in_its_stream_back_to_a_time()
    {
        await Store(new Append(new StreamEvents("stk-A/1", 0, [.. Enumerable.Range(1, 3).Select(
            n => new NewEvent(new StockReceived(1, "PO-1"), $"c{n}", "system", Noon.AddMinutes(n)))])));

        Assert.True(await Log.IsStored("stk-A/1", "c2", Noon));
        Assert.True(await Log.IsStored("stk-A/1", "c2", Noon.AddMinutes(3)));
        Assert.False(await Log.IsStored("stk-A/1", "c1", Noon.AddMinutes(3)));
        Assert.False(await Log.IsStored("stk-A/1", "c", Noon));
        Assert.False(await Log.IsStored("stk-A/2", "c1", Noon));
    }

    [Fact]
    public async Task Births_are_stored_with_their_append()
    {
        await Store(new Append(Events("ord-1", count: 2), [Events("shp-1"), Events("shp-2", count: 3)], []));

        await AssertHeads([2, 1, 3], "ord-1", "shp-1", "shp-2");
    }

    [Fact]
    public async Task A_birth_that_exists_fails_the_whole_append_and_no_neighbour()
    {
        await Store(Of("ord-1"), Of("shp-2"));

        var results = await Together(
            Of("ord-9"), new Append(Events("ord-1", 1), [Events("shp-1"), Events("shp-2")], [Web1]), Of("ord-8"));

        Assert.Equal(new AppendResult.VersionConflict("shp-2"), results[1]);
        await AssertHeads([1, 0, 1], "ord-1", "shp-1", "shp-2");
        await AssertHeads([1, 1], "ord-8", "ord-9");
        Assert.Empty(await Holders());
    }

    [Fact]
    public async Task A_rival_that_rolls_back_leaves_the_place_free()
    {
        await using var rival = await Database.Source.OpenConnectionAsync();
        await Run(rival, "begin; " + InsertSql("ord-1", 1));
        var result = Log.Append(Of("ord-1")).AsTask();
        await Until(async () => await WaitingForLock() > 0);

        await Run(rival, "rollback");

        Assert.IsType<AppendResult.Committed>(await result.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_rival_that_commits_wins_and_the_neighbours_are_stored()
    {
        await using var rival = await Database.Source.OpenConnectionAsync();
        await Run(rival, "begin; " + InsertSql("ord-1", 1));
        var result = Log.Append(Of("ord-1")).AsTask();
        var neighbour = Log.Append(Of("ord-2")).AsTask();
        await Until(async () => await WaitingForLock() > 0);

        await Run(rival, "commit");

        Assert.Equal(new AppendResult.VersionConflict("ord-1"), await result.WaitAsync(Patience));
        Assert.IsType<AppendResult.Committed>(await neighbour.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_value_that_PostgreSQL_refuses_fails_only_its_own_append()
    {
        // Too long for an index entry, and too random to be compressed into one.
        var random = new Random(1);
        var endless = "stk-" + string.Concat(Enumerable.Range(0, 9000).Select(_ => (char)random.Next('!', '~')));
        List<Task<AppendResult>> results;
        await using (await StopWrites())
        {
            results = [.. Enumerable.Range(0, 100).Select(i => Log.Append(Of(i == 50 ? endless : $"stk-A/{i}")).AsTask())];
        }

        await Assert.ThrowsAsync<ArgumentException>(() => results[50]);
        results.RemoveAt(50);
        Assert.All(await Task.WhenAll(results), r => Assert.IsType<AppendResult.Committed>(r));
        Assert.Equal(99, await Database.Ask<long>("select count(*) from oms.event"));
    }

    [Fact]
    public async Task Text_with_NUL_and_broken_surrogates_is_stored_and_its_neighbours_too()
    {
        var odd = "a\0b\ud800c😀";
        var results = await Together(Of("ord-1"),
            new Append(new StreamEvents("ord-2", 0, [Event(new OrderRefused("code", odd, "h"))])), Of("ord-3"));

        Assert.All(results, r => Assert.IsType<AppendResult.Committed>(r));
        var read = (OrderRefused)Assert.Single(await Log.ReadStream("ord-2")).Data!;
        Assert.Equal("a\0b\ufffdc😀", read.Detail);
    }

    [Fact]
    public async Task What_could_never_be_stored_is_refused_before_it_meets_others()
    {
        static Append By(string stream, string command, string actor) =>
            new(new StreamEvents(stream, 0, [new NewEvent(new StockReceived(1, "x"), command, actor, Noon)]));
        Append[] bad =
        [
            By("ord-\0", "c", "a"), By("ord-1", "c\0", "a"), By("ord-1", "c", "\ud800"),
            new(new StreamEvents("ord-1", 0, [])), new(Events("ord-1", -1)),
            new(Events("ord-1"), [Events("ord-1")], []), new(Events("ord-1"), [Events("shp-1", 1)], []),
            Claiming("ord-1", Web1, Web1), Claiming("ord-1", new Claim("s", "\0")),
        ];
        foreach (var append in bad)
            await Assert.ThrowsAsync<ArgumentException>(async () => await Log.Append(append));
        Assert.Equal(0, await Database.Ask<long>("select count(*) from oms.event"));
    }

    [Fact]
    public async Task An_event_of_a_newer_program_has_no_data()
    {
        await Database.Execute(InsertSql("ord-1", 1, "order.teleported.v9"));

        var read = Assert.Single(await Log.ReadStream("ord-1"));

        Assert.Equal(("order.teleported.v9", null), (read.Type, read.Data));
    }

    [Fact]
    public async Task A_large_append_is_stored_whole()
    {
        await Store(Of("stk-A/1", count: 3 * new EventLogOptions().MaxBatchRows));

        Assert.Equal(3_000, await HeadOf("stk-A/1"));
    }

    [Fact]
    public async Task Disposing_stores_what_waits_and_then_refuses()
    {
        var log = new EventLog(Database.Source, new EventLogOptions { MaxBatchRows = 10 });
        var results = Enumerable.Range(0, 500).Select(i => log.Append(Of($"stk-A/{i}")).AsTask()).ToArray();

        await log.DisposeAsync();

        Assert.All(results, r => Assert.True(r.IsCompletedSuccessfully && r.Result is AppendResult.Committed));
        await Assert.ThrowsAsync<LogUnavailableException>(async () => await log.Append(Of("stk-A/late")));
    }
}
