using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;

namespace OrleansOms.Grains.Stock;

/// <summary>
/// Reads orders that begin to wait long after they were placed, because a warehouse did not find their units: what makes their place in the
/// line is told by events that have passed.
/// </summary>
public sealed partial class WaitingOrders(IEventLog log, WaitingIndex waiting, TimeProvider time, ILogger<WaitingOrders> logger)
{
    static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(1);

    /// <summary>An order waits of which too little is known.</summary>
    public void Ask(string order) => _ = Task.Run(() => Read(order));

    async Task Read(string order)
    {
        while (true)
        {
            try
            {
                var events = await log.ReadStream(order);
                // What a newer program has written is not for this one to tell.
                var isKnown = events.All(e => e.Data is OrderEvent);
                if (waiting.Set(order, isKnown ? new Order(order).Apply(events.Select(e => (OrderEvent)e.Data!)) : null)) return;
            }
            catch (ObjectDisposedException) { return; } // This process ends.
            catch (Exception e) when (e is OmsFaultException or TimeoutException or OperationCanceledException)
            {
                LogLater(logger, order, e.Message);
                await Task.Delay(AfterFault, time);
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "{Order} takes its place in the line later ({Reason}).")]
    static partial void LogLater(ILogger logger, string order, string reason);
}
