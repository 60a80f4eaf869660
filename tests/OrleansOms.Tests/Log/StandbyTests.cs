using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Postgres;
using OrleansOms.Postgres.Log;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Operation;

namespace OrleansOms.Tests.Log;

/// <summary>A server that must not confirm before its standby has everything, and whose standby is away.</summary>
public sealed class StandbyTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    static readonly EventLogOptions Options = new() { CommandTimeoutSeconds = 1, Writers = 1 };

    /// <summary>The login that the store began with, and the one that came after it.</summary>
    [Theory]
    [InlineData("shop"), InlineData("shop 2")]
    public async Task What_the_standby_has_not_is_neither_acknowledged_nor_shown_and_is_stored_when_it_is_back(string login)
    {
        await using var server = await PlainPostgres.Start();
        await Do(server, "create role shop login", "create database shop owner shop");
        if (login != "shop")
            await Runbook.Run(["second login"], server.Folder,
                [.. server.Variables, ("OWNER", "shop"), ("NEXT", login), ("NEW_PASSWORD", "secret")]);
        var store = new NpgsqlConnectionStringBuilder(server.ConnectionTo("shop")) { Username = login }.ConnectionString;
        await Migrator.Run(store);
        await using var source = NpgsqlDataSource.Create(store);
        await using var log = new EventLog(source, Options);
        await MustWaitFor(server, "nobody");

        await Assert.ThrowsAsync<LogUnavailableException>(() => log.Append(Order("ord-1")).AsTask().WaitAsync(Patience));
        // Whoever asks again is not told that it is there, however long that takes.
        var behind = Enumerable.Range(0, 3).Select(n => log.Append(Order($"ord-behind-{n}")).AsTask()).ToList();
        foreach (var append in behind)
            await Assert.ThrowsAnyAsync<OmsFaultException>(() => append.WaitAsync(Patience));
        Assert.Empty(await log.ReadStream("ord-1"));

        // A program that ends does not wait for it either, and takes nothing back.
        await log.DisposeAsync().AsTask().WaitAsync(Patience);
        await MustWaitFor(server, "");
        await using var next = new EventLog(source, Options);
        await Silos.Until(() => next.ReadStream("ord-1"), events => events.Count == 1);
        Assert.IsType<AppendResult.VersionConflict>(await next.Append(Order("ord-1")));
    }

    static Append Order(string id) => new(new StreamEvents(
        id, 0, [new NewEvent(new OrderAbandoned(), "c", "test", DateTimeOffset.UtcNow)]));

    static async Task MustWaitFor(PlainPostgres server, string standby)
    {
        await Do(server, $"alter system set synchronous_standby_names = '{standby}'", "select pg_reload_conf()");
        // Each session looks when it has nothing else to do.
        await Silos.Until(() => server.Ask<string>("show synchronous_standby_names"), s => s == standby);
    }

    static async Task Do(PlainPostgres server, params string[] commands)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionTo("postgres") + ";Pooling=false");
        foreach (var sql in commands)
        {
            await using var command = source.CreateCommand(sql);
            await command.ExecuteNonQueryAsync();
        }
    }
}
