namespace OrleansOms.Contracts.Log;

/// <summary>
/// How far a reader has come: in each of the logs that the event log consists of, everything up to a position. Most
/// stores have one log. Of two checkpoints of one reader the later one covers the earlier one; those of two readers need
/// not cover each other either way.
/// </summary>
public readonly struct Checkpoint : IEquatable<Checkpoint>
{
    readonly LogPosition[]? _positions; // by the log's number; never written once it is here

    Checkpoint(LogPosition[] positions) => _positions = positions;

    /// <summary>Before the first event of every log.</summary>
    public static Checkpoint Start => default;

    /// <summary>Everything up to a position in each log.</summary>
    /// <param name="positions">By the log's number, from 0.</param>
    public static Checkpoint At(params ReadOnlySpan<LogPosition> positions) => new(positions.ToArray());

    /// <summary>Logs that it says something of; in all others it is at the start.</summary>
    public int Logs => _positions?.Length ?? 0;

    /// <summary>How far one log has been read.</summary>
    public LogPosition this[int log] => log < Logs ? _positions![log] : LogPosition.Start;

    /// <summary>Whether an event has been read.</summary>
    public bool Covers(LogEvent e) => e.Position <= this[e.Log];

    /// <summary>Whether everything has been read that the other one has read.</summary>
    public bool Covers(Checkpoint other)
    {
        for (var log = 0; log < other.Logs; log++)
            if (other[log] > this[log]) return false;
        return true;
    }

    /// <summary>What has been read when these events are read too, which follow it: those of each log in its order.</summary>
    public Checkpoint And(IReadOnlyList<LogEvent> events)
    {
        var logs = Math.Max(Logs, 1);
        foreach (var e in events) logs = Math.Max(logs, e.Log + 1);
        var positions = new LogPosition[logs];
        _positions?.CopyTo(positions, 0);
        foreach (var e in events) positions[e.Log] = e.Position;
        return new Checkpoint(positions);
    }

    /// <inheritdoc />
    public bool Equals(Checkpoint other) => Covers(other) && other.Covers(this);
    /// <inheritdoc />
    public override bool Equals(object? obj) => obj is Checkpoint other && Equals(other);
    /// <inheritdoc />
    public override int GetHashCode() => this[0].GetHashCode();
    /// <inheritdoc />
    public override string ToString() => Logs == 0 ? "the start" : string.Join(", ", _positions!);
    /// <summary>Whether both have read the same.</summary>
    public static bool operator ==(Checkpoint left, Checkpoint right) => left.Equals(right);
    /// <summary>Whether one has read what the other has not.</summary>
    public static bool operator !=(Checkpoint left, Checkpoint right) => !left.Equals(right);
}
