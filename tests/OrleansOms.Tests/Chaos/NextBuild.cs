using System.Diagnostics;
using System.Text;

namespace OrleansOms.Tests.Chaos;

/// <summary>
/// The version after this one: the same sources, but that three events are stored under names that this version does not
/// know: one of an order, one of a stock and one of a shipment. It reads them under both. Whoever passes over one of them has
/// an order that is not paid, units that are not reserved, a parcel that nobody has picked. And it has a migration of its own,
/// which runs while this version is at work: it adds to tables, as migrations may.
/// </summary>
static class NextBuild
{
    static readonly string[] Renamed = ["order.payment-recorded", "stock.reserved", "shipment.units-picked"];
    const string Migration = """
        alter table oms.orders add column next_note text;
        alter table oms.stock add column next_count int not null default 7;
        create index stock_by_next_count on oms.stock (next_count);
        create table oms.next (key text primary key);
        """;

    static readonly Lazy<Task<string>> Built = new(Build);

    /// <summary>Names that only the next version knows.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Renamed.Select(n => $"{n}.v2")];

    /// <summary>The program.</summary>
    public static Task<string> Program() => Built.Value;

    /// <summary>How this version calls what the next one stores.</summary>
    public static string NameHere(string name) => Names.Contains(name) ? name.Replace(".v2", ".v1", StringComparison.Ordinal) : name;

    static async Task<string> Build()
    {
        var folder = Path.Combine(Repository.Root, "artifacts", "next-build");
        Copy(folder);
        using var build = Process.Start(new ProcessStartInfo(
            "dotnet", ["build", "-c", "Release", "src/OrleansOms.Host", "-v", "q", "-nodeReuse:false", "-p:UseSharedCompilation=false"])
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var error = build.StandardError.ReadToEndAsync();
        var output = await build.StandardOutput.ReadToEndAsync() + await error;
        await build.WaitForExitAsync();
        if (build.ExitCode != 0) throw new InvalidOperationException($"The next version was not built.\n{output}");
        return Path.Combine(folder, "src", "OrleansOms.Host", "bin", "Release", "net10.0", Path.GetFileName(Builds.This));
    }

    /// <summary>Brings the sources up to date; what has not changed since the last time is not built again.</summary>
    static void Copy(string folder)
    {
        var root = new DirectoryInfo(Repository.Root);
        IEnumerable<FileInfo> sources =
        [
            .. root.EnumerateFiles("Directory.*"), .. root.EnumerateFiles("global.json"), .. root.EnumerateFiles(".editorconfig"),
            .. new DirectoryInfo(Path.Combine(root.FullName, "src")).EnumerateFiles("*", SearchOption.AllDirectories)
                .Where(f => !IsMade(f.FullName)),
        ];
        var there = new HashSet<string>(StringComparer.Ordinal);
        foreach (var source in sources)
        {
            var target = Path.Combine(folder, Path.GetRelativePath(root.FullName, source.FullName));
            Keep(target, source.Name == "EventTypes.cs"
                ? Encoding.UTF8.GetBytes(Next(File.ReadAllText(source.FullName))) : File.ReadAllBytes(source.FullName));
        }
        Keep(Path.Combine(folder, "src", "OrleansOms.Postgres", "Migrations", "9999_next.sql"), Encoding.UTF8.GetBytes(Migration));
        foreach (var old in Directory.EnumerateFiles(Path.Combine(folder, "src"), "*", SearchOption.AllDirectories))
            if (!there.Contains(old) && !IsMade(old)) File.Delete(old);

        void Keep(string target, byte[] bytes)
        {
            there.Add(target);
            if (File.Exists(target) && File.ReadAllBytes(target).AsSpan().SequenceEqual(bytes)) return;
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllBytes(target, bytes);
        }
    }

    static bool IsMade(string file) =>
        file.Contains("/bin/", StringComparison.Ordinal) || file.Contains("/obj/", StringComparison.Ordinal);

    static string Next(string eventTypes)
    {
        foreach (var name in Renamed) eventTypes = Replaced(eventTypes, $"(\"{name}.v1\", ", $"(\"{name}.v2\", ");
        // Other names of that kind are of this version.
        var renamed = string.Join(" or ", Names.Select(n => $"\"{n}\""));
        return Replaced(eventTypes, "ByName = All.", $"""
            ByName = All
                    .Concat(All.Where(t => t.Name is {renamed}).Select(t => (Name: t.Name.Replace(".v2", ".v1"), t.Json))).
            """);
    }

    static string Replaced(string text, string old, string now) => text.Contains(old, StringComparison.Ordinal)
        ? text.Replace(old, now, StringComparison.Ordinal)
        : throw new InvalidOperationException($"The sources have changed: {old} is not there, of which the next version is made.");
}
