using Orleans.Runtime;

namespace OrleansOms.Host.Cluster;

/// <summary>
/// Tells of a silo that was lost with what it was asked only when this front end has read who is left. The other silos know it first:
/// whoever asks again at once would be sent into the cluster through the lost one, and wait for it a second time.
/// </summary>
/// <param name="look">Every so often this front end reads who is there.</param>
sealed class LostSilo(TimeSpan look, TimeProvider time) : IOutgoingGrainCallFilter
{
    /// <inheritdoc />
    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        try { await context.Invoke(); }
        catch (SiloUnavailableException)
        {
            await Task.Delay(look, time);
            throw;
        }
    }
}
