namespace OrleansOms.Host.Database;

/// <summary>A running server, as its <c>postmaster.pid</c> tells.</summary>
/// <param name="Pid">Its process.</param>
/// <param name="StartedAt">Unix seconds; with the process number it names this run of the server and no other.</param>
/// <param name="Port">The port that it listens on, on 127.0.0.1.</param>
internal sealed record Postmaster(int Pid, long StartedAt, int Port)
{
    /// <summary>One word for this run.</summary>
    public string Identity => $"{Pid}-{StartedAt}";

    /// <summary>Where the file is.</summary>
    public static string FileOf(string cluster) => Path.Combine(cluster, "postmaster.pid");

    /// <summary>The server that runs on the cluster, or null. A file that a crash left behind is no server.</summary>
    public static Postmaster? Running(string cluster) =>
        Read(cluster) is { } found && IsServerOf(found.Pid, cluster) ? found : null;

    /// <summary>
    /// Whether the file names a number that some other process has by now (or a dead one that nobody has waited for).
    /// PostgreSQL itself would take it for a living server and refuse to start.
    /// </summary>
    public static bool IsTaken(string cluster) =>
        Read(cluster) is { } found && !IsServerOf(found.Pid, cluster) && Directory.Exists($"/proc/{found.Pid}");

    static Postmaster? Read(string cluster)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(FileOf(cluster));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        // Lines 1, 3 and 4: process, start time, port. A server that has just begun has not written all of them.
        if (lines.Length < 1 || !int.TryParse(lines[0], out var pid)) return null;
        long startedAt = 0;
        var port = 0;
        if (lines.Length > 3 && long.TryParse(lines[2], out startedAt)) _ = int.TryParse(lines[3], out port);
        return new(pid, startedAt, port);
    }

    static bool IsServerOf(int pid, string cluster)
    {
        // A server's working folder is its cluster; nothing else that could have got the number sits there.
        if (OperatingSystem.IsLinux())
        {
            try
            {
                return new FileInfo($"/proc/{pid}/cwd").LinkTarget == cluster;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(pid);
            return process.ProcessName.StartsWith("postgres", StringComparison.Ordinal);
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
