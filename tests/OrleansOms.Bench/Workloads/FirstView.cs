using System.Diagnostics;
using System.Net;
using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// How soon people see what they came for while a million orders are stored: each page in a real browser, from the click
/// until it is drawn. Each round begins with a program that was just started and with another page; a page is first
/// opened cold, then again by the same visitor, then by others who have nothing in their caches. Beside it, what a page
/// of the API's list takes, by filter.
/// </summary>
public sealed record FirstView() : Workload("first-view", "views")
{
    const double TargetMs = 1000;
    const int OtherVisitors = 8;
    const int Lists = 200;

    static readonly string[] Filters =
    [
        "", "status=closed", "status=backordered", "status=shipped&status=delivered", "channel=phone", "sku=BENCH-00042",
        "warehouse=BENCH&status=inFulfilment", "q=NUMBER", "q=jane", "q=okafor123", "sort=total", "sort=-total&status=closed",
        "from=2025-10-01T00:00:00Z&to=2025-11-01T00:00:00Z",
    ];

    /// <inheritdoc />
    public override bool IsQuick => false;

    // As many as there are pages, so that each of them is once the first of a program.
    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 5, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        // First, because it may not be there, and filling the store takes minutes.
        var browser = await Chromium.Start();
        var store = await LongStore.Open(session);
        var oms = await OmsProcess.Start(session, session.Postgres.ConnectionTo(store.Database));
        var cookies = await PushWatch.LogIn(oms.Url, OmsProcess.AdminPassword);
        var api = LongStore.ApiOf(oms.Url);
        const string alive = "html[data-alive]";
        return new Stage(
            [
                Page("orders list", "/orders", ".orders tbody tr", alive),
                Page("order page", $"/orders/{store.OrderId}", ".timeline li", alive),
                Page("warehouse board", $"/warehouse/{Requests.Warehouse}", ".columns .work", alive),
                Page("station", $"/warehouse/{Requests.Warehouse}/{store.ShipmentId}", ".picklist li", alive),
                Page("track page", store.TrackPath, "main h1"),
                .. Filters.Select(f => List(f.Replace("NUMBER", store.Number, StringComparison.Ordinal))),
            ],
            async () =>
            {
                api.Dispose();
                await browser.DisposeAsync();
                await oms.DisposeAsync();
            });

        Arm Page(string name, string path, params string[] selectors) => new(
            name, () => View(browser, oms.Url, path, cookies, selectors))
        {
            ProgramCpu = () => Cpu.Of(oms.Pid),
            Goal = new Goal($"every view < {TargetMs} ms", a => a.Turns.All(t => t.Outcome.Further["worstMs"] < TargetMs)),
        };

        Arm List(string filter) => new($"GET orders?{filter}", () => Ask(api, $"orders?{filter}"))
        {
            ProgramCpu = () => Cpu.Of(oms.Pid),
        };
    }

    static async Task<Outcome> View(Chromium browser, Uri server, string path, CookieContainer cookies, string[] selectors)
    {
        var page = new Uri(server, path);
        var start = Stopwatch.GetTimestamp();
        var views = new List<double[]>();
        await using (var first = await browser.Visitor(server, cookies))
        {
            views.Add(await Chromium.Open(first, page, selectors));
            views.Add(await Chromium.Open(first, page, selectors));
        }
        for (var i = 0; i < OtherVisitors; i++)
        {
            await using var other = await browser.Visitor(server, cookies);
            views.Add(await Chromium.Open(other, page, selectors));
        }
        var seen = Spread.Of(views.Select(v => v[0]));
        var further = new Dictionary<string, double>
        {
            ["coldMs"] = views[0][0], ["secondMs"] = views[1][0],
            ["otherVisitorsMs"] = Spread.Of(views.Skip(2).Select(v => v[0])).Median, ["worstMs"] = seen.Max,
        };
        if (selectors.Length > 1) further["aliveMs"] = Spread.Of(views.Select(v => v[1])).Median;
        return new Outcome(views.Count, Stopwatch.GetElapsedTime(start).TotalSeconds, seen.Median) { Further = further };
    }

    static async Task<Outcome> Ask(HttpClient api, string path)
    {
        var start = Stopwatch.GetTimestamp();
        var times = new double[Lists];
        for (var i = 0; i < Lists; i++)
        {
            var one = Stopwatch.GetTimestamp();
            using var answer = await api.GetAsync(path);
            if (answer.StatusCode != HttpStatusCode.OK)
                throw new InvalidOperationException($"{path} was answered with {(int)answer.StatusCode}.");
            times[i] = Stopwatch.GetElapsedTime(one).TotalMilliseconds;
        }
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Array.Sort(times);
        return new Outcome(Lists, seconds, Spread.Percentile(times, 0.5), Spread.Percentile(times, 0.99))
        {
            Further = new Dictionary<string, double> { ["worstMs"] = times[^1] },
        };
    }
}
