using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OrleansOms.Host.Database;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Operation;

/// <summary>The database's password is renewed with the commands that the runbook has, under a program at work.</summary>
[Collection(AloneCollection.Name)]
public sealed class DatabasePasswordTests
{
    const string Owner = "shop", Second = "shop 2";

    [Fact]
    public async Task Two_logins_work_side_by_side_until_the_former_is_shut_and_the_next_time_it_is_the_other_way_round()
    {
        using var folder = new TestFolder();
        await using var server = await PrivatePostgres.Start(folder.Path, null, NullLogger.Instance, CancellationToken.None);
        await using (var admin = NpgsqlDataSource.Create(server.ConnectionString))
        {
            foreach (var sql in new[] { $"create role {Owner} login password 'first'", $"create database {Owner} owner {Owner}" })
                await using (var command = admin.CreateCommand(sql)) await command.ExecuteNonQueryAsync();
        }
        string As(string login, string password) => new NpgsqlConnectionStringBuilder(server.ConnectionString)
        {
            Database = Owner, Username = login, Password = password,
        }.ConnectionString;
        Task<string> Do(string block, params (string, string)[] more) =>
            Runbook.Run([block], folder.Path, [.. Variables(server.ConnectionString), ("OWNER", Owner), .. more]);

        await using var before = new OmsProcess(As(Owner, "first"), Trade.Address);
        await before.Start();
        using var trade = await Trade.Begin(before.Url);
        await Do("second login", ("NEXT", Second), ("NEW_PASSWORD", "it's $HOME \"new\""));
        Assert.Equal((true, true), (await Opens(As(Owner, "first")), await Opens(As(Second, "it's $HOME \"new\""))));

        // The next process starts with the new login while the one before still works with its own.
        await using var after = new OmsProcess(As(Second, "it's $HOME \"new\""), Trade.Address);
        await after.Start();
        await trade.Until(more: 5);
        var moment = trade.Now;
        await trade.End();
        Assert.NotEqual("0", (await Do("who is left", ("FORMER", Owner))).Trim());
        await before.Signal("TERM");
        await before.Ended;
        await OmsApp.Until(async () => (await Do("who is left", ("FORMER", Owner))).Trim(), left => left == "0");
        await Do("shut the former", ("FORMER", Owner));
        Assert.Equal((false, true), (await Opens(As(Owner, "first")), await Opens(As(Second, "it's $HOME \"new\""))));
        await using (var source = NpgsqlDataSource.Create(As(Second, "it's $HOME \"new\"")))
        {
            await Trade.Check(after, source, trade.PlacedBefore(moment));
            // What an upgrade makes belongs to the same owner, whichever login it comes with.
            await using var made = source.CreateCommand("create table oms.made (); select tableowner from pg_tables where tablename = 'made'");
            Assert.Equal(Owner, await made.ExecuteScalarAsync());
        }

        await Do("second login", ("NEXT", Owner), ("NEW_PASSWORD", "third"));
        Assert.Equal((true, false, true),
            (await Opens(As(Owner, "third")), await Opens(As(Owner, "first")), await Opens(As(Second, "it's $HOME \"new\""))));
        await Do("shut the former", ("FORMER", Second));
        Assert.Equal((true, false), (await Opens(As(Owner, "third")), await Opens(As(Second, "it's $HOME \"new\""))));
    }

    [Fact]
    public async Task The_private_server_gets_another_password_and_the_first_key_another_value_while_the_program_runs()
    {
        await using var program = new OmsProcess("", Trade.Address);
        await program.Start();
        var former = await File.ReadAllTextAsync(Path.Combine(program.Data, "postgres.connection"));
        var (code, key) = await program.Run("key", "renew", "bootstrap");
        Assert.Equal(0, code);
        key = key.Split('\n')[0].Trim();

        await Runbook.Run(["own server", "own password"], program.Data, []);
        Assert.False(await Opens(former));
        foreach (var works in new[] { key, OmsProcess.Key })
            Assert.Equal(200, (await new Api(program.Url, works).Get("/api/v1/orders")).Status);
        await program.Signal("TERM");
        await program.Ended;
        await program.Start();
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(program.Data, "postgres.password")));
        Assert.True(await Opens(await File.ReadAllTextAsync(Path.Combine(program.Data, "postgres.connection"))));

        // It was started with the former key; nobody notices, until that is forgotten.
        Assert.Equal(0, (await program.Run("key", "forget", "bootstrap")).Code);
        await OmsApp.Until(async () => (await new Api(program.Url, OmsProcess.Key).Get("/api/v1/orders")).Status, status => status == 401);
        Assert.Equal(200, (await new Api(program.Url, key).Get("/api/v1/orders")).Status);
        Assert.Contains(program.Said, line => line.Contains("was renewed since and is not brought back", StringComparison.Ordinal));
    }

    static async Task<bool> Opens(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString + ";Pooling=false");
        try
        {
            await using var connection = await source.OpenConnectionAsync();
            return true;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification)
        {
            return false;
        }
    }

    static IReadOnlyList<(string, string)> Variables(string connectionString)
    {
        var to = new NpgsqlConnectionStringBuilder(connectionString);
        return [("PGHOST", to.Host!), ("PGPORT", $"{to.Port}"), ("PGUSER", to.Username!), ("PGPASSWORD", to.Password!)];
    }
}
