using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Watching;

/// <summary>What one order goes through is one trace, whichever processes it goes through.</summary>
public sealed class TraceProcessTests
{
    [Fact]
    public async Task An_order_is_one_trace_from_its_request_to_the_screens_that_show_it()
    {
        await using var database = await TestDatabase.Create(migrated: false);
        await using var collector = await TraceCollector.Start();
        (string, string)[] traced = [.. collector.Settings, ("OTEL_TRACES_SAMPLER", "parentbased_always_on")];
        await using var silo = new OmsProcess(database.ConnectionString, [.. traced, ("Oms__Role", "silo")]);
        await silo.Start();
        await using var web = new OmsProcess(database.ConnectionString, [.. traced, ("Oms__Role", "web")]);
        await web.Start();
        await using var proxy = new OmsProcess("", [.. traced, ("Oms__Role", "proxy"), ("Oms__Fronts", $"{web.Url}")]);
        await proxy.Start();
        var api = new Api(proxy.Url, OmsProcess.Key);
        await Stock(api);
        await using var screen = await LiveClient.Connect($"{web.Url}".TrimEnd('/'), OmsProcess.Key);
        await screen.Call("WatchWarehouse", "LON");

        var id = (await api.Place(Api.Order(("A", 2)))).Id();

        var trace = (await OmsApp.Until(
            () => Task.FromResult(collector.Spans.FirstOrDefault(s => s.Tags.GetValueOrDefault("oms.stream") == id)), s => s is not null))!.Trace;
        var spans = await collector.Trace(trace, all => all.Count(s => s.Name == "push") >= 2
            && all.Any(s => s.Parent.Length == 0) && all.Any(s => s.Tags.GetValueOrDefault("oms.stream") == "stk-LON/A"));
        var order = Assert.Single(spans, s => s.Tags.GetValueOrDefault("oms.stream") == id);
        spans = await collector.Trace(trace, all => all.Any(s => s.Name == "read-model" && s.Parent == order.Id));
        var request = Assert.Single(spans, s => s.Parent.Length == 0);
        Assert.Equal(("web", "POST /api/v1/orders/"), (request.Role, request.Name));
        Assert.Equal(("web", "append", request.Id), (order.Role, order.Name, order.Parent));

        // The stock is a grain of the silo.
        var stock = Assert.Single(spans, s => s.Tags.GetValueOrDefault("oms.stream") == "stk-LON/A");
        Assert.Equal(("silo", "append"), (stock.Role, stock.Name));
        var call = Assert.Single(spans, s => s.Id == stock.Parent);
        Assert.Equal("silo", call.Role);
        Assert.EndsWith("IStockGrain/Execute", call.Name, StringComparison.Ordinal);
        var called = Assert.Single(spans, s => s.Id == call.Parent);
        Assert.Equal(("web", call.Name, request.Id), (called.Role, called.Name, called.Parent));

        // Each hears through the log of what the other one has stored.
        Assert.Contains(spans, s => (s.Role, s.Name, s.Parent) == ("silo", "read-model", order.Id));
        Assert.Contains(spans, s => (s.Role, s.Name, s.Parent) == ("web", "push", order.Id));
        Assert.Contains(spans, s => (s.Role, s.Name, s.Parent) == ("web", "push", stock.Id));
        Assert.Equal(["shipmentChanged", "stockChanged"], screen.Heard.Select(h => h.What).Distinct().Order());
    }

    [Fact]
    public async Task Without_a_collector_nothing_is_traced_whatever_a_caller_says()
    {
        await using var database = await TestDatabase.Create(migrated: false);
        await using var program = new OmsProcess(database.ConnectionString);
        await program.Start();
        var api = new Api(program.Url, OmsProcess.Key);
        await Stock(api);
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/orders")
        {
            Headers = { { "Idempotency-Key", Api.NewKey() }, { "traceparent", $"00-{new string('a', 32)}-{new string('b', 16)}-01" } },
            Content = new StringContent(Api.Order(("A", 2)).ToJsonString(), System.Text.Encoding.UTF8, "application/json"),
        };
        Assert.Equal(201, (await api.Send(request)).Status);
        Assert.Equal(0, await database.Ask<long>("select count(*) from oms.event where trace <> ''"));
    }

    static async Task Stock(Api api)
    {
        await api.Must(201, HttpMethod.Put, "/api/v1/warehouses/LON", new JsonObject
        {
            ["name"] = "London", ["active"] = true, ["latitude"] = 51.5, ["longitude"] = 0.0,
            ["address"] = new JsonObject { ["line1"] = "1 Dock Road", ["city"] = "London", ["country"] = "GB" },
        });
        await api.Must(201, HttpMethod.Put, "/api/v1/products/A", new JsonObject { ["name"] = "Product A" });
        await api.Must(201, HttpMethod.Post, "/api/v1/stock/receipts", new JsonObject
        {
            ["warehouse"] = "LON", ["reference"] = "test",
            ["lines"] = new JsonArray(new JsonObject { ["sku"] = "A", ["quantity"] = 9 }),
        }, Api.NewKey());
    }
}
