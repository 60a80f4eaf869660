using System.Diagnostics;
using OrleansOms.Bench.Database;

namespace OrleansOms.Bench;

/// <summary>What all workloads of one run share.</summary>
/// <param name="Options">What was asked for.</param>
/// <param name="Postgres">The server that every arm uses.</param>
/// <param name="Folder">For files of this run; gone when it ends.</param>
/// <param name="Cancel">Cancelled by Ctrl-C.</param>
public sealed record Session(BenchOptions Options, BenchServer Postgres, string Folder, CancellationToken Cancel)
{
    readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>Tells whoever waits how it goes; the figures themselves go to standard output.</summary>
    public void Say(string text) => Console.Error.WriteLine($"{Stopwatch.GetElapsedTime(_start).TotalSeconds,6:0.0} s  {text}");
}
