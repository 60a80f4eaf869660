using System.Globalization;
using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Watching;

/// <summary>The program's own figures, of a process of its own: several programs in one process share what they count.</summary>
public sealed class FiguresTests
{
    [Fact]
    public async Task What_the_program_does_moves_its_figures()
    {
        await using var database = await TestDatabase.Create();
        await using var oms = new OmsProcess(database.ConnectionString);
        await oms.Start();
        var api = new Api(oms.Url, OmsProcess.Key);
        await api.Must(201, HttpMethod.Put, "/api/v1/warehouses/LON", JsonNode.Parse(
            """{"name":"London","active":true,"address":{"line1":"1 Dock Road","city":"London","country":"GB"}}"""));
        await api.Must(201, HttpMethod.Put, "/api/v1/products/A", new JsonObject { ["name"] = "A" });
        await api.Must(201, HttpMethod.Post, "/api/v1/stock/receipts", JsonNode.Parse(
            """{"warehouse":"LON","reference":"r","lines":[{"sku":"A","quantity":1}]}"""), Api.NewKey());
        var before = await Figures();

        var order = Api.Order(("A", 1));
        order["stockPolicy"] = "reject";
        await api.Place(order);
        order["externalId"] = "another";
        Assert.Equal(409, (await api.Post("/api/v1/orders", order, Api.NewKey())).Status);

        var after = await OmsApp.Until(Figures, f => f.Count(Lags) == 5 && f.Where(Lags).All(n => n.Value == 0));
        foreach (var moved in (string[])
        [
            "oms_orders_total{outcome=\"accepted\"}", "oms_orders_total{outcome=\"refused\"}",
            "oms_refusals_total{code=\"insufficient_stock\"}", "oms_log_batch_count", "oms_log_append_duration_seconds_count",
        ])
            Assert.True(Of(after, moved) > Of(before, moved), $"{moved}: {Of(before, moved)}, {Of(after, moved)}");
        Assert.Equal(0, Assert.Single(after, f => f.Key.StartsWith("oms_log_queued", StringComparison.Ordinal)).Value);
        Assert.Equal(
            ["backorders", "fulfilment", "law-watch", "read-model", "reservation-watch"],
            after.Where(Lags).Select(f => f.Key.Split('"')[^2]).Order());

        // Every figure with its labels.
        async Task<Dictionary<string, double>> Figures() => (await api.Get("/metrics")).Text.Split('\n')
            .Where(l => l.StartsWith("oms_", StringComparison.Ordinal))
            .Select(l => l.Split(' ')).ToDictionary(l => l[0], l => double.Parse(l[1], CultureInfo.InvariantCulture));
    }

    static bool Lags(KeyValuePair<string, double> figure) => figure.Key.StartsWith("oms_follower_lag", StringComparison.Ordinal);

    static double Of(Dictionary<string, double> figures, string name) => figures.FirstOrDefault(
        f => f.Key.Replace("otel_scope_name=\"OrleansOms\",", "").Replace("{otel_scope_name=\"OrleansOms\"}", "") == name).Value;
}
