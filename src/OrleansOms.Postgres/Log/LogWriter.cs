using System.Diagnostics;
using System.Threading.Channels;
using Npgsql;
using OrleansOms.Contracts.Log;

namespace OrleansOms.Postgres.Log;

/// <summary>
/// One of the log's writers: takes what waits, writes it as one transaction in one round trip, answers, begins again.
/// A batch that PostgreSQL refuses is rolled back whole; then the appends that are at fault are found and failed, and
/// the others are written again.
/// </summary>
/// <param name="turn">Only one writer waits at the queue, so that an append wakes one of them.</param>
/// <param name="own">Told what was committed.</param>
/// <param name="committed">Called after each commit.</param>
sealed class LogWriter(
    ChannelReader<PendingAppend> queue, SemaphoreSlim turn, NpgsqlDataSource source, EventLogOptions options,
    OwnTransactions own, LogMetrics? metrics, Action committed)
{
    // Rounds in which PostgreSQL refused a batch and no append was found at fault: a deadlock, or a transaction of
    // someone else that was rolled back between the refusal and the look.
    const int MaxFruitlessRounds = 5;

    readonly List<PendingAppend> waiting = [];
    readonly TimeSpan patience = TimeSpan.FromSeconds(options.CommandTimeoutSeconds);
    readonly StandbyWait standby = new(source, TimeSpan.FromSeconds(options.CommandTimeoutSeconds));
    bool rivals;
    NpgsqlConnection? connection;

    /// <summary>Ends when the queue is closed and empty.</summary>
    public async Task Run()
    {
        while (await Take() is { } batch)
            await Store(batch.Appends, batch.Suspicious);
        await Disconnect();
    }

    async Task<(List<PendingAppend> Appends, bool Suspicious)?> Take()
    {
        var batch = new Batch(options.MaxBatchRows);
        if (waiting.Count > 0)
        {
            // Whoever met a rival in the batch before looks first: the rival is stored by now.
            var suspicious = rivals;
            rivals = false;
            var again = waiting.ToList();
            waiting.Clear();
            again.ForEach(Add);
            Drain();
            return (batch.Appends, suspicious);
        }
        await turn.WaitAsync();
        try
        {
            if (!await queue.WaitToReadAsync())
                return null;
            Drain();
        }
        finally
        {
            turn.Release();
        }
        return (batch.Appends, false);

        void Add(PendingAppend append)
        {
            if (batch.TryAdd(append))
                return;
            waiting.Add(append);
            rivals |= batch.HasRoom;
        }

        void Drain()
        {
            while (batch.HasRoom && waiting.Count < options.MaxBatchRows && queue.TryRead(out var append))
                Add(append);
        }
    }

    async Task Store(List<PendingAppend> appends, bool suspicious)
    {
        for (var fruitless = 0; appends.Count > 0;)
        {
            try
            {
                if (suspicious)
                {
                    var before = appends.Count;
                    appends = await FailConflicts(appends);
                    fruitless = appends.Count == before ? fruitless + 1 : 0;
                }
                if (appends.Count > 0)
                    await Insert(appends);
                foreach (var append in appends)
                    append.Complete(AppendResult.Committed.Instance);
                committed();
                if (appends.Count > 0) metrics?.Committed(appends);
                return;
            }
            catch (PostgresException e) when (IsConflict(e) && fruitless < MaxFruitlessRounds)
            {
                suspicious = true;
            }
            catch (PostgresException e) when (IsConflict(e) || IsRefusal(e))
            {
                await StoreApart(appends, e);
                return;
            }
            catch (Exception e)
            {
                await Disconnect();
                LeaveUnknown(appends, e.Message);
                return;
            }
        }
    }

    // The commit may or may not have happened: only PostgreSQL knows.
    void LeaveUnknown(List<PendingAppend> appends, string why)
    {
        var left = appends.Count(a => a.Fail(new LogUnavailableException($"The event log did not answer: {why}")));
        if (left > 0) metrics?.Failed(left);
    }

    /// <summary>Callers wait no longer than they would if the batch were given up; false if the log ends.</summary>
    bool LetGo(List<PendingAppend> appends)
    {
        LeaveUnknown(appends, "it has not been stored in time.");
        waiting.ForEach(a => a.Fail(new LogBusyException()));
        waiting.Clear();
        while (queue.TryPeek(out var next) && Stopwatch.GetElapsedTime(next.Since) > patience && queue.TryRead(out next))
            next.Fail(new LogBusyException());
        if (!queue.Completion.IsCompleted) return true;
        connection = null; // It is still at work, and ends with the process.
        return false;
    }

    // Halves until the append that PostgreSQL refuses is alone: its neighbours are stored.
    async Task StoreApart(List<PendingAppend> appends, PostgresException refusal)
    {
        if (appends.Count == 1)
        {
            appends[0].Fail(IsConflict(refusal)
                ? new LogUnavailableException($"The event log could not settle a conflict: {refusal.MessageText}")
                : new ArgumentException($"The event log refuses the append: {refusal.MessageText}", refusal));
            return;
        }
        var half = appends.Count / 2;
        await Store(appends[..half], suspicious: true);
        await Store(appends[half..], suspicious: true);
    }

    static bool IsConflict(PostgresException e) => e.SqlState
        is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected
        or PostgresErrorCodes.SerializationFailure or LogSql.Gap;

    // 22 data exceptions, 23 constraints, 54 program limits: the fault of a value.
    static bool IsRefusal(PostgresException e) => e.SqlState[..2] is "22" or "23" or "54";

    /// <summary>Answers the appends that cannot be stored as the log is now, and returns the others.</summary>
    async Task<List<PendingAppend>> FailConflicts(List<PendingAppend> appends)
    {
        var (heads, holders) = await LookUp(appends);
        var sound = new List<PendingAppend>(appends.Count);
        foreach (var append in appends)
        {
            if (Conflict(append) is { } conflict)
                append.Complete(conflict);
            else
                sound.Add(append);
        }
        return sound;

        // The main stream comes first: who is behind has to read again, whatever else is wrong.
        AppendResult? Conflict(PendingAppend append)
        {
            if (IsBehind(append.Streams[0]))
                return new AppendResult.VersionConflict(append.Streams[0].Stream);
            foreach (var claim in append.Claims)
            {
                if (holders.TryGetValue((claim.Scope, claim.Value), out var holder))
                    return new AppendResult.ClaimTaken(claim, holder);
            }
            return append.Streams.Skip(1).FirstOrDefault(IsBehind) is { } birth
                ? new AppendResult.VersionConflict(birth.Stream)
                : null;
        }

        bool IsBehind(StreamEvents stream) => heads.GetValueOrDefault(stream.Stream) != stream.ExpectedVersion;
    }

    async Task<(Dictionary<string, int> Heads, Dictionary<(string, string), string> Holders)> LookUp(
        List<PendingAppend> appends)
    {
        var streams = appends.SelectMany(a => a.Streams).Select(s => s.Stream).Distinct().ToArray();
        var claims = appends.SelectMany(a => a.Claims).Distinct().ToArray();
        await using var batch = new NpgsqlBatch(await Connect()) { Timeout = options.CommandTimeoutSeconds };
        batch.BatchCommands.Add(new NpgsqlBatchCommand("""
            select asked.stream, head.version
            from unnest($1) as asked (stream)
            cross join lateral (
              select e.version from oms.event e where e.stream = asked.stream order by e.version desc limit 1) head
            """)
        { Parameters = { LogSql.Texts(streams) } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("""
            select c.scope, c.value, c.holder
            from unnest($1, $2) as asked (scope, value)
            join oms.claim c on c.scope = asked.scope and c.value = asked.value
            """)
        {
            Parameters =
            {
                LogSql.Texts([.. claims.Select(c => c.Scope)]), LogSql.Texts([.. claims.Select(c => c.Value)]),
            },
        });
        var heads = new Dictionary<string, int>(streams.Length);
        var holders = new Dictionary<(string, string), string>();
        await using var reader = await batch.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            heads.Add(reader.GetString(0), reader.GetInt32(1));
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
            holders.Add((reader.GetString(0), reader.GetString(1)), reader.GetString(2));
        return (heads, holders);
    }

    // Without a begin, PostgreSQL treats the batch as one transaction up to its end: one round trip, one commit.
    async Task Insert(List<PendingAppend> appends)
    {
        var there = await Connect();
        var batch = new NpgsqlBatch(there) { Timeout = 0 };
        if (Guard(appends) is { } guard)
            batch.BatchCommands.Add(guard);
        if (TakeClaims(appends) is { } claims)
            batch.BatchCommands.Add(claims);
        batch.BatchCommands.Add(InsertEvents(appends));
        await LogSql.PrepareInTime(batch.PrepareAsync, options.CommandTimeoutSeconds);
        var (transaction, positions) = await standby.For(there, stop => Execute(batch, stop), () => LetGo(appends));
        own.Add(transaction, appends, positions);
    }

    // The rows come before the commit does: it has happened only when there is nothing more to read.
    static async Task<(long Transaction, List<long> Positions)> Execute(NpgsqlBatch batch, CancellationToken stop)
    {
        var (transaction, positions) = (0L, new List<long>());
        await using var reader = await batch.ExecuteReaderAsync(stop);
        do
        {
            while (reader.FieldCount == 2 && await reader.ReadAsync(stop))
            {
                transaction = (long)reader.GetFieldValue<ulong>(0);
                positions.Add(reader.GetInt64(1));
            }
        }
        while (await reader.NextResultAsync(stop));
        return (transaction, positions);
    }

    static NpgsqlBatchCommand? Guard(List<PendingAppend> appends)
    {
        var count = appends.Count(a => a.Streams[0].ExpectedVersion > 0);
        if (count == 0)
            return null;
        var (streams, versions) = (new string[count], new int[count]);
        var i = 0;
        foreach (var append in appends)
        {
            var main = append.Streams[0];
            if (main.ExpectedVersion > 0)
                (streams[i], versions[i++]) = (main.Stream, main.ExpectedVersion);
        }
        return new NpgsqlBatchCommand("select oms.require_heads($1, $2)")
        {
            Parameters = { LogSql.Texts(streams), LogSql.Integers(versions) },
        };
    }

    static NpgsqlBatchCommand? TakeClaims(List<PendingAppend> appends)
    {
        var count = appends.Sum(a => a.Claims.Count);
        if (count == 0)
            return null;
        var (scopes, values, holders) = (new string[count], new string[count], new string[count]);
        var i = 0;
        foreach (var append in appends)
        {
            foreach (var claim in append.Claims)
                (scopes[i], values[i], holders[i++]) = (claim.Scope, claim.Value, append.Streams[0].Stream);
        }
        return new NpgsqlBatchCommand("insert into oms.claim (scope, value, holder) select * from unnest($1, $2, $3)")
        {
            Parameters = { LogSql.Texts(scopes), LogSql.Texts(values), LogSql.Texts(holders) },
        };
    }

    static NpgsqlBatchCommand InsertEvents(List<PendingAppend> appends)
    {
        var count = appends.Sum(a => a.Rows.Length);
        var (streams, versions, types) = (new string[count], new int[count], new string[count]);
        var data = new byte[count][];
        var (commands, actors) = (new string[count], new string[count]);
        var times = new DateTime[count];
        string[]? traces = null;
        var i = 0;
        foreach (var append in appends)
        {
            foreach (var row in append.Rows)
            {
                (streams[i], versions[i], types[i], data[i]) = (row.Stream, row.Version, row.Type, row.Json);
                if (row.Trace is not null && traces is null) Array.Fill(traces = new string[count], "");
                traces?[i] = row.Trace ?? "";
                (commands[i], actors[i], times[i++]) = (row.Command, row.Actor, row.At);
            }
        }
        // Almost always there is no trace: then it is not asked for.
        var insert = new NpgsqlBatchCommand(traces is null
            ? """
              insert into oms.event (stream, version, type, data, command, actor, at)
              select * from unnest($1, $2, $3, $4, $5, $6, $7)
              returning xid, position
              """
            : """
              insert into oms.event (stream, version, type, data, command, actor, at, trace)
              select * from unnest($1, $2, $3, $4, $5, $6, $7, $8)
              returning xid, position
              """)
        {
            Parameters =
            {
                LogSql.Texts(streams), LogSql.Integers(versions), LogSql.Texts(types), LogSql.Jsons(data),
                LogSql.Texts(commands), LogSql.Texts(actors), LogSql.Times(times),
            },
        };
        if (traces is not null) insert.Parameters.Add(LogSql.Texts(traces));
        return insert;
    }

    async ValueTask<NpgsqlConnection> Connect()
    {
        if (connection is { FullState: System.Data.ConnectionState.Open })
            return connection;
        await Disconnect();
        return connection = await source.OpenConnectionAsync();
    }

    async ValueTask Disconnect()
    {
        if (connection is { } old)
        {
            connection = null;
            await old.DisposeAsync();
        }
    }

    /// <summary>Appends that can share a transaction: no stream and no claim is in it twice.</summary>
    sealed class Batch(int maxRows)
    {
        readonly HashSet<string> streams = [];
        readonly HashSet<Claim> claims = [];
        int rows;

        public List<PendingAppend> Appends { get; } = [];
        public bool HasRoom => rows < maxRows;

        /// <summary>False if the batch is full, which it then stays, or if it has a rival of the append.</summary>
        public bool TryAdd(PendingAppend append)
        {
            if (!HasRoom)
                return false;
            if (append.Streams.Any(s => streams.Contains(s.Stream)) || append.Claims.Any(claims.Contains))
                return false;
            if (rows > 0 && rows + append.Rows.Length > maxRows)
            {
                rows = maxRows;
                return false;
            }
            foreach (var stream in append.Streams)
                streams.Add(stream.Stream);
            claims.UnionWith(append.Claims);
            rows += append.Rows.Length;
            Appends.Add(append);
            return true;
        }
    }
}
