using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using OrleansOms.Bench.Drawing;
using OrleansOms.Bench.Measuring;

namespace OrleansOms.Bench;

/// <summary>The table and the file at the end.</summary>
/// <param name="Machine">Where it was measured.</param>
/// <param name="LoadAverageAtStart">What else was going on before the first arm.</param>
public sealed record Report(Machine Machine, bool IsQuick, double LoadAverageAtStart, IReadOnlyList<WorkloadResult> Workloads)
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    static readonly string[] Heads =
    [
        "workload", "arm", "per second (spread)", "p50 ms", "p99 ms", "CPU µs/op: program", "load", "PostgreSQL",
        "WAL B/op", "ratio (spread)", "target", "", "load avg", "further",
    ];

    /// <summary>A turn in a few words.</summary>
    public static string Brief(Turn turn) => string.Join(", ",
        new[]
        {
            turn.Outcome.Operations == 0 ? "" : $"{Number(turn.Rate)}/s",
            turn.Outcome.P99Ms is { } p99 ? $"p99 {Number(p99)} ms" : "",
        }.Concat(turn.Outcome.Further.Select(f => $"{f.Key} {Number(f.Value)}")).Where(t => t.Length > 0));

    /// <summary>The table, in Markdown.</summary>
    public string Table()
    {
        List<string[]> rows = [Heads, .. Workloads.SelectMany(w => w.Arms.Select(a => Row(w, a)))];
        var widths = Enumerable.Range(0, Heads.Length).Select(c => rows.Max(r => r[c].Length)).ToArray();
        var text = new StringBuilder();
        for (var i = 0; i < rows.Count; i++)
        {
            text.Append("| ").AppendJoin(" | ", rows[i].Select((cell, c) => cell.PadRight(widths[c]))).AppendLine(" |");
            if (i == 0) text.Append('|').AppendJoin('|', widths.Select(w => new string('-', w + 2))).AppendLine("|");
        }
        return text.ToString();
    }

    /// <summary>Whether every target was met.</summary>
    public bool IsMet => Workloads.SelectMany(w => w.Arms).All(a => a.Goal?.IsMet(a) is not false);

    /// <summary>Writes everything that was measured.</summary>
    public void Write(string file)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        Directory.CreateDirectory(folder);
        foreach (var workload in Workloads)
            if (Charts.Of(workload) is { } chart) File.WriteAllText(Path.Combine(folder, $"{workload.Name}.svg"), chart);
        File.WriteAllText(file, JsonSerializer.Serialize(
            new
            {
                Machine, IsQuick, LoadAverageAtStart,
                Workloads = Workloads.Select(w => new
                {
                    w.Name, w.Unit,
                    Arms = w.Arms.Select(a => new
                    {
                        a.Name, a.Rate, a.Against, a.Ratio, Target = a.Goal?.Text, IsMet = a.Goal?.IsMet(a), a.Turns,
                    }),
                }),
            }, Json));
    }

    static string[] Row(WorkloadResult workload, ArmResult arm) =>
    [
        workload.Name, arm.Name,
        arm.Rate.Max > 0 ? Text(arm.Rate) : "",
        Text(arm.Median(t => t.Outcome.P50Ms)), Text(arm.Median(t => t.Outcome.P99Ms)),
        PerOperation(arm, t => t.ProgramCpuSeconds * 1e6),
        PerOperation(arm, t => t.Outcome.LoadCpuSeconds > 0 ? t.Outcome.LoadCpuSeconds * 1e6 : null),
        PerOperation(arm, t => t.PostgresCpuSeconds * 1e6),
        PerOperation(arm, t => t.WalBytes),
        arm.Ratio is { } ratio ? Text(ratio) : "",
        arm.Goal?.Text ?? "", arm.Goal is { } goal ? goal.IsMet(arm) ? "met" : "MISSED" : "",
        Text(arm.Median(t => t.LoadAverage)),
        string.Join(", ", arm.Further.Select(f =>
            $"{f} {Text(arm.Median(t => t.Outcome.Further.TryGetValue(f, out var v) ? v : null))}")),
    ];

    static string PerOperation(ArmResult arm, Func<Turn, double?> amount) => Text(arm.Median(t =>
        t.Outcome.Operations > 0 && amount(t) is { } a ? t.PerOperation(a) : null));

    static string Text(double? value) => value is { } v ? Number(v) : "";

    static string Text(Spread s) => $"{Number(s.Median)} ({Number(s.Min)}–{Number(s.Max)})";

    // Three digits say all that a noisy machine knows.
    internal static string Number(double value) => Math.Abs(value) switch
    {
        >= 100 => value.ToString("#,0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0.##", CultureInfo.InvariantCulture),
    };
}
