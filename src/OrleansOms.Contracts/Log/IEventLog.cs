using OrleansOms.Domain.Shared;

namespace OrleansOms.Contracts.Log;

/// <summary>
/// A place in the commit order of one log: the PostgreSQL transaction that wrote the event, then its position in it.
/// Places in different logs cannot be compared.
/// </summary>
public readonly record struct LogPosition(long Transaction, long Ordinal) : IComparable<LogPosition>
{
    /// <summary>Before the first event.</summary>
    public static LogPosition Start => default;

    /// <inheritdoc />
    public int CompareTo(LogPosition other) => (Transaction, Ordinal).CompareTo((other.Transaction, other.Ordinal));
    /// <summary>Whether left comes first.</summary>
    public static bool operator <(LogPosition left, LogPosition right) => left.CompareTo(right) < 0;
    /// <summary>Whether left comes later.</summary>
    public static bool operator >(LogPosition left, LogPosition right) => left.CompareTo(right) > 0;
    /// <summary>Whether left does not come later.</summary>
    public static bool operator <=(LogPosition left, LogPosition right) => left.CompareTo(right) <= 0;
    /// <summary>Whether left does not come first.</summary>
    public static bool operator >=(LogPosition left, LogPosition right) => left.CompareTo(right) >= 0;
}

/// <summary>An event that is to be stored.</summary>
/// <param name="CommandId">The command that caused it; kept so that a retry finds its first answer.</param>
/// <param name="Actor">Who asked: <c>key:…</c>, <c>operator:…</c> or <c>system</c>.</param>
/// <param name="At">When it was decided, UTC.</param>
public readonly record struct NewEvent(DomainEvent Data, string CommandId, string Actor, DateTimeOffset At)
{
    /// <summary>
    /// When it was decided, UTC, in whole microseconds, as PostgreSQL keeps it: what is answered from memory then says the
    /// same as what is read later.
    /// </summary>
    public DateTimeOffset At { get; } = At.AddTicks(-(At.Ticks % TimeSpan.TicksPerMicrosecond));

    /// <summary>The span that it was decided in; null if nobody records it. See <see cref="Traces"/>.</summary>
    public string? Trace { get; } = Traces.Current;
}

/// <summary>New events of one stream.</summary>
/// <param name="Stream">The aggregate's key, such as <c>ord-…</c>.</param>
/// <param name="ExpectedVersion">The version they follow; 0 for a new stream. The first one becomes this plus one.</param>
public sealed record StreamEvents(string Stream, int ExpectedVersion, IReadOnlyList<NewEvent> Events);

/// <summary>A value that only one stream may hold, for ever, such as (channel, external id).</summary>
public sealed record Claim(string Scope, string Value);

/// <summary>What is stored as one: all of it or nothing.</summary>
/// <param name="Main">The stream of the aggregate that appends. It holds the claims.</param>
/// <param name="Births">First events of further streams, such as a shipment that its order releases.</param>
/// <param name="Claims">Taken with it. A claim that is held already fails this append and no other.</param>
public sealed record Append(StreamEvents Main, IReadOnlyList<StreamEvents> Births, IReadOnlyList<Claim> Claims)
{
    /// <summary>Events of one stream and nothing else.</summary>
    public Append(StreamEvents main) : this(main, [], []) { }
}

/// <summary>How an append ended. Only <see cref="Committed"/> has stored anything.</summary>
public abstract record AppendResult
{
    /// <summary>Stored and durable.</summary>
    public sealed record Committed : AppendResult
    {
        /// <summary>The only one.</summary>
        public static Committed Instance { get; } = new();
    }

    /// <summary>Someone else has written to the stream since it was read.</summary>
    public sealed record VersionConflict(string Stream) : AppendResult;

    /// <summary>Another stream holds the claim.</summary>
    public sealed record ClaimTaken(Claim Claim, string Holder) : AppendResult;
}

/// <summary>A stored event.</summary>
/// <param name="Data">Null if this program does not know the type: it was written by a newer one.</param>
/// <param name="Version">Its number in the stream, from 1.</param>
/// <param name="Type">Its stable stored name, such as <c>order.placed.v1</c>.</param>
/// <param name="Log">Number of the log that its stream is in, from 0.</param>
public sealed record LogEvent(
    LogPosition Position, string Stream, int Version, string Type, DomainEvent? Data, string CommandId, string Actor,
    DateTimeOffset At, int Log = 0)
{
    /// <summary>The span that it was stored in; null if nobody recorded it. See <see cref="Traces"/>.</summary>
    public string? Trace { get; init; }

    /// <summary>What it says, for who would be wrong without it.</summary>
    /// <exception cref="NewerEventException">This program does not know the type.</exception>
    public DomainEvent Known() => Data ?? throw new NewerEventException(Stream, Type);
}

/// <summary>A piece of the event log: of each log the next events in commit order, one log after the other.</summary>
/// <param name="Through">The last event that was read of each log, or where the read began: the next one starts after it.</param>
public sealed record LogBatch(IReadOnlyList<LogEvent> Events, Checkpoint Through)
{
    /// <summary>
    /// Everything that was committed up to here has been read. It lies behind the last event, and is no place to go on from: a
    /// server that has crashed gives out the numbers of transactions once more that had ended with nothing behind that event.
    /// </summary>
    public Checkpoint Complete { get; init; } = Through;
}

/// <summary>
/// The one durable memory. Appends of many grains share transactions; an answer means that the events are on disk. It may
/// be spread over several logs: a stream is in one of them, for ever, and its events come in their order. Whoever follows
/// the whole may rely on no order between streams but an order's and its shipments', which are in one log.
/// </summary>
public interface IEventLog
{
    /// <summary>Stores an append. The caller has at most one append of a stream under way.</summary>
    /// <exception cref="LogBusyException">Too many appends wait; nothing was stored.</exception>
    /// <exception cref="LogUnavailableException">The outcome is unknown: read the stream before deciding again.</exception>
    ValueTask<AppendResult> Append(Append append);

    /// <summary>The events of a stream after a version, in order.</summary>
    /// <param name="max">At most so many; null for all.</param>
    Task<IReadOnlyList<LogEvent>> ReadStream(string stream, int afterVersion = 0, int? max = null);

    /// <summary>The newest events of a stream, newest first, before a version.</summary>
    Task<IReadOnlyList<LogEvent>> ReadStreamBackwards(string stream, int beforeVersion, int max);

    /// <summary>Whole streams at once, each in order, mixed as the database likes.</summary>
    Task<IReadOnlyList<LogEvent>> ReadStreams(IReadOnlyCollection<string> streams);

    /// <summary>
    /// The log in commit order. Never skips an event of a transaction that commits late: reading stops before the
    /// oldest transaction that is still under way. Every log has its share of a batch; one that is not full has read all
    /// of them to their ends.
    /// </summary>
    /// <param name="max">Most events, but at least one of each log.</param>
    Task<LogBatch> ReadAll(Checkpoint after, int max);

    /// <summary>
    /// Whether a stream has an event of a command. It is looked for from the end back to the first event before a time, so
    /// that it costs what has happened since.
    /// </summary>
    Task<bool> IsStored(string stream, string commandId, DateTimeOffset since);

    /// <summary>Completes when there may be something new after the checkpoint, or when the time is up.</summary>
    Task WaitForMore(Checkpoint after, TimeSpan atMost, CancellationToken cancel);

    /// <summary>A moment such that everything committed before this call is read by a reader that has passed it.</summary>
    Task<Checkpoint> Now();
}

/// <summary>Where followers keep how far they have read.</summary>
public interface ICheckpoints
{
    /// <summary>How far a follower is; the start if it never saved anything.</summary>
    Task<Checkpoint> Load(string follower);

    /// <summary>Moves a follower on; false if another one has moved it meanwhile.</summary>
    Task<bool> Advance(string follower, Checkpoint from, Checkpoint to);
}
