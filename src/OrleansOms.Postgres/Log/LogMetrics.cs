using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace OrleansOms.Postgres.Log;

/// <summary>What the log's writers do, for those who watch the program: meter <c>OrleansOms</c>.</summary>
public sealed class LogMetrics
{
    readonly Histogram<int> _batch;
    readonly Histogram<double> _append;
    readonly Counter<long> _failed;
    readonly Meter _meter;

    /// <summary>Makes the instruments.</summary>
    public LogMetrics(IMeterFactory meters)
    {
        _meter = meters.Create("OrleansOms");
        _batch = _meter.CreateHistogram<int>(
            "oms.log.batch", "{append}", "Appends that were committed together",
            advice: new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000] });
        _append = _meter.CreateHistogram<double>(
            "oms.log.append.duration", "s", "From the moment that an append waits until it is committed",
            advice: new() { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5] });
        _failed = _meter.CreateCounter<long>(
            "oms.log.failed", "{append}", "Appends of which nobody knows whether they were stored: PostgreSQL did not answer");
    }

    internal void Failed(int appends) => _failed.Add(appends);

    internal void Queue(Func<int> waiting) => _meter.CreateObservableUpDownCounter(
        "oms.log.queued", waiting, "{append}", "Appends that no writer has taken yet");

    internal void Committed(List<PendingAppend> appends)
    {
        _batch.Record(appends.Count);
        foreach (var append in appends) _append.Record(Stopwatch.GetElapsedTime(append.Since).TotalSeconds);
    }
}
