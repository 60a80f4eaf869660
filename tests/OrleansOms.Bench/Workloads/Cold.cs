using System.Diagnostics;
using System.Net.Sockets;
using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;
using OrleansOms.Contracts.Stock;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// What it takes until a program that was just started knows its stocks again: each of them is asked once, beside grains
/// that read their state from the AdoNet storage. And how soon a program that has all of them in its store, and was killed
/// with the last orders just answered, places an order again.
/// </summary>
public sealed record Cold() : Workload("cold", "activations")
{
    const double TargetRatio = 1, TargetSeconds = 5;
    const int CallersAtOnce = 64, WarmEach = 2_000, OrderClients = 16;
    const string Ours = "ours", AdoNet = "AdoNet state", FirstAnswer = "firstAnswerSeconds";

    /// <inheritdoc />
    public override bool IsLong => true;

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 5, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var count = session.Options.IsQuick ? 1_000 : 100_000;
        // The first ones are for warming up.
        await ColdStore.Make(session, count + WarmEach);
        var database = await session.Postgres.Create($"oms_bench_cold_{round}", ColdStore.Template);
        var crash = await session.Postgres.Create($"oms_bench_crash_{round}", ColdStore.Template);
        var oms = await OmsInProcess.Start(session, session.Postgres.ConnectionTo(database));
        await Callers.RunEach(CallersAtOnce, WarmEach, AskOurs);
        await Callers.RunEach(CallersAtOnce, WarmEach, AskAdoNet);
        await session.Postgres.AwaitFollowers(database, session.Cancel);
        return new Stage(
            [
                new Arm(Ours, () => Callers.RunEach(CallersAtOnce, count, n => AskOurs(n + WarmEach)))
                {
                    ProgramCpu = () => Cpu.Of(Environment.ProcessId), Against = AdoNet, Goal = Goal.Ratio(TargetRatio),
                },
                new Arm(AdoNet, () => Callers.RunEach(CallersAtOnce, count, n => AskAdoNet(n + WarmEach)))
                {
                    ProgramCpu = () => Cpu.Of(Environment.ProcessId),
                },
                new Arm("killed and started again", () => ComeBack(session, session.Postgres.ConnectionTo(crash)))
                {
                    Goal = new Goal(
                        $"< {TargetSeconds} s", a => a.Turns.All(t => t.Outcome.Further[FirstAnswer] < TargetSeconds)),
                },
            ],
            async () =>
            {
                await oms.DisposeAsync();
                await session.Postgres.Drop(database);
                await session.Postgres.Drop(crash);
            });

        async Task AskOurs(int n)
        {
            var stock = await oms.Grains.GetGrain<IStockGrain>(ColdStore.StockOf(n)).Get();
            if (stock.Version != ColdStore.EventsOfEach)
                throw new InvalidOperationException($"{stock.Sku} has version {stock.Version}.");
        }

        async Task AskAdoNet(int n)
        {
            if (await oms.Grains.GetGrain<IAdoNetStockGrain>(ColdStore.AdoNetOf(n)).Available() <= 0)
                throw new InvalidOperationException($"{ColdStore.AdoNetOf(n)} has nothing.");
        }
    }

    /// <summary>
    /// Places orders, kills the program, starts it again at the same place, and places one more, again and again until it is
    /// answered. Ready, which a load balancer asks for, it is when it has opened its pages too.
    /// </summary>
    static async Task<Outcome> ComeBack(Session session, string connectionString)
    {
        var place = new OmsStart
        {
            Url = new Uri($"http://127.0.0.1:{OmsProcess.FreePort()}"),
            SiloPort = OmsProcess.FreePort(), GatewayPort = OmsProcess.FreePort(),
        };
        await using (var oms = await OmsProcess.Start(session, connectionString, place))
        await using (var driver = DriverProcess.Start([oms.Url], session.Options.Skus, session.Cancel))
        {
            await driver.PlaceOrders(OrderClients, session.Options.Seconds(full: 5, quick: 1));
            await oms.Kill();
        }
        var start = Stopwatch.GetTimestamp();
        await using (var oms = OmsProcess.Begin(session, connectionString, place))
        {
            var ready = oms.Ready(session.Cancel);
            await FirstOrder(oms.Url, new Requests(oms.Url, OmsProcess.ApiKey, session.Options.Skus), ready);
            var answered = Stopwatch.GetElapsedTime(start).TotalSeconds;
            await ready;
            return new Outcome(0, 0)
            {
                Further = new Dictionary<string, double>
                {
                    [FirstAnswer] = answered, ["readySeconds"] = Stopwatch.GetElapsedTime(start).TotalSeconds,
                    ["cpuSeconds"] = Cpu.Of(oms.Pid),
                },
            };
        }
    }

    /// <summary>Asks in the same words until it is answered.</summary>
    /// <param name="ready">What tells that the program does not come.</param>
    static async Task FirstOrder(Uri url, Requests requests, Task ready)
    {
        var order = requests.Order($"{Guid.NewGuid():N}", Random.Shared);
        while (!ready.IsFaulted)
        {
            try
            {
                using var client = await WireClient.Connect(url);
                var answer = await client.Send(order);
                if (answer.Status == 201) return;
                if (answer.Status != 503) throw new InvalidOperationException($"The first order: {answer.Status} {answer.Text}");
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                // It does not listen yet.
            }
            await Task.Delay(10);
        }
        await ready;
    }
}
