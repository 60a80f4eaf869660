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
        await using var cluster = await ClusterProcess.Start(database.ConnectionString);
        var (url, api) = (cluster.Url, new Api(cluster.Url, OmsProcess.Key));
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
        cluster.Members("Web")[0].Kill();
        for (var n = 0; n < 10; n++) await Must(HttpMethod.Post, "/api/v1/orders", Api.Order(("A", 1)).ToJsonString());
        var end = await Must(HttpMethod.Post, $"/api/v1/orders/{order.Id()}/cancel", """{"reason":"test"}""");
        await LiveApp.Until(() => Math.Max(Volatile.Read(ref seen), live.Versions().DefaultIfEmpty().Max()) >= end.Version());

        Assert.Equal(0, await cluster.Stop());
        Assert.Contains(cluster.Said, l => l.Contains("is started again", StringComparison.Ordinal));
        // Everybody has said goodbye: nobody is left who must be found dead by the next start.
        Assert.Equal(0, await database.Ask<long>("select count(*) from oms.orleans_silo where status = 3"));

        async Task<JsonNode> Must(HttpMethod method, string path, string body)
        {
            var key = Api.NewKey();
            var answer = await Silos.Until(() => api.Send(method, path, body, key), a => a.Status != 503);
            // Put a second time, it is there already.
            Assert.True(answer.Status is 200 or 201, $"{method} {path}: {answer}");
            return answer.Json;
        }
    }
}
