using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using OrleansOms.Domain.Laws;

namespace OrleansOms.Grains;

/// <summary>What grains and followers of this process do, for those who watch the program: meter <c>OrleansOms</c>.</summary>
public sealed class GrainMetrics
{
    readonly Counter<long> _orders, _alarms, _broken;
    readonly ConcurrentDictionary<string, DateTimeOffset?> _behindSince = new(StringComparer.Ordinal);
    readonly TimeProvider _time;

    /// <summary>Makes the instruments.</summary>
    public GrainMetrics(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        var meter = meters.Create("OrleansOms");
        _orders = meter.CreateCounter<long>("oms.orders", "{order}", "Orders that were stored, by what became of them");
        _alarms = meter.CreateCounter<long>("oms.alarms", "{alarm}", "Alarms that were raised, by kind");
        _broken = meter.CreateCounter<long>("oms.laws.broken", "{breach}", "Laws of the domain that were seen broken, by law");
        meter.CreateObservableGauge(
            "oms.follower.lag", () => _behindSince.Select(f => new Measurement<double>(
                f.Value is { } since ? (time.GetUtcNow() - since).TotalSeconds : 0, new KeyValuePair<string, object?>("follower", f.Key))),
            "s", "How long a follower of this process has not been at the end of the log");
    }

    /// <summary>An order was stored; refused ones are, too.</summary>
    public void Order(bool isAccepted) =>
        _orders.Add(1, new KeyValuePair<string, object?>("outcome", isAccepted ? "accepted" : "refused"));

    /// <summary>A carrier is silent.</summary>
    public void TrackingSilence() => Alarm("tracking-silence");

    /// <summary>An order has not moved for longer than it may.</summary>
    public void StandsStill() => Alarm("order-stands-still");

    /// <summary>A law was seen broken.</summary>
    public void Broken(Law law)
    {
        Alarm("law");
        _broken.Add(1, new KeyValuePair<string, object?>("law", $"L{(int)law}"));
    }

    void Alarm(string kind) => _alarms.Add(1, new KeyValuePair<string, object?>("kind", kind));

    /// <summary>A follower has something to do.</summary>
    internal void Behind(string follower) =>
        _behindSince.AddOrUpdate(follower, _ => _time.GetUtcNow(), (_, since) => since ?? _time.GetUtcNow());

    /// <summary>A follower has handled everything that is stored.</summary>
    internal void AtEnd(string follower) => _behindSince[follower] = null;

    /// <summary>A follower goes on in another process.</summary>
    internal void Gone(string follower) => _behindSince.TryRemove(follower, out _);
}
