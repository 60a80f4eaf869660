using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Postgres;
using OrleansOms.Postgres.Log;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Log;

[Collection(AloneCollection.Name)]
public sealed class DatabaseTests
{
    static readonly Checkpoint P1 = Checkpoint.At(new LogPosition(100, 1)), P2 = Checkpoint.At(new LogPosition(200, 2));

    [Fact]
    public async Task Processes_that_migrate_at_once_run_each_script_once()
    {
        await using var database = await TestDatabase.Create(migrated: false);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Migrator.Run(database.ConnectionString))));
        var scripts = await database.Ask<long>("select count(*) from oms.migration");
        await Migrator.Run(database.ConnectionString);

        Assert.True(scripts >= 2);
        Assert.Equal(scripts, await database.Ask<long>("select count(distinct scriptname) from oms.migration"));
        Assert.Equal(scripts, await database.Ask<long>("select count(*) from oms.migration"));
    }

    [Fact]
    public async Task Events_of_another_server_s_future_are_refused()
    {
        await using var database = await TestDatabase.Create();
        await database.Execute("""
            insert into oms.event (stream, version, type, data, command, actor, at, xid)
            values ('ord-1', 1, 't', '{}', 'c', 'a', now(), '999999999999')
            """);

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => Migrator.Run(database.ConnectionString));

        Assert.Contains("logical dump", refusal.Message);
    }

    [Fact]
    public async Task A_checkpoint_moves_only_from_where_it_is()
    {
        await using var database = await TestDatabase.Create();
        var checkpoints = new Checkpoints(database.Source);

        Assert.Equal(Checkpoint.Start, await checkpoints.Load("orders"));
        Assert.False(await checkpoints.Advance("orders", P1, P2), "It was never saved.");
        Assert.True(await checkpoints.Advance("orders", Checkpoint.Start, P1));
        Assert.False(await checkpoints.Advance("orders", Checkpoint.Start, P2), "Another one has moved it.");
        Assert.True(await checkpoints.Advance("orders", P1, P2));
        Assert.Equal(P2, await checkpoints.Load("orders"));
        Assert.Equal(Checkpoint.Start, await checkpoints.Load("mail"));
    }

    [Fact]
    public async Task A_checkpoint_over_two_logs_moves_as_a_whole()
    {
        await using var database = await TestDatabase.Create();
        var checkpoints = new Checkpoints(database.Source);
        LogPosition one = new(100, 1), two = new(200, 2);
        Checkpoint first = Checkpoint.At(one, one), second = Checkpoint.At(one, two), other = Checkpoint.At(two, one);

        Assert.True(await checkpoints.Advance("orders", Checkpoint.Start, first));
        Assert.True(await checkpoints.Advance("orders", first, second));
        Assert.False(await checkpoints.Advance("orders", first, other), "Another one has moved it, in the other log.");
        Assert.Equal(second, await checkpoints.Load("orders"));
        Assert.True(await checkpoints.Advance("orders", second, Checkpoint.At(two, two)));
        Assert.Equal(Checkpoint.At(two, two), await checkpoints.Load("orders"));
        Assert.Equal(Checkpoint.Start, await checkpoints.Load("ord"));
    }

    [Fact]
    public void Of_two_checkpoints_neither_need_cover_the_other()
    {
        LogPosition one = new(100, 1), two = new(200, 2);
        Checkpoint left = Checkpoint.At(two, one), right = Checkpoint.At(one, two);
        Assert.False(left.Covers(right) || right.Covers(left) || left == right);
        Assert.True(Checkpoint.At(two, two).Covers(left) && left.Covers(Checkpoint.At(one)) && left.Covers(Checkpoint.Start));
        Assert.False(Checkpoint.At(two).Covers(left), "It has read nothing of the second log.");
        Assert.Equal(Checkpoint.At(one), Checkpoint.At(one, LogPosition.Start));
    }

    [Fact]
    public async Task Of_two_that_move_a_checkpoint_at_once_one_does()
    {
        await using var database = await TestDatabase.Create();
        var checkpoints = new Checkpoints(database.Source);
        for (var i = 0; i < 30; i++)
        {
            var (from, to) = (Checkpoint.At(new LogPosition(i, 0)), Checkpoint.At(new LogPosition(i + 1, 0)));
            var moved = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => checkpoints.Advance("f", from, to)));
            Assert.Single(moved, true);
        }
    }

    [Fact]
    public async Task A_checkpoint_in_a_transaction_goes_with_it()
    {
        await using var database = await TestDatabase.Create();
        await using (var connection = await database.Source.OpenConnectionAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync();
            Assert.True(await Checkpoints.Advance(connection, "orders", Checkpoint.Start, P1));
            await transaction.RollbackAsync();
        }
        Assert.Equal(Checkpoint.Start, await new Checkpoints(database.Source).Load("orders"));
    }

    [Fact]
    public async Task Order_numbers_are_unique_over_processes_and_rise_in_each()
    {
        await using var database = await TestDatabase.Create();
        NumberSequence[] processes = [new(database.Source), new(database.Source)];

        var numbers = await Task.WhenAll(processes.SelectMany(p => Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            var own = new List<long>();
            for (var i = 0; i < 70; i++)
                own.Add(await p.Next());
            return own;
        }))));

        Assert.Equal(16 * 70, numbers.SelectMany(n => n).Distinct().Count());
        Assert.All(numbers, own => Assert.Equal(own.Order(), own));
        Assert.Equal(100_001, numbers.SelectMany(n => n).Min());
    }

    [Fact]
    public async Task No_database_no_number()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Database=x;Username=x");

        await Assert.ThrowsAsync<LogUnavailableException>(async () => await new NumberSequence(nowhere).Next());
    }

    [Fact]
    public async Task The_schema_check_passes_what_the_migrations_made()
    {
        await using var database = await TestDatabase.Create();
        await using var connection = await database.Source.OpenConnectionAsync();

        await OrleansSchema.Check(connection);
    }

    [Theory]
    [InlineData("alter table oms.orleans_storage drop constraint orleans_storage_once", "unique key")]
    [InlineData("""
        alter table oms.orleans_storage drop constraint orleans_storage_once;
        create unique index on oms.orleans_storage (grain_id_hash, n0, n1, type_hash, type, extension, service)
        """, "unique key")]
    [InlineData("delete from oms.orleansquery where querykey = 'ReadRangeRows2Key'", "the query ReadRangeRows2Key")]
    [InlineData("drop schema oms cascade", "the query WriteToStorageKey")]
    public async Task The_schema_check_refuses_and_says_what_is_missing(string damage, string said)
    {
        await using var database = await TestDatabase.Create();
        await database.Execute(damage);
        await using var connection = await database.Source.OpenConnectionAsync();

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => OrleansSchema.Check(connection));

        Assert.Contains(said, refusal.Message);
    }
}
