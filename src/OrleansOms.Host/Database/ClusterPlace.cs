using System.Security.Cryptography;

namespace OrleansOms.Host.Database;

/// <summary>
/// Where a cluster is: <c>{data}/postgres</c> and <c>{data}/postgres.log</c>. When the server has to run under another
/// account (the program is root) and that account cannot enter the data folder, as below <c>/root</c>, both live under
/// <c>/var/lib/orleans-oms</c> and the data folder has links to them.
/// </summary>
/// <param name="Cluster">The server's folder, without links in it.</param>
/// <param name="LogFile">What the server prints.</param>
/// <param name="Account">Who runs the server and owns the cluster.</param>
internal sealed record ClusterPlace(string Cluster, string LogFile, ServerAccount Account)
{
    const string Elsewhere = "/var/lib/orleans-oms";
    const long LargestLogBytes = 16 * 1024 * 1024;

    /// <summary>Whether there is a cluster. It appears by a rename, so it is whole.</summary>
    public bool Exists => Directory.Exists(Cluster);

    /// <summary>Version of the cluster that is there, or null.</summary>
    public int? Major => Exists ? int.Parse(File.ReadAllText(Path.Combine(Cluster, "PG_VERSION"))) : null;

    /// <summary>Finds the place that belongs to a data folder, and makes ready what is around it.</summary>
    public static async Task<ClusterPlace> Of(string dataFolder, ILogger log)
    {
        var (cluster, logFile) = (Path.Combine(dataFolder, "postgres"), Path.Combine(dataFolder, "postgres.log"));
        var home = new DirectoryInfo(cluster).LinkTarget is { } target ? Path.GetDirectoryName(target)! : dataFolder;
        if (home != dataFolder && !Directory.Exists(home)) throw new PrivatePostgresException(
            $"{cluster} points to {home}, which is gone. Put it back from a backup, or remove {cluster} to begin anew.");
        // The kernel names a server's folder without links, and so do we.
        home = Real(home);

        var isNew = !Directory.Exists(Path.Combine(home, "postgres"));
        var account = await ServerAccount.Choose(isNew ? null : Path.Combine(home, "postgres"));
        if (!await account.CanEnter(home))
        {
            if (!isNew) throw new PrivatePostgresException(
                $"The user {account.Other?.User} that owns {home}/postgres cannot enter {home}: one of the folders "
                + "above it is closed to others. Open them (chmod o+x), or choose another data folder with Oms__Data.");
            home = MakeHomeElsewhere(cluster, logFile);
            log.LogWarning("{Folder} cannot be entered by the database's user: the database lives in {Home}, and "
                + "{Cluster} is a link to it.", dataFolder, home, cluster);
        }
        var place = new ClusterPlace(Path.Combine(home, "postgres"), Path.Combine(home, "postgres.log"), account);
        await place.PrepareLog();
        return place;
    }

    static string MakeHomeElsewhere(string cluster, string logFile)
    {
        var home = Path.Combine(Elsewhere, RandomNumberGenerator.GetHexString(12, lowercase: true));
        Directory.CreateDirectory(home);
        // A link that points to nothing yet, from a start that was cut short, gives way.
        File.Delete(logFile);
        File.CreateSymbolicLink(logFile, Path.Combine(home, "postgres.log"));
        File.CreateSymbolicLink(cluster, Path.Combine(home, "postgres"));
        return home;
    }

    async Task PrepareLog()
    {
        if (File.Exists(LogFile) && new FileInfo(LogFile).Length > LargestLogBytes)
            File.Move(LogFile, LogFile + ".1", overwrite: true);
        if (File.Exists(LogFile)) return;
        OwnerOnly.Open(LogFile, FileMode.CreateNew).Dispose();
        await Account.Give(LogFile);
    }

    static string Real(string path)
    {
        var parent = Path.GetDirectoryName(path);
        if (parent is null) return path;
        var here = Path.Combine(Real(parent), Path.GetFileName(path));
        return new DirectoryInfo(here).ResolveLinkTarget(returnFinalTarget: true) is { } target
            ? Real(target.FullName)
            : here;
    }
}
