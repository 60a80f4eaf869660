using Orleans.Runtime;

namespace OrleansOms.Host.Cluster;

/// <summary>
/// Tells of a silo that was lost with what it was asked, or does not answer, only when this front end has read who is left: whoever asks
/// again at once would be sent into the cluster through the lost one, and wait for it a second time.
/// </summary>
sealed class LostSilo(GatewayList gateways, TimeProvider time) : IOutgoingGrainCallFilter
{
    /// <summary>Nobody waits longer for the list.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <inheritdoc />
    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        try { await context.Invoke(); }
        catch (Exception e) when (e is SiloUnavailableException or TimeoutException)
        {
            await gateways.NextRead().WaitAsync(Patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }
}
