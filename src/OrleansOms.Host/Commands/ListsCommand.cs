using System.Globalization;
using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Postgres;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Host.Commands;

/// <summary>Makes the lists anew from the log, also beside running programs, which go on with it.</summary>
public static class ListsCommand
{
    const int BatchSize = 10_000;
    static readonly TimeSpan ToldEvery = TimeSpan.FromSeconds(1);

    /// <summary>Runs <c>lists rebuild</c>.</summary>
    /// <param name="progress">Is told every second how far it is.</param>
    /// <param name="logs">The logs by their numbers; null if there is one, in the same database.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="NewerEventException">The log has events that this program does not know.</exception>
    public static async Task<int> Run(
        string[] args, NpgsqlDataSource database, TimeProvider time, TextWriter output, TextWriter progress,
        IReadOnlyList<NpgsqlDataSource>? logs = null)
    {
        if (args is not ["rebuild"]) return await CommandLine.Fail("Say lists rebuild.", 2);
        await LogDatabases.Look(database, logs ?? [database]);
        await using var log = new EventLog(logs ?? [database]);
        using var lists = new ReadModel(database, log);
        var (began, end) = (time.GetTimestamp(), await log.Now());
        var (told, events) = (began, 0L);
        await lists.Rebuild();
        while (true)
        {
            var at = await lists.Position();
            var batch = await log.ReadAll(at, BatchSize);
            // A follower of a running program may have been faster.
            if (!await lists.Apply(at, batch)) continue;
            events += batch.Events.Count;
            if (batch.Complete.Covers(end)) break;
            if (time.GetElapsedTime(told) < ToldEvery) continue;
            told = time.GetTimestamp();
            progress.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{events:N0} events"));
        }
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"The lists say what the log says; {events:N0} events were read here, in {time.GetElapsedTime(began).TotalSeconds:0.0} s."));
        return 0;
    }
}
