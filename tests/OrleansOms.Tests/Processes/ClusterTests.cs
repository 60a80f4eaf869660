using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Processes;

/// <summary>Three silos and two front ends behind one address, as <c>./oms cluster</c> starts them.</summary>
[Collection(AloneCollection.Name)]
public sealed class ClusterTests
{
    [Fact]
    public async Task Behind_one_address_orders_and_live_views_go_on_when_a_front_end_is_killed_and_it_stops_clean()
    {
        await using var database = await TestDatabase.Create();
        using var data = new TestFolder();
        var url = new Uri($"http://127.0.0.1:{FreePort()}");
        var lines = new List<string>();
        using var cluster = Start(database.ConnectionString, data.Path, url, lines);
        try
        {
            var api = new Api(url, OmsProcess.Key);
            await Silos.Until(() => Status(api, "/health/ready"), s => s == 200);
            await Must(HttpMethod.Put, "/api/v1/warehouses/LON",
                """{"name":"London","active":true,"address":{"line1":"1 Dock Road","city":"London","country":"GB"}}""");
            await Must(HttpMethod.Put, "/api/v1/products/A", """{"name":"A"}""");
            await Must(HttpMethod.Post, "/api/v1/stock/receipts",
                """{"warehouse":"LON","reference":"r","lines":[{"sku":"A","quantity":50}]}""");
            var order = await Must(HttpMethod.Post, "/api/v1/orders", Api.Order(("A", 2)).ToJsonString());
            Assert.StartsWith(url.ToString(), order["trackingUrl"]!.GetValue<string>(), StringComparison.Ordinal);
            await using var live = await LiveClient.Connect(url.ToString().TrimEnd('/'), OmsProcess.Key);
            var seen = (await live.CallAgain("WatchOrder", order.Id())).Version();
            live.CameBack += async () => Volatile.Write(ref seen, (await live.CallAgain("WatchOrder", order.Id())).Version());

            // Half of all requests go to the one that dies; what fails is sent again and answered by the other one.
            Process.GetProcessById(ChildrenOf(cluster.Id).First(c => CommandOf(c).Contains("--Oms:Role\0Web", StringComparison.Ordinal))).Kill();
            for (var n = 0; n < 10; n++) await Must(HttpMethod.Post, "/api/v1/orders", Api.Order(("A", 1)).ToJsonString());
            var end = await Must(HttpMethod.Post, $"/api/v1/orders/{order.Id()}/cancel", """{"reason":"test"}""");
            await LiveApp.Until(() => Math.Max(Volatile.Read(ref seen), live.Versions().DefaultIfEmpty().Max()) >= end.Version());

            async Task<JsonNode> Must(HttpMethod method, string path, string body)
            {
                var key = Api.NewKey();
                var answer = await Silos.Until(() => api.Send(method, path, body, key), a => a.Status != 503);
                // Put a second time, it is there already.
                Assert.True(answer.Status is 200 or 201, $"{method} {path}: {answer}");
                return answer.Json;
            }
        }
        finally
        {
            using (var stop = Process.Start("kill", ["-TERM", $"{cluster.Id}"])) await stop.WaitForExitAsync();
            try { await cluster.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(90)); }
            finally { if (!cluster.HasExited) cluster.Kill(entireProcessTree: true); }
        }
        Assert.Equal(0, cluster.ExitCode);
        lock (lines) Assert.Contains(lines, l => l.Contains("is started again", StringComparison.Ordinal));
        // Everybody has said goodbye: nobody is left who must be found dead by the next start.
        Assert.Equal(0, await database.Ask<long>("select count(*) from oms.orleans_silo where status = 3"));
    }

    static async Task<int> Status(Api api, string path)
    {
        try { return (await api.Get(path)).Status; }
        catch (HttpRequestException) { return 0; }
    }

    static Process Start(string connection, string data, Uri url, List<string> lines)
    {
        var process = Process.Start(new ProcessStartInfo("dotnet", [typeof(Host.OmsHost).Assembly.Location, "cluster"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
            Environment =
            {
                ["ConnectionStrings__Oms"] = connection, ["Oms__Data"] = data, ["ASPNETCORE_URLS"] = url.ToString(),
                ["Oms__Bootstrap__ApiKey"] = OmsProcess.Key,
            },
        })!;
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Hear(string? line)
        {
            if (line is not null) lock (lines) lines.Add(line);
        }
    }

    static IEnumerable<int> ChildrenOf(int parent) =>
        Directory.EnumerateDirectories($"/proc/{parent}/task")
            .SelectMany(t => File.ReadAllText(Path.Combine(t, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(int.Parse);

    static string CommandOf(int process) => File.ReadAllText($"/proc/{process}/cmdline");

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
