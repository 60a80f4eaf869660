using System.Diagnostics;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// Orders of three lines over HTTP from one process that has a part of the machine's processors, and from a cluster of two
/// that each have as much; PostgreSQL and the load have what is left, the same for both. Each process is front end and
/// silo in one, and as many clients come with each.
/// </summary>
public sealed record TwoProcesses() : Workload("two-processes", "orders")
{
    const double Target = 1.7;
    const int ClientsOfEach = 64;

    /// <inheritdoc />
    public override bool IsLong => true;

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 5, quick: 1);

    /// <inheritdoc />
    public override Task<Stage> SetUp(Session session, int round)
    {
        ProcessorShares shares;
        try { shares = ProcessorShares.Of(session.Options.Cores); }
        catch (InvalidOperationException e)
        {
            session.Say($"{Name}: left out, {e.Message}");
            return Task.FromResult(new Stage([], () => ValueTask.CompletedTask));
        }
        session.Postgres.KeepOn(shares.FirstOfOthers);
        return Task.FromResult(new Stage([Of(1), Of(2)], () =>
        {
            session.Postgres.KeepOn(0);
            shares.Dispose();
            return ValueTask.CompletedTask;
        }));

        Arm Of(int processes)
        {
            Shop? shop = null;
            return new Arm(NameOf(processes, shares.Cores), () => Run(session, shop!, processes * ClientsOfEach))
            {
                Prepare = async () =>
                {
                    shop = await Shop.Open(
                        session, $"oms_bench_processes_{processes}", session.Options.Seconds(full: 60, quick: 1),
                        programs: [.. shares.Programs.Take(processes).Select(p => new OmsStart { Before = p })], load: shares.Load);
                    for (var n = 0; n < processes; n++) shares.Hold(n, shop.Servers[n].Pid);
                    await shop.Driver.PlaceOrders(processes * ClientsOfEach, session.Options.Seconds(full: 10, quick: 1));
                    await shop.CatchUp();
                },
                Finish = () => shop!.DisposeAsync(),
                ProgramCpu = () => CpuOf(shop!),
                Against = NameOf(1, shares.Cores), Goal = processes == 2 ? Goal.Ratio(Target) : null,
            };
        }
    }

    static async Task<Outcome> Run(Session session, Shop shop, int clients)
    {
        var start = Stopwatch.GetTimestamp();
        var (program, postgres) = (CpuOf(shop), session.Postgres.CpuSeconds());
        var outcome = await shop.Driver.PlaceOrders(clients, session.Options.Seconds(full: 8, quick: 1));
        var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        // Whether it was the programs that had too little, or PostgreSQL and the load.
        var further = new Dictionary<string, double>
        {
            ["programCores"] = (CpuOf(shop) - program) / elapsed, ["loadCores"] = outcome.LoadCpuSeconds / elapsed,
        };
        if (session.Postgres.CpuSeconds() - postgres is { } used) further["postgresCores"] = used / elapsed;
        further["followersBehindSeconds"] = await shop.CatchUp();
        return outcome with { Further = further };
    }

    static double CpuOf(Shop shop) => shop.Servers.Sum(s => Cpu.Of(s.Pid));

    static string NameOf(int processes, double cores) => FormattableString.Invariant(
        $"{processes} process{(processes == 1 ? "" : "es")}, {cores} core{(cores == 1 ? "" : "s")} each");
}
