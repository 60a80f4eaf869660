using System.Globalization;
using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// Half an hour at half the rate that the program can take, with orders that are placed, picked, packed, shipped and
/// delivered, so that as many are open at the end as before. Whatever it holds must be as it was after the first five
/// minutes. The program has the memory of a container as <c>deploy/kubernetes</c> gives it: with all of a large machine, .NET
/// has no reason to collect what died old, and its memory tells nothing.
/// </summary>
public sealed record Soak() : Workload("soak", "requests")
{
    const int Clients = 32, TopClients = 16, RequestsOfLife = 5;
    const double ShareOfTop = 0.5, FullMinutes = 30, QuickMinutes = 0.1;

    /// <summary>Parts of the time: the first is for warming up, the second and the last are held against each other.</summary>
    const int Parts = 6;

    const int LooksAtLeast = 12;

    /// <summary>What .NET takes of a container of 1 GiB for its heap: three quarters. It reads the number as hexadecimal.</summary>
    static readonly OmsStart InContainer = new() { Before = ["env", "DOTNET_GCHeapHardLimit=30000000"] };

    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);

    /// <inheritdoc />
    public override bool IsLong => true;

    /// <summary>One, of half an hour: its parts are held against each other.</summary>
    public override int Rounds(BenchOptions options) => 1;

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var shop = await Shop.Open(session, "oms_bench_soak", session.Options.Seconds(full: 15, quick: 1), [InContainer]);
        var top = await shop.Driver.Do(new DriveJob(
            DriveKind.Lives, TopClients, session.Options.Seconds(full: 15, quick: 1.5)));
        await shop.CatchUp();
        var rate = ShareOfTop * top.Operations / RequestsOfLife / top.Seconds;
        var minutes = session.Options.Minutes ?? session.Options.Seconds(FullMinutes, QuickMinutes);
        return new Stage(
            [
                new Arm(string.Create(CultureInfo.InvariantCulture, $"{minutes:0.#} minutes, {rate:0.#} orders/s"),
                    () => Run(session, shop, rate, TimeSpan.FromMinutes(minutes)))
                {
                    ProgramCpu = () => Cpu.Of(shop.Server.Pid),
                    Goal = new Goal("level", a => Grown(a.Turns.Single().Outcome.Series).Count == 0),
                },
            ],
            shop.DisposeAsync);
    }

    static async Task<Outcome> Run(Session session, Shop shop, double rate, TimeSpan time)
    {
        await using var vitals = new Vitals(shop.Server, session.Postgres.ConnectionTo(shop.Database));
        var every = time / LooksAtLeast < LookEvery ? time / LooksAtLeast : LookEvery;
        var series = new List<IReadOnlyDictionary<string, double>> { await vitals.Look() };
        var (operations, seconds, cpu) = (0L, 0.0, 0.0);
        for (var left = time; left > TimeSpan.Zero; left -= every)
        {
            // One job after the other, so that each look has the times of the requests before it.
            var some = await shop.Driver.Do(new DriveJob(DriveKind.Lives, Clients, every.TotalSeconds, rate));
            var look = await vitals.Look();
            look["answerP99Ms"] = some.Answers.P99Ms;
            series.Add(look);
            (operations, seconds, cpu) = (operations + some.Operations, seconds + some.Seconds, cpu + some.CpuSeconds);
            session.Say($"soak: {string.Join(", ", look.Select(l => $"{l.Key} {Report.Number(l.Value)}"))}");
        }
        if (Grown(series) is { Count: > 0 } grown) session.Say($"soak: not level: {string.Join("; ", grown)}");
        var times = Spread.Of(series.Skip(1).Select(s => s["answerP99Ms"]));
        return new Outcome(operations, seconds, null, times.Median, cpu)
        {
            Series = series,
            Further = Vitals.Level.SelectMany(f => Compared(series, f.Name) is var (early, late)
                ? new[] { KeyValuePair.Create($"{f.Name}Early", early), KeyValuePair.Create($"{f.Name}Late", late) } : [])
                .ToDictionary(),
        };
    }

    /// <summary>What has grown, in words.</summary>
    static List<string> Grown(IReadOnlyList<IReadOnlyDictionary<string, double>> series) =>
    [
        .. Vitals.Level
            .Select(f => (Figure: f, At: Compared(series, f.Name)))
            .Where(f => !f.Figure.IsLevel(f.At.Early, f.At.Late))
            .Select(f => $"{f.Figure.Title}: {Report.Number(f.At.Early)}, then {Report.Number(f.At.Late)}"),
    ];

    /// <summary>A figure after the warm-up and at the end, medians of a sixth of the time each.</summary>
    static (double Early, double Late) Compared(IReadOnlyList<IReadOnlyDictionary<string, double>> series, string name)
    {
        var end = series[^1][Vitals.Minutes];
        return (Between(1, 2), Between(Parts - 1, Parts));

        double Between(int from, int to) => Spread.Percentile(
            [
                .. series.Where(s => s[Vitals.Minutes] >= end * from / Parts && s[Vitals.Minutes] <= end * to / Parts)
                    .Select(s => s.GetValueOrDefault(name)).Order(),
            ], 0.5);
    }
}
