using System.Diagnostics;
using System.Text.RegularExpressions;
using OrleansOms.Host.Database;

namespace OrleansOms.Tests.Operation;

/// <summary>
/// The commands of <c>deploy/runbook.md</c>, carried out as they stand there: each block begins with a line that names it.
/// </summary>
static partial class Runbook
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>The commands of a block.</summary>
    public static string Commands(string name) =>
        Block().Matches(File.ReadAllText(Path.Combine(Repository.Root, "deploy/runbook.md")))
            .Where(b => b.Groups["name"].Value == name).Select(b => b.Groups["commands"].Value).SingleOrDefault()
        ?? throw new ArgumentException($"The runbook has no commands that are called “{name}”.");

    /// <summary>Runs blocks one after the other, as one person at one terminal does.</summary>
    /// <param name="folder">Where that person is.</param>
    /// <param name="variables">What is set there.</param>
    /// <param name="account">Who that person is, if not whoever runs the tests.</param>
    /// <returns>What was printed.</returns>
    public static async Task<string> Run(
        string[] names, string folder, IEnumerable<(string Name, string Value)> variables, ServerAccount? account = null)
    {
        string[] command = ["bash", "-euo", "pipefail", "-c", string.Join('\n', names.Select(Commands))];
        if (account?.Other is var (user, group)) command = ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", "--", .. command];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        start.Environment["PATH"] = $"{PostgresBinaries.Find(null, null, PostgresBinaries.DefaultFolders()).Folder}:{start.Environment["PATH"]}";
        foreach (var (name, value) in variables) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        // A server that the commands start keeps the pipes open: what is awaited is the end of the commands.
        var said = new System.Collections.Concurrent.ConcurrentQueue<string?>();
        process.OutputDataReceived += (_, line) => said.Enqueue(line.Data);
        process.ErrorDataReceived += (_, line) => said.Enqueue(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        while (!process.HasExited && DateTime.Now - process.StartTime < Patience) await Task.WhenAny(Task.Delay(50));
        var text = string.Join('\n', said);
        return process.HasExited && process.ExitCode == 0 ? text
            : throw new InvalidOperationException($"{string.Join(", ", names)} did not succeed:\n{text}");
    }

    [GeneratedRegex(@"^```sh\r?\n# (?<name>[^:\n]+):[^\n]*\n(?<commands>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
