using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;
using OrleansOms.Postgres;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// What grains that wait cost, one reminder each. While they wait: the program is started on so many that are due
/// tomorrow, or in nine minutes, which is when Orleans has them in memory, and what it holds and uses is looked at when it
/// is up. When Orleans reads its list again, which it does every five minutes and with each change of the cluster. And when
/// they are due, in the same second or a thousand a second: each wakes its order, which reads its stream, finds that it has
/// nothing to wait for, and takes the reminder away. One that could not be told within half a minute comes again a period
/// later, and is left over here.
/// </summary>
public sealed record WaitingGrains() : Workload("waiting", "")
{
    const string Memory = "residentMegabytes", Start = "startSeconds", Used = "cpuSecondsOfHalfAMinute", Left = "leftOver";

    static readonly TimeSpan Look = TimeSpan.FromSeconds(30), Between = TimeSpan.FromSeconds(1);
    // Orleans holds those in memory that are due in the next ten minutes.
    static readonly TimeSpan Tomorrow = TimeSpan.FromDays(1), Soon = TimeSpan.FromMinutes(9);
    static readonly TimeSpan Ahead = TimeSpan.FromSeconds(20), Patience = TimeSpan.FromMinutes(3);

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 3, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var databases = new List<string>();
        var (waiting, read, due) = (new List<Arm>(), new List<Arm>(), new List<Arm>());
        foreach (var count in session.Options.IsQuick ? [0, 1_000, 10_000] : new[] { 0, 1_000, 10_000, 100_000 })
        {
            var database = await session.Postgres.Create($"oms_bench_waiting_{count}");
            databases.Add(database);
            await Migrator.Run(session.Postgres.ConnectionTo(database));
            waiting.Add(Wait(session, database, count, Tomorrow, "due tomorrow"));
            if (count > 0) waiting.Add(Wait(session, database, count, Soon, "due in nine minutes"));
            read.Add(ReadAgain(session, database, count));
            if (count is > 0 and <= 10_000) due.Add(Due(session, database, count, 1));
            if (count >= 10_000) due.Add(Due(session, database, count, count / 1000));
        }
        return new Stage([.. waiting, .. read, .. due], async () =>
        {
            foreach (var database in databases) await session.Postgres.Drop(database);
        });
    }

    static string NameOf(int count, string what) => FormattableString.Invariant($"{count:N0} {what}");

    static Task Fill(Session session, string database, int count, TimeSpan due, int window = 1) => session.Postgres.RunScript(
        database, string.Create(CultureInfo.InvariantCulture, $"""
            truncate oms.orleans_reminder;
            insert into oms.orleans_reminder (service, grain_id, name, grain_hash, start_time, period, version)
            select 'oms', 'oms-order/ord-' || lpad(n::text, 26, '0'), 'payment-due', hashint4(n),
              now() + interval '{due.TotalSeconds} s' + n * interval '{window} s' / {Math.Max(1, count)}, 1800000, 1
            from generate_series(1, {count}) n;
            analyze oms.orleans_reminder
            """));

    static Arm Wait(Session session, string database, int count, TimeSpan due, string text) =>
        new(NameOf(count, text), () => Wait(session, database)) { Prepare = () => Fill(session, database, count, due) };

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
        return new Arm(NameOf(count, "read again"), async () =>
        {
            var (start, before) = (Stopwatch.GetTimestamp(), table!.Reads);
            await Task.Delay(Look, session.Cancel);
            return new Outcome(table.Reads - before, Stopwatch.GetElapsedTime(start).TotalSeconds);
        })
        {
            Prepare = async () =>
            {
                await Fill(session, database, count, Soon);
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
    static Arm Due(Session session, string database, int count, int window)
    {
        OmsProcess? oms = null;
        return new Arm(NameOf(count, $"due within {window} s"), async () =>
        {
            var start = Stopwatch.GetTimestamp();
            var left = await session.Postgres.AwaitEmpty(database, "oms.orleans_reminder", Patience, session.Cancel);
            return new Outcome(count - left, Stopwatch.GetElapsedTime(start).TotalSeconds)
            {
                Further = new Dictionary<string, double> { [Left] = left, [Memory] = Cpu.ResidentMegabytes(oms!.Pid) },
            };
        })
        {
            Prepare = async () => oms = await StartInTime(session, database, count, window),
            Finish = () => oms!.DisposeAsync(),
            ProgramCpu = () => Cpu.Of(oms!.Pid),
            Goal = new Goal("none left over", a => a.Turns.All(t => t.Outcome.Further[Left] == 0)),
        };
    }

    /// <summary>A program that is up when the first reminder is due: what was due earlier would tick a period later.</summary>
    static async Task<OmsProcess> StartInTime(Session session, string database, int count, int window)
    {
        for (var ahead = Ahead; ; ahead *= 2)
        {
            var start = Stopwatch.GetTimestamp();
            await Fill(session, database, count, ahead, window);
            var oms = await OmsProcess.Start(session, session.Postgres.ConnectionTo(database));
            if (ahead - Stopwatch.GetElapsedTime(start) is var rest && rest > TimeSpan.Zero)
            {
                await Task.Delay(rest, session.Cancel);
                return oms;
            }
            await oms.DisposeAsync();
        }
    }
}
