using System.Diagnostics;
using System.Globalization;

namespace OrleansOms.Bench.Running;

/// <summary>
/// Processors for two programs that are measured, and the others for PostgreSQL and the load. Where the machine has too
/// few, both programs stand on the first processor and the kernel holds each to its share of it, from the moment on when it is
/// warm: with so little of a processor, compiling what it runs takes a program half an hour. Linux only.
/// </summary>
public sealed class ProcessorShares : IDisposable
{
    // Short against the time of an answer, so that a program which has used up its share does not stand still for long.
    const int PeriodMicroseconds = 10_000;

    const string Groups = "/sys/fs/cgroup/cpu";

    readonly string[] _groups;

    ProcessorShares(double cores, IReadOnlyList<IReadOnlyList<string>> programs, int firstOfOthers, string[] groups) =>
        (Cores, Programs, FirstOfOthers, _groups) = (cores, programs, firstOfOthers, groups);

    /// <summary>What each program has, in cores.</summary>
    public double Cores { get; }

    /// <summary>For each program, what it is started by.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Programs { get; }

    /// <summary>Holds a program that runs to what it has, if it was not from its start.</summary>
    /// <param name="program">Which one, from 0.</param>
    /// <param name="pid">Its process.</param>
    public void Hold(int program, int pid)
    {
        if (_groups.Length == 0) return;
        File.WriteAllText(Path.Combine(_groups[program], "cgroup.procs"), Text(pid));
        // Of all its threads, which .NET cannot.
        using var pin = Process.Start(new ProcessStartInfo("taskset", ["-a", "-c", "-p", "0", Text(pid)]) { RedirectStandardOutput = true })!;
        pin.WaitForExit();
    }

    /// <summary>The first processor that PostgreSQL and the load have; theirs are all from there.</summary>
    public int FirstOfOthers { get; }

    /// <summary>What the load is started by.</summary>
    public IReadOnlyList<string> Load => OnProcessors(FirstOfOthers, Environment.ProcessorCount - 1);

    /// <summary>Divides the machine.</summary>
    /// <param name="cores">For each program; null for one core each if four are there, else 0.4.</param>
    /// <exception cref="InvalidOperationException">That is not possible here; the message tells why.</exception>
    public static ProcessorShares Of(double? cores)
    {
        if (!OperatingSystem.IsLinux()) throw new InvalidOperationException("only Linux holds a process to its processors");
        var all = Environment.ProcessorCount;
        var each = cores ?? (all >= 4 ? 1 : 0.4);
        return each < 1 ? Shared(each, all) : Own((int)each, all);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var group in _groups) Directory.Delete(group);
    }

    static ProcessorShares Own(int cores, int all) => all > 2 * cores
        ? new ProcessorShares(cores, [OnProcessors(0, cores - 1), OnProcessors(cores, 2 * cores - 1)], 2 * cores, [])
        : throw new InvalidOperationException($"two times {cores} of {all} processors leave none for PostgreSQL");

    static ProcessorShares Shared(double share, int all)
    {
        if (all < 2) throw new InvalidOperationException("there is one processor for everything");
        try
        {
            var groups = Enumerable.Range(0, 2).Select(n => Group(n, share)).ToArray();
            // The program is told at its start that it has one processor, as it will. The compiler does not count what would be
            // worth compiling once more: with a processor between two, a program does not come to the end of that in minutes,
            // and two of them together twice as late as one.
            IReadOnlyList<string> alone = ["env", "DOTNET_PROCESSOR_COUNT=1", "DOTNET_gcServer=0", "DOTNET_TieredPGO=0"];
            return new ProcessorShares(share, [.. groups.Select(_ => alone)], 1, groups);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"no share of a processor can be set: {e.Message}", e);
        }
    }

    static string Group(int n, double share)
    {
        var group = Path.Combine(Groups, $"oms-bench-{Environment.ProcessId}-{n}");
        if (!Directory.Exists(Groups)) throw new DirectoryNotFoundException($"there is no {Groups}");
        Directory.CreateDirectory(group);
        File.WriteAllText(Path.Combine(group, "cpu.cfs_period_us"), Text(PeriodMicroseconds));
        File.WriteAllText(Path.Combine(group, "cpu.cfs_quota_us"), Text((int)(share * PeriodMicroseconds)));
        return group;
    }

    static IReadOnlyList<string> OnProcessors(int first, int last) => ["taskset", "-c", $"{first}-{last}"];

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
