using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Postgres.Log;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Log;

/// <summary>The event log over two databases: the first one of <see cref="LogTest"/>, and one more for stocks.</summary>
[Collection(AloneCollection.Name)]
public sealed class SpreadTests : LogTest
{
    TestDatabase _second = null!;
    EventLog _log = null!;

    protected override async Task Prepare()
    {
        _second = await TestDatabase.Create();
        _log = new EventLog([Database.Source, _second.Source], Options);
    }

    protected override async Task End()
    {
        await _log.DisposeAsync();
        await _second.DisposeAsync();
    }

    // What this says can never change: the streams of a store would be looked for where they are not.
    [Theory]
    [InlineData("ord-0123456789abcdefghjkmnpqrs", 0, 0, 0)]
    [InlineData("shp-0123456789abcdefghjkmnpqrs-1", 0, 0, 0)]
    [InlineData("prd-A", 0, 0, 0)]
    [InlineData("stk-LON/A", 1, 1, 3)]
    [InlineData("stk-LON/B", 1, 1, 1)]
    [InlineData("stk-MAN/85123A", 1, 2, 4)]
    [InlineData("stk-MAN/\U0001F375", 1, 2, 2)]
    public void The_log_of_a_stream_is_told_by_its_key_for_ever(string stream, int ofTwo, int ofThree, int ofFive) =>
        Assert.Equal(
            (0, ofTwo, ofThree, ofFive),
            (LogOf.Stream(stream, 1), LogOf.Stream(stream, 2), LogOf.Stream(stream, 3), LogOf.Stream(stream, 5)));

    [Fact]
    public void Like_stocks_are_spread_evenly()
    {
        var perLog = Enumerable.Range(0, 10_000)
            .CountBy(n => LogOf.Stream(Keys.OfStock("LON", $"SKU-{n:D5}"), 5)).ToDictionary();
        Assert.Equal([1, 2, 3, 4], perLog.Keys.Order());
        Assert.All(perLog.Values, n => Assert.InRange(n, 2_300, 2_700));
    }

    [Fact]
    public async Task A_stream_is_stored_in_its_log_and_read_from_it()
    {
        await Commit(Of("ord-1", count: 2), Of("stk-A/1", count: 3), Of("shp-1-1"), Of("prd-1"), Of("stk-A/2"));

        Assert.Equal(["ord-1", "prd-1", "shp-1-1"], await Streams(Database));
        Assert.Equal(["stk-A/1", "stk-A/2"], await Streams(_second));
        Assert.Equal([2, 3], (await _log.ReadStream("stk-A/1", 1)).Select(e => e.Version));
        Assert.True(await _log.IsStored("stk-A/1", "c-1", Noon));
        Assert.Equal([3, 2], (await _log.ReadStreamBackwards("stk-A/1", int.MaxValue, 2)).Select(e => e.Version));
        Assert.Equal(
            ["ord-1 1 0", "ord-1 2 0", "stk-A/2 1 1"],
            (await _log.ReadStreams(["stk-A/2", "ord-1"])).Select(e => $"{e.Stream} {e.Version} {e.Log}").Order());
        Assert.IsType<AppendResult.VersionConflict>(await _log.Append(Of("stk-A/1", 2)));
    }

    [Fact]
    public async Task An_order_its_shipments_and_its_claim_are_stored_as_one()
    {
        Claim claim = new("external-id", "web\n1");
        await Commit(new Append(Events("ord-1"), [Events("shp-1-1"), Events("shp-1-2")], [claim]));

        var taken = Assert.IsType<AppendResult.ClaimTaken>(
            await _log.Append(new Append(Events("ord-2"), [Events("shp-2-1")], [claim])));
        Assert.Equal((claim, "ord-1"), (taken.Claim, taken.Holder));
        Assert.Equal(["ord-1", "shp-1-1", "shp-1-2"], await Streams(Database));
        Assert.Equal(1, await Database.Ask<long>("select count(distinct xid) from oms.event"));
    }

    [Fact]
    public async Task What_cannot_be_stored_as_one_is_refused()
    {
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await _log.Append(new Append(Events("ord-1"), [Events("stk-A/1")], [])));
        await Assert.ThrowsAsync<ArgumentException>(async () =>
            await _log.Append(new Append(Events("stk-A/1"), [], [new Claim("s", "v")])));
        Assert.Empty(await Streams(Database));
        Assert.Empty(await Streams(_second));
    }

    [Fact]
    public async Task Readers_of_both_see_each_event_once_and_each_stream_in_its_order()
    {
        const int Writers = 6, Each = 30;
        async Task Write(int writer)
        {
            for (var i = 0; i < Each; i++)
                await Commit(Of($"ord-{writer}", i), Of($"stk-A/{writer}", i * 2, 2));
        }
        var writers = Task.WhenAll(Enumerable.Range(0, Writers).Select(Write));
        var (seen, at) = (new List<LogEvent>(), Checkpoint.Start);
        while (seen.Count < Writers * Each)
        {
            await _log.WaitForMore(at, Patience, TestContext.Current.CancellationToken);
            var batch = await _log.ReadAll(at, 7);
            Assert.InRange(batch.Events.Count, 0, 7);
            Assert.All(batch.Events, e => Assert.True(!at.Covers(e) && batch.Through.Covers(e)));
            Assert.True(batch.Through.Covers(at));
            Assert.True(batch.Through.Covers(at.And(batch.Events)));
            seen.AddRange(batch.Events);
            at = batch.Through;
        }
        // Another process goes on from the checkpoint.
        await using var other = new EventLog([Database.Source, _second.Source], Options);
        await writers;
        var (end, complete) = (await other.Now(), Checkpoint.Start);
        while (!complete.Covers(end))
        {
            var batch = await other.ReadAll(at, 1000);
            (at, complete, seen) = (batch.Through, batch.Complete, [.. seen, .. batch.Events]);
        }

        Assert.Equal(Writers * Each * 3, seen.Count);
        Assert.All(seen.GroupBy(e => e.Stream), s => Assert.Equal(Enumerable.Range(1, s.Count()), s.Select(e => e.Version)));
        Assert.All([0, 1], log =>
            Assert.Equal(seen.Where(e => e.Log == log).OrderBy(e => e.Position), seen.Where(e => e.Log == log)));
    }

    [Fact]
    public async Task Each_log_has_its_share_of_a_batch_and_a_small_batch_is_the_end()
    {
        for (var i = 0; i < 40; i++) await Commit(Of($"ord-{i}"));
        await Commit(Of("stk-A/1", count: 3));
        await UntilQuiet();

        var first = await _log.ReadAll(Checkpoint.Start, 10);
        var second = await _log.ReadAll(first.Through, 10);
        var rest = await _log.ReadAll(second.Through, 100);

        Assert.Equal((7, 3), (first.Events.Count(e => e.Log == 0), first.Events.Count(e => e.Log == 1)));
        Assert.Equal(10, second.Events.Count);
        Assert.Equal(23, rest.Events.Count);
    }

    [Fact]
    public async Task Waiting_ends_with_a_commit_in_either_log()
    {
        var at = await _log.Now();
        foreach (var stream in new[] { "ord-1", "stk-A/1", "ord-2" })
        {
            var waiting = _log.WaitForMore(at, 2 * Patience, TestContext.Current.CancellationToken);
            Assert.False(waiting.IsCompleted);
            await Commit(Of(stream));
            await waiting.WaitAsync(Patience, TestContext.Current.CancellationToken);
            var batch = await _log.ReadAll(at, 10);
            Assert.Equal(stream, Assert.Single(batch.Events).Stream);
            at = batch.Through;
        }
        using var enough = new CancellationTokenSource();
        var last = _log.WaitForMore(at, Patience, enough.Token);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => last);
    }

    [Fact]
    public async Task A_log_that_is_away_stops_its_own_streams_and_those_who_read_all()
    {
        await Commit(Of("ord-1"), Of("stk-A/1"));
        await _second.TakeAway();

        await Commit(Of("ord-1", 1));
        await Assert.ThrowsAsync<LogUnavailableException>(async () => await _log.Append(Of("stk-A/1", 1)));
        await Assert.ThrowsAsync<LogUnavailableException>(() => _log.ReadAll(Checkpoint.Start, 10));

        await _second.GiveBack();
        await Until(async () => (await _log.ReadAll(Checkpoint.Start, 10)).Events.Count == 3);
    }

    async Task Commit(params Append[] appends)
    {
        foreach (var append in appends)
            Assert.IsType<AppendResult.Committed>(await _log.Append(append));
    }

    /// <summary>Everything that is committed can be read: no transaction of another test holds readers back.</summary>
    async Task UntilQuiet()
    {
        var now = await _log.Now();
        await Until(async () => (await _log.ReadAll(Checkpoint.Start, 1000)).Complete.Covers(now));
    }

    static async Task<string[]> Streams(TestDatabase database) =>
        await database.Ask<string[]>("select coalesce(array_agg(distinct stream order by stream), '{}') from oms.event");
}
