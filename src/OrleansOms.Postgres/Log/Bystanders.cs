using Npgsql;

namespace OrleansOms.Postgres.Log;

/// <summary>
/// Transactions under way that are no appends: those of other databases of the server, and those of this one that write to
/// other tables. Their numbers stand among the appends', but they hold no event: readers need not wait for them. They are asked
/// for only when something has held readers back for a while.
/// </summary>
/// <remarks>
/// An append locks the table of claims or that of events before it is given a number, and lets go of both when it has ended:
/// what has a number and neither lock is none, and becomes none, as nobody but <see cref="LogWriter"/> writes events.
/// </remarks>
sealed class Bystanders
{
    /// <summary>What is held back for less is let wait: our own transactions are shorter.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    // A transaction holds a lock on its own number, and who holds it says its database and what else it has locked. One that
    // ends meanwhile is not found and still waited for: the next snapshot is without it. One that is found when it has already
    // let go of its tables is visible to whoever reads next.
    const string Question = """
        with held as materialized (
          select pid, locktype, transactionid, relation, mode from pg_locks where granted)
        select x from pg_snapshot_xip(pg_current_snapshot()) x
        join held l on l.locktype = 'transactionid' and l.mode = 'ExclusiveLock' and l.transactionid = x::xid
        join pg_stat_activity a on a.pid = l.pid
        where a.datname <> current_database() or not exists (
          select from held t
          where t.pid = l.pid and t.locktype = 'relation' and t.mode = 'RowExclusiveLock'
            and t.relation in ('oms.event'::regclass, 'oms.claim'::regclass))
        """;

    ulong _heldAt;
    long _since;
    long[] _known = [];

    /// <summary>Those that are known.</summary>
    public long[] Known => Volatile.Read(ref _known);

    /// <summary>
    /// SQL for the first transaction that is still under way and may be an append: all appends before it have ended.
    /// </summary>
    /// <param name="known">The parameter with <see cref="Known"/>.</param>
    public static string Horizon(string known) => $"""
        (select coalesce(min(x), pg_snapshot_xmax(pg_current_snapshot()))
         from pg_snapshot_xip(pg_current_snapshot()) x where x <> all({known}))
        """;

    /// <summary>Told of each horizon; after a while at the same one, it looks who holds it.</summary>
    /// <param name="isHeld">Whether a transaction under way holds it.</param>
    public async ValueTask Look(NpgsqlConnection connection, ulong horizon, bool isHeld, int timeoutSeconds)
    {
        // Several readers may be here at once; whichever is late only asks once more.
        if (!isHeld || Interlocked.Exchange(ref _heldAt, horizon) != horizon)
        {
            Volatile.Write(ref _since, Environment.TickCount64);
            return;
        }
        if (Environment.TickCount64 - Volatile.Read(ref _since) < Patience.TotalMilliseconds) return;
        Volatile.Write(ref _since, Environment.TickCount64);
        await using var command = new NpgsqlCommand(Question, connection) { CommandTimeout = timeoutSeconds };
        await using var reader = await command.ExecuteReaderAsync();
        var known = new List<long>();
        while (await reader.ReadAsync()) known.Add((long)reader.GetFieldValue<ulong>(0));
        Volatile.Write(ref _known, [.. known]);
    }
}
