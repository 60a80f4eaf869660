using Npgsql;

namespace OrleansOms.Postgres.Log;

/// <summary>The databases that the event log is in, each one a log. They are disposed with this.</summary>
/// <param name="connectionStrings">By the log's number.</param>
/// <param name="build">Makes the source of a log, where it is no plain one.</param>
public sealed class LogDatabases(
    IEnumerable<string> connectionStrings, Func<NpgsqlDataSourceBuilder, int, NpgsqlDataSource>? build = null) : IAsyncDisposable
{
    /// <summary>By the log's number.</summary>
    public IReadOnlyList<NpgsqlDataSource> All { get; } =
        [.. connectionStrings
            .Select((database, number) => new NpgsqlDataSourceBuilder(database) { Name = $"oms log {number}" })
            .Select((sessions, number) => build?.Invoke(sessions, number) ?? sessions.Build())];

    /// <summary>
    /// Refuses logs that are not those of the store. At the store's first start, which may be of several processes at
    /// once, they become its logs for ever.
    /// </summary>
    /// <param name="lists">The database with the lists and everything else that is no event.</param>
    /// <param name="logs">By the log's number; each has the present schema.</param>
    /// <exception cref="InvalidOperationException">Says what is wrong.</exception>
    public static async Task Check(NpgsqlDataSource lists, IReadOnlyList<NpgsqlDataSource> logs)
    {
        foreach (var log in logs) await Execute(log, "insert into oms.log_id default values on conflict do nothing");
        var given = await Given(logs);
        var known = await Known(lists);
        if (known.Count == 0)
        {
            await RefuseForeign(lists, logs, [.. given]);
            await using var born = lists.CreateCommand("""
                insert into oms.logs (number, id) select n - 1, id from unnest($1) with ordinality as given (id, n)
                on conflict do nothing
                """);
            born.Parameters.Add(new NpgsqlParameter { Value = given.ToArray() });
            await born.ExecuteNonQueryAsync();
            known = await Known(lists);
        }
        Compare(known, given);
    }

    /// <summary>Refuses what <see cref="Check"/> refuses, and a store that was never started. It writes nothing.</summary>
    /// <inheritdoc cref="Check"/>
    public static async Task Look(NpgsqlDataSource lists, IReadOnlyList<NpgsqlDataSource> logs)
    {
        var known = await Known(lists);
        if (known.Count == 0)
            throw new InvalidOperationException("This store was never started: there is nothing in it yet.");
        Compare(known, await Given(logs));
    }

    static Task<List<Guid>> Known(NpgsqlDataSource lists) => Read(lists, "select id from oms.logs order by number");

    /// <summary>The id of each; one that was never a log has none.</summary>
    static async Task<List<Guid>> Given(IReadOnlyList<NpgsqlDataSource> logs)
    {
        var given = new List<Guid>(logs.Count);
        foreach (var log in logs) given.Add((await Read(log, "select id from oms.log_id")).SingleOrDefault());
        var ids = given.Where(id => id != Guid.Empty).ToList();
        return ids.Distinct().Count() == ids.Count ? given
            : throw new InvalidOperationException("Oms:Logs names one database twice, or a copy of it.");
    }

    static void Compare(List<Guid> known, List<Guid> given)
    {
        if (known.Count != given.Count)
        {
            throw new InvalidOperationException(
                $"This store was born with {Logs(known.Count)} and is given {Logs(given.Count)}: set Oms:Logs as it was. "
                + "Streams would be looked for where they are not.");
        }
        for (var number = 0; number < known.Count; number++)
        {
            if (known[number] == given[number]) continue;
            var other = known.IndexOf(given[number]);
            throw new InvalidOperationException(
                $"The database that is given as log {number} is {(other < 0 ? "none" : $"log {other}")} of this store: set "
                + "Oms:Logs as it was, in the same order. A log that has been moved is known by its id, which every copy has.");
        }
    }

    /// <summary>
    /// A new store has new logs, or it is one that was there before logs were numbered: it has a single one, which holds
    /// everything.
    /// </summary>
    static async Task RefuseForeign(NpgsqlDataSource lists, IReadOnlyList<NpgsqlDataSource> logs, Guid[] given)
    {
        foreach (var log in logs)
        {
            if (logs.Count > 1 && await HoldsEvents(log, []))
                throw new InvalidOperationException(
                    "Oms:Logs names a database that holds events. The number of logs is chosen before the first event.");
        }
        if (await HoldsEvents(lists, given))
            throw new InvalidOperationException(
                "The database of the lists holds events, and Oms:Logs does not name it: they would be lost from sight.");
    }

    static async Task<bool> HoldsEvents(NpgsqlDataSource source, Guid[] unlessItIs)
    {
        await using var command = source.CreateCommand("""
            select exists (select from oms.event) and not exists (select from oms.log_id where id = any($1))
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = unlessItIs });
        return await command.ExecuteScalarAsync() is true;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var source in All) await source.DisposeAsync();
    }

    static string Logs(int count) => count == 1 ? "one log" : $"{count} logs";

    static async Task Execute(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    static async Task<List<Guid>> Read(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var ids = new List<Guid>();
        while (await reader.ReadAsync()) ids.Add(reader.GetGuid(0));
        return ids;
    }
}
