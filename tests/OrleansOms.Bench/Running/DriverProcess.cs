using System.Diagnostics;
using System.Text.Json;
using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Measuring;

namespace OrleansOms.Bench.Running;

/// <summary>The load generator: this program once more, as a process of its own.</summary>
public sealed class DriverProcess : IAsyncDisposable
{
    readonly Process _process;
    readonly CancellationToken _cancel;

    DriverProcess(Process process, CancellationToken cancel) => (_process, _cancel) = (process, cancel);

    /// <summary>Starts one for a server, or for several that its clients share evenly.</summary>
    /// <param name="skus">SKUs that the company has.</param>
    /// <param name="before">A command that becomes the load generator; null if it starts as usual.</param>
    /// <param name="password">Of the operator who watches; empty where nobody has to log in.</param>
    public static DriverProcess Start(
        IReadOnlyList<Uri> servers, int skus, CancellationToken cancel, IReadOnlyList<string>? before = null, string? password = null)
    {
        string[] words =
        [
            .. before ?? [], "dotnet", typeof(DriverProcess).Assembly.Location, "drive", $"{skus}",
            .. servers.Select(s => s.ToString()),
        ];
        var start = new ProcessStartInfo(words[0], words[1..])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true,
            Environment = { ["OMS_BENCH_KEY"] = OmsProcess.ApiKey, ["OMS_BENCH_PASSWORD"] = password ?? OmsProcess.AdminPassword },
        };
        return new DriverProcess(Process.Start(start)!, cancel);
    }

    /// <summary>Does a job.</summary>
    /// <exception cref="InvalidOperationException">An answer was not the expected one: the figures would be worth nothing.</exception>
    public async Task<DriveResult> Do(DriveJob job)
    {
        await _process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(job, DriveResult.Json));
        await _process.StandardInput.FlushAsync(_cancel);
        var line = await _process.StandardOutput.ReadLineAsync(_cancel)
            ?? throw new InvalidOperationException($"The load generator ended in the middle of {job}.");
        var result = JsonSerializer.Deserialize<DriveResult>(line, DriveResult.Json)!;
        return result.Failures == 0 ? result : throw new InvalidOperationException(
            $"{result.Failures} requests of {job} failed, the first with {result.FirstFailure}");
    }

    /// <summary>Places orders, one after the other in each client.</summary>
    public Task<Outcome> PlaceOrders(int clients, double seconds) => Place(new DriveJob(DriveKind.Orders, clients, seconds));

    /// <summary>Does a job that places orders.</summary>
    public async Task<Outcome> Place(DriveJob job)
    {
        var result = await Do(job);
        return new Outcome(
            result.Operations, result.Seconds, result.Answers.P50Ms, result.Answers.P99Ms, result.CpuSeconds);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try { await _process.WaitForExitAsync(limit.Token); }
        catch (OperationCanceledException) { _process.Kill(); }
        _process.Dispose();
    }
}
