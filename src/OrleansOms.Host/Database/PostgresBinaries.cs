using System.Diagnostics;
using System.Text.RegularExpressions;

namespace OrleansOms.Host.Database;

/// <summary>A folder with the programs of a PostgreSQL server.</summary>
/// <param name="Folder">Where <c>initdb</c>, <c>pg_ctl</c> and <c>postgres</c> are.</param>
/// <param name="Major">Its major version, 15 or later.</param>
public sealed partial record PostgresBinaries(string Folder, int Major)
{
    /// <summary>The oldest version that has what the migrations ask for (NULLS NOT DISTINCT).</summary>
    public const int OldestMajor = 15;

    static readonly string[] UsualFolders =
    [
        "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
        "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
        "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
        "/Applications/Postgres.app/Contents/Versions/*/bin",
    ];

    /// <summary>The folder of PATH and then the usual folders of Linux and macOS, those with a newer version first.</summary>
    public static IEnumerable<string> DefaultFolders() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Concat(UsualFolders.SelectMany(Expand));

    /// <summary>
    /// The binaries to use: those of the setting; else the first in <paramref name="folders"/>.
    /// </summary>
    /// <param name="setting">Folder that was set, or null.</param>
    /// <param name="clusterMajor">Version of the cluster that is there already, whose files no other version reads.</param>
    /// <param name="folders">Where to look, best first.</param>
    /// <exception cref="PrivatePostgresException">There are none; the message names the ways out.</exception>
    public static PostgresBinaries Find(string? setting, int? clusterMajor, IEnumerable<string> folders)
    {
        if (!string.IsNullOrWhiteSpace(setting))
        {
            var chosen = Probe(Path.GetFullPath(setting)) ?? throw new PrivatePostgresException(
                $"Oms__PostgresBin is {setting}, and there is no PostgreSQL {OldestMajor} or later in it (initdb, "
                + $"pg_ctl, postgres).\n{WaysOut}");
            return Fits(chosen) ? chosen : throw new PrivatePostgresException(
                $"Oms__PostgresBin is {setting}, PostgreSQL {chosen.Major}, but the data folder holds a database of "
                + $"PostgreSQL {clusterMajor}: set it to that version.");
        }
        var found = folders.Distinct().Select(Probe).OfType<PostgresBinaries>().ToList();
        if (found.Find(Fits) is { } best) return best;
        throw new PrivatePostgresException(found.Count == 0
            ? $"No PostgreSQL {OldestMajor} or later was found on this machine.\n{WaysOut}"
            : $"The data folder holds a database of PostgreSQL {clusterMajor}, but only "
              + $"{string.Join(", ", found.Select(b => b.Major).Distinct())} is installed here: install PostgreSQL "
              + $"{clusterMajor} beside it, or move the data with pg_dump.");

        bool Fits(PostgresBinaries b) => clusterMajor is null || b.Major == clusterMajor;
    }

    const string WaysOut =
        "Either install PostgreSQL (Debian: apt-get install postgresql; Fedora: dnf install postgresql-server; macOS: "
        + "brew install postgresql@17) or name the folder of its binaries in Oms__PostgresBin;\n"
        + "or use a server of your own: set ConnectionStrings__Oms, "
        + "e.g. Host=db;Username=oms;Password=…;Database=oms.";

    /// <summary>Full path of one of its programs.</summary>
    public string Program(string name) => Path.Combine(Folder, name);

    static PostgresBinaries? Probe(string folder)
    {
        if (!Path.IsPathRooted(folder)) return null;
        if (!new[] { "initdb", "pg_ctl", "postgres" }.All(p => File.Exists(Path.Combine(folder, p)))) return null;
        var start = new ProcessStartInfo(Path.Combine(folder, "postgres"), "--version")
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/",
        };
        using var process = Process.Start(start)!;
        var match = VersionNumber().Match(process.StandardOutput.ReadToEnd());
        process.WaitForExit();
        return match.Success && int.Parse(match.Groups[1].Value) is >= OldestMajor and var major
            ? new(folder, major)
            : null;
    }

    static IEnumerable<string> Expand(string pattern)
    {
        var star = pattern.IndexOf('*');
        var parent = pattern[..pattern.LastIndexOf('/', star)];
        var rest = pattern[(pattern.IndexOf('/', star) + 1)..];
        var name = pattern[(parent.Length + 1)..^(rest.Length + 1)];
        if (!Directory.Exists(parent)) return [];
        return Directory.EnumerateDirectories(parent, name)
            .OrderByDescending(d => VersionNumber().Match(Path.GetFileName(d)) is { Success: true } m
                ? int.Parse(m.Groups[1].Value)
                : 0)
            .Select(d => Path.Combine(d, rest));
    }

    [GeneratedRegex(@"(\d{1,4})")]
    private static partial Regex VersionNumber();
}
