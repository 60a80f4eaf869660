using Npgsql;
using OrleansOms.Postgres;

namespace OrleansOms.Tests.Fixtures;

/// <summary>A database of its own for one test, on the test server; dropped when disposed, whoever is connected.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    readonly string server;
    readonly string name;

    TestDatabase(string server, string name, int maxPoolSize)
    {
        (this.server, this.name) = (server, name);
        ConnectionString = new NpgsqlConnectionStringBuilder(server)
        {
            Database = name, MaxPoolSize = maxPoolSize, IncludeErrorDetail = true,
        }.ConnectionString;
        Source = NpgsqlDataSource.Create(ConnectionString);
    }

    /// <summary>Names the database.</summary>
    public string ConnectionString { get; }

    /// <summary>Connections to it, pooled.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>A fresh database with the present schema, or without any.</summary>
    public static async Task<TestDatabase> Create(bool migrated = true, int maxPoolSize = 20)
    {
        var server = await TestServer.ConnectionString();
        var name = $"oms_test_{Guid.NewGuid():n}";
        await OnServer(server, $"create database {name}");
        var database = new TestDatabase(server, name, maxPoolSize);
        if (migrated)
            await Migrator.Run(database.ConnectionString);
        return database;
    }

    /// <summary>Another database with all that is in this one now, as a promoted standby would have it.</summary>
    public async Task<TestDatabase> Copy()
    {
        var copy = $"oms_test_{Guid.NewGuid():n}";
        await TakeAway(); // A template is copied when nobody uses it.
        await OnServer(server, $"create database {copy} template {name}");
        await GiveBack();
        Source.Clear(); // Its connections are broken.
        return new TestDatabase(server, copy, 20);
    }

    /// <summary>Runs SQL on a pooled connection.</summary>
    public async Task Execute(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first value that a query answers.</summary>
    public async Task<T> Ask<T>(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return await reader.GetFieldValueAsync<T>(0);
    }

    /// <summary>Takes it away: whoever is connected is thrown out, and nobody gets in.</summary>
    public async Task TakeAway()
    {
        await OnServer(server, $"alter database {name} allow_connections false");
        await OnServer(server, $"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
    }

    /// <summary>Gives it back.</summary>
    public Task GiveBack() => OnServer(server, $"alter database {name} allow_connections true");

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
        await OnServer(server, $"drop database if exists {name} with (force)");
    }

    static async Task OnServer(string server, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
