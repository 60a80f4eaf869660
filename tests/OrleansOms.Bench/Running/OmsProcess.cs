using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace OrleansOms.Bench.Running;

/// <summary>How the program is started where that is not as usual.</summary>
public sealed record OmsStart
{
    /// <summary>Where it answers; null for a free port.</summary>
    public Uri? Url { get; init; }

    /// <summary>Port between silos; 0 for a free one.</summary>
    public int SiloPort { get; init; }

    /// <summary>Port for front ends; 0 for a free one.</summary>
    public int GatewayPort { get; init; }

    /// <summary>A command that becomes the program: its words stand before the program's.</summary>
    public IReadOnlyList<string> Before { get; init; } = [];
}

/// <summary>The measured program: its own process, as people run it, on a database that is given.</summary>
public sealed class OmsProcess : IAsyncDisposable
{
    static readonly TimeSpan ReadyWithin = TimeSpan.FromMinutes(1);
    static readonly TimeSpan EndsWithin = TimeSpan.FromSeconds(30);

    readonly Process _process;
    readonly StreamWriter _output;
    readonly string _log;

    OmsProcess(Process process, Uri url, StreamWriter output, string log) =>
        (_process, Url, _output, _log) = (process, url, output, log);

    /// <summary>Where it answers.</summary>
    public Uri Url { get; }

    /// <summary>Its process.</summary>
    public int Pid => _process.Id;

    /// <summary>The key that the load uses: every scope, no limit.</summary>
    public static string ApiKey { get; } = "oms_" + RandomNumberGenerator.GetHexString(64, lowercase: true);

    /// <summary>Password of the operator that watches.</summary>
    public static string AdminPassword { get; } = RandomNumberGenerator.GetHexString(24, lowercase: true);

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <param name="connectionString">Of its database.</param>
    /// <param name="how">Null: as usual.</param>
    /// <exception cref="InvalidOperationException">It ended; the message has what it printed.</exception>
    public static async Task<OmsProcess> Start(Session session, string connectionString, OmsStart? how = null)
    {
        var oms = Begin(session, connectionString, how ?? new OmsStart());
        try
        {
            await oms.Ready(session.Cancel);
            return oms;
        }
        catch (Exception e)
        {
            await oms.DisposeAsync();
            throw new InvalidOperationException(
                $"The program did not start: {e.Message}\n{string.Join('\n', File.ReadLines(oms._log).Take(40))}", e);
        }
    }

    /// <summary>Starts it and waits for nothing.</summary>
    public static OmsProcess Begin(Session session, string connectionString, OmsStart how)
    {
        var folder = Directory.CreateDirectory(Path.Combine(session.Folder, $"oms-{Guid.NewGuid():N}")).FullName;
        var url = how.Url ?? new Uri($"http://127.0.0.1:{FreePort()}");
        string[] words = [.. how.Before, "dotnet", Path.Combine(AppContext.BaseDirectory, "OrleansOms.Host.dll"), "up"];
        var start = new ProcessStartInfo(words[0], words[1..])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = AppContext.BaseDirectory,
            Environment =
            {
                ["ConnectionStrings__Oms"] = connectionString, ["Oms__Data"] = folder, ["ASPNETCORE_URLS"] = url.ToString(),
                ["Oms__Silo__Port"] = $"{how.SiloPort}", ["Oms__Silo__GatewayPort"] = $"{how.GatewayPort}",
                ["Oms__Bootstrap__ApiKey"] = ApiKey, ["Oms__Bootstrap__AdminPassword"] = AdminPassword,
            },
        };
        var log = Path.Combine(folder, "output.txt");
        var output = new StreamWriter(log) { AutoFlush = true };
        var process = Process.Start(start)!;
        var oms = new OmsProcess(process, url, output, log);
        process.OutputDataReceived += (_, line) => oms.Write(line.Data);
        process.ErrorDataReceived += (_, line) => oms.Write(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return oms;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            // .NET has no call that asks a process to end; the command does.
            using (var ask = Process.Start("kill", ["-TERM", $"{Pid}"])) await ask.WaitForExitAsync();
            using var limit = new CancellationTokenSource(EndsWithin);
            try { await _process.WaitForExitAsync(limit.Token); }
            catch (OperationCanceledException)
            {
                _process.Kill();
                await _process.WaitForExitAsync();
            }
        }
        _process.Dispose();
        lock (_output) _output.Dispose();
    }

    /// <summary>Ends it as a power cut does.</summary>
    public Task Kill()
    {
        _process.Kill();
        return _process.WaitForExitAsync();
    }

    void Write(string? line)
    {
        if (line is null) return;
        lock (_output)
            if (_output.BaseStream is { CanWrite: true }) _output.WriteLine(line);
    }

    /// <summary>Waits until it says that it is ready.</summary>
    /// <exception cref="InvalidOperationException">It ended.</exception>
    /// <exception cref="TimeoutException">It was not ready within a minute.</exception>
    public async Task Ready(CancellationToken cancel)
    {
        using var http = new HttpClient { BaseAddress = Url, Timeout = TimeSpan.FromSeconds(5) };
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            if (_process.HasExited) throw new InvalidOperationException($"it ended with {_process.ExitCode}.");
            if (Stopwatch.GetElapsedTime(start) > ReadyWithin) throw new TimeoutException("it is not ready after a minute.");
            try
            {
                using var answer = await http.GetAsync("/health/ready", cancel);
                if (answer.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                // It does not listen yet.
            }
            catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
            {
                // A machine that is busy with other things starts it slowly; a minute is its limit.
            }
            await Task.Delay(50, cancel);
        }
    }

    /// <summary>A port on which nothing listens.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
