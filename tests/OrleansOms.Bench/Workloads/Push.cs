using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Measuring;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// How long it takes until an operator's screen shows a new order, while orders come at half the rate that the program
/// can take.
/// </summary>
public sealed record Push() : Workload("push", "orders")
{
    const double TargetMs = 250;
    const double ShareOfTop = 0.5;
    const int Clients = 32;

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 5, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var shop = await Shop.Open(session, $"oms_bench_push_{round}", session.Options.Seconds(full: 4, quick: 0.5));
        var top = await shop.Driver.PlaceOrders(Clients, session.Options.Seconds(full: 4, quick: 1));
        await shop.CatchUp();
        var rate = ShareOfTop * top.Operations / top.Seconds;
        return new Stage(
            [
                new Arm("201 → push, at half the top rate", async () =>
                {
                    var result = await shop.Driver.Do(new DriveJob(
                        DriveKind.Watched, Clients, session.Options.Seconds(full: 10, quick: 2), rate));
                    var (answer, sinceEvent) = (result.PushAfterAnswer!, result.PushAfterEvent!);
                    return new Outcome(result.Operations, result.Seconds, answer.P50Ms, answer.P99Ms, result.CpuSeconds)
                    {
                        Further = new Dictionary<string, double>
                        {
                            ["eventToPushP50Ms"] = sinceEvent.P50Ms, ["eventToPushP99Ms"] = sinceEvent.P99Ms,
                            ["answerP99Ms"] = result.Answers.P99Ms, ["unpushed"] = result.Unpushed,
                        },
                    };
                })
                {
                    ProgramCpu = () => Cpu.Of(shop.Server.Pid),
                    Goal = new Goal($"p99 < {TargetMs} ms, all pushed", a =>
                        a.Median(t => t.Outcome.P99Ms) < TargetMs
                        && a.Turns.All(t => t.Outcome.Further["unpushed"] == 0)),
                },
            ],
            shop.DisposeAsync);
    }
}
