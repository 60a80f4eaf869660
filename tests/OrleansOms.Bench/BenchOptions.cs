using System.Globalization;

namespace OrleansOms.Bench;

/// <summary>What the command line asks for.</summary>
/// <param name="IsQuick">Small and once, without what is long. Good for a look, not for a document.</param>
/// <param name="Rounds">Rounds of each workload that takes turns; null for the usual number.</param>
/// <param name="Orders">Orders of the long history; null for the usual number.</param>
/// <param name="Minutes">Of the soak; null for the usual time.</param>
/// <param name="Workloads">Names of the workloads to run; empty for all.</param>
/// <param name="Server">Connection of a PostgreSQL server to use; null to start one.</param>
/// <param name="PostgresBin">Folder of PostgreSQL's programs; null to look in the usual ones.</param>
/// <param name="Output">File for the figures.</param>
/// <param name="Cores">Processor cores for each process of two-processes; below one, a share of a core. Null for the usual.</param>
public sealed record BenchOptions(
    bool IsQuick, int? Rounds, int? Orders, int? Minutes, IReadOnlyList<string> Workloads, string? Server,
    string? PostgresBin, string Output, double? Cores = null)
{
    /// <summary>What may be written on the command line.</summary>
    public const string Usage =
        """
        usage: bench [--quick] [--rounds N] [--orders N] [--minutes N] [--server CONNECTION] [--postgres-bin DIR]
                     [--json FILE] [WORKLOAD ...]

          --quick              small and once, in about two minutes, without cold, two-processes, push-many, soak and what needs
                               the history, unless they are named: for a look, not for a document
          --rounds N           rounds of each workload
          --orders N           orders of the history that rebuild, big-history and first-view share (1,000,000); it is made
                               once and kept below artifacts/history
          --minutes N          of the soak (30)
          --server CONNECTION  a PostgreSQL server whose user may create databases; without it one is started
          --postgres-bin DIR   where pgbench and the server's programs are
          --json FILE          where the figures go (artifacts/bench.json); what can be drawn is drawn beside it
          --cores N            processor cores for each process of two-processes (1; on less than four cores 0.4, which
                               takes root and a cgroup for the processor)
          WORKLOAD             place-order, hot-sku, hot-orders, skew, growth, cold, two-processes, push, push-many, waiting,
                               idle, rebuild, big-history, first-view, soak; all of them if none is named
        """;

    /// <summary>Reads the command line.</summary>
    /// <exception cref="ArgumentException">It asks for something that there is not.</exception>
    public static BenchOptions Parse(IReadOnlyList<string> args)
    {
        var options = new BenchOptions(false, null, null, null, [], null, null, Path.Combine("artifacts", "bench.json"));
        for (var i = 0; i < args.Count; i++)
        {
            options = args[i] switch
            {
                "--quick" => options with { IsQuick = true },
                "--rounds" => options with { Rounds = ReadCount("--rounds", Value(ref i), 1, 100) },
                "--orders" => options with { Orders = ReadCount("--orders", Value(ref i), 1_000, 10_000_000) },
                "--minutes" => options with { Minutes = ReadCount("--minutes", Value(ref i), 1, 10_000) },
                "--server" => options with { Server = Value(ref i) },
                "--postgres-bin" => options with { PostgresBin = Value(ref i) },
                "--json" => options with { Output = Value(ref i) },
                "--cores" => options with { Cores = ReadCores(Value(ref i)) },
                ['-', ..] unknown => throw new ArgumentException($"{unknown} is unknown."),
                var workload => options with { Workloads = [.. options.Workloads, workload] },
            };
        }
        return options;

        string Value(ref int i) =>
            ++i < args.Count ? args[i] : throw new ArgumentException($"{args[i - 1]} needs a value.");
    }

    /// <summary>Rounds of a workload.</summary>
    /// <param name="full">The usual number.</param>
    /// <param name="quick">The number for a quick look.</param>
    public int RoundsOf(int full, int quick) => Rounds ?? (IsQuick ? quick : full);

    /// <summary>SKUs that are ordered.</summary>
    public int Skus => IsQuick ? 1_000 : 10_000;

    /// <summary>One of two lengths.</summary>
    public double Seconds(double full, double quick) => IsQuick ? quick : full;

    static double ReadCores(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var n)
        && (n is >= 0.1 and < 1 || (n is >= 1 and <= 31 && n == Math.Floor(n)))
            ? n : throw new ArgumentException("--cores is a whole number, or a share of a core from 0.1.");

    static int ReadCount(string option, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n >= least && n <= most
            ? n : throw new ArgumentException($"{option} is a number from {least} to {most}.");
}
