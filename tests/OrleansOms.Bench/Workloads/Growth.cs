using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// What a reservation costs while many others are open at the same stock. Each caller reserves and gives back, so that
/// their number stays. Beside it, a grain that writes its whole state with each call.
/// </summary>
public sealed record Growth() : Workload("growth", "commands")
{
    const int CallersAtOnce = 64;

    static string NameOf(int open) => FormattableString.Invariant($"{open:N0} open");
    static string AdoNetNameOf(int open) => FormattableString.Invariant($"AdoNet state, {open:N0} open");

    // Flat is within ten percent. A noisy machine moves one short run by more, hence five rounds.
    static readonly Goal Flat = Goal.Ratio(0.9);

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 5, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var database = await session.Postgres.Create($"oms_bench_growth_{round}");
        var oms = await OmsInProcess.Start(session, session.Postgres.ConnectionTo(database));
        var arms = new List<Arm>();
        int[] few = [0, 1_000], many = [0, 1_000, 10_000, 100_000];
        foreach (var open in session.Options.IsQuick ? few : many)
        {
            var callers = new Callers(oms.Grains, $"open-{open}");
            await callers.Receive();
            await callers.Open(open);
            await callers.ReserveAndRelease(CallersAtOnce, session.Options.Seconds(full: 0.5, quick: 0.5));
            arms.Add(new Arm(NameOf(open), async () =>
            {
                var outcome = await callers.ReserveAndRelease(
                    CallersAtOnce, session.Options.Seconds(full: 2, quick: 0.5));
                await session.Postgres.AwaitFollowers(database, session.Cancel);
                return outcome;
            })
            {
                ProgramCpu = () => Cpu.Of(Environment.ProcessId), Against = NameOf(0), Goal = open == 0 ? null : Flat,
            });
        }
        foreach (var open in session.Options.IsQuick ? few : many)
        {
            var callers = new AdoNetCallers(oms.Grains, $"open-{open}");
            await callers.Open(open);
            arms.Add(new Arm(AdoNetNameOf(open), () => callers.ReserveAndRelease(
                CallersAtOnce, session.Options.Seconds(full: 2, quick: 0.5)))
            {
                ProgramCpu = () => Cpu.Of(Environment.ProcessId), Against = AdoNetNameOf(0),
            });
        }
        await session.Postgres.AwaitFollowers(database, session.Cancel);
        return new Stage(arms, async () =>
        {
            await oms.DisposeAsync();
            await session.Postgres.Drop(database);
        });
    }
}
