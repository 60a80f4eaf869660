using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Measuring;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// Everybody orders one unit of the same SKU over HTTP, from another process, beside the same orders spread evenly over
/// all SKUs.
/// </summary>
public sealed record HotOrders() : Workload("hot-orders", "orders")
{
    const double LeastOfUniform = 1.0;

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 5, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var (all, seconds) = (session.Options.Skus, session.Options.Seconds(full: 4, quick: 0.5));
        var shop = await Shop.Open(session, $"oms_bench_hot_orders_{round}", session.Options.Seconds(full: 30, quick: 1));
        // Orders of one line, and many connections at once, are warm too before anything counts.
        foreach (var skus in new[] { all, 1 })
            await shop.Driver.Place(new DriveJob(DriveKind.Singles, 64, session.Options.Seconds(full: 5, quick: 0.5), Skus: skus));
        await shop.CatchUp();
        return new Stage(
            [.. new[] { 64, 512 }.SelectMany(clients => new[] { Of(all, clients), Of(1, clients) })], shop.DisposeAsync);

        Arm Of(int skus, int clients) => new(
            NameOf(skus, clients),
            async () =>
            {
                var outcome = await shop.Driver.Place(new DriveJob(DriveKind.Singles, clients, seconds, Skus: skus));
                var behind = await shop.CatchUp();
                return outcome with { Further = new Dictionary<string, double> { ["followersBehindSeconds"] = behind } };
            })
        {
            ProgramCpu = () => Cpu.Of(shop.Server.Pid), Against = NameOf(all, clients),
            Goal = skus == 1 ? Goal.Ratio(LeastOfUniform) : null,
        };
    }

    static string NameOf(int skus, int clients) =>
        FormattableString.Invariant($"{skus:N0} SKU{(skus == 1 ? "" : "s")}, {clients} clients");
}
