using System.Diagnostics;

namespace OrleansOms.Host.Cluster;

/// <summary>One process of a cluster on this machine. When it ends by itself it is started again.</summary>
sealed class MemberProcess : IAsyncDisposable
{
    static readonly TimeSpan BeforeRestart = TimeSpan.FromSeconds(1), EndsWithin = TimeSpan.FromSeconds(45);

    readonly string _name;
    readonly Func<ProcessStartInfo> _start;
    readonly Action<string> _say;
    readonly CancellationTokenSource _stop = new();
    readonly Task _kept;
    volatile Process? _process;

    /// <summary>Starts it.</summary>
    /// <param name="start">How; called for each start.</param>
    /// <param name="say">Told what it prints, line by line, and when it has ended.</param>
    public MemberProcess(string name, Func<ProcessStartInfo> start, Action<string> say)
    {
        (_name, _start, _say) = (name, start, say);
        _kept = Keep();
    }

    /// <summary>What it is called.</summary>
    public string Name => _name;

    async Task Keep()
    {
        while (!_stop.IsCancellationRequested)
        {
            using var process = Process.Start(_start())!;
            process.OutputDataReceived += (_, line) => Say(line.Data);
            process.ErrorDataReceived += (_, line) => Say(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            _process = process;
            await process.WaitForExitAsync();
            _process = null;
            if (_stop.IsCancellationRequested) return;
            Say($"has ended with {process.ExitCode} and is started again");
            await Task.Delay(BeforeRestart, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    void Say(string? line)
    {
        if (!string.IsNullOrWhiteSpace(line)) _say($"{_name,-8} {line}");
    }

    /// <summary>Lets it finish what it has begun, and ends it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_process is { } process)
        {
            // .NET has no call that asks a process to end; the command does.
            using (var ask = Process.Start("kill", ["-TERM", $"{process.Id}"])) await ask.WaitForExitAsync();
            if (await Task.WhenAny(_kept, Task.Delay(EndsWithin)) != _kept) process.Kill();
        }
        await _kept;
        _stop.Dispose();
    }
}
