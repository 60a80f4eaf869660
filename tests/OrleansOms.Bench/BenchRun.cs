using OrleansOms.Bench.Database;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Workloads;
using OrleansOms.Host.Database;

namespace OrleansOms.Bench;

/// <summary>Runs what was asked for on one PostgreSQL server, then prints one table and writes one file.</summary>
public static class BenchRun
{
    /// <summary>Runs as the program.</summary>
    /// <returns>0 also when a target is missed: the table says so. 1 if it could not be measured, 2 if not understood.</returns>
    public static async Task<int> Start(string[] args)
    {
        if (args.Any(a => a is "--help" or "-h"))
        {
            Console.Out.WriteLine(BenchOptions.Usage);
            return 0;
        }
        try
        {
            var options = BenchOptions.Parse(args);
            var workloads = Choose(options);
            using var interrupt = new CancellationTokenSource();
            Console.CancelKeyPress += (_, press) =>
            {
                press.Cancel = true;
                interrupt.Cancel();
            };
            await Run(options, workloads, interrupt.Token);
            return 0;
        }
        catch (ArgumentException e)
        {
            Console.Error.WriteLine($"{e.Message}\n\n{BenchOptions.Usage}");
            return 2;
        }
        catch (Exception e) when (e is InvalidOperationException or PrivatePostgresException or OperationCanceledException
            or TimeoutException or HttpRequestException or IOException or Npgsql.NpgsqlException or Microsoft.Playwright.PlaywrightException)
        {
            Console.Error.WriteLine($"The measurement was given up: {e.Message}");
            return 1;
        }
    }

    static List<Workload> Choose(BenchOptions options)
    {
        var names = options.Workloads;
        if (names.FirstOrDefault(n => Workload.All.All(w => w.Name != n)) is { } unknown)
            throw new ArgumentException($"There is no workload {unknown}.");
        return
        [
            .. Workload.All.Where(w => names.Count == 0 ? !(options.IsQuick && w.IsLong) : names.Contains(w.Name)),
        ];
    }

    /// <summary>Data of the server with the history, which takes long to make.</summary>
    static readonly string Kept = Path.Combine("artifacts", "history");

    static async Task Run(BenchOptions options, List<Workload> workloads, CancellationToken cancel)
    {
        var folder = Directory.CreateTempSubdirectory("oms-bench-").FullName;
        // Another user runs the server when this one is root, and must be able to get there.
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder, OpenToAll);
        try
        {
            var isKept = !options.IsQuick && workloads.Any(w => w.HasHistory);
            var data = isKept ? Directory.CreateDirectory(Kept).FullName : folder;
            await using (var postgres = await BenchServer.Start(options, data, isGone: !isKept, cancel))
                await Measure(options, workloads, new Session(options, postgres, folder, cancel));
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Console.Error.WriteLine($"What the programs printed is in {folder}; remove it when it was read.");
            throw;
        }
    }

    static async Task Measure(BenchOptions options, List<Workload> workloads, Session session)
    {
        var machine = Machine.Describe(session.Postgres.Version);
        var loadAverage = Cpu.LoadAverage();
        var results = new List<WorkloadResult>();
        var report = new Report(machine, options.IsQuick, loadAverage, results);
        try
        {
            foreach (var workload in workloads)
            {
                results.Add(await Turns.Run(workload, session));
                report.Write(options.Output);
            }
        }
        finally
        {
            // What was measured before something went wrong is worth as much as it would be alone.
            if (results.Count > 0)
            {
                Console.Out.WriteLine($"{machine}\nload average at the start {loadAverage}{(options.IsQuick ? "; a quick look" : "")}\n");
                Console.Out.WriteLine(report.Table());
                Console.Out.WriteLine($"Every figure of every turn: {options.Output}, drawn beside it");
            }
        }
    }

    const UnixFileMode OpenToAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
}
