using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrleansOms.Bench.Driving;
using OrleansOms.Bench.History;
using OrleansOms.Bench.Measuring;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// What is read while a million orders are stored, by a program that was just started: lists and searches, old orders by
/// their ids, and stocks with ten thousand events. No order and no stock is read twice, so that each is activated for it.
/// </summary>
public sealed record BigHistory() : Workload("big-history", "reads")
{
    const double ListMs = 50, OrderMs = 10, StockMs = 20;
    const int WarmUps = 100;

    static readonly string[] Filters =
    [
        "", "status=closed", "status=backordered", "status=shipped&status=delivered", "channel=phone", "sku=BENCH-00042",
        "warehouse=BENCH&status=inFulfilment", "q=NUMBER", "q=jane", "q=okafor123", "sort=total", "sort=-total&status=closed",
        "from=YEARAGO-10-01T00:00:00Z&to=YEARAGO-11-01T00:00:00Z",
    ];

    /// <inheritdoc />
    public override bool HasHistory => true;

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 5, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var store = await LongStore.Open(session);
        var shortest = await store.ShortestHotStock();
        var oms = await store.Start();
        var api = LongStore.ApiOf(oms.Url);
        var random = new Random(round);
        var (lists, reads) = ((int)session.Options.Seconds(full: 200, quick: 20), (int)session.Options.Seconds(full: 1000, quick: 100));
        var orders = Enumerable.Range(0, reads + WarmUps)
            .Select(_ => random.Next(store.Orders)).Distinct().Select(n => $"orders/{HistoryLoader.IdOf(n)}").ToList();
        var others = Enumerable.Range(0, WarmUps).Select(n => StockOf(Requests.Sku(HistoryLoader.Skus / 2 + n)));
        var stocks = store.HotSkus.Select(StockOf).ToList();
        // The code is warm before anything counts, that of snapshots too, and what is asked for later is not.
        await Asking.Each(api, [.. orders.Take(WarmUps), .. others, .. stocks[..(stocks.Count / 2)], .. Enumerable.Repeat("orders", WarmUps / 4)]);
        var number = $"{(await api.GetFromJsonAsync<JsonNode>("orders?limit=1"))!["items"]![0]!["number"]}";
        return new Stage(
            [
                .. Filters.Select(f => f.Replace("NUMBER", number, StringComparison.Ordinal)
                    .Replace("YEARAGO", $"{DateTimeOffset.UtcNow.Year - 1}", StringComparison.Ordinal)).Select(f =>
                        Reading($"GET orders?{f.Replace(number, "NUMBER", StringComparison.Ordinal)}", ListMs, Enumerable.Repeat($"orders?{f}", lists))),
                Reading("GET orders/{id}, old ones", OrderMs, orders.Skip(WarmUps)),
                Reading($"GET stock, from {shortest:N0} events", StockMs, stocks[(stocks.Count / 2)..]),
            ],
            async () =>
            {
                api.Dispose();
                await oms.DisposeAsync();
            });

        Arm Reading(string name, double targetMs, IEnumerable<string> paths) => new(name, () => Asking.Each(api, paths))
        {
            ProgramCpu = () => Cpu.Of(oms.Pid),
            Goal = new Goal($"p99 < {targetMs} ms", a => a.Median(t => t.Outcome.P99Ms) < targetMs),
        };
    }

    static string StockOf(string sku) => $"stock/{Requests.Warehouse}/{sku}";
}

/// <summary>The lists of a million orders made anew from the log, by the follower of a running program.</summary>
public sealed record Rebuild() : Workload("rebuild", "events")
{
    const double TargetPerSecond = 20_000;

    /// <inheritdoc />
    public override bool HasHistory => true;

    /// <summary>One: a million orders are read and written in it, which is long enough to even out what else goes on.</summary>
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 1, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var store = await LongStore.Load(session);
        await store.PutAtEnd();
        var oms = await store.Start();
        return new Stage(
            [
                new Arm("from empty lists", async () =>
                {
                    var events = await store.CountEvents();
                    var seconds = await store.Rebuild(oms);
                    return new Outcome(events, seconds)
                    {
                        Further = new Dictionary<string, double> { ["residentMegabytes"] = Cpu.ResidentMegabytes(oms.Pid) },
                    };
                })
                {
                    ProgramCpu = () => Cpu.Of(oms.Pid),
                    Goal = new Goal($"≥ {TargetPerSecond:N0} events/s", a => a.Rate.Median >= TargetPerSecond),
                },
            ],
            oms.DisposeAsync);
    }
}
