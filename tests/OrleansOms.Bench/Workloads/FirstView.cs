using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// How soon people see what they came for while a million orders are stored: each page in a real browser, from the click
/// until it is drawn. Each round begins with a program that was just started and with another page; a page is first
/// opened cold, then again by the same visitor, then by others who have nothing in their caches.
/// </summary>
public sealed record FirstView() : Workload("first-view", "views")
{
    const double TargetMs = 1000;
    const int OtherVisitors = 8;

    /// <inheritdoc />
    public override bool HasHistory => true;

    // As many as there are pages, so that each of them is once the first of a program.
    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 5, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        // First, because it may not be there, and filling the store takes minutes.
        var browser = await Chromium.Start();
        var store = await LongStore.Open(session);
        var oms = await store.Start();
        var cookies = await PushWatch.LogIn(oms.Url, OmsProcess.AdminPassword);
        using var api = LongStore.ApiOf(oms.Url);
        var order = await Ask(api, "orders?status=delivered&limit=1");
        var shipment = await Ask(api, $"shipments?warehouse={Requests.Warehouse}&status=released&limit=1");
        var track = (await api.GetFromJsonAsync<JsonNode>($"orders/{order}"))!["trackingUrl"]!;
        const string alive = "html[data-alive]";
        return new Stage(
            [
                Page("orders list", "/orders", ".orders tbody tr", alive),
                Page("order page", $"/orders/{order}", ".timeline li", alive),
                Page("warehouse board", $"/warehouse/{Requests.Warehouse}", ".columns .work", alive),
                Page("station", $"/warehouse/{Requests.Warehouse}/{shipment}", ".picklist li", alive),
                Page("track page", new Uri($"{track}").AbsolutePath, "main h1"),
            ],
            async () =>
            {
                await browser.DisposeAsync();
                await oms.DisposeAsync();
            });

        Arm Page(string name, string path, params string[] selectors) => new(
            name, () => View(browser, oms.Url, path, cookies, session.Options.IsQuick ? 1 : OtherVisitors, selectors))
        {
            ProgramCpu = () => Cpu.Of(oms.Pid),
            Goal = new Goal($"every view < {TargetMs} ms", a => a.Turns.All(t => t.Outcome.Further["worstMs"] < TargetMs)),
        };
    }

    /// <summary>Id of the first of a list.</summary>
    static async Task<string> Ask(HttpClient api, string list) =>
        $"{(await api.GetFromJsonAsync<JsonNode>(list))!["items"]![0]!["id"]}";

    static async Task<Outcome> View(
        Chromium browser, Uri server, string path, CookieContainer cookies, int others, string[] selectors)
    {
        var page = new Uri(server, path);
        var start = Stopwatch.GetTimestamp();
        var views = new List<double[]>();
        await using (var first = await browser.Visitor(server, cookies))
        {
            views.Add(await Chromium.Open(first, page, selectors));
            views.Add(await Chromium.Open(first, page, selectors));
        }
        for (var i = 0; i < others; i++)
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
}
