using System.Text.Json;

namespace OrleansOms.Bench.Driving;

/// <summary>What the driver can do.</summary>
public enum DriveKind
{
    /// <summary>Puts a warehouse and products, and receives stock.</summary>
    Fill = 0,
    /// <summary>Reads each stock once, so that its grain is in memory.</summary>
    Touch = 1,
    /// <summary>Every client places its next order as soon as the last one is answered.</summary>
    Orders = 2,
    /// <summary>Orders at a fixed rate, while an operator's screen watches all orders.</summary>
    Watched = 3,
    /// <summary>As <see cref="Orders"/>, each of one unit of one of the first <see cref="DriveJob.Skus"/> SKUs.</summary>
    Singles = 4,
    /// <summary>Opens so many live connections, of which some read nothing, and keeps them open.</summary>
    OpenCrowd = 10,
    /// <summary>Places orders as fast as the whole crowd hears of them; an operation is a message.</summary>
    Flood = 11,
    /// <summary>Places orders at a fixed rate while the crowd watches; an operation is a message.</summary>
    Pace = 12,
    /// <summary>Orders from their placing to the customer's door, five requests each; at a fixed rate if there is one.</summary>
    Lives = 20,
}

/// <summary>A piece of work for the driver: one line of JSON on its input.</summary>
/// <param name="Clients">Connections that work at once.</param>
/// <param name="Seconds">How long, where it is not until all is done.</param>
/// <param name="Rate">Orders a second, where the kind has a rate.</param>
/// <param name="Skus">How many SKUs are wanted, all alike, for <see cref="DriveKind.Singles"/>.</param>
/// <param name="Stalled">Live connections that read nothing.</param>
public sealed record DriveJob(
    DriveKind Kind, int Clients, double Seconds = 0, double Rate = 0, int Skus = 0, int Stalled = 0);

/// <summary>Times of something in milliseconds.</summary>
public sealed record Latency(int Count, double P50Ms, double P99Ms, double MaxMs)
{
    /// <summary>Of these times, in any order.</summary>
    public static Latency Of(IEnumerable<double> milliseconds)
    {
        var sorted = milliseconds.Order().ToArray();
        return new Latency(
            sorted.Length, Measuring.Spread.Percentile(sorted, 0.5), Measuring.Spread.Percentile(sorted, 0.99),
            sorted.Length == 0 ? 0 : sorted[^1]);
    }
}

/// <summary>What came of a job: one line of JSON on the driver's output.</summary>
/// <param name="Failures">Answers other than the expected one; they are not counted as operations.</param>
/// <param name="FirstFailure">What the first of them said.</param>
/// <param name="CpuSeconds">What the driver itself has used.</param>
/// <param name="PushAfterAnswer">
/// From the order's 201 to its push; 0 where the push was faster. For a crowd: from its request to each push.
/// </param>
/// <param name="PushAfterEvent">From the event's time to its push.</param>
/// <param name="Unpushed">Orders that were answered and never pushed.</param>
public sealed record DriveResult(
    long Operations, double Seconds, Latency Answers, long Failures, string? FirstFailure, double CpuSeconds,
    Latency? PushAfterAnswer = null, Latency? PushAfterEvent = null, int Unpushed = 0)
{
    /// <summary>How jobs and results are written.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web);
}
