using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Workloads;

/// <summary>What the program holds and uses while nobody asks anything of it, on an empty store.</summary>
public sealed record Idle() : Workload("idle", "")
{
    const double TargetMegabytes = 400;
    const string Memory = "residentMegabytes";

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => 1;

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var database = await session.Postgres.Create("oms_bench_idle");
        var oms = await OmsProcess.Start(session, session.Postgres.ConnectionTo(database));
        var seconds = session.Options.Seconds(full: 60, quick: 3);
        return new Stage(
            [
                new Arm($"{seconds:0} s after the start", async () =>
                {
                    await Task.Delay(TimeSpan.FromSeconds(seconds), session.Cancel);
                    return new Outcome(0, seconds)
                    {
                        Further = new Dictionary<string, double> { [Memory] = Cpu.ResidentMegabytes(oms.Pid) },
                    };
                })
                {
                    ProgramCpu = () => Cpu.Of(oms.Pid),
                    Goal = new Goal($"< {TargetMegabytes} MB", a => a.Median(t => t.Outcome.Further[Memory]) < TargetMegabytes),
                },
            ],
            async () =>
            {
                await oms.DisposeAsync();
                await session.Postgres.Drop(database);
            });
    }
}
