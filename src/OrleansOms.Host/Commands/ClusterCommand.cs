using System.Diagnostics;
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
    /// <param name="args">Settings for the configuration, of this process and of all others.</param>
    /// <returns>The exit code; 1 if another one runs on the same data.</returns>
    public static Task<int> Run(string[] args) =>
        UpCommand.OnData(args, (settings, connection, told) => Serve(args, settings, connection, told));

    static async Task Serve(string[] args, HostSettings settings, string? connection, string told)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        connection ??= configuration.GetConnectionString("Oms")!;
        await Migrator.Run(connection);
        FirstSecrets secrets;
        await using (var database = NpgsqlDataSource.Create(connection)) secrets = await FirstSecrets.Prepare(settings, database);

        string[] fronts = [.. Enumerable.Range(0, Fronts).Select(_ => $"http://127.0.0.1:{FreePort.Next()}")];
        await using var proxy = FrontProxy.Build(args, fronts);
        await proxy.StartAsync();
        var url = ListenAddress.Of(proxy.Urls.First());
        MemberProcess[] silos =
            [.. Enumerable.Range(1, Silos).Select(n => Member($"silo {n}", HostRole.Silo, $"http://127.0.0.1:{FreePort.Next()}"))];
        MemberProcess[] webs = [.. Enumerable.Range(1, Fronts).Select(n => Member($"front {n}", HostRole.Web, fronts[n - 1]))];
        var ended = new TaskCompletionSource<Task>();
        // While the proxy, which takes nothing more, finishes what it has. Members leave Ctrl-C to this process.
        proxy.Lifetime.ApplicationStopping.Register(() => ended.SetResult(EndAll()));
        OwnerOnly.Write(told, $"{url} (process {Environment.ProcessId})\n");
        Greet(url, fronts, secrets);
        await proxy.WaitForShutdownAsync();
        await await ended.Task;

        async Task EndAll()
        {
            Console.Out.WriteLine("  Stopping; a few seconds more.");
            foreach (var member in (MemberProcess[])[.. webs, .. silos]) member.LetGo();
            // Who takes requests goes first, and goes on until it has answered them.
            await Task.WhenAll(webs.Select(m => m.End()));
            await Task.WhenAll(silos.Select(m => m.End()));
        }

        MemberProcess Member(string name, HostRole role, string at)
        {
            // What stands later wins: these are no matter of settings.
            string[] own =
            [
                "--urls", at, "--Oms:Role", $"{role}", "--Oms:Data", Path.Combine(settings.Data, name.Replace(' ', '-')),
                "--Oms:Silo:Port", $"{FreePort.Next()}", "--Oms:Silo:GatewayPort", $"{FreePort.Next()}",
                "--Oms:PublicUrl", string.IsNullOrWhiteSpace(settings.PublicUrl) ? url : settings.PublicUrl,
                ParentWatch.Argument, $"{Environment.ProcessId}",
            ];
            return new MemberProcess(name, new ProcessStartInfo("dotnet", [typeof(ClusterCommand).Assembly.Location, "up", .. args, .. own])
            {
                RedirectStandardOutput = true, RedirectStandardError = true,
                Environment = { ["ConnectionStrings__Oms"] = connection, ["ASPNETCORE_FORWARDEDHEADERS_ENABLED"] = "true" },
            }, Console.Out.WriteLine);
        }
    }

    static void Greet(string url, string[] fronts, FirstSecrets secrets)
    {
        var output = Console.Out;
        output.WriteLine();
        output.WriteLine($"  {Silos} silos and {Fronts} front ends are starting; a few seconds more.");
        output.WriteLine();
        output.WriteLine($"  Screens   {url}");
        output.WriteLine($"  API       {url}/docs");
        output.WriteLine($"  Fronts    {string.Join(", ", fronts)}");
        if (secrets.AreNew)
        {
            output.WriteLine($"  Login     {FirstSecrets.AdminName} / {secrets.AdminPassword}");
            output.WriteLine($"  API key   {secrets.ApiKey}");
        }
        output.WriteLine($"  Secrets   {secrets.Folder} (readable by you only)");
        output.WriteLine();
        output.WriteLine("  Ctrl-C stops it.");
        output.WriteLine();
    }
}
