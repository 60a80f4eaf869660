using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OrleansOms.Host.Database;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Chaos;

/// <summary>
/// Three silos, two front ends and one PostgreSQL, each a process. What ends is started again, as the engine that runs
/// containers does.
/// </summary>
sealed class ChaosCluster : IAsyncDisposable
{
    const int SiloCount = 3, FrontCount = 2;

    readonly TestFolder _folder;
    readonly PrivatePostgres _server;

    ChaosCluster(TestFolder folder, PrivatePostgres server, string? olderProgram)
    {
        (_folder, _server) = (folder, server);
        Silos = [.. Enumerable.Range(1, SiloCount).Select(n => new ChaosNode($"silo {n}", NewProcess("silo")))];
        Fronts = [.. Enumerable.Range(1, FrontCount).Select(n => new ChaosNode($"front {n}", NewProcess("web")))];
        // Not pooled: what a crash of the server has cut must not be what the checker is given next.
        Source = NpgsqlDataSource.Create(server.ConnectionString + ";Pooling=false");

        OmsProcess NewProcess(string role)
        {
            var process = new OmsProcess(server.ConnectionString, ("Oms__Role", role), ("Oms__PublicUrl", "https://shop.example"));
            if (olderProgram is not null) process.Program = olderProgram;
            return process;
        }
    }

    public IReadOnlyList<ChaosNode> Silos { get; }
    public IReadOnlyList<ChaosNode> Fronts { get; }

    /// <summary>Its database, for who checks.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>All processes but the database.</summary>
    public IEnumerable<ChaosNode> Nodes => [.. Silos, .. Fronts];

    /// <summary>Starts everything at once, on an empty database.</summary>
    /// <param name="olderProgram">What runs until it is upgraded; null for this build.</param>
    public static async Task<ChaosCluster> Start(string? olderProgram)
    {
        var folder = new TestFolder();
        var server = await PrivatePostgres.Start(folder.Path, null, NullLogger.Instance, CancellationToken.None);
        var cluster = new ChaosCluster(folder, server, olderProgram);
        try
        {
            await Task.WhenAll(cluster.Nodes.Select(n => n.Start()));
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the database as a crash does; who watches it starts it again.</summary>
    public async Task CrashDatabase()
    {
        var before = await Postmaster();
        using var quit = System.Diagnostics.Process.Start("kill", ["-QUIT", before!]);
        await quit.WaitForExitAsync();
        await Fixtures.Silos.Until(Postmaster, now => now is not null && now != before);

        async Task<string?> Postmaster()
        {
            try { return (await File.ReadAllLinesAsync(Path.Combine(_folder.Path, "postgres", "postmaster.pid"))).FirstOrDefault(); }
            catch (FileNotFoundException) { return null; }
        }
    }

    /// <summary>Runs SQL on a connection of its own.</summary>
    public async Task Execute(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first value that a query answers.</summary>
    public async Task<T> Ask<T>(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Nodes.Select(n => n.DisposeAsync().AsTask()));
        await Source.DisposeAsync();
        await _server.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>One process, started again whenever it ends.</summary>
sealed class ChaosNode(string name, OmsProcess process) : IAsyncDisposable
{
    static readonly TimeSpan BeforeRestart = TimeSpan.FromSeconds(1);

    readonly CancellationTokenSource _stop = new();
    Task _kept = Task.CompletedTask;
    volatile int _starts;

    public string Name => name;
    public Uri Url => process.Url;
    public IReadOnlyCollection<string> Said => process.Said;

    /// <summary>How often it was started.</summary>
    public int Starts => _starts;

    /// <summary>Starts it, and sees to it from then on.</summary>
    public async Task Start()
    {
        await process.Start();
        _starts = 1;
        _kept = Keep();
    }

    async Task Keep()
    {
        while (true)
        {
            await process.Ended;
            await Task.WhenAny(Task.Delay(BeforeRestart, _stop.Token));
            if (_stop.IsCancellationRequested) return;
            try { await process.Start(); }
            catch (InvalidOperationException) { continue; } // It ended before it was ready.
            _starts++;
        }
    }

    public Task<bool> IsReady() => process.IsReady();

    /// <summary>kill -9.</summary>
    public Task Kill() => process.Signal("KILL");

    /// <summary>Stands still for a while, and knows nothing of it.</summary>
    public async Task Pause(TimeSpan length)
    {
        await process.Signal("STOP");
        await Task.WhenAny(Task.Delay(length));
        await process.Signal("CONT");
    }

    /// <summary>Is told to stop, does what it has to do, and comes back as this build.</summary>
    public async Task Restart()
    {
        process.Program = typeof(Host.OmsHost).Assembly.Location;
        var before = Starts;
        await process.Signal("TERM");
        await Silos.Until(() => Task.FromResult(Starts), n => n > before);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await process.DisposeAsync();
        await _kept;
        _stop.Dispose();
    }
}
