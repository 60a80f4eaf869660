using System.Diagnostics;
using System.Globalization;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;
using OrleansOms.Postgres;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// What grains that wait cost while they wait: one reminder each, due tomorrow. Starts the program on so many, and looks
/// at what it holds and uses when it is up.
/// </summary>
public sealed record WaitingGrains() : Workload("waiting", "")
{
    const string Memory = "residentMegabytes", Start = "startSeconds", Used = "cpuSecondsOfHalfAMinute";

    static readonly TimeSpan Look = TimeSpan.FromSeconds(30);

    /// <inheritdoc />
    public override bool IsQuick => false;

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 3, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var databases = new List<string>();
        var arms = new List<Arm>();
        foreach (var count in new[] { 0, 1_000, 10_000, 100_000 })
        {
            var database = await session.Postgres.Create($"oms_bench_waiting_{count}");
            databases.Add(database);
            await Migrator.Run(session.Postgres.ConnectionTo(database));
            await session.Postgres.RunScript(database, string.Create(CultureInfo.InvariantCulture, $"""
                insert into oms.orleans_reminder (service, grain_id, name, grain_hash, start_time, period, version)
                select 'oms', 'oms-order/ord-' || lpad(n::text, 26, '0'), 'payment-due', hashint4(n), now() + interval '1 day', 1800000, 1
                from generate_series(1, {count}) n;
                analyze oms.orleans_reminder
                """));
            arms.Add(new Arm(FormattableString.Invariant($"{count:N0} reminders"), () => Run(session, database)));
        }
        return new Stage(arms, async () =>
        {
            foreach (var database in databases) await session.Postgres.Drop(database);
        });
    }

    static async Task<Outcome> Run(Session session, string database)
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
}
