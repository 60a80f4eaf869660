using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using OrleansOms.Host.Cluster;
using OrleansOms.Host.Database;
using OrleansOms.Host.Http;
using OrleansOms.Host.Security;
using OrleansOms.Postgres;

namespace OrleansOms.Host.Commands;

/// <summary>
/// Three silos, two front ends and a proxy before them, as processes of this machine: what <c>docker-compose.yml</c>
/// describes, without an engine for containers. A private PostgreSQL comes with it where no database is set.
/// </summary>
public static class ClusterCommand
{
    const int Silos = 3, Fronts = 2;

    /// <summary>Runs until SIGINT or SIGTERM.</summary>
    /// <param name="args">Settings for the configuration.</param>
    /// <returns>The exit code; 1 if another one runs on the same data.</returns>
    public static async Task<int> Run(string[] args)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        var settings = HostSettings.From(configuration);
        var data = Path.GetFullPath(settings.Data);
        Directory.CreateDirectory(data);
        using var running = FileLock.TryTake(Path.Combine(data, "oms.lock"));
        if (running is null)
        {
            await Console.Error.WriteLineAsync($"OrleansOms is already running on the data in {data}.");
            return 1;
        }
        using var logging = LoggerFactory.Create(l => l.AddConsole());
        var connection = configuration.GetConnectionString("Oms") is { Length: > 0 } set ? set : null;
        await using var server = connection is null
            ? await PrivatePostgres.Start(
                data, configuration["Oms:PostgresBin"], logging.CreateLogger("PostgreSQL"), CancellationToken.None)
            : null;
        connection ??= server!.ConnectionString;
        if (server is not null) OwnerOnly.Write(UpCommand.ConnectionFile(data), connection);
        try
        {
            await Serve(args, configuration, settings, connection, data);
            return 0;
        }
        finally
        {
            if (server is not null) File.Delete(UpCommand.ConnectionFile(data));
        }
    }

    static async Task Serve(
        string[] args, IConfiguration configuration, HostSettings settings, string connection, string data)
    {
        await Migrator.Run(connection);
        FirstSecrets secrets;
        await using (var database = NpgsqlDataSource.Create(connection)) secrets = await FirstSecrets.Prepare(settings, database);

        var listen = configuration["urls"] ?? configuration["ASPNETCORE_URLS"] ?? "http://localhost:8080";
        string[] fronts = [.. Enumerable.Range(0, Fronts).Select(_ => $"http://127.0.0.1:{FreePort()}")];
        await using var proxy = FrontProxy.Build(["--urls", listen], fronts);
        var members = new List<MemberProcess>();
        try
        {
            for (var n = 1; n <= Silos; n++) members.Add(Member($"silo {n}", HostRole.Silo, $"http://127.0.0.1:{FreePort()}"));
            for (var n = 1; n <= Fronts; n++) members.Add(Member($"front {n}", HostRole.Web, fronts[n - 1]));
            await proxy.StartAsync();
            Greet(ListenAddress.Of(listen.Split(';')[0]), fronts, secrets);
            await proxy.WaitForShutdownAsync();
        }
        finally
        {
            // Who takes requests goes first.
            foreach (var role in (string[])["front", "silo"])
                await Task.WhenAll(members.Where(m => m.Name.StartsWith(role, StringComparison.Ordinal)).Select(m => m.DisposeAsync().AsTask()));
        }

        MemberProcess Member(string name, HostRole role, string url)
        {
            var (port, gateway) = (FreePort(), FreePort());
            return new MemberProcess(name, () => new ProcessStartInfo(
                "dotnet", [typeof(ClusterCommand).Assembly.Location, "up"])
            {
                RedirectStandardOutput = true, RedirectStandardError = true,
                Environment =
                {
                    ["ConnectionStrings__Oms"] = connection, ["ASPNETCORE_URLS"] = url,
                    ["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true",
                    ["Oms__Role"] = $"{role}", ["Oms__Data"] = Path.Combine(data, name.Replace(' ', '-')),
                    ["Oms__PublicUrl"] = settings.PublicUrl ?? ListenAddress.Of(listen.Split(';')[0]),
                    ["Oms__Bootstrap__ApiKey"] = secrets.ApiKey, ["Oms__Bootstrap__AdminPassword"] = secrets.AdminPassword,
                    ["Oms__Silo__Port"] = $"{port}", ["Oms__Silo__GatewayPort"] = $"{gateway}",
                },
            }, Console.Out.WriteLine);
        }
    }

    static void Greet(string url, string[] fronts, FirstSecrets secrets)
    {
        Console.Out.WriteLine();
        Console.Out.WriteLine($"  {Silos} silos and {Fronts} front ends are starting; a few seconds more.");
        Console.Out.WriteLine();
        Console.Out.WriteLine($"  Screens   {url}");
        Console.Out.WriteLine($"  API       {url}/docs");
        Console.Out.WriteLine($"  Fronts    {string.Join(", ", fronts)}");
        if (secrets.AreNew)
        {
            Console.Out.WriteLine($"  Login     {FirstSecrets.AdminName} / {secrets.AdminPassword}");
            Console.Out.WriteLine($"  API key   {secrets.ApiKey}");
        }
        Console.Out.WriteLine($"  Secrets   {secrets.Folder} (readable by you only)");
        Console.Out.WriteLine();
        Console.Out.WriteLine("  Ctrl-C stops it.");
        Console.Out.WriteLine();
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
