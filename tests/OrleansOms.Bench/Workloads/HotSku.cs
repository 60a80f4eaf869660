using OrleansOms.Bench.Database;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// Everybody wants one SKU: reservations of one unit, each answered when it is durable, in this process, beside one hot
/// row in SQL, and beside a grain that writes its whole state with each call.
/// </summary>
public sealed record HotSku() : Workload("hot-sku", "reservations")
{
    const double OfRaw = 10, OfAdoNet = 15, PerSecond = 31_000;
    const string RawName = "raw SQL, 16 clients";
    const string AdoNetName = "AdoNet state, 64 callers";

    /// <summary>Rates of the grain that writes its whole state: ours are held against them, too.</summary>
    readonly List<double> _adoNet = [];

    Goal Target => new($"≥ {PerSecond:N0}/s, ≥ {OfRaw} ×, ≥ {OfAdoNet} × AdoNet", a =>
        a.Rate.Median >= PerSecond && a.Ratio?.Median >= OfRaw && a.Rate.Median >= OfAdoNet * Spread.Of(_adoNet).Median);

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 5, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var seconds = session.Options.Seconds(full: 3, quick: 1);
        var raw = await session.Postgres.Create($"oms_bench_hot_raw_{round}");
        await session.Postgres.RunScript(raw, Pgbench.Read("raw_schema.sql"));
        var pgbench = new Pgbench(session.Postgres, session.Folder);
        var own = await session.Postgres.Create($"oms_bench_hot_{round}");
        var oms = await OmsInProcess.Start(session, session.Postgres.ConnectionTo(own));
        var warm = new Callers(oms.Grains, "warm");
        await warm.Receive();
        await warm.Reserve(64, session.Options.Seconds(full: 2, quick: 0.5));
        return new Stage(
            [
                await Ours(64), await Ours(512), await AdoNet(),
                new Arm(RawName, () => pgbench.Run(raw, "raw_hot.sql", 16, seconds, session.Cancel)),
            ],
            async () =>
            {
                await oms.DisposeAsync();
                await session.Postgres.Drop(own);
                await session.Postgres.Drop(raw);
            });

        async Task<Arm> AdoNet()
        {
            var callers = new AdoNetCallers(oms.Grains, $"hot-{round}");
            await callers.Open(0);
            return new Arm(AdoNetName, async () =>
            {
                var outcome = await callers.Reserve(64, seconds);
                _adoNet.Add(outcome.Operations / outcome.Seconds);
                return outcome;
            })
            {
                ProgramCpu = () => Cpu.Of(Environment.ProcessId), Against = RawName,
            };
        }

        async Task<Arm> Ours(int count)
        {
            var callers = new Callers(oms.Grains, $"hot-{count}");
            await callers.Receive();
            return new Arm($"ours, {count} callers", async () =>
            {
                var outcome = await callers.Reserve(count, seconds);
                var behind = await session.Postgres.AwaitFollowers(own, session.Cancel);
                return outcome with { Further = new Dictionary<string, double> { ["followersBehindSeconds"] = behind } };
            })
            {
                ProgramCpu = () => Cpu.Of(Environment.ProcessId), Against = RawName, Goal = Target,
            };
        }
    }
}
