using Npgsql;

namespace OrleansOms.Postgres;

/// <summary>
/// Keeps all sessions of a program in one history of each of its servers. A standby that becomes the primary, and a server
/// that is brought back to a moment, begin a history of their own: PostgreSQL's timelines. What was read before may never have
/// been there, so a program that remembers it can go on only by beginning anew. It opens no session there until it has.
/// </summary>
public sealed class Timelines
{
    const string Question = """
        select system_identifier::text || ' ' || case when pg_is_in_recovery() then '' else left(pg_walfile_name(pg_current_wal_lsn()), 8) end
        from pg_control_system()
        """;

    readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a server is no more the one that it was.</summary>
    public Task Left => _left.Task;

    /// <summary>Builds a source whose sessions are all in the history that its first one is in.</summary>
    public NpgsqlDataSource Keep(NpgsqlDataSourceBuilder sessions)
    {
        string? first = null;
        return sessions.UsePhysicalConnectionInitializer(
            connection =>
            {
                using var ask = new NpgsqlCommand(Question, connection);
                Check((string)ask.ExecuteScalar()!);
            },
            async connection =>
            {
                await using var ask = new NpgsqlCommand(Question, connection);
                Check((string)(await ask.ExecuteScalarAsync())!);
            }).Build();

        void Check(string found)
        {
            // It would be in another one as soon as it is promoted.
            if (found.EndsWith(' ')) throw new NpgsqlException("This server is a standby.");
            if (Interlocked.CompareExchange(ref first, found, null) is not { } known || known == found) return;
            _left.TrySetResult();
            throw new NpgsqlException("Another server has taken over, or this one was brought back to a moment: the program begins anew.");
        }
    }
}
