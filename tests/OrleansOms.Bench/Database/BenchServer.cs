using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OrleansOms.Bench.Measuring;
using OrleansOms.Host.Database;

namespace OrleansOms.Bench.Database;

/// <summary>The one PostgreSQL server that all arms use, with what it costs them.</summary>
public sealed class BenchServer : IAsyncDisposable
{
    readonly PrivatePostgres? _own;
    readonly string _connectionString;
    readonly NpgsqlDataSource _source;
    readonly List<string> _databases = [];
    readonly bool _isGone;
    int? _postmaster;

    BenchServer(PrivatePostgres? own, bool isGone, string connectionString, string pgbench)
    {
        (_own, _isGone, Pgbench) = (own, isGone, pgbench);
        _connectionString = connectionString;
        _source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 2 }.ConnectionString);
    }

    /// <summary>The program pgbench.</summary>
    public string Pgbench { get; }

    /// <summary>What the server says that it is.</summary>
    public string Version { get; private set; } = "";

    /// <summary>Uses the server that was named, or starts one with its data in a folder.</summary>
    /// <param name="isGone">Whether the folder is removed afterwards.</param>
    public static async Task<BenchServer> Start(BenchOptions options, string folder, bool isGone, CancellationToken cancel)
    {
        var pgbench = FindPgbench(options.PostgresBin);
        var own = options.Server is null
            ? await PrivatePostgres.Start(folder, options.PostgresBin, NullLogger.Instance, cancel) : null;
        var server = new BenchServer(own, own is not null && isGone, options.Server ?? own!.ConnectionString, pgbench);
        try
        {
            server.Version = await server.Ask<string>("select current_setting('server_version')");
            var backend = await server.Ask<int>("select pg_backend_pid()");
            server._postmaster = IsLocal(backend) ? Cpu.ParentOf(backend) : null;
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>How to reach one of its databases.</summary>
    public string ConnectionTo(string database) =>
        new NpgsqlConnectionStringBuilder(_connectionString) { Database = database }.ConnectionString;

    /// <summary>Makes a database, empty or as a copy, and returns its name.</summary>
    /// <param name="isKept">Whether it stays when everything is over, if its server does.</param>
    public async Task<string> Create(string name, string? template = null, bool isKept = false)
    {
        await Drop(name);
        // The copy is made of files, not of log records: what follows is measured on a quiet server.
        await Do(template is null
            ? $"create database \"{name}\""
            : $"create database \"{name}\" template \"{template}\" strategy file_copy");
        if (!isKept) _databases.Add(name);
        return name;
    }

    /// <summary>Drops a database with whatever is connected to it.</summary>
    public async Task Drop(string name)
    {
        NpgsqlConnection.ClearAllPools();
        await Do($"drop database if exists \"{name}\" with (force)");
        _databases.Remove(name);
    }

    /// <summary>Writes everything to the tables' files, so that no arm pays for the one before it.</summary>
    public Task Checkpoint() => Do("checkpoint");

    /// <summary>Bytes of write-ahead log that the server has ever written.</summary>
    public async Task<long> WalBytes() =>
        (long)await Ask<decimal>("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')");

    /// <summary>Processor seconds of all of the server's processes; null if it runs elsewhere.</summary>
    public double? CpuSeconds() => _postmaster is { } pid ? Cpu.OfFamily(pid) : null;

    /// <summary>
    /// Lets the server's processes, and those that it will start, run on no processor below this one; on all with 0. Does
    /// nothing to a server elsewhere.
    /// </summary>
    public void KeepOn(int firstProcessor)
    {
        if (_postmaster is not { } pid || !OperatingSystem.IsLinux()) return;
        var mask = (nint)(-1L << firstProcessor);
        foreach (var member in Cpu.FamilyOf(pid))
        {
            try { Process.GetProcessById(member).ProcessorAffinity = mask; }
            catch (ArgumentException) { continue; } // It has ended meanwhile.
        }
    }

    /// <summary>
    /// Waits until lists, what follows from orders, and the watch of the laws have caught up with the log: work that an answer has
    /// left for later belongs to what it costs. The watch over reservations stays behind by intention, at whatever is still open.
    /// </summary>
    /// <param name="atMost">Two minutes, if nothing is said.</param>
    /// <returns>Seconds that it took.</returns>
    public async Task<double> AwaitFollowers(string database, CancellationToken cancel, TimeSpan? atMost = null)
    {
        var patience = atMost ?? TimeSpan.FromMinutes(2);
        var start = TimeProvider.System.GetTimestamp();
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(ConnectionTo(database)) { Pooling = false }.ConnectionString);
        await using var ask = source.CreateCommand("""
            select count(*) = 0 from oms.checkpoint c
            where c.follower in ('read-model', 'fulfilment', 'backorders', 'law-watch') and exists (
              select from oms.event e
              where (e.xid, e.position) > (c.transaction::text::xid8, c.position))
            """);
        while (await ask.ExecuteScalarAsync(cancel) is not true)
        {
            if (TimeProvider.System.GetElapsedTime(start) > patience)
                throw new TimeoutException($"The followers have not caught up within {patience.TotalMinutes} minutes.");
            await Task.Delay(20, cancel);
        }
        return TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Waits until a table is empty, but not for ever.</summary>
    /// <returns>Rows that are left.</returns>
    public async Task<long> AwaitEmpty(string database, string table, TimeSpan patience, CancellationToken cancel)
    {
        var start = TimeProvider.System.GetTimestamp();
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(ConnectionTo(database)) { MaxPoolSize = 1 }.ConnectionString);
        await using var ask = source.CreateCommand($"select exists (select from {table})");
        while (await ask.ExecuteScalarAsync(cancel) is true && TimeProvider.System.GetElapsedTime(start) < patience)
            await Task.Delay(100, cancel);
        await using var count = source.CreateCommand($"select count(*) from {table}");
        return (long)(await count.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>Asks for one value in a database.</summary>
    public async Task<T> Ask<T>(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionTo(database) + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Runs SQL in a database.</summary>
    public async Task RunScript(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionTo(database) + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        // A server that goes with its folder takes them along; one that stays is left as it was found.
        if (!_isGone)
            foreach (var name in _databases.ToList()) await Drop(name);
        await _source.DisposeAsync();
        if (_own is not null) await _own.DisposeAsync();
    }

    async Task Do(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        command.CommandTimeout = 120;
        await command.ExecuteNonQueryAsync();
    }

    async Task<T> Ask<T>(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>A folder of PATH may have links to some of the programs only, so all are looked through.</summary>
    static string FindPgbench(string? folder)
    {
        var folders = folder is null ? PostgresBinaries.DefaultFolders() : [folder];
        return folders.Select(f => Path.Combine(f, "pgbench")).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("There is no pgbench: it comes with PostgreSQL. Name its folder with --postgres-bin.");
    }

    static bool IsLocal(int backend)
    {
        var name = $"/proc/{backend}/comm";
        return File.Exists(name) && File.ReadAllText(name).StartsWith("postgres", StringComparison.Ordinal);
    }
}
