using OrleansOms.Bench.Database;
using OrleansOms.Bench.Measuring;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// Orders of three lines over HTTP, from another process, beside the same durable work in hand-written SQL. What ours
/// leaves for its followers counts as its processor time, not as its time.
/// </summary>
public sealed record PlaceOrder() : Workload("place-order", "orders")
{
    const double OfRaw = 1.0, P99Ms = 100;
    const string RawBest = "raw SQL, 16 clients";

    static readonly Goal Target = new(
        $"≥ {OfRaw} ×, p99 < {P99Ms} ms", a => a.Ratio?.Median >= OfRaw && a.Median(t => t.Outcome.P99Ms) < P99Ms);

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 5, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var seconds = session.Options.Seconds(full: 4, quick: 1);
        var raw = await session.Postgres.Create($"oms_bench_raw_{round}");
        await session.Postgres.RunScript(raw, Pgbench.Read("raw_schema.sql"));
        var pgbench = new Pgbench(session.Postgres, session.Folder);
        await pgbench.Run(raw, "raw_order.sql", 16, 1, session.Cancel);
        var shop = await Shop.Open(session, $"oms_bench_shop_{round}", session.Options.Seconds(full: 45, quick: 2));
        return new Stage(
            [
                Ours(shop, 16, seconds, RawBest, null), Raw(16),
                Ours(shop, 64, seconds, RawBest, Target), Raw(64),
                Ours(shop, 256, seconds, RawBest, null),
                Ours(shop, 1, seconds, "raw SQL, 1 client", null), Raw(1),
            ],
            async () =>
            {
                await shop.DisposeAsync();
                await session.Postgres.Drop(raw);
            });

        Arm Raw(int clients) => new(
            NameOf("raw SQL", clients), () => pgbench.Run(raw, "raw_order.sql", clients, seconds, session.Cancel));
    }

    static Arm Ours(Shop shop, int clients, double seconds, string against, Goal? goal) => new(
        NameOf("ours", clients),
        async () =>
        {
            var outcome = await shop.Driver.PlaceOrders(clients, seconds);
            var behind = await shop.CatchUp();
            return outcome with { Further = new Dictionary<string, double> { ["followersBehindSeconds"] = behind } };
        })
    {
        ProgramCpu = () => Cpu.Of(shop.Server.Pid), Against = against, Goal = goal,
    };

    static string NameOf(string side, int clients) => $"{side}, {clients} client{(clients == 1 ? "" : "s")}";
}
