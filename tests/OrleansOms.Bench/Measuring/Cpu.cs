using System.Globalization;

namespace OrleansOms.Bench.Measuring;

/// <summary>Processor seconds (user and system) that processes have used, read from <c>/proc</c>.</summary>
public static class Cpu
{
    // What Linux counts in, on every architecture that .NET runs on.
    const double TicksPerSecond = 100;

    /// <summary>Of one running process; 0 if it is gone.</summary>
    public static double Of(int pid) => Read(pid) is { } s ? (s.Own) / TicksPerSecond : 0;

    /// <summary>Of the ended children of this process.</summary>
    public static double OfEndedChildren() => Read(Environment.ProcessId) is { } s ? s.EndedChildren / TicksPerSecond : 0;

    /// <summary>Of a process with its children, ended ones too.</summary>
    public static double OfFamily(int pid)
    {
        if (Read(pid) is not { } parent) return 0;
        return (parent.EndedChildren + FamilyOf(pid).Sum(p => Read(p)?.Own ?? 0)) / TicksPerSecond;
    }

    /// <summary>A process and its running children.</summary>
    public static IReadOnlyList<int> FamilyOf(int pid)
    {
        List<int> family = [pid];
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var other)
                && Read(other)?.Parent == pid) family.Add(other);
        return family;
    }

    /// <summary>The process that started another one; null if that is not known here.</summary>
    public static int? ParentOf(int pid) => Read(pid)?.Parent;

    /// <summary>Resident memory of a process in MB (10⁶ bytes); 0 if it is gone.</summary>
    public static double ResidentMegabytes(int pid)
    {
        if (!OperatingSystem.IsLinux()) return System.Diagnostics.Process.GetProcessById(pid).WorkingSet64 / 1e6;
        var line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return line is null
            ? 0
            : double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024 / 1e6;
    }

    /// <summary>Processes that have wanted to run in the last minute, on average.</summary>
    public static double LoadAverage() => OperatingSystem.IsLinux()
        ? double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture) : 0;

    static (int Parent, long Own, long EndedChildren)? Read(int pid)
    {
        string text;
        try { text = File.ReadAllText($"/proc/{pid}/stat"); }
        catch (IOException) { return null; }
        // The program's name may hold anything, so fields are counted from the bracket that closes it: state is the
        // third, the parent the fourth, times begin with the fourteenth.
        var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
        long Field(int number) => long.Parse(fields[number - 3], CultureInfo.InvariantCulture);
        return ((int)Field(4), Field(14) + Field(15), Field(16) + Field(17));
    }
}
