using System.Data.Common;
using Npgsql;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres.Log;

/// <summary>What one read has brought.</summary>
/// <param name="Through">Of the last event, or where the read began.</param>
/// <param name="Complete">Up to where it was everything; see <see cref="LogBatch.Complete"/>.</param>
readonly record struct LogRead<T>(IReadOnlyList<T> Events, LogPosition Through, LogPosition Complete);

/// <summary>A decoded event and how many bytes of JSON it had, for those who bound memory.</summary>
readonly record struct ReadEvent(LogEvent Event, int Bytes);

/// <summary>A log's reads. Every failure of the database comes out as <see cref="LogUnavailableException"/>.</summary>
/// <param name="log">Its number.</param>
sealed class LogReader(int log, NpgsqlDataSource source, EventLogOptions options, OwnTransactions own)
{
    /// <summary>What <see cref="Decode"/> reads.</summary>
    public const string Columns = "xid, position, stream, version, type, data, command, actor, at, trace";

    readonly Bystanders _bystanders = new();

    public Task<IReadOnlyList<LogEvent>> Stream(string stream, int afterVersion, int? max) =>
        Events($"select {Columns} from oms.event where stream = $1 and version > $2 order by version limit $3",
            LogSql.Of(stream), LogSql.Of(afterVersion), LogSql.Of((long)(max ?? int.MaxValue)));

    public Task<IReadOnlyList<LogEvent>> StreamBackwards(string stream, int beforeVersion, int max) =>
        Events($"select {Columns} from oms.event where stream = $1 and version < $2 order by version desc limit $3",
            LogSql.Of(stream), LogSql.Of(beforeVersion), LogSql.Of((long)max));

    public Task<IReadOnlyList<LogEvent>> Streams(string[] streams) =>
        Events($"select {Columns} from oms.event where stream = any($1) order by stream, version",
            LogSql.Texts(streams));

    /// <summary>
    /// What follows a position, in commit order, and how far that is complete. The horizon is taken first and the
    /// events after it, each from its own snapshot: every transaction below the horizon has ended before the events are
    /// read, so an empty read has truly read everything below it. Transactions of this process that are still in memory
    /// are not read but put in their places; they are known to be committed, so the horizon holds for them too.
    /// </summary>
    public async Task<LogRead<ReadEvent>> All(LogPosition after, int max)
    {
        var known = own.After(after);
        var (others, complete) = await Others(after, max, known);
        var events = Merge(others, known.Where(t => t.Id <= complete.Transaction));
        var end = End(events, max);
        if (end < events.Count)
        {
            events.RemoveRange(end, events.Count - end);
            complete = events[^1].Event.Position;
        }
        return new LogRead<ReadEvent>(events, events.Count > 0 ? events[^1].Event.Position : after, complete);
    }

    Task<(List<ReadEvent> Events, LogPosition Complete)> Others(
        LogPosition after, int max, List<OwnTransaction> known) => Ask(async connection =>
    {
        await using var batch = new NpgsqlBatch(connection) { Timeout = options.CommandTimeoutSeconds };
        var foreign = _bystanders.Known;
        batch.BatchCommands.Add(new NpgsqlBatchCommand(
            $"select {Bystanders.Horizon("$1")}, pg_snapshot_xmax(pg_current_snapshot())")
        {
            Parameters = { LogSql.Transactions(foreign) },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"""
            select {Columns} from oms.event
            where (xid, position) > ($1, $2) and xid < {Bystanders.Horizon("$5")} and xid <> all($4)
            order by xid, position limit $3
            """)
        {
            Parameters =
            {
                LogSql.Transaction(after.Transaction), LogSql.Of(after.Ordinal), LogSql.Of((long)max),
                LogSql.Transactions([.. known.Select(t => t.Id)]), LogSql.Transactions(foreign),
            },
        });
        await LogSql.PrepareInTime(batch.PrepareAsync, options.CommandTimeoutSeconds);
        var (horizon, isHeld) = (0UL, false);
        var (events, bytes) = (new List<ReadEvent>(), 0L);
        await using (var reader = await batch.ExecuteReaderAsync())
        {
            await reader.ReadAsync();
            (horizon, isHeld) = (reader.GetFieldValue<ulong>(0), reader.GetFieldValue<ulong>(0) < reader.GetFieldValue<ulong>(1));
            await reader.NextResultAsync();
            while (bytes < options.MaxReadBytes && await reader.ReadAsync())
            {
                events.Add(Decode(reader, log));
                bytes += events[^1].Bytes;
            }
        }
        await _bystanders.Look(connection, horizon, isHeld, options.CommandTimeoutSeconds);
        var complete = new LogPosition((long)horizon - 1, long.MaxValue);
        var cut = events.Count == max || bytes >= options.MaxReadBytes;
        if (events.Count > 0 && (cut || events[^1].Event.Position > complete))
            complete = events[^1].Event.Position;
        return (events, complete);
    });

    /// <summary>Both in commit order: a transaction is either all ours or all of others.</summary>
    static List<ReadEvent> Merge(List<ReadEvent> others, IEnumerable<OwnTransaction> ours)
    {
        var all = new List<ReadEvent>(others.Count);
        var next = 0;
        foreach (var transaction in ours)
        {
            while (next < others.Count && others[next].Event.Position.Transaction < transaction.Id) all.Add(others[next++]);
            all.AddRange(transaction.Events);
        }
        all.AddRange(others.Skip(next));
        return all;
    }

    /// <summary>How many events one read brings: as many as were asked for and as fit.</summary>
    int End(List<ReadEvent> events, int max)
    {
        var (end, bytes) = (0, 0L);
        while (end < events.Count && end < max && bytes < options.MaxReadBytes)
            bytes += events[end++].Bytes;
        return end;
    }

    /// <summary>Whether a reader could read anything after a position now.</summary>
    // Ordered and limited below the exists, which would drop both: the planner takes a question for any row to be
    // answered soonest by scanning the table from its beginning, where all rows are too old.
    public Task<bool> Any(LogPosition after) => Ask(connection => Scalar<bool>(connection, $"""
        select exists (
          select from (
            select from oms.event
            where (xid, position) > ($1, $2) and xid < {Bystanders.Horizon("$3")}
            order by xid, position limit 1) as next)
        """, LogSql.Transaction(after.Transaction), LogSql.Of(after.Ordinal), LogSql.Transactions(_bystanders.Known)));

    /// <summary>
    /// The last transaction that can have ended by now, and its end. A reader passes it when no transaction up to it is
    /// under way any more.
    /// </summary>
    public Task<LogPosition> Now() => Ask(async connection =>
        new LogPosition((long)await Scalar<ulong>(connection, "select pg_snapshot_xmax(pg_current_snapshot())") - 1,
            long.MaxValue));

    /// <summary>Whether a command is found before the first event of an earlier time, from the stream's end back.</summary>
    public Task<bool> Has(string stream, string command, DateTimeOffset since) => Ask(connection => Scalar<bool>(connection,
        "select command = $2 from oms.event where stream = $1 and (command = $2 or at < $3) order by version desc limit 1",
        LogSql.Of(stream), LogSql.Of(command), LogSql.Of(since)));

    Task<IReadOnlyList<LogEvent>> Events(string sql, params NpgsqlParameter[] parameters) => Ask(async connection =>
    {
        await using var command = await Prepare(connection, sql, parameters);
        await using var reader = await command.ExecuteReaderAsync();
        var events = new List<LogEvent>();
        while (await reader.ReadAsync())
            events.Add(Decode(reader, log).Event);
        return (IReadOnlyList<LogEvent>)events;
    });

    async Task<T?> Scalar<T>(NpgsqlConnection connection, string sql, params NpgsqlParameter[] parameters)
    {
        await using var command = await Prepare(connection, sql, parameters);
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? await reader.GetFieldValueAsync<T>(0) : default;
    }

    async Task<NpgsqlCommand> Prepare(NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = options.CommandTimeoutSeconds };
        command.Parameters.AddRange(parameters);
        await LogSql.PrepareInTime(command.PrepareAsync, options.CommandTimeoutSeconds);
        return command;
    }

    async Task<T> Ask<T>(Func<NpgsqlConnection, Task<T>> question)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync();
            return await question(connection);
        }
        catch (DbException e)
        {
            throw new LogUnavailableException($"The event log did not answer: {e.Message}");
        }
    }

    /// <param name="log">The log that the row is in.</param>
    public static ReadEvent Decode(NpgsqlDataReader row, int log)
    {
        var position = new LogPosition((long)row.GetFieldValue<ulong>(0), row.GetInt64(1));
        var (type, json) = (row.GetString(4), row.GetFieldValue<byte[]>(5));
        return new ReadEvent(
            new LogEvent(position, row.GetString(2), row.GetInt32(3), type, EventTypes.Read(type, json), row.GetString(6),
                row.GetString(7), row.GetFieldValue<DateTimeOffset>(8), log)
            { Trace = row.GetString(9) is { Length: > 0 } trace ? trace : null },
            json.Length);
    }
}
