using System.Diagnostics;

namespace OrleansOms.Host.Cluster;

/// <summary>One process of a cluster on this machine. When it ends by itself it is started again.</summary>
sealed class MemberProcess
{
    static readonly TimeSpan BeforeRestart = TimeSpan.FromSeconds(1), EndsWithin = TimeSpan.FromSeconds(45);

    readonly ProcessStartInfo _start;
    readonly Action<string> _say;
    readonly CancellationTokenSource _stop = new();
    readonly Task _kept;
    volatile bool _isLetGo;

    /// <summary>Starts it.</summary>
    /// <param name="say">Told what it prints, line by line, and when it has ended.</param>
    public MemberProcess(string name, ProcessStartInfo start, Action<string> say)
    {
        (Name, _start, _say) = (name, start, say);
        _kept = Keep();
    }

    /// <summary>What it is called.</summary>
    public string Name { get; }

    /// <summary>From now on it is not started again: whoever ends it has a reason.</summary>
    public void LetGo() => _isLetGo = true;

    /// <summary>Lets it finish what it has begun, and ends it.</summary>
    public async Task End()
    {
        LetGo();
        await _stop.CancelAsync();
        await _kept;
    }

    async Task Keep()
    {
        while (!_isLetGo)
        {
            using var process = Process.Start(_start)!;
            process.OutputDataReceived += (_, line) => Say(line.Data);
            process.ErrorDataReceived += (_, line) => Say(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            var ended = process.WaitForExitAsync(CancellationToken.None);
            await ended.WaitAsync(_stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stop.IsCancellationRequested)
            {
                await End(process, ended);
                return;
            }
            if (_isLetGo) return;
            Say($"has ended with {process.ExitCode} and is started again");
            await Task.Delay(BeforeRestart, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    static async Task End(Process process, Task ended)
    {
        // .NET has no call that asks a process to end; the command does.
        using (var ask = Process.Start("kill", ["-TERM", $"{process.Id}"])) await ask.WaitForExitAsync();
        if (await Task.WhenAny(ended, Task.Delay(EndsWithin)) != ended) process.Kill();
        await ended;
    }

    void Say(string? line)
    {
        if (!string.IsNullOrWhiteSpace(line)) _say($"{Name,-8} {line}");
    }
}
