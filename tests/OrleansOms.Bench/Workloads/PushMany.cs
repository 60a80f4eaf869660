using System.Text;
using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// Thousands of screens that watch all orders over connections of their own. First orders come as fast as all screens
/// hear of them, then at a rate that leaves everything at ease, which is when times are taken: from the request to each
/// screen. One percent of the screens have stopped reading in one of the arms. Beside it, a hub that does nothing but
/// send the same messages. Each arm has a program of its own that was just started, so that memory can be compared.
/// </summary>
public sealed record PushMany() : Workload("push-many", "messages")
{
    const double LeastOfBare = 0.7, MostKibibytes = 40, MessagesPerSecond = 20_000;
    const string Memory = "kibibytesPerConnection", Resident = "residentMegabytes";

    /// <summary>How much worse the others may fare with stalled ones: no more than two turns differ anyway.</summary>
    const double Tolerance = 1.25;

    /// <summary>What a screen that reads nothing may cost, in MB.</summary>
    const double StalledMegabytes = 0.5;

    /// <summary>The turns of arms without stalled screens, for the arms that have some.</summary>
    readonly Dictionary<int, List<Outcome>> _unhurt = [];
    string? _message;

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 3, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        _message ??= await Catch(session);
        int[] sizes = session.Options.IsQuick ? [100] : [1_000, 5_000];
        return new Stage([.. sizes.SelectMany(n => new[] { Bare(n), Ours(n), Stalled(n) })], () => ValueTask.CompletedTask);

        Arm Bare(int count) => Watched(BareName(count), async use =>
        {
            await using var hub = await BareHub.Start(session, _message);
            await using var driver = DriverProcess.Start([hub.Url], session.Cancel, password: "");
            return await Push(session, driver, hub.Pid, count, 0, use);
        });

        Arm Ours(int count) => Watched($"ours, {count:N0} connections", async use =>
        {
            await using var shop = await Shop.OpenCold(session, "oms_bench_push_many");
            var outcome = await Push(session, shop.Driver, shop.Server.Pid, count, 0, use);
            if (!_unhurt.TryGetValue(count, out var seen)) _unhurt[count] = seen = [];
            seen.Add(outcome);
            return outcome;
        }) with
        {
            Against = BareName(count),
            Goal = new Goal($"≥ {LeastOfBare} ×, ≤ {MostKibibytes} KiB a connection", a =>
                a.Ratio?.Median >= LeastOfBare && a.Median(t => t.Outcome.Further[Memory]) <= MostKibibytes),
        };

        Arm Stalled(int count) => Watched($"ours, {count:N0}, {count / 100} stalled", async use =>
        {
            await using var shop = await Shop.OpenCold(session, "oms_bench_push_many");
            return await Push(session, shop.Driver, shop.Server.Pid, count, count / 100, use);
        }) with
        {
            Against = BareName(count),
            Goal = new Goal($"≥ {LeastOfBare} ×, p99 and memory as without", a =>
                a.Ratio?.Median >= LeastOfBare
                && a.Median(t => t.Outcome.P99Ms) <= Tolerance * Median(count, o => o.P99Ms!.Value)
                && a.Median(t => t.Outcome.Further[Resident])
                    <= Tolerance * Median(count, o => o.Further[Resident]) + StalledMegabytes * (count / 100)),
        };
    }

    static string BareName(int count) => $"bare hub, {count:N0} connections";

    double Median(int count, Func<Outcome, double> of) => Spread.Of(_unhurt[count].Select(of)).Median;

    /// <summary>An arm that counts the program's time itself, because its program starts within it.</summary>
    static Arm Watched(string name, Func<Action<double>, Task<Outcome>> run)
    {
        var used = 0.0;
        return new Arm(name, () => run(seconds => used += seconds)) { ProgramCpu = () => used, HasDatabase = false };
    }

    static async Task<Outcome> Push(
        Session session, DriverProcess driver, int pid, int connections, int stalled, Action<double> use)
    {
        var options = session.Options;
        await driver.PlaceOrders(8, options.Seconds(full: 3, quick: 0.5));
        var before = Cpu.ResidentMegabytes(pid);
        var opening = await driver.Do(new DriveJob(DriveKind.OpenCrowd, connections, Stalled: stalled));
        await Task.Delay(TimeSpan.FromSeconds(options.Seconds(full: 3, quick: 0.5)), session.Cancel);
        var open = Cpu.ResidentMegabytes(pid);
        await driver.Do(new DriveJob(DriveKind.Flood, connections, options.Seconds(full: 2, quick: 0.5)));
        var cpu = Cpu.Of(pid);
        var flood = await driver.Do(new DriveJob(DriveKind.Flood, connections, options.Seconds(full: 5, quick: 1)));
        use(Cpu.Of(pid) - cpu);
        var pace = await driver.Do(new DriveJob(
            DriveKind.Pace, connections, options.Seconds(full: 6, quick: 1), MessagesPerSecond / Math.Max(connections, 1_000)));
        var times = pace.PushAfterAnswer!;
        return new Outcome(flood.Operations, flood.Seconds, times.P50Ms, times.P99Ms, flood.CpuSeconds)
        {
            Further = new Dictionary<string, double>
            {
                [Memory] = (open - before) * 1e6 / 1024 / connections, [Resident] = Cpu.ResidentMegabytes(pid),
                ["openingSeconds"] = opening.Seconds,
            },
        };
    }

    /// <summary>A message of ours, as it goes over the wire.</summary>
    static async Task<string> Catch(Session session)
    {
        await using var shop = await Shop.OpenCold(session, "oms_bench_push_many");
        var cookies = await PushWatch.LogIn(shop.Server.Url, OmsProcess.AdminPassword);
        using var screen = await HubSocket.Open(shop.Server.Url, cookies.GetCookieHeader(shop.Server.Url));
        var caught = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(session.Cancel);
        var reading = screen.Read(message =>
        {
            if (message.IndexOf("\"target\":\"orderChanged\""u8) >= 0) caught.TrySetResult(Encoding.UTF8.GetString(message));
        }, end.Token);
        while (!caught.Task.IsCompleted)
        {
            if (reading.IsCompleted) await reading;
            await shop.Driver.Do(new DriveJob(DriveKind.Orders, 1, 0.2));
        }
        await end.CancelAsync();
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return await caught.Task;
    }
}
