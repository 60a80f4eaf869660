namespace OrleansOms.Postgres.Log;

/// <summary>The limits of the event log in one process.</summary>
public sealed record EventLogOptions
{
    /// <summary>Appends that may wait for a writer; one more is refused as busy.</summary>
    public int MaxQueuedAppends { get; init; } = 20_000;

    /// <summary>Events that share a transaction. A larger append is written alone.</summary>
    public int MaxBatchRows { get; init; } = 1_000;

    /// <summary>Transactions under way at once, each on its own connection.</summary>
    public int Writers { get; init; } = 2;

    /// <summary>Seconds that a transaction may take before its appends are given up as unknown.</summary>
    public int CommandTimeoutSeconds { get; init; } = 10;

    /// <summary>Events that one read of the whole log brings at most, whatever its caller asks for.</summary>
    public int MaxReadEvents { get; init; } = 10_000;

    /// <summary>Bytes of JSON after which one read of the whole log ends, so that large events stay bounded.</summary>
    public int MaxReadBytes { get; init; } = 16_000_000;

    /// <summary>
    /// Newest events that the process remembers for its slowest follower, and a quarter more until they are trimmed, so that its
    /// followers do not each read and parse them.
    /// </summary>
    public int MaxRecentEvents { get; init; } = 20_000;

    /// <summary>Bytes of JSON that the remembered events had at most.</summary>
    public int MaxRecentBytes { get; init; } = 32_000_000;

    /// <summary>How often the database is asked for other processes' events while somebody waits for some.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(40);

    /// <summary>Shortest time between two such questions, however many commits there are.</summary>
    public TimeSpan MinPollGap { get; init; } = TimeSpan.FromMilliseconds(10);
}
