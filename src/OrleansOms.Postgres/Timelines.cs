using Npgsql;

namespace OrleansOms.Postgres;

/// <summary>A history of a server. A standby that is promoted, and a server that is brought back to a moment, begin one.</summary>
/// <param name="Server">What PostgreSQL made at random with the server's folder; its standbys and copies have the same.</param>
/// <param name="Number">1 for a server that never was anything else.</param>
public readonly record struct Timeline(long Server, int Number)
{
    /// <summary>Seconds; who opens a session has a limit of its own, which PostgreSQL does not know.</summary>
    const int AnswersWithin = 5;

    const string Question = """
        select system_identifier, case when pg_is_in_recovery() then null else left(pg_walfile_name(pg_current_wal_lsn()), 8) end
        from pg_control_system()
        """;

    /// <summary>The one that a session is in.</summary>
    /// <exception cref="NpgsqlException">The server is a standby: it would be in another one as soon as it is promoted.</exception>
    public static async Task<Timeline> Of(NpgsqlConnection session)
    {
        await using var ask = Ask(session);
        await using var answer = await ask.ExecuteReaderAsync();
        await answer.ReadAsync();
        return Of(answer);
    }

    /// <inheritdoc cref="Of(NpgsqlConnection)"/>
    public static Timeline OfAtOnce(NpgsqlConnection session)
    {
        using var ask = Ask(session);
        using var answer = ask.ExecuteReader();
        answer.Read();
        return Of(answer);
    }

    static NpgsqlCommand Ask(NpgsqlConnection session) => new(Question, session) { CommandTimeout = AnswersWithin };

    static Timeline Of(NpgsqlDataReader answer) => new(
        answer.GetInt64(0),
        answer.IsDBNull(1) ? throw new NpgsqlException("This server is a standby.") : Convert.ToInt32(answer.GetString(1), 16));
}

/// <summary>
/// Keeps what a program reads and writes in one history of each of its servers. What was read in another one may never have
/// been in this one, so a program that remembers it can go on only by beginning anew: it gets no session here until it has.
/// </summary>
public sealed class Timelines
{
    readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a server is not in its history any more.</summary>
    public Task Left => _left.Task;

    /// <summary>Builds a source that gives no session in another history.</summary>
    public NpgsqlDataSource Keep(NpgsqlDataSourceBuilder sessions, Timeline history) => sessions.UsePhysicalConnectionInitializer(
        session => Check(Timeline.OfAtOnce(session), history), async session => Check(await Timeline.Of(session), history)).Build();

    void Check(Timeline found, Timeline history)
    {
        if (found == history) return;
        _left.TrySetResult();
        throw new NpgsqlException("Another server has taken over, or this one was brought back to a moment: the program begins anew.");
    }
}
