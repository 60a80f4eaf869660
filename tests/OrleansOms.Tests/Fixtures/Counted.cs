using System.Diagnostics.Metrics;

namespace OrleansOms.Tests.Fixtures;

/// <summary>What a counter of one program has counted since this began. Every test's instruments come by; only its own count.</summary>
sealed class Counted : IDisposable
{
    readonly MeterListener _listener = new();
    long _sum;

    /// <param name="meters">The program's.</param>
    /// <param name="name">The counter's.</param>
    /// <param name="tag">The value of one of its tags; null for whatever they say.</param>
    public Counted(IMeterFactory meters, string name, string? tag = null)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == name && instrument.Meter.Scope == meters) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, n, tags, _) =>
        {
            foreach (var one in tags)
                if (tag is not null && one.Value as string != tag) return;
            Interlocked.Add(ref _sum, n);
        });
        _listener.Start();
    }

    /// <summary>By now.</summary>
    public long Sum => Volatile.Read(ref _sum);

    /// <inheritdoc />
    public void Dispose() => _listener.Dispose();
}
