using System.Text;
using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// Thousands of screens that watch all orders over connections of their own, while orders come as fast as all of them
/// hear of each. Times are taken before, at a rate that leaves everything at ease: from an order's request to each
/// screen. In one of the arms one percent of the screens have stopped reading. Beside it, a hub that does nothing but send
/// the same messages. Each arm has a program of its own that has pushed for half a minute, so that memory can be compared.
/// </summary>
public sealed record PushMany() : Workload("push-many", "messages")
{
    const double LeastOfBare = 0.7, MostKibibytes = 40, MessagesPerSecondAtEase = 20_000;
    const string Memory = "kibibytesPerConnection", Resident = "residentMegabytes";

    /// <summary>How much worse the others may fare with stalled ones: no more than two turns differ anyway.</summary>
    const double Tolerance = 1.25;

    /// <summary>What a screen that reads nothing may cost, in MB.</summary>
    const double StalledMegabytes = 0.5;

    /// <summary>What was seen without stalled screens, by their number: the arms with some are held against it.</summary>
    readonly Dictionary<int, List<Outcome>> _unhurt = [];
    string? _message;

    /// <inheritdoc />
    public override bool IsLong => true;

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 5, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        _message ??= await Catch(session);
        int[] sizes = session.Options.IsQuick ? [100] : [1_000, 5_000];
        return new Stage(
            [.. sizes.SelectMany(n => new[] { Bare(session, n), Ours(session, n), Hurt(session, n) })], () => ValueTask.CompletedTask);
    }

    static string BareName(int screens) => $"bare hub, {screens:N0} connections";

    Arm Bare(Session session, int screens) => Flooded(session, BareName(screens), screens, 0, async () =>
    {
        var hub = await BareHub.Start(session, _message!);
        var driver = DriverProcess.Start([hub.Url], session.Options.Skus, session.Cancel, password: "");
        return new Watched(hub.Pid, driver, async () =>
        {
            await driver.DisposeAsync();
            await hub.DisposeAsync();
        });
    });

    Arm Ours(Session session, int screens) => Flooded(
        session, $"ours, {screens:N0} connections", screens, 0, () => OpenShop(session), Keep(screens)) with
    {
        Against = BareName(screens),
        Goal = new Goal($"≥ {LeastOfBare} ×, ≤ {MostKibibytes} KiB a connection", a =>
            a.Ratio?.Median >= LeastOfBare && a.Median(t => t.Outcome.Further[Memory]) <= MostKibibytes),
    };

    Arm Hurt(Session session, int screens) => Flooded(
        session, $"ours, {screens:N0}, {screens / 100} stalled", screens, screens / 100, () => OpenShop(session)) with
    {
        Against = BareName(screens),
        Goal = new Goal($"≥ {LeastOfBare} ×, p99 and memory as without", a =>
            a.Ratio?.Median >= LeastOfBare
            && a.Median(t => t.Outcome.P99Ms) <= Tolerance * Unhurt(screens, o => o.P99Ms!.Value)
            && a.Median(t => t.Outcome.Further[Resident])
                <= Tolerance * Unhurt(screens, o => o.Further[Resident]) + StalledMegabytes * (screens / 100)),
    };

    Action<Outcome> Keep(int screens)
    {
        if (!_unhurt.TryGetValue(screens, out var seen)) _unhurt[screens] = seen = [];
        return seen.Add;
    }

    double Unhurt(int screens, Func<Outcome, double> of) => Spread.Of(_unhurt[screens].Select(of)).Median;

    static async Task<Watched> OpenShop(Session session)
    {
        var shop = await Shop.OpenCold(session, "oms_bench_push_many");
        return new Watched(shop.Server.Pid, shop.Driver, shop.DisposeAsync);
    }

    /// <summary>A program that is watched.</summary>
    sealed record Watched(int Pid, DriverProcess Driver, Func<ValueTask> End);

    static Arm Flooded(
        Session session, string name, int screens, int stalled, Func<Task<Watched>> begin, Action<Outcome>? keep = null)
    {
        Watched? watched = null;
        Outcome? gathered = null;
        return new Arm(name, Flood)
        {
            Prepare = async () =>
            {
                watched = await begin();
                gathered = await Gather(session, watched.Pid, watched.Driver, screens, stalled);
            },
            Finish = async () =>
            {
                if (watched is not null) await watched.End();
                watched = null;
            },
            ProgramCpu = () => Cpu.Of(watched!.Pid),
        };

        async Task<Outcome> Flood()
        {
            var flood = await watched!.Driver.Do(new DriveJob(
                DriveKind.Flood, screens, session.Options.Seconds(full: 5, quick: 1)));
            var outcome = gathered! with
            {
                Operations = flood.Operations, Seconds = flood.Seconds, LoadCpuSeconds = flood.CpuSeconds,
                Further = new Dictionary<string, double>(gathered.Further) { [Resident] = Cpu.ResidentMegabytes(watched.Pid) },
            };
            keep?.Invoke(outcome);
            return outcome;
        }
    }

    /// <summary>Lets the screens connect, with what each takes, and takes times while there is little to say.</summary>
    static async Task<Outcome> Gather(Session session, int pid, DriverProcess driver, int screens, int stalled)
    {
        var options = session.Options;
        await driver.PlaceOrders(8, options.Seconds(full: 3, quick: 0.5));
        var before = Cpu.ResidentMegabytes(pid);
        await driver.Do(new DriveJob(DriveKind.OpenCrowd, screens, Stalled: stalled));
        await Task.Delay(TimeSpan.FromSeconds(options.Seconds(full: 3, quick: 0.5)), session.Cancel);
        var open = Cpu.ResidentMegabytes(pid);
        // Until the code is warm: of a program that has just started, two fifths of the time go into compiling.
        await driver.Do(new DriveJob(DriveKind.Flood, screens, options.Seconds(full: 20, quick: 0.5)));
        var pace = await driver.Do(new DriveJob(
            DriveKind.Pace, screens, options.Seconds(full: 6, quick: 1), MessagesPerSecondAtEase / Math.Max(screens, 1_000)));
        return new Outcome(0, 0, pace.PushAfterAnswer!.P50Ms, pace.PushAfterAnswer.P99Ms)
        {
            Further = new Dictionary<string, double> { [Memory] = (open - before) * 1e6 / 1024 / screens },
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
