using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// A running program with a warehouse and 10,000 SKUs in stock, or a tenth of that for a quick look, and its load generator. The company is made once, over
/// HTTP, and copied for each round.
/// </summary>
public sealed class Shop : IAsyncDisposable
{
    const string Template = "oms_bench_shop_template";
    const int FillClients = 32;

    static bool _isFilled;

    readonly Session _session;

    Shop(Session session, string database, IReadOnlyList<OmsProcess> servers, DriverProcess driver) =>
        (_session, Database, Servers, Driver) = (session, database, servers, driver);

    /// <summary>Its database.</summary>
    public string Database { get; }
    /// <summary>The measured process.</summary>
    public OmsProcess Server => Servers[0];
    /// <summary>All of them, where the program is a cluster.</summary>
    public IReadOnlyList<OmsProcess> Servers { get; }
    /// <summary>Who orders.</summary>
    public DriverProcess Driver { get; }

    /// <summary>Opens one with fresh data that has only just been started.</summary>
    public static async Task<Shop> OpenCold(
        Session session, string database, IReadOnlyList<OmsStart>? programs = null, IReadOnlyList<string>? load = null)
    {
        if (!_isFilled) await Fill(session);
        _isFilled = true;
        await session.Postgres.Create(database, Template);
        return await Start(session, database, programs, load);
    }

    /// <summary>Opens one with fresh data; its stocks are in memory and its code is warm.</summary>
    /// <param name="warmUpSeconds">How long orders are placed before anything counts.</param>
    /// <param name="programs">How each process is started; null for one as usual.</param>
    /// <param name="load">A command that becomes the load generator; null if it starts as usual.</param>
    public static async Task<Shop> Open(
        Session session, string database, double warmUpSeconds, IReadOnlyList<OmsStart>? programs = null,
        IReadOnlyList<string>? load = null)
    {
        var shop = await OpenCold(session, database, programs, load);
        try
        {
            await shop.Driver.Do(new DriveJob(DriveKind.Touch, FillClients));
            await shop.Driver.PlaceOrders(16, warmUpSeconds);
            await shop.CatchUp();
            return shop;
        }
        catch
        {
            await shop.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until nothing is left to do.</summary>
    /// <returns>Seconds that it took.</returns>
    public Task<double> CatchUp() => _session.Postgres.AwaitFollowers(Database, _session.Cancel);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await Driver.DisposeAsync();
        foreach (var server in Servers) await server.DisposeAsync();
        await _session.Postgres.Drop(Database);
    }

    static async Task<Shop> Start(
        Session session, string database, IReadOnlyList<OmsStart>? programs = null, IReadOnlyList<string>? load = null)
    {
        var servers = new List<OmsProcess>();
        try
        {
            foreach (var how in programs ?? [new OmsStart()])
                servers.Add(await OmsProcess.Start(session, session.Postgres.ConnectionTo(database), how));
        }
        catch
        {
            foreach (var server in servers) await server.DisposeAsync();
            throw;
        }
        return new Shop(session, database, servers, DriverProcess.Start([.. servers.Select(s => s.Url)], session.Options.Skus, session.Cancel, load));
    }

    static async Task Fill(Session session)
    {
        session.Say($"a company with {session.Options.Skus:N0} SKUs …");
        await session.Postgres.Create(Template);
        var shop = await Start(session, Template);
        try
        {
            await shop.Driver.Do(new DriveJob(DriveKind.Fill, FillClients));
            await shop.CatchUp();
        }
        finally
        {
            await shop.Driver.DisposeAsync();
            await shop.Server.DisposeAsync();
        }
    }
}
