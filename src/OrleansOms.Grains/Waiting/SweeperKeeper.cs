using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Waiting;

namespace OrleansOms.Grains.Waiting;

/// <summary>
/// Begins every sweeper when a silo has started, and wakes it now and then as its reminder does: one that was lost with its silo lives again
/// within seconds, where the reminder alone takes up to a minute.
/// </summary>
public sealed partial class SweeperKeeper(IGrainFactory grains, ILogger<SweeperKeeper> logger) : BackgroundService
{
    static readonly TimeSpan Every = TimeSpan.FromSeconds(3);

    readonly bool[] _hasBegun = new bool[IReadModel.WaitShards];

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.WhenAll(Enumerable.Range(0, IReadModel.WaitShards).Select(shard => Keep(shard, stoppingToken)));
            await Task.Delay(Every, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task Keep(int shard, CancellationToken stop)
    {
        var sweeper = grains.GetGrain<ISweeper>(Sweeper.KeyOf(shard));
        try
        {
            if (_hasBegun[shard]) await sweeper.AsReference<IRemindable>().ReceiveReminder(Sweeper.Reminder, default, stop);
            else
            {
                await sweeper.Begin();
                _hasBegun[shard] = true;
            }
        }
        // Whatever it is: what escapes from here ends the process, and Orleans also gives up by cancelling.
        catch (Exception e) when (!stop.IsCancellationRequested) { LogNotYet(logger, shard, e.Message); }
    }

    [LoggerMessage(LogLevel.Information, "Sweeper {Shard} does not answer yet: {Reason}")]
    static partial void LogNotYet(ILogger logger, int shard, string reason);
}
