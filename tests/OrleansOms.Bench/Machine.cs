using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace OrleansOms.Bench;

/// <summary>What the figures were measured on; without it they mean nothing.</summary>
/// <param name="MemoryGigabytes">10⁹ bytes.</param>
/// <param name="Build">Debug or Release.</param>
public sealed record Machine(
    DateTimeOffset At, string Processor, int Cores, double MemoryGigabytes, string System, string Runtime, string PostgreSql,
    string Build)
{
    /// <summary>This one.</summary>
    public static Machine Describe(string postgreSql) => new(
        DateTimeOffset.UtcNow, NameOfProcessor(), Environment.ProcessorCount,
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9, 1),
        RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription, postgreSql,
        typeof(Host.OmsHost).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()?.Configuration ?? "unknown");

    /// <summary>As a line.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{At:yyyy-MM-dd HH:mm}Z, {Processor}, {Cores} cores, {MemoryGigabytes} GB, {System}, {Runtime}, PostgreSQL {PostgreSql}, {Build} build");

    static string NameOfProcessor()
    {
        const string name = "model name";
        var line = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) : null;
        return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':') + 1)..].Trim();
    }
}
