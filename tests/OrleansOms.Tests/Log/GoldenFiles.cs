using System.Security.Cryptography;

namespace OrleansOms.Tests.Log;

/// <summary>
/// Files that are written once and read for ever. A new one, or a new line of a list, is written by running the tests with
/// <c>OMS_WRITE_GOLDEN=1</c>; nothing is ever rewritten.
/// </summary>
static class GoldenFiles
{
    public static string Folder { get; } = Path.Combine(Repository.Root, "tests", "OrleansOms.Tests", "Log", "Golden");

    /// <summary>Snapshots as they were stored.</summary>
    public static string Snapshots { get; } = Path.Combine(Folder, "Snapshots");

    /// <summary>Each file that must never change, by its path in the repository, with what it holds.</summary>
    public static string Seals { get; } = Path.Combine(Folder, "seals.txt");

    public static bool Writes { get; } = Environment.GetEnvironmentVariable("OMS_WRITE_GOLDEN") == "1";

    /// <summary>Writes a file that is not there yet, if this run is for that.</summary>
    public static void WriteIfNew(string file, string text)
    {
        if (Writes && !File.Exists(file)) File.WriteAllText(file, text);
    }

    /// <summary>
    /// Holds what the program says today against a list of what it once said: no line of the list may be missing, and what
    /// is new must be put into it.
    /// </summary>
    public static void IsWithin(string name, string text)
    {
        var file = Path.Combine(Folder, name);
        string[] known = File.Exists(file) ? File.ReadAllLines(file) : [];
        var said = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Empty(known.Except(said));
        if (Writes) File.AppendAllLines(file, said.Except(known));
        else Assert.Empty(said.Except(known));
    }

    public static string SealOf(string file) =>
        $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))} {Path.GetRelativePath(Repository.Root, file).Replace('\\', '/')}";
}
