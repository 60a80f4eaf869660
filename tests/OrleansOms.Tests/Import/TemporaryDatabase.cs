using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace OrleansOms.Tests.Import;

/// <summary>A real PostgreSQL of the tests' own, gone with them, that holds the two tables an import is held against.</summary>
public sealed class TemporaryDatabase : IAsyncLifetime
{
    const string Tables =
        """
        CREATE SCHEMA oms;
        CREATE TABLE oms.orders (
          id text PRIMARY KEY, number text NOT NULL, channel text NOT NULL, external_id text, status text NOT NULL,
          country text NOT NULL, currency text NOT NULL, placed_at timestamptz NOT NULL);
        CREATE TABLE oms.order_lines (
          order_id text NOT NULL, line_id int NOT NULL, sku text NOT NULL, quantity int NOT NULL,
          unit_price numeric NOT NULL, discount numeric NOT NULL, tax_rate numeric NOT NULL, allocated int NOT NULL,
          backordered int NOT NULL, shipped int NOT NULL, delivered int NOT NULL, cancelled int NOT NULL,
          returned int NOT NULL, PRIMARY KEY (order_id, line_id));
        """;

    readonly string _folder = Directory.CreateTempSubdirectory("oms-import-").FullName;

    public string ConnectionString { get; private set; } = "";
    public NpgsqlDataSource Source { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var cluster = Path.Combine(_folder, "cluster");
        if (Environment.IsPrivilegedProcess) await Run("chown", "postgres", _folder);
        await AsServer("initdb", "-D", cluster, "-U", "oms", "-A", "trust", "--no-sync", "-E", "UTF8");
        var port = FreePort();
        await AsServer("pg_ctl", "-D", cluster, "-w", "-l", Path.Combine(_folder, "log"), "-o",
            $"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off", "start");
        ConnectionString = $"Host=127.0.0.1;Port={port};Username=oms;Database=postgres";
        Source = NpgsqlDataSource.Create(ConnectionString);
        await Execute(Tables);
    }

    public async Task Execute(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await AsServer("pg_ctl", "-D", Path.Combine(_folder, "cluster"), "-m", "immediate", "-w", "stop");
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>PostgreSQL refuses to run as root.</summary>
    static Task AsServer(string program, params string[] args)
    {
        var path = Path.Combine(Binaries(), program);
        return Environment.IsPrivilegedProcess
            ? Run("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", path, .. args])
            : Run(path, args);
    }

    static string Binaries() =>
        Directory.GetDirectories("/usr/lib/postgresql").Select(d => Path.Combine(d, "bin")).Order().Last();

    static async Task Run(string program, params string[] args)
    {
        // Not redirected: the server would inherit the pipe and hold it open.
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", "exec \"$0\" \"$@\" >/dev/null 2>&1 </dev/null", program, .. args])
        {
            WorkingDirectory = "/",
        })!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', args)}: {process.ExitCode}");
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
