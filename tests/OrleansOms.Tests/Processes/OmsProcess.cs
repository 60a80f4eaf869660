using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Processes;

/// <summary>The program as its users run it: a process of its own, which can be killed.</summary>
sealed class OmsProcess : IAsyncDisposable
{
    const int LinesKept = 4000;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>A command may have a month of orders to place.</summary>
    static readonly TimeSpan CommandPatience = TimeSpan.FromMinutes(8);

    readonly TestFolder _data = new();
    readonly Dictionary<string, string> _settings;
    readonly ConcurrentQueue<string> _said = new();
    System.Diagnostics.Process? _process;

    /// <summary>A program on a database, with further settings such as <c>Oms__Role</c>.</summary>
    public OmsProcess(string connectionString, params (string Name, string Value)[] settings)
    {
        Url = new Uri($"http://127.0.0.1:{TestPort.Free()}");
        _settings = new Dictionary<string, string>
        {
            ["ConnectionStrings__Oms"] = connectionString,
            ["Oms__Data"] = _data.Path,
            ["Oms__Bootstrap__ApiKey"] = Key,
            ["ASPNETCORE_URLS"] = Url.ToString().TrimEnd('/'),
            ["Oms__ReservationGrace"] = "00:00:03",
            ["Oms__Silo__Port"] = $"{TestPort.Free()}",
            ["Oms__Silo__GatewayPort"] = $"{TestPort.Free()}",
        };
        foreach (var (name, value) in settings) _settings[name] = value;
    }

    public const string Key = "oms_0000000000000000000000000000000000000000000000000000000000000000";
    public Uri Url { get; init; }

    /// <summary>The program that its next start runs: this build's, or an older one's.</summary>
    public string Program { get; set; } = typeof(Host.OmsHost).Assembly.Location;

    /// <summary>A command that runs it, in its own place and with the same process id; empty for none.</summary>
    public IReadOnlyList<string> Within { get; init; } = [];

    /// <summary>What it has ended with.</summary>
    public int ExitCode => _process!.ExitCode;

    /// <summary>The last lines that it has printed, with their times.</summary>
    public IReadOnlyCollection<string> Said => _said;

    public string Data => _data.Path;

    /// <summary>Starts it and waits until it is ready.</summary>
    public Task Start() => Launch(async () => await IsReady() ? true : throw new HttpRequestException("It is not ready."));

    /// <summary>Starts it and waits until it answers a question.</summary>
    public async Task<T> Launch<T>(Func<Task<T>> ask)
    {
        _process = Begin("up");
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        var until = Stopwatch.StartNew();
        while (true)
        {
            try { return await ask(); }
            catch (HttpRequestException) when (!_process.HasExited && until.Elapsed < Patience)
            {
                await Task.WhenAny(Task.Delay(50));
            }
            catch (HttpRequestException)
            {
                throw new InvalidOperationException(
                    $"The program did not come up (exited: {_process.HasExited}).\n{string.Join('\n', Said)}");
            }
        }
    }

    /// <summary>Runs another command of it to its end, with the same settings.</summary>
    /// <returns>The exit code, and what it printed.</returns>
    public async Task<(int Code, string Output)> Run(params string[] command)
    {
        using var process = Begin(command);
        using var limit = new CancellationTokenSource(CommandPatience);
        try
        {
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            var output = await process.StandardOutput.ReadToEndAsync(limit.Token) + await error;
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, output);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    System.Diagnostics.Process Begin(params string[] command)
    {
        string[] all = [.. Within, "dotnet", Program, .. command];
        var start = new ProcessStartInfo(all[0], all[1..])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in _settings) start.Environment[name] = value;
        return System.Diagnostics.Process.Start(start)!;
    }

    void Hear(string? line)
    {
        if (line is null) return;
        _said.Enqueue($"{DateTime.UtcNow:HH:mm:ss.f} {line}");
        while (_said.Count > LinesKept) _said.TryDequeue(out _);
    }

    /// <summary>Whether it says that it should be sent work.</summary>
    public async Task<bool> IsReady()
    {
        using var http = new HttpClient { BaseAddress = Url, Timeout = TimeSpan.FromSeconds(2) };
        try { return (await http.GetAsync("/health/ready")).IsSuccessStatusCode; }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException) { return false; }
    }

    /// <summary>kill -9: it gets no chance to say goodbye.</summary>
    public async Task Kill()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Completes when it has ended, however that came.</summary>
    public Task Ended => _process!.WaitForExitAsync();

    /// <summary>Sends it a signal, such as <c>STOP</c> or <c>TERM</c>.</summary>
    public async Task Signal(string name)
    {
        using var kill = System.Diagnostics.Process.Start("kill", [$"-{name}", $"{_process!.Id}"]);
        await kill.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) await Kill();
        _process?.Dispose();
        _data.Dispose();
    }
}
