using Npgsql;
using OrleansOms.Host.Cluster;
using OrleansOms.Host.Database;
using OrleansOms.Host.Security;
using OrleansOms.Postgres;

namespace OrleansOms.Host.Commands;

/// <summary>
/// Starts everything and stays until it is told to stop. A private PostgreSQL comes with it where no database is set. One
/// program at a time works on a data folder.
/// </summary>
public static class UpCommand
{
    static readonly TimeSpan BeforeAnother = TimeSpan.FromSeconds(1), EndsWithin = TimeSpan.FromSeconds(10);

    /// <summary>Where the private server's connection string is while it runs, for commands beside this one.</summary>
    public static string ConnectionFile(string data) => Path.Combine(data, "postgres.connection");

    /// <summary>
    /// The database of this place, for commands beside a running program: the one that is set, or the private server's
    /// while it runs; null if there is none.
    /// </summary>
    public static async Task<string?> FindConnection()
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        var file = ConnectionFile(HostSettings.From(configuration).Data);
        return configuration.GetConnectionString("Oms") is { Length: > 0 } set ? set
            : File.Exists(file) ? await File.ReadAllTextAsync(file)
            : null;
    }

    /// <summary>Runs until SIGINT or SIGTERM.</summary>
    /// <param name="args">What follows the word <c>up</c>: <c>--demo</c>, and settings for the configuration.</param>
    /// <returns>The exit code; 1 if another one runs on the same data.</returns>
    public static async Task<int> Run(string[] args)
    {
        var isDemo = args.Contains("--demo");
        args = [.. args.Where(a => a != "--demo")];
        if (SettingsOf(args).Role != HostRole.Proxy)
            return await OnData(args, (_, connectionString, told) => Serve(args, connectionString, isDemo, told));
        await FrontProxy.Build(
            args, (SettingsOf(args).Fronts ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).RunAsync();
        return 0;
    }

    internal static HostSettings SettingsOf(string[] args) =>
        HostSettings.From(new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build());

    /// <summary>
    /// Holds the data folder and, where no database is set, has a private PostgreSQL in it while something runs.
    /// </summary>
    /// <param name="serve">Given the settings, the private server's connection string or null, and the file that says where it runs.</param>
    internal static async Task<int> OnData(string[] args, Func<HostSettings, string?, string, Task> serve)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        var settings = HostSettings.From(configuration);
        var data = Path.GetFullPath(settings.Data);
        Directory.CreateDirectory(data);

        using var running = FileLock.TryTake(Path.Combine(data, "oms.lock"));
        var told = Path.Combine(data, "oms.running");
        if (running is null)
        {
            var where = File.Exists(told) ? $" at {(await File.ReadAllTextAsync(told)).Trim()}" : "";
            await Console.Error.WriteLineAsync($"OrleansOms is already running{where} on the data in {data}.");
            return 1;
        }
        File.Delete(told);
        using var logging = LoggerFactory.Create(l => l.AddConsole());
        await using var server = string.IsNullOrWhiteSpace(configuration.GetConnectionString("Oms"))
            ? await PrivatePostgres.Start(
                data, configuration["Oms:PostgresBin"], logging.CreateLogger("PostgreSQL"), CancellationToken.None)
            : null;
        if (server is not null) OwnerOnly.Write(ConnectionFile(data), server.ConnectionString);
        try
        {
            await serve(settings, server?.ConnectionString, told);
            return 0;
        }
        finally
        {
            File.Delete(told);
            if (server is not null) File.Delete(ConnectionFile(data));
        }
    }

    /// <summary>Again and again, as long as it ends because a server of its database is not any more the one that it was.</summary>
    static async Task Serve(string[] args, string? connectionString, bool isDemo, string told)
    {
        for (var isAnew = false; ; isAnew = true)
        {
            try
            {
                if (!await ServeOnce(args, connectionString, isDemo, told)) return;
                await Console.Out.WriteLineAsync("  Another database server has taken over: OrleansOms begins anew.");
            }
            // Who took over may not be ready for all of it, and nobody else may be there to start the program again.
            catch (Exception e) when (isAnew)
            {
                await Console.Error.WriteLineAsync($"OrleansOms cannot begin anew yet: {(e is NpgsqlException ? e.Message : e)}");
                await Task.Delay(BeforeAnother);
            }
        }
    }

    /// <summary>False if it was told to stop.</summary>
    static async Task<bool> ServeOnce(string[] args, string? connectionString, bool isDemo, string told)
    {
        var app = await OmsHost.Build(args, connectionString, isDemo);
        var left = app.Web.Services.GetRequiredService<Timelines>().Left;
        var drain = app.Web.Services.GetRequiredService<Drain>();
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        app.Web.Lifetime.ApplicationStopping.Register(stopping.SetResult);
        try
        {
            await app.Web.StartAsync();
            OwnerOnly.Write(told, $"{app.Url} (process {Environment.ProcessId})\n");
            // Who has started it says where it is found.
            if (!args.Contains(ParentWatch.Argument)) Greet(app.Url, app.Secrets, isDemo);
            await Task.WhenAny(stopping.Task, left);
        }
        catch when (left.IsCompleted) { } // As it began.
        catch
        {
            await app.DisposeAsync();
            throw;
        }
        if (!left.IsCompleted)
        {
            await using (app) await app.Web.StopAsync();
            return false;
        }
        // What does not end in time waits for the server that was lost, and gets no session of another one.
        await EndAtOnce(app).WaitAsync(EndsWithin).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !drain.HasBegun;
    }

    /// <summary>As at kill -9: nothing that it knows may be written any more, and nothing else is lost with it.</summary>
    static async Task EndAtOnce(OmsApplication app)
    {
        await using (app)
            await app.Web.StopAsync(new CancellationToken(true)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    static void Greet(string url, FirstSecrets secrets, bool isDemo)
    {
        var output = Console.Out;
        output.WriteLine();
        output.WriteLine($"  OrleansOms is up{(isDemo ? " with the demo company" : "")}.");
        output.WriteLine();
        output.WriteLine($"  Screens   {url}");
        output.WriteLine($"  API       {url}/docs");
        if (secrets.AreNew)
        {
            output.WriteLine();
            output.WriteLine("  Made at this first start and not shown again:");
            output.WriteLine($"  Login     {FirstSecrets.AdminName} / {secrets.AdminPassword}");
            output.WriteLine($"  API key   {secrets.ApiKey}");
        }
        output.WriteLine($"  Secrets   {secrets.Folder} (readable by you only)");
        output.WriteLine();
        output.WriteLine("  Ctrl-C stops it.");
        output.WriteLine();
    }
}
