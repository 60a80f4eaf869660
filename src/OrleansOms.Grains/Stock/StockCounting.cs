using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Grains.Stock;

/// <summary>
/// Asks stocks themselves what they have, where the log does not say it to this program because a newer one has written: so that
/// plans are still made from what is there. Each stock is asked once at a time.
/// </summary>
public sealed partial class StockCounting(StockGrains stocks, AvailabilityIndex availability, TimeProvider time, ILogger<StockCounting> logger)
{
    /// <summary>Least time between two questions to one stock, and before one that failed is repeated.</summary>
    static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100), AfterFault = TimeSpan.FromSeconds(1);

    readonly Lock _gate = new();
    /// <summary>Stocks that are asked; true if it has gone on since the question.</summary>
    readonly Dictionary<string, bool> _asked = new(StringComparer.Ordinal);

    /// <summary>A stock has gone on, and how is not known.</summary>
    public void Ask(string stream)
    {
        lock (_gate)
        {
            var isAsked = _asked.ContainsKey(stream);
            _asked[stream] = true;
            if (isAsked) return;
        }
        _ = Task.Run(() => Count(stream));
    }

    async Task Count(string stream)
    {
        var (warehouse, sku) = Keys.ReadStock(stream);
        while (IsToAsk(stream))
        {
            try
            {
                availability.Set(await stocks.Of(warehouse, sku).Get());
                await Task.Delay(Pace, time);
            }
            catch (ObjectDisposedException) { return; } // This process ends.
            catch (Exception e) when (e is OmsFaultException or TimeoutException or OrleansException
                or InvalidOperationException or OperationCanceledException)
            {
                LogLater(logger, stream, e.Message);
                Ask(stream);
                await Task.Delay(AfterFault, time);
            }
        }
    }

    bool IsToAsk(string stream)
    {
        lock (_gate)
        {
            if (!_asked.Remove(stream, out var hasGoneOn) || !hasGoneOn) return false;
            _asked[stream] = false;
            return true;
        }
    }

    [LoggerMessage(LogLevel.Information, "{Stock} is asked later what it has ({Reason}).")]
    static partial void LogLater(ILogger logger, string stock, string reason);
}
