using System.Diagnostics;

namespace OrleansOms.Host.Cluster;

/// <summary>Ends this process when the one that has started it has gone, however that came.</summary>
sealed class ParentWatch(int parent, IHostApplicationLifetime lifetime) : BackgroundService
{
    /// <summary>Names that process on the command line.</summary>
    public const string Argument = "--parent";

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            using var process = Process.GetProcessById(parent);
            await process.WaitForExitAsync(stoppingToken);
        }
        catch (ArgumentException) { lifetime.StopApplication(); } // It had gone before.
        catch (OperationCanceledException) { return; }
        lifetime.StopApplication();
    }
}
