using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using OrleansOms.Bench.Measuring;

namespace OrleansOms.Bench.Database;

/// <summary>Runs one of our SQL files with pgbench: prepared statements, one thread, as many clients as asked for.</summary>
public sealed partial class Pgbench(BenchServer server, string folder)
{
    // Its clock runs while it connects; the rate is that of the rest.
    const int ConnectingSeconds = 1;

    // Of so many transactions the time is written down: all of them would cost the load more than it tells.
    const double SampledShare = 0.1;

    /// <summary>Folder of our SQL files.</summary>
    public static string Scripts => Path.Combine(AppContext.BaseDirectory, "Sql");

    /// <summary>Text of one of our SQL files.</summary>
    public static string Read(string script) => File.ReadAllText(Path.Combine(Scripts, script));

    /// <summary>Runs a script for a time.</summary>
    /// <exception cref="InvalidOperationException">pgbench failed; the message holds what it said.</exception>
    public async Task<Outcome> Run(string database, string script, int clients, double seconds, CancellationToken cancel)
    {
        var to = new NpgsqlConnectionStringBuilder(server.ConnectionTo(database));
        var log = Path.Combine(folder, $"pgbench-{Guid.NewGuid():N}");
        var start = new ProcessStartInfo(server.Pgbench)
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
            Environment = { ["PGPASSWORD"] = to.Password },
        };
        foreach (var argument in new[]
        {
            "-n", "-M", "prepared", "-c", Text(clients), "-j", "1", "-T", Text((int)Math.Ceiling(seconds) + ConnectingSeconds),
            "-l", "--log-prefix", log, "--sampling-rate", Text(SampledShare),
            "-h", to.Host!, "-p", Text(to.Port), "-U", to.Username!,
            "-f", Path.Combine(Scripts, script), database,
        }) start.ArgumentList.Add(argument);
        var cpu = Cpu.OfEndedChildren();
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(cancel), process.StandardError.ReadToEndAsync(cancel));
        try { await process.WaitForExitAsync(cancel); }
        catch (OperationCanceledException) { process.Kill(); throw; }
        var (done, rate) = (Processed().Match(await output), Rate().Match(await output));
        if (process.ExitCode != 0 || !done.Success || !rate.Success)
            throw new InvalidOperationException($"pgbench {script} failed:\n{await errors}{await output}");
        var transactions = long.Parse(done.Groups[1].Value, CultureInfo.InvariantCulture);
        var perSecond = double.Parse(rate.Groups[1].Value, CultureInfo.InvariantCulture);
        var times = ReadTimes(log);
        return new Outcome(
            transactions, transactions / perSecond, Spread.Percentile(times, 0.5), Spread.Percentile(times, 0.99), Cpu.OfEndedChildren() - cpu);
    }

    // A line of the log: client, number, microseconds, script, and when it was.
    static List<double> ReadTimes(string prefix)
    {
        var times = new List<double>();
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(prefix)!, Path.GetFileName(prefix) + "*"))
        {
            times.AddRange(File.ReadLines(file).Select(l => double.Parse(l.Split(' ')[2], CultureInfo.InvariantCulture) / 1000));
            File.Delete(file);
        }
        times.Sort();
        return times;
    }

    static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"transactions actually processed: (\d+)")]
    private static partial Regex Processed();

    [GeneratedRegex(@"tps = ([\d.]+)")]
    private static partial Regex Rate();
}
