using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Grains.Followers;

/// <summary>Calls every follower now and then, so that one that was lost with its silo lives again within seconds.</summary>
public sealed partial class FollowerKeeper(IGrainFactory grains, ILogger<FollowerKeeper> logger) : BackgroundService
{
    static readonly TimeSpan Every = TimeSpan.FromSeconds(3);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every);
        do
        {
            foreach (var follower in Followers())
            {
                try { await follower.Ensure(); }
                // Orleans also gives up by cancelling, and what escapes from here ends the process.
                catch (Exception e) when (!stoppingToken.IsCancellationRequested) { LogLost(logger, e.Message); }
            }
        }
        while (await Next(timer, stoppingToken));
    }

    static async Task<bool> Next(PeriodicTimer timer, CancellationToken stop)
    {
        try { return await timer.WaitForNextTickAsync(stop); }
        catch (OperationCanceledException) { return false; }
    }

    IFollower[] Followers() =>
    [
        grains.GetGrain<IReadModelFollower>($"{FollowerGrain.Prefix}read-model"),
        grains.GetGrain<IFulfilmentFollower>($"{FollowerGrain.Prefix}fulfilment"),
        grains.GetGrain<IBackorderFollower>($"{FollowerGrain.Prefix}backorders"),
        grains.GetGrain<IReservationWatch>($"{FollowerGrain.Prefix}reservation-watch"),
        grains.GetGrain<ILawWatch>($"{FollowerGrain.Prefix}law-watch"),
    ];

    [LoggerMessage(LogLevel.Warning, "A follower does not answer: {Reason}")]
    static partial void LogLost(ILogger logger, string reason);
}
