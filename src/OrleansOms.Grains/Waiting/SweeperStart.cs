using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Waiting;

namespace OrleansOms.Grains.Waiting;

/// <summary>Begins every sweeper when a silo has started. From then on their reminders wake them up.</summary>
public sealed partial class SweeperStart(IGrainFactory grains, ILogger<SweeperStart> logger) : BackgroundService
{
    /// <summary>A silo refuses reminders for a moment after its start.</summary>
    static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var shard = 0; shard < IReadModel.WaitShards && !stoppingToken.IsCancellationRequested;)
            try
            {
                await grains.GetGrain<ISweeper>(Sweeper.KeyOf(shard)).Begin();
                shard++;
            }
            // Whatever it is: what escapes from here ends the process, and Orleans also gives up by cancelling.
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogNotYet(logger, shard, e.Message);
                await Task.Delay(Again, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
    }

    [LoggerMessage(LogLevel.Information, "Sweeper {Shard} has not begun yet: {Reason}")]
    static partial void LogNotYet(ILogger logger, int shard, string reason);
}
