using System.Diagnostics;

namespace OrleansOms.Contracts.Log;

/// <summary>
/// Spans of what an event goes through. It happens in other processes and after its request was answered, so the event
/// carries its trace. Spans that nobody records cost nothing: neither here nor in the log.
/// </summary>
public static class Traces
{
    /// <summary>The name of the source of all spans.</summary>
    public const string Source = "OrleansOms";

    static readonly ActivitySource Spans = new(Source);

    /// <summary>The span that is under way here, as W3C <c>traceparent</c>; null if nobody records it.</summary>
    // A caller may say that it is recorded also when nobody listens here.
    public static string? Current => Spans.HasListeners() && Activity.Current is { Recorded: true } span ? span.Id : null;

    /// <summary>
    /// Begins a span below another one, wherever that is. It does not become the current one; dispose it to end it.
    /// </summary>
    /// <param name="trace">The other one as <c>traceparent</c>; null if it is not recorded.</param>
    /// <returns>Null if nobody records it.</returns>
    public static Activity? Begin(string name, ActivityKind kind, string? trace)
    {
        if (trace is null || !ActivityContext.TryParse(trace, null, isRemote: true, out var parent)) return null;
        var current = Activity.Current;
        // What was current would be so again where it ends, which is somewhere else.
        Activity.Current = null;
        var span = Spans.StartActivity(name, kind, parent);
        Activity.Current = current;
        return span;
    }

    /// <summary>Begins a span below each of several, each named once; dispose it to end them.</summary>
    public static IDisposable? BeginAll(string name, ActivityKind kind, IEnumerable<string?> traces)
    {
        HashSet<string>? known = null;
        foreach (var trace in traces)
            if (trace is not null) (known ??= []).Add(trace);
        return known is null ? null : new Several([.. known.Select(trace => Begin(name, kind, trace))]);
    }

    sealed class Several(Activity?[] spans) : IDisposable
    {
        public void Dispose()
        {
            foreach (var span in spans) span?.Dispose();
        }
    }
}
