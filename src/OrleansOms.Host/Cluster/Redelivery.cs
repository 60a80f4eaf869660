using Orleans.Runtime;

namespace OrleansOms.Host.Cluster;

/// <summary>
/// Asks again what Orleans has refused to deliver: the only way into the cluster that was known closes, or the silo of a grain
/// leaves in this moment. It has not reached its grain, so nothing is done twice. Whoever waits is told when a silo that is
/// silent would have been given up too. A silo that is lost with what it was asked is another matter: nobody knows what it
/// has done.
/// </summary>
sealed class Redelivery(TimeSpan patience) : IOutgoingGrainCallFilter
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <inheritdoc />
    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        for (var end = Environment.TickCount64 + patience.TotalMilliseconds; ; await Task.Delay(Pause))
        {
            try
            {
                await context.Invoke();
                return;
            }
            catch (OrleansMessageRejectionException e) when (
                e.GetType() == typeof(OrleansMessageRejectionException) && Environment.TickCount64 < end) { }
        }
    }
}
