using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Processes;

/// <summary>What <c>./oms cluster</c> starts: a process with the proxy in it, and a process for each member.</summary>
sealed class ClusterProcess : IAsyncDisposable
{
    static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(90);

    readonly TestFolder _data = new();
    readonly ConcurrentQueue<string> _said = new();
    readonly Process _process;

    ClusterProcess(string connectionString)
    {
        Url = new Uri($"http://127.0.0.1:{TestPort.Free()}");
        // Whoever starts the tests in the background makes them deaf to Ctrl-C, and a process inherits that.
        _process = Process.Start(new ProcessStartInfo(
            "env", ["--default-signal=INT,QUIT", "dotnet", typeof(Host.OmsHost).Assembly.Location, "cluster"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
            Environment =
            {
                ["ConnectionStrings__Oms"] = connectionString, ["Oms__Data"] = _data.Path, ["ASPNETCORE_URLS"] = Url.ToString(),
                ["Oms__Bootstrap__ApiKey"] = OmsProcess.Key,
            },
        })!;
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        void Hear(string? line)
        {
            if (line is not null) _said.Enqueue(line);
        }
    }

    /// <summary>The one address.</summary>
    public Uri Url { get; }

    /// <summary>Everything that was printed.</summary>
    public IReadOnlyCollection<string> Said => _said;

    /// <summary>The process that has started all others.</summary>
    public int Id => _process.Id;

    /// <summary>Starts it and waits until every member is ready.</summary>
    public static async Task<ClusterProcess> Start(string connectionString)
    {
        var cluster = new ClusterProcess(connectionString);
        try
        {
            await Silos.Until(() => Task.FromResult(cluster.Members().Count), n => n == 5);
            foreach (var member in cluster.Members()) await Silos.Until(member.IsReady, r => r);
            await Silos.Until(() => IsReady(cluster.Url), r => r);
            return cluster;
        }
        catch (Exception e)
        {
            await cluster.DisposeAsync();
            throw new InvalidOperationException($"The cluster did not come up.\n{string.Join('\n', cluster.Said)}", e);
        }
    }

    /// <summary>The members that run now.</summary>
    /// <param name="role">Silo or Web; null for all.</param>
    public IReadOnlyList<Member> Members(string? role = null) =>
        [.. ChildrenOf(Id).Select(Member.Of).OfType<Member>().Where(m => role is null || m.Role == role)];

    /// <summary>Tells a member to stop, and waits until what is started in its place is ready.</summary>
    public async Task Restart(Member member)
    {
        await Signal("TERM", member.Process);
        var next = await Silos.Until(
            () => Task.FromResult(Members().FirstOrDefault(m => m.Url == member.Url && m.Process != member.Process)), m => m is not null);
        await Silos.Until(next!.IsReady, r => r);
    }

    /// <summary>Tells it to stop, as SIGTERM or as Ctrl-C at a terminal, which every process there hears.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> Stop(bool asAtTerminal = false)
    {
        await (asAtTerminal ? Signal("INT", [Id, .. Members().Select(m => m.Process)]) : Signal("TERM", Id));
        await _process.WaitForExitAsync().WaitAsync(EndsWithin);
        return _process.ExitCode;
    }

    static async Task Signal(string name, params int[] processes)
    {
        using var kill = Process.Start("kill", [$"-{name}", .. processes.Select(p => $"{p}")]);
        await kill.WaitForExitAsync();
    }

    static async Task<bool> IsReady(Uri url)
    {
        using var http = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(5) };
        try { return (await http.GetAsync("/health/ready")).IsSuccessStatusCode; }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException) { return false; }
    }

    static IEnumerable<int> ChildrenOf(int parent) =>
        Directory.EnumerateDirectories($"/proc/{parent}/task")
            .SelectMany(t => ReadIfThere(Path.Combine(t, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(int.Parse);

    /// <summary>A thread may end while it is looked at.</summary>
    static string ReadIfThere(string path)
    {
        try { return File.ReadAllText(path); }
        catch (IOException) { return ""; }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _data.Dispose();
    }

    /// <summary>One silo or front end.</summary>
    public sealed record Member(int Process, string Role, Uri Url)
    {
        /// <summary>Reads it from its command line; null if it is something else, or has ended.</summary>
        public static Member? Of(int process)
        {
            string[] command;
            try { command = File.ReadAllText($"/proc/{process}/cmdline").Split('\0'); }
            catch (IOException) { return null; }
            return Value("--Oms:Role") is { } role ? new Member(process, role, new Uri(Value("--urls")!)) : null;

            string? Value(string name) => Array.IndexOf(command, name) is >= 0 and var at ? command[at + 1] : null;
        }

        /// <summary>kill -9.</summary>
        public void Kill() => System.Diagnostics.Process.GetProcessById(Process).Kill();

        /// <summary>Whether it says that it should be sent work.</summary>
        public Task<bool> IsReady() => ClusterProcess.IsReady(Url);
    }
}
