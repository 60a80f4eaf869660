using Npgsql;
using OrleansOms.Host.Commands;
using OrleansOms.Postgres.Log;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Laws;

/// <summary><c>./oms check</c> only looks.</summary>
public sealed class CheckCommandTests
{
    [Fact]
    public async Task A_store_that_was_never_started_is_not_begun_by_it()
    {
        await using var database = await TestDatabase.Create();
        await using var program = new OmsProcess(database.ConnectionString);
        var (code, said) = await program.Run("check");
        Assert.Equal(CheckCommand.Broken, code);
        Assert.Contains("This store was never started", said, StringComparison.Ordinal);
        Assert.Equal(0, await database.Ask<long>("select (select count(*) from oms.logs) + (select count(*) from oms.log_id)"));
    }

    [Fact]
    public async Task Who_may_only_read_can_check_and_is_told_of_a_wrong_log()
    {
        await using var database = await TestDatabase.Create();
        await using var another = await TestDatabase.Create();
        await LogDatabases.Check(database.Source, [database.Source]);
        var reader = $"reader_{Guid.NewGuid():n}";
        await database.Execute($"create role {reader} login password 'look'; grant pg_read_all_data to {reader}");
        try
        {
            string As(TestDatabase of) =>
                new NpgsqlConnectionStringBuilder(of.ConnectionString) { Username = reader, Password = "look" }.ConnectionString;
            await using (var program = new OmsProcess(As(database)))
            {
                var (code, said) = await program.Run("check");
                Assert.True(code == CheckCommand.Holds, said);
                Assert.Contains("ListsAreTheLog: holds", said, StringComparison.Ordinal);
            }
            await using (var program = new OmsProcess(As(database), ("Oms__Logs", As(another))))
            {
                var (code, said) = await program.Run("check");
                Assert.Equal(CheckCommand.Broken, code);
                Assert.Contains("given as log 0 is none of this store", said, StringComparison.Ordinal);
            }
        }
        finally { await database.Execute($"drop role {reader}"); }
    }
}
