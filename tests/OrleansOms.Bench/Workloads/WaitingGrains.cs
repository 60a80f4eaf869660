using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Npgsql;
using OrleansOms.Bench.History;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;
using OrleansOms.Domain.Shared;
using OrleansOms.Postgres;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// What orders that wait for their money cost: ours, rows that a few sweepers read; and with one reminder for each order, as
/// Orleans offers it. While they wait, due in nine minutes, which is when Orleans has reminders in memory: the program is
/// started on so many, and what it holds and uses is looked at when it is up. When Orleans reads its list again, which it
/// does every five minutes and with each change of the cluster. And when they are due, in the same second or a thousand a
/// second: each order is read, cancelled and stored. A reminder that could not be told within half a minute comes again a
/// period later, and is left over here.
/// </summary>
public sealed record WaitingGrains() : Workload("waiting", "")
{
    const string Memory = "residentMegabytes", Start = "startSeconds", Used = "cpuSecondsOfHalfAMinute", Left = "leftOver";

    static readonly TimeSpan Look = TimeSpan.FromSeconds(30), Between = TimeSpan.FromSeconds(1);
    // Orleans holds those in memory that are due in the next ten minutes.
    static readonly TimeSpan Soon = TimeSpan.FromMinutes(9), Ahead = TimeSpan.FromSeconds(25), Patience = TimeSpan.FromMinutes(3);

    /// <summary>Where it is kept who waits.</summary>
    /// <param name="Table">The table.</param>
    /// <param name="Insert">Writes those whose keys and times are the parameters.</param>
    sealed record Way(string Name, string Table, string Insert);

    static readonly Way Sweepers = new("ours", "oms.waiting", """
        insert into oms.waiting (key, kind, since) select key, 1, at from unnest(@keys, @times) as t (key, at)
        """);
    static readonly Way Reminders = new("reminders", "oms.orleans_reminder", """
        insert into oms.orleans_reminder (service, grain_id, name, grain_hash, start_time, period, version)
        select 'oms', 'oms-order/' || key, 'payment-due', hashtext(key), at, 1800000, 1 from unnest(@keys, @times) as t (key, at)
        """);

    /// <summary>Three: a round takes a quarter of an hour, nearly all of it waiting.</summary>
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 3, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var databases = new List<string>();
        var (waiting, read, due) = (new List<Arm>(), new List<Arm>(), new List<Arm>());
        foreach (var count in session.Options.IsQuick ? [200] : new[] { 0, 1_000, 10_000, 100_000 })
        {
            var database = await session.Postgres.Create($"oms_bench_waiting_{count}");
            databases.Add(database);
            await Migrator.Run(session.Postgres.ConnectionTo(database));
            foreach (var way in count == 0 ? [Sweepers] : new[] { Sweepers, Reminders })
            {
                if (!session.Options.IsQuick) waiting.Add(Wait(session, database, count, way));
                if (count is > 0 and <= 10_000) due.Add(Due(session, database, count, 1, way));
                if (count > 10_000) due.Add(Due(session, database, count, count / 1000, way));
            }
            if (!session.Options.IsQuick) read.Add(ReadAgain(session, database, count));
        }
        return new Stage([.. waiting, .. read, .. due], async () =>
        {
            foreach (var database in databases) await session.Postgres.Drop(database);
        });
    }

    static string NameOf(Way way, int count, string what) => FormattableString.Invariant($"{way.Name}, {count:N0} {what}");

    /// <summary>Leaves those and nobody else waiting.</summary>
    static async Task Fill(Session session, string database, Way way, string[] keys, DateTimeOffset first, TimeSpan window)
    {
        await using var connection = new NpgsqlConnection(session.Postgres.ConnectionTo(database) + ";Pooling=false");
        await connection.OpenAsync(session.Cancel);
        await using var command = new NpgsqlCommand($"truncate {Sweepers.Table}, {Reminders.Table}; {way.Insert}", connection)
        {
            Parameters =
            {
                new("keys", keys),
                new("times", keys.Select((_, n) => (first + window * n / keys.Length).ToUniversalTime()).ToArray()),
            },
        };
        await command.ExecuteNonQueryAsync(session.Cancel);
        await session.Postgres.RunScript(database, $"vacuum analyze {way.Table}");
    }

    /// <summary>Orders that nobody has heard of: their time does not come.</summary>
    static Task FillSoon(Session session, string database, int count, Way way) => Fill(
        session, database, way, [.. Enumerable.Range(0, count).Select(n => Keys.FromIdempotencyKey(Keys.Order, "nobody", $"{n}"))],
        DateTimeOffset.UtcNow + Soon, TimeSpan.FromSeconds(1));

    static Arm Wait(Session session, string database, int count, Way way) =>
        new(count == 0 ? "nobody waits" : NameOf(way, count, "wait"), () => Wait(session, database))
        {
            Prepare = () => FillSoon(session, database, count, way),
        };

    static async Task<Outcome> Wait(Session session, string database)
    {
        var start = Stopwatch.GetTimestamp();
        await using var oms = await OmsProcess.Start(session, session.Postgres.ConnectionTo(database));
        var ready = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var cpu = Cpu.Of(oms.Pid);
        await Task.Delay(Look, session.Cancel);
        return new Outcome(0, Look.TotalSeconds)
        {
            Further = new Dictionary<string, double>
            {
                [Start] = ready, [Used] = Cpu.Of(oms.Pid) - cpu, [Memory] = Cpu.ResidentMegabytes(oms.Pid),
            },
        };
    }

    /// <summary>Lets the silo read its list a second after it last has, again and again; without any reminders that is the
    /// cost of a second in which nothing happens.</summary>
    static Arm ReadAgain(Session session, string database, int count)
    {
        OmsInProcess? oms = null;
        CountedReminders? table = null;
        return new Arm(NameOf(Reminders, count, "read again"), async () =>
        {
            var (start, before) = (Stopwatch.GetTimestamp(), table!.Reads);
            await Task.Delay(Look, session.Cancel);
            return new Outcome(table.Reads - before, Stopwatch.GetElapsedTime(start).TotalSeconds);
        })
        {
            Prepare = async () =>
            {
                await FillSoon(session, database, count, Reminders);
                oms = await OmsInProcess.Start(
                    session, session.Postgres.ConnectionTo(database), builder => CountedReminders.Use(builder, Between));
                table = oms.Get<CountedReminders>();
                // The silo takes up to half a minute after its start until it reads again for the first time.
                while (table.Reads < 5) await Task.Delay(Between, session.Cancel);
            },
            Finish = () => oms!.DisposeAsync(),
            ProgramCpu = () => Cpu.Of(Environment.ProcessId),
        };
    }

    /// <param name="window">Seconds from the first one's time to the last one's.</param>
    static Arm Due(Session session, string database, int count, int window, Way way)
    {
        OmsProcess? oms = null;
        return new Arm(NameOf(way, count, $"due within {window} s"), async () =>
        {
            var start = Stopwatch.GetTimestamp();
            var left = await session.Postgres.AwaitEmpty(database, Rest(way), Patience, session.Cancel);
            return new Outcome(count - left, Stopwatch.GetElapsedTime(start).TotalSeconds)
            {
                Further = new Dictionary<string, double> { [Left] = left, [Memory] = Cpu.ResidentMegabytes(oms!.Pid) },
            };
        })
        {
            Prepare = async () => oms = await StartInTime(session, database, count, window, way),
            Finish = () => oms!.DisposeAsync(),
            ProgramCpu = () => Cpu.Of(oms!.Pid),
            Goal = way == Sweepers ? new Goal("none left over", a => a.Turns.All(t => t.Outcome.Further[Left] == 0)) : null,
        };
    }

    /// <summary>Those who wait still; sweepers' own reminders are not among them.</summary>
    static string Rest(Way way) => way == Sweepers ? way.Table : $"(select from {way.Table} where name = 'payment-due') r";

    /// <summary>A program that is up when the first order is due: a reminder that was due earlier would tick a period later.</summary>
    static async Task<OmsProcess> StartInTime(Session session, string database, int count, int window, Way way)
    {
        // What it takes to write them and to start, and more each time that this was not enough.
        for (var ahead = session.Options.IsQuick ? Ahead / 3 : Ahead + TimeSpan.FromMilliseconds(count); ; ahead *= 2)
        {
            var (first, spread) = (DateTimeOffset.UtcNow + ahead, TimeSpan.FromSeconds(window));
            var orders = await UnpaidOrders.Write(session.Postgres.ConnectionTo(database), count, first, spread);
            await Fill(session, database, way, orders, first, spread);
            var oms = await OmsProcess.Start(session, session.Postgres.ConnectionTo(database));
            if (first - DateTimeOffset.UtcNow is var rest && rest > TimeSpan.Zero)
            {
                await Task.Delay(rest, session.Cancel);
                return oms;
            }
            await oms.DisposeAsync();
        }
    }
}
