using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using OrleansOms.Host.Database;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Chaos;

/// <summary>The builds that a cluster runs, each as the program that its processes start.</summary>
/// <param name="First">What they begin with.</param>
/// <param name="Then">What they are when they were told to stop and have come back.</param>
sealed record Builds(string First, string Then)
{
    /// <summary>The build that the tests are made with.</summary>
    public static string This { get; } = typeof(Host.OmsHost).Assembly.Location;

    /// <summary>How this build calls an event that one of them stores under another name.</summary>
    public Func<string, string> NameHere { get; init; } = name => name;
}

/// <summary>
/// Three silos, two front ends and one PostgreSQL, each a process. What ends is started again, as the engine that runs
/// containers does.
/// </summary>
sealed class ChaosCluster : IAsyncDisposable
{
    const int SiloCount = 3, FrontCount = 2;

    readonly TestFolder _folder;
    readonly PrivatePostgres _server;

    ChaosCluster(TestFolder folder, PrivatePostgres server, Builds builds)
    {
        (_folder, _server) = (folder, server);
        Silos = [.. Enumerable.Range(1, SiloCount).Select(n => new ChaosNode($"silo {n}", NewProcess("silo"), builds.Then))];
        Fronts = [.. Enumerable.Range(1, FrontCount).Select(n => new ChaosNode($"front {n}", NewProcess("web"), builds.Then))];
        // Not pooled: what a crash of the server has cut must not be what the checker is given next.
        Source = NpgsqlDataSource.Create(server.ConnectionString + ";Pooling=false");

        OmsProcess NewProcess(string role) =>
            new(server.ConnectionString, ("Oms__Role", role), ("Oms__PublicUrl", "https://shop.example"),
                ("Oms__Bootstrap__AdminPassword", Board.Password)) { Program = builds.First };
    }

    public IReadOnlyList<ChaosNode> Silos { get; }
    public IReadOnlyList<ChaosNode> Fronts { get; }

    /// <summary>Its database, for who checks.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>All processes but the database.</summary>
    public IEnumerable<ChaosNode> Nodes => [.. Silos, .. Fronts];

    /// <summary>Starts everything at once, on an empty database.</summary>
    public static async Task<ChaosCluster> Start(Builds builds)
    {
        var folder = new TestFolder();
        var server = await PrivatePostgres.Start(folder.Path, null, NullLogger.Instance, CancellationToken.None);
        var cluster = new ChaosCluster(folder, server, builds);
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

    /// <summary>What <c>./oms check</c> of a build says; null if every law holds.</summary>
    public async Task<string?> Check(string program)
    {
        await using var check = new OmsProcess(_server.ConnectionString) { Program = program };
        var (code, output) = await check.Run("check");
        return code == 0 ? null : output;
    }

    /// <summary>Waits until all processes say that they are ready.</summary>
    public async Task AllIsBack()
    {
        foreach (var node in Nodes) await Fixtures.Silos.Until(node.IsReady, isReady => isReady);
    }

    /// <summary>Waits until every follower has heard everything and nothing is reserved that no order holds.</summary>
    public async Task ComeToRest()
    {
        await AllIsBack();
        const string isQuiet = """
            select (select bool_and((c.transaction, c.position) >= (e.xid::text::bigint, e.position))
                from oms.checkpoint c, (select xid, position from oms.event order by xid desc, position desc limit 1) e)
              and (select sum(reserved) from oms.stock) = (select sum(allocated) from oms.order_lines)
            """;
        const string restless = """
            select string_agg(c.follower || ' is behind by ' || (select count(*) from oms.event e
                where (e.xid::text::bigint, e.position) > (c.transaction, c.position)), ', ')
              || ', ' || (select sum(reserved) from oms.stock) || ' reserved, '
              || (select sum(allocated) from oms.order_lines) || ' allocated'
            from oms.checkpoint c
            """;
        var since = 0;
        // Quiet for a while: what has just been settled may be given to an order that waits.
        try { await Fixtures.Silos.Until(async () => since = await Ask<bool>(isQuiet) ? since + 1 : 0, n => n >= 25); }
        catch (TimeoutException)
        {
            throw new TimeoutException($"It did not come to rest: {await Ask<string>(restless)}");
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
/// <param name="next">The build that it comes back as when it was told to stop.</param>
sealed class ChaosNode(string name, OmsProcess process, string next) : IAsyncDisposable
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

    /// <summary>Is told to stop, does what it has to do, and comes back.</summary>
    /// <param name="program">The build that it comes back as; null for the next one.</param>
    public async Task Restart(string? program = null)
    {
        process.Program = program ?? next;
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
