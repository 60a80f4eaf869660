using System.Reflection;

namespace OrleansOms.Tests.Architecture;

/// <summary>What the rules are held against.</summary>
static class OurCode
{
    /// <summary>The assemblies of <c>src</c>.</summary>
    public static IReadOnlyList<Assembly> Assemblies { get; } =
        [.. new[] { "Domain", "Contracts", "Grains", "Postgres", "Connectors", "Host" }
            .Select(name => Assembly.Load("OrleansOms." + name))];

    /// <summary>The types that we wrote, without those that the Orleans generator adds.</summary>
    public static IReadOnlyList<Type> Types { get; } =
        [.. Assemblies.SelectMany(a => a.GetTypes()).Where(IsWritten)];

    /// <summary>Whether a person wrote the type (or the compiler did, for a part of one).</summary>
    public static bool IsWritten(Type type) => type.Namespace?.StartsWith("OrleansCodeGen", StringComparison.Ordinal) != true;

    /// <summary>Text of every source file of a kind below <c>src</c>.</summary>
    public static IEnumerable<string> Sources(string pattern) => Files(pattern, "src").Select(File.ReadAllText);

    /// <summary>Paths of the files below some folders of the repository, without what a build makes.</summary>
    public static IEnumerable<string> Files(string pattern, params string[] folders) => folders
        .Select(f => Path.Combine(Repository.Root, f)).Where(Directory.Exists)
        .SelectMany(f => Directory.EnumerateFiles(f, pattern, SearchOption.AllDirectories))
        .Where(f => !f.Split(Path.DirectorySeparatorChar).Any(p => p is "bin" or "obj" or "node_modules"));
}
