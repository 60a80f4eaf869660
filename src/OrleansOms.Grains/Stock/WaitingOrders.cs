using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;

namespace OrleansOms.Grains.Stock;

/// <summary>
/// Reads orders that wait and whose place in the line is told by events that have passed: those that begin to wait long after they were placed,
/// because a warehouse did not find their units, and those of which the lists do not say enough.
/// </summary>
public sealed partial class WaitingOrders(IEventLog log, WaitingIndex waiting, TimeProvider time, ILogger<WaitingOrders> logger)
{
    /// <summary>Orders that are read at once: there may be thousands when a process begins.</summary>
    internal const int AtOnce = 8;

    static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(1);

    readonly SemaphoreSlim _free = new(AtOnce);

    /// <summary>An order waits of which too little is known. Completes when it has its place in the line, or is known to have none.</summary>
    public Task Ask(string order) => Task.Run(async () =>
    {
        while (!await IsRead(order)) await Task.Delay(AfterFault, time);
    });

    /// <summary>False if it is to be tried again.</summary>
    async Task<bool> IsRead(string order)
    {
        await _free.WaitAsync();
        try
        {
            while (true)
            {
                var events = await log.ReadStream(order);
                // What a newer program has written is not for this one to tell.
                var isKnown = events.All(e => e.Data is OrderEvent);
                if (waiting.Set(order, isKnown ? new Order(order).Apply(events.Select(e => (OrderEvent)e.Data!)) : null)) return true;
            }
        }
        catch (ObjectDisposedException) { return true; } // This process ends.
        catch (Exception e) when (e is OmsFaultException or TimeoutException or OperationCanceledException)
        {
            LogLater(logger, order, e.Message);
            return false;
        }
        catch (Exception e)
        {
            // It has no place in the line, and is asked for again when it begins to wait for more.
            LogUnread(logger, e, order);
            waiting.Set(order, null);
            return true;
        }
        finally { _free.Release(); }
    }

    [LoggerMessage(LogLevel.Information, "{Order} takes its place in the line later ({Reason}).")]
    static partial void LogLater(ILogger logger, string order, string reason);

    [LoggerMessage(LogLevel.Error, "{Order} has no place in the line: it cannot be read. It is asked when all those are served that have one.")]
    static partial void LogUnread(ILogger logger, Exception e, string order);
}
