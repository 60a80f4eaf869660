using System.Diagnostics;

namespace OrleansOms.Host.Database;

/// <summary>How a command of the database server ended.</summary>
internal sealed record CommandResult(int ExitCode, string Output)
{
    /// <summary>Whether it said that all is well.</summary>
    public bool Ok => ExitCode == 0;
}

/// <summary>
/// The account that the database server runs under: the program's own, or, because PostgreSQL refuses to run as root,
/// an unprivileged one when the program is root.
/// </summary>
/// <param name="Other">User and group number to change to; null when the program is not root.</param>
internal sealed record ServerAccount((string User, string Group)? Other)
{
    static readonly string[] Candidates = ["postgres", "nobody"];
    static readonly ServerAccount Self = new(null as (string, string)?);

    /// <summary>Picks it: the owner of the cluster if there is one, else <c>postgres</c>, else <c>nobody</c>.</summary>
    public static async Task<ServerAccount> Choose(string? cluster)
    {
        if (!Environment.IsPrivilegedProcess) return Self;
        if (cluster is not null && (await Self.Run("stat", ["-c", "%u %g", cluster])) is { Ok: true } owner)
        {
            var ids = owner.Output.Trim().Split(' ');
            if (ids is [not "0", _]) return new((ids[0], ids[1]));
        }
        foreach (var name in Candidates)
        {
            var (user, group) = (await Self.Run("id", ["-u", name]), await Self.Run("id", ["-g", name]));
            if (user.Ok && group.Ok) return new((user.Output.Trim(), group.Output.Trim()));
        }
        throw new PrivatePostgresException(
            "PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody to run it as. "
            + "Start this program as a normal user, or set ConnectionStrings__Oms.");
    }

    /// <summary>Whether the account can enter the folder.</summary>
    public async Task<bool> CanEnter(string folder) =>
        Other is null || (await Run("sh", ["-c", "cd \"$1\"", "sh", folder])).Ok;

    /// <summary>Gives a file or folder to the account.</summary>
    public async Task Give(string path)
    {
        if (Other is not var (user, group)) return;
        (await Self.Run("chown", [$"{user}:{group}", path])).OrFail($"give {path} to the database's user");
    }

    /// <summary>Writes a file of the account, readable by it alone, whole or not at all.</summary>
    public async Task Write(string path, string content) =>
        (await Run("sh", ["-c", "umask 077; cat > \"$1.new\" && mv \"$1.new\" \"$1\"", "sh", path], content))
        .OrFail($"write {path}");

    /// <summary>Runs a command under the account and waits for its end.</summary>
    public async Task<CommandResult> Run(string program, string[] arguments, string input = "")
    {
        var start = new ProcessStartInfo
        {
            FileName = Other is null ? program : "setpriv",
            // The program's own folder may be closed to the account, and PostgreSQL insists on knowing where it is.
            WorkingDirectory = "/",
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        if (Other is var (user, group))
            foreach (var a in (string[])["--reuid", user, "--regid", group, "--clear-groups", "--", program])
                start.ArgumentList.Add(a);
        foreach (var a in arguments) start.ArgumentList.Add(a);
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("PG", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["LC_ALL"] = "C";

        using var process = Launch(start);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading; its exit code tells the rest.
            process.StandardInput.BaseStream.Dispose();
        }
        await process.WaitForExitAsync();
        return new(process.ExitCode, await output + await errors);
    }

    static Process Launch(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new PrivatePostgresException(start.FileName == "setpriv"
                ? "PostgreSQL refuses to run as root, and setpriv (package util-linux), which would start it as another "
                  + "user, is missing. Install it, start this program as a normal user, or set ConnectionStrings__Oms."
                : $"Cannot run {start.FileName}: {e.Message}", e);
        }
    }
}

/// <summary>What to do with a command that failed.</summary>
internal static class CommandResults
{
    /// <summary>Nothing if it succeeded.</summary>
    /// <exception cref="PrivatePostgresException">It failed: what was tried, and what the command said.</exception>
    public static CommandResult OrFail(this CommandResult result, string what) => result.Ok
        ? result
        : throw new PrivatePostgresException($"Could not {what}: {result.Output.Trim()}");
}
