using Npgsql;

namespace OrleansOms.Postgres.Log;

/// <summary>
/// What to do with a batch that is not answered in time. One that waits for a standby is stored, and on one server only.
/// PostgreSQL ends that wait when it is asked to cancel, answers with success and shows the batch to everybody: what is then
/// acknowledged is lost with that server. So it is let wait; anything else is cancelled.
/// </summary>
sealed class StandbyWait(NpgsqlDataSource source, TimeSpan patience)
{
    // A session is its login's, whatever role that acts as, and only as itself it sees what its other sessions wait for.
    const string Question =
        "select exists (select from pg_stat_activity where pid = $1 and usename = session_user and wait_event = 'SyncRep')";

    /// <summary>Runs a batch to its end.</summary>
    /// <param name="connection">The one that it is sent on.</param>
    /// <param name="run">Sends it; cancelled when it is given up.</param>
    /// <param name="late">Called each time that it has not been answered for so long again; false to wait no more.</param>
    /// <exception cref="TimeoutException">Nobody waits any more, and it has not ended.</exception>
    public async Task<T> For<T>(NpgsqlConnection connection, Func<CancellationToken, Task<T>> run, Func<bool> late)
    {
        var backend = connection.ProcessID;
        using var giveUp = new CancellationTokenSource();
        var running = run(giveUp.Token);
        while (true)
        {
            await ((Task)running).WaitAsync(patience, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (running.IsCompleted) return await running;
            var goesOn = late();
            if (!await IsForStandby(backend)) await giveUp.CancelAsync();
            else if (!goesOn) throw new TimeoutException("The batch waits for a standby.");
        }
    }

    async Task<bool> IsForStandby(int backend)
    {
        using var limit = new CancellationTokenSource(patience);
        try
        {
            await using var other = await source.OpenConnectionAsync(limit.Token);
            await using var transaction = await other.BeginTransactionAsync(limit.Token);
            await using var beItself = new NpgsqlCommand("set local role none", other);
            await beItself.ExecuteNonQueryAsync(limit.Token);
            await using var ask = new NpgsqlCommand(Question, other) { Parameters = { LogSql.Of(backend) } };
            return await ask.ExecuteScalarAsync(limit.Token) is true;
        }
        // A server that answers nobody has no standby either, or none that matters.
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException or TimeoutException) { return false; }
    }
}
