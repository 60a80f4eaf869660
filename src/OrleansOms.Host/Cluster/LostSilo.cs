using Orleans.Runtime;

namespace OrleansOms.Host.Cluster;

/// <summary>
/// Tells of a silo that was lost with what it was asked, or does not answer, only when front ends have read who is left: whoever asks
/// again at once would be sent into the cluster through the lost one, and wait for it a second time. Of one that was lost others in the
/// cluster know in that moment: it is told when this front end has looked twice, since by then each other one, which looks as often
/// and may be the one that is asked again, has looked too. A silo that does not answer has been silent for longer than that takes.
/// </summary>
sealed class LostSilo(GatewayList gateways, TimeProvider time) : IOutgoingGrainCallFilter
{
    /// <summary>Nobody waits longer for that.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <inheritdoc />
    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        try { await context.Invoke(); }
        catch (Exception e) when (e is SiloUnavailableException or TimeoutException)
        {
            await Looked(e is SiloUnavailableException ? 2 : 1).WaitAsync(Patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    async Task Looked(int times)
    {
        for (; times > 0; times--) await gateways.NextRead();
    }
}
