using Orleans.Runtime;
using Orleans.Runtime.Messaging;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Host.Cluster;

/// <summary>
/// Asks again what Orleans could not deliver: the way into the cluster that was chosen has closed and no other is known yet, or
/// the silo of a grain leaves in this moment. It has not reached its grain, so nothing is done twice. The same where a grain has
/// two activations in that moment, of which the other one was faster: what this one has decided was not stored, and of what it
/// had done before that a call may come twice. Whoever waits is told when a silo that is silent would have been given up too. A
/// silo that is lost with what it was asked is another matter: nobody knows what it has done.
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
            catch (Exception e) when (IsUndelivered(e) && Environment.TickCount64 < end) { }
        }
    }

    static bool IsUndelivered(Exception e) =>
        e is ConnectionFailedException or AggregateReloadedException || e.GetType() == typeof(OrleansMessageRejectionException);
}
