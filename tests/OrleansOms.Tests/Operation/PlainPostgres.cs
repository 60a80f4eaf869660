using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using OrleansOms.Host.Database;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Operation;

/// <summary>A PostgreSQL server that an operator looks after: a folder, a port, and nobody who starts it again.</summary>
sealed class PlainPostgres : IAsyncDisposable
{
    readonly TestFolder _folder = new();
    readonly PostgresBinaries _binaries = PostgresBinaries.Find(null, null, PostgresBinaries.DefaultFolders());

    PlainPostgres(ServerAccount account) => Account = account;

    /// <summary>Who owns it, for the commands of an operator.</summary>
    public ServerAccount Account { get; }

    /// <summary>A folder of this account around the server's own.</summary>
    public string Folder => _folder.Path;

    /// <summary>The server's folder.</summary>
    public string Data => Path.Combine(Folder, "data");

    public int Port { get; } = TestPort.Free();

    /// <summary>Names a database of it.</summary>
    public string ConnectionTo(string database) =>
        $"Host=127.0.0.1;Port={Port};Username=oms;Database={database};SslMode=Disable;GssEncryptionMode=Disable";

    /// <summary>What an operator has set who works with it.</summary>
    public IReadOnlyList<(string Name, string Value)> Variables =>
        [("PGDATA", Data), ("PGHOST", "127.0.0.1"), ("PGPORT", $"{Port}"), ("PGUSER", "oms"), ("PGDATABASE", "oms")];

    /// <summary>A place for a server that is made of another one.</summary>
    public static async Task<PlainPostgres> Place()
    {
        var server = new PlainPostgres(await ServerAccount.Choose(null));
        await server.Account.Give(server.Folder);
        return server;
    }

    /// <summary>A server that runs, with an empty database <c>oms</c>.</summary>
    public static async Task<PlainPostgres> Start()
    {
        var server = await Place();
        await server.Do("initdb", "-D", server.Data, "-U", "oms", "--auth=trust", "--encoding=UTF8", "--locale=C", "--lc-ctype=C.UTF-8");
        await server.Account.Write(Path.Combine(server.Data, "more.conf"), $"""
            listen_addresses = '127.0.0.1'
            port = {server.Port}
            unix_socket_directories = ''
            max_connections = 100
            """);
        (await server.Account.Run("sh", ["-c", "echo \"include 'more.conf'\" >> \"$1/postgresql.conf\"", "sh", server.Data])).OrFail("include");
        await server.Do("pg_ctl", "start", "-D", server.Data, "-l", Path.Combine(server.Folder, "log"), "-w", "-s");
        await using var source = NpgsqlDataSource.Create(server.ConnectionTo("postgres") + ";Pooling=false");
        await using var create = source.CreateCommand("create database oms");
        await create.ExecuteNonQueryAsync();
        return server;
    }

    /// <summary>A folder beside the server's own, which the account may write to.</summary>
    public async Task<string> MakeFolder(string name)
    {
        var path = Path.Combine(Folder, name);
        (await Account.Run("mkdir", ["-m", "700", path])).OrFail($"make {path}");
        return path;
    }

    /// <summary>kill -9 of the server: its sessions die with it.</summary>
    public async Task Kill()
    {
        using var process = System.Diagnostics.Process.GetProcessById(
            int.Parse((await File.ReadAllLinesAsync(Path.Combine(Data, "postmaster.pid")))[0], CultureInfo.InvariantCulture));
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Stops it.</summary>
    public Task Stop(string mode = "fast") => Do("pg_ctl", "stop", "-D", Data, "-m", mode, "-w", "-s");

    /// <summary>Starts it again.</summary>
    public Task StartAgain() =>
        Do("pg_ctl", "start", "-D", Data, "-o", $"-p {Port}", "-l", Path.Combine(Folder, "log"), "-w", "-s");

    /// <summary>The first value that a query answers.</summary>
    public async Task<T> Ask<T>(string sql, string database = "oms")
    {
        await using var source = NpgsqlDataSource.Create(ConnectionTo(database) + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    async Task Do(string program, params string[] arguments) =>
        (await Account.Run(_binaries.Program(program), arguments)).OrFail($"{program} {string.Join(' ', arguments)}");

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Data, "postmaster.pid")))
            await Account.Run(_binaries.Program("pg_ctl"), ["stop", "-D", Data, "-m", "immediate", "-w", "-s"]);
        _folder.Dispose();
    }
}
