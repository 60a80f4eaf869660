using System.Globalization;
using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Laws;
using OrleansOms.Postgres.Laws;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Host.Commands;

/// <summary>Holds the laws of the domain over the whole store, also beside a running program.</summary>
public static class CheckCommand
{
    static readonly TimeSpan ToldEvery = TimeSpan.FromSeconds(1);

    /// <summary>Every law holds.</summary>
    public const int Holds = 0;
    /// <summary>A law is broken, or the store could not be read.</summary>
    public const int Broken = 1;

    /// <summary>Runs <c>check</c> on the database of this place.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> Run(string[] args)
    {
        if (args.Length > 0)
        {
            await Console.Error.WriteLineAsync($"check takes no options, what is {args[0]}?");
            return 2;
        }
        if (await UpCommand.FindConnection() is not { } connection)
        {
            await Console.Error.WriteLineAsync("There is no database: start OrleansOms, or set ConnectionStrings__Oms.");
            return Broken;
        }
        await using var database = NpgsqlDataSource.Create(connection);
        await using var logs = new LogDatabases(UpCommand.SettingsOf([]).LogConnections);
        await LogDatabases.Look(database, logs.All is [] ? [database] : logs.All);
        try { return await Run(database, TimeProvider.System, Console.Out, Console.Error, logs.All is [] ? null : logs.All); }
        catch (NewerEventException e)
        {
            await Console.Error.WriteLineAsync($"{e.Message} Check the store with that version.");
            return Broken;
        }
    }

    /// <summary>The same on a given database.</summary>
    /// <param name="output">Gets the findings.</param>
    /// <param name="progress">Is told every second how far it is.</param>
    /// <param name="logs">The logs by their numbers; null if there is one, in the same database.</param>
    public static async Task<int> Run(
        NpgsqlDataSource database, TimeProvider time, TextWriter output, TextWriter progress,
        IReadOnlyList<NpgsqlDataSource>? logs = null)
    {
        var began = time.GetTimestamp();
        var told = began;
        var report = await new StoreCheck(database, logs).Run(time.GetUtcNow(), events =>
        {
            if (time.GetElapsedTime(told) < ToldEvery) return;
            told = time.GetTimestamp();
            progress.WriteLine($"{Number(events)} events read");
        }, CancellationToken.None);
        output.WriteLine(
            $"{Number(report.Events)} events of {Number(report.Streams)} streams, {Number(report.Orders)} orders, "
            + $"{Number(report.Rows)} rows of lists, in {time.GetElapsedTime(began).TotalSeconds:0.0} s");
        foreach (var law in Enum.GetValues<Law>())
            output.WriteLine(report.Broken.TryGetValue(law, out var broken)
                ? $"L{(int)law,-2} {law}: BROKEN {Number(broken.Count)} times, first {broken.First.Aggregate}: {broken.First.Numbers}"
                : $"L{(int)law,-2} {law}: holds");
        return report.Broken.Count == 0 ? Holds : Broken;
    }

    static string Number(long n) => n.ToString("N0", CultureInfo.InvariantCulture);
}
