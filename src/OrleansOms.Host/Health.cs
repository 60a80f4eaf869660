using OrleansOms.Contracts.Log;
using OrleansOms.Grains.Followers;
using OrleansOms.Host.Cluster;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Ui;

namespace OrleansOms.Host;

/// <summary>Whether this process lives, and whether it should be sent work.</summary>
public static class Health
{
    /// <summary>How long the log may take to answer and to be caught up with.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Maps <c>/health/live</c> and <c>/health/ready</c>.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", () => Results.Text("ok")).ExcludeFromDescription();
        routes.MapGet("/health/ready", Ready).ExcludeFromDescription();
    }

    /// <summary>
    /// It is not about to stop, the log answers, this process has read what there is to read of it, and its pages have been
    /// opened once. That nothing can be stored at the moment is no reason: what is stored can be looked at.
    /// </summary>
    static async Task<IResult> Ready(LogTail tail, Drain drain, IServiceProvider services)
    {
        if (drain.HasBegun) return Problem.OfStatus(503) with { Detail = "It is about to stop." };
        if (!tail.HasBegun) return Problem.OfStatus(503) with { Detail = "It has begun, and reads what was stored before." };
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await tail.AtEnd(limit.Token).WaitAsync(limit.Token);
            if (services.GetService<WarmUp>() is { } pages) await pages.Done.WaitAsync(limit.Token);
            return Results.Text("ok");
        }
        catch (OperationCanceledException)
        {
            return Problem.OfStatus(503) with { Detail = "What this process knows is older than some seconds, or it has only begun." };
        }
        catch (OmsFaultException)
        {
            return Problem.OfStatus(503) with { Detail = "The log cannot be reached." };
        }
    }
}
