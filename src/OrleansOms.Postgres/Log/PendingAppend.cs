using System.Buffers;
using System.Diagnostics;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres.Log;

/// <summary>An event as it goes to the database.</summary>
/// <param name="Trace">The span of its append; null if nobody records it.</param>
readonly record struct EventRow(
    string Stream, int Version, string Type, byte[] Json, string Command, string Actor, DateTime At, string? Trace);

/// <summary>An append that waits for its transaction, already serialised, and the promise of its answer.</summary>
sealed class PendingAppend
{
    static readonly SearchValues<char> Suspicious = SearchValues.Create(
        [.. Enumerable.Range(0xD800, 0x800).Select(c => (char)c), '\0']);

    // Never on the writer's loop: the callers' code must not run between two batches.
    readonly TaskCompletionSource<AppendResult> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // One for each trace that its events were decided in: a grain joins what several callers have asked for.
    Dictionary<string, Activity?>? spans;

    /// <exception cref="ArgumentException">It could never be stored: a bug of the caller.</exception>
    public PendingAppend(Append append)
    {
        Streams = append.Births.Count == 0 ? [append.Main] : [append.Main, .. append.Births];
        Claims = append.Claims;
        Rows = new EventRow[Streams.Sum(s => s.Events.Count)];
        var row = 0;
        foreach (var stream in Streams)
        {
            Require(stream.Events.Count > 0, "A stream of an append has events.");
            Require(stream.ExpectedVersion >= 0, "A stream's version is 0 or more.");
            RequireStorable(stream.Stream);
            for (var i = 0; i < stream.Events.Count; i++)
                Rows[row++] = ToRow(stream, i);
        }
        Require(append.Births.All(b => b.ExpectedVersion == 0), "A birth is the beginning of its stream.");
        Require(Streams.Count == 1 || Streams.DistinctBy(s => s.Stream).Count() == Streams.Count,
            "An append names each stream once.");
        Require(Claims.Count < 2 || Claims.Distinct().Count() == Claims.Count, "An append names each claim once.");
        foreach (var claim in Claims)
        {
            RequireStorable(claim.Scope);
            RequireStorable(claim.Value);
        }
    }

    /// <summary>The main stream, then the births.</summary>
    public IReadOnlyList<StreamEvents> Streams { get; }
    public IReadOnlyList<Claim> Claims { get; }
    public EventRow[] Rows { get; }
    public Task<AppendResult> Outcome => outcome.Task;
    /// <summary>When it began to wait, as <see cref="Stopwatch.GetTimestamp"/>.</summary>
    public long Since { get; } = Stopwatch.GetTimestamp();

    public void Complete(AppendResult result)
    {
        EndSpans(result is AppendResult.Committed ? null : result.GetType().Name);
        outcome.TrySetResult(result);
    }

    /// <summary>Answers it with a fault; false if it was answered before.</summary>
    public bool Fail(Exception fault)
    {
        EndSpans(fault.Message);
        return outcome.TrySetException(fault);
    }

    /// <summary>What is known of it is known now.</summary>
    /// <param name="fault">Why it was not stored, if it was not.</param>
    public void EndSpans(string? fault)
    {
        if (spans is null) return;
        foreach (var span in spans.Values)
        {
            if (fault is not null) span?.SetStatus(ActivityStatusCode.Error, fault);
            span?.Dispose();
        }
    }

    string? SpanOf(string? trace, string stream)
    {
        if (trace is null) return null;
        spans ??= [];
        if (!spans.TryGetValue(trace, out var span))
            spans[trace] = span = Traces.Begin("append", ActivityKind.Producer, trace)?.SetTag("oms.stream", stream);
        return span?.Id;
    }

    EventRow ToRow(StreamEvents stream, int index)
    {
        var written = stream.Events[index];
        RequireStorable(written.CommandId);
        RequireStorable(written.Actor);
        var (type, json) = EventTypes.Write(written.Data);
        return new EventRow(stream.Stream, stream.ExpectedVersion + index + 1, type, json, written.CommandId,
            written.Actor, written.At.UtcDateTime, SpanOf(written.Trace, stream.Stream));
    }

    static void Require(bool condition, string message)
    {
        if (!condition)
            throw new ArgumentException(message);
    }

    // PostgreSQL's text holds no NUL and UTF-8 holds no lone surrogate: found here, they stop nobody else.
    static void RequireStorable(string text)
    {
        if (!text.AsSpan().ContainsAny(Suspicious))
            return;
        Require(!text.Contains('\0'), "A key holds no NUL.");
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                i++;
            else
                Require(!char.IsSurrogate(text[i]), "A key is valid Unicode.");
        }
    }
}
