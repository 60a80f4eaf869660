using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Postgres.Log;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Log;

/// <summary>A store has the logs that it was born with, in their order, and no others.</summary>
public sealed class LogDatabasesTests : IAsyncLifetime
{
    TestDatabase _lists = null!, _one = null!, _two = null!;

    public async ValueTask InitializeAsync()
    {
        _lists = await TestDatabase.Create();
        _one = await TestDatabase.Create();
        _two = await TestDatabase.Create();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var database in new[] { _lists, _one, _two }) await database.DisposeAsync();
    }

    Task Check(params TestDatabase[] logs) => LogDatabases.Check(_lists.Source, [.. logs.Select(l => l.Source)]);

    async Task<string> Refused(params TestDatabase[] logs) =>
        (await Assert.ThrowsAsync<InvalidOperationException>(() => Check(logs))).Message;

    static Task Store(TestDatabase database) => database.Execute("""
        insert into oms.event (stream, version, type, data, command, actor, at) values ('ord-1', 1, 't', '{}', 'c', 'a', now())
        """);

    [Fact]
    public async Task What_it_was_born_with_is_taken_again_and_nothing_else()
    {
        await Check(_one, _two);
        await Store(_one);
        await Store(_two);

        await Check(_one, _two);
        Assert.Contains("born with 2 logs and is given one", await Refused(_one));
        Assert.Contains("born with 2 logs and is given one", await Refused(_lists)); // the setting is missing
        Assert.Contains("born with 2 logs and is given 3", await Refused(_one, _two, _lists));
        Assert.Contains("given as log 0 is log 1", await Refused(_two, _one));
        Assert.Contains("given as log 1 is none", await Refused(_one, _lists));
        Assert.Contains("twice", await Refused(_one, _one));
        await Check(_one, _two);
    }

    [Fact]
    public async Task A_store_with_one_log_elsewhere_is_not_begun_again_at_home()
    {
        await Check(_one);
        Assert.Contains("given as log 0 is none", await Refused(_lists));
    }

    [Fact]
    public async Task A_store_from_before_has_one_log_and_keeps_it()
    {
        await Store(_lists);
        Assert.Contains("holds events", await Refused(_lists, _two));
        Assert.Contains("lost from sight", await Refused(_one));
        await Check(_lists);
        Assert.Contains("born with one log and is given 2", await Refused(_lists, _two));
    }

    [Fact]
    public async Task A_log_can_be_the_database_of_the_lists_and_one_more()
    {
        await Check(_lists, _two);
        await Store(_lists);
        await Check(_lists, _two);
    }

    [Fact]
    public async Task Processes_that_begin_a_store_at_once_agree()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => Check(_one, _two))));
        Assert.Equal(2, await _lists.Ask<long>("select count(*) from oms.logs"));
    }

    [Fact]
    public async Task A_log_that_was_moved_as_a_copy_is_known_and_read_on()
    {
        await Check(_lists);
        await using (var log = new EventLog(_lists.Source))
            await log.Append(new Append(new StreamEvents("prd-1", 0,
                [new NewEvent(new Domain.Catalogue.ProductPut("A", new("A", null, null)), "c", "a", DateTimeOffset.UtcNow)])));
        await using var moved = await _lists.Copy();
        await _lists.Execute("truncate oms.event, oms.claim, oms.log_id");

        await Check(moved);
        Assert.Contains("given as log 0 is none", await Refused(_lists));
        await using var there = new EventLog(moved.Source);
        Assert.Single(await there.ReadStream("prd-1"));
    }
}
