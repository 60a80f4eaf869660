using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>What watches the program.</summary>
[Collection(ApiCollection.Name)]
public sealed class HealthTests(OmsApp app)
{
    [Theory]
    [InlineData("/health/live"), InlineData("/health/ready")]
    public async Task It_lives_and_is_ready(string path) => Assert.Equal((200, "ok"), await Ask(path));

    [Fact]
    public async Task Metrics_are_there_in_the_format_of_Prometheus()
    {
        await app.Api.Get("/api/v1/orders");
        var (status, text) = await Ask("/metrics");
        Assert.Equal(200, status);
        Assert.Contains("http_server_request_duration_seconds", text);
        Assert.Contains("dotnet_gc", text);
    }

    [Fact]
    public async Task What_the_program_does_moves_its_figures()
    {
        var sku = await app.NewProduct(units: 1);
        var before = await Figures();
        var order = Api.Order((sku, 1));
        order["stockPolicy"] = "reject";
        await app.Api.Place(order);
        order["externalId"] = "another";
        Assert.Equal(409, (await app.Api.Post("/api/v1/orders", order, Api.NewKey())).Status);
        await app.CountEvents();

        var after = await OmsApp.Until(Figures, f => f.Where(n => n.Key.StartsWith("oms_follower_lag", StringComparison.Ordinal)).All(n => n.Value == 0));
        foreach (var moved in (string[])
        [
            "oms_orders_total{outcome=\"accepted\"}", "oms_orders_total{outcome=\"refused\"}",
            "oms_refusals_total{code=\"insufficient_stock\"}", "oms_log_batch_count", "oms_log_append_duration_seconds_count",
        ])
            Assert.True(Of(after, moved) > Of(before, moved), $"{moved}: {Of(before, moved)}, {Of(after, moved)}");
        Assert.Equal(0, Assert.Single(after, f => f.Key.StartsWith("oms_log_queued", StringComparison.Ordinal)).Value);
        Assert.Equal(
            ["backorders", "fulfilment", "law-watch", "read-model", "reservation-watch"],
            after.Keys.Where(k => k.StartsWith("oms_follower_lag", StringComparison.Ordinal)).Select(k => k.Split('"')[^2]).Order());

        static double Of(Dictionary<string, double> figures, string name) =>
            figures.FirstOrDefault(f => f.Key.Replace("otel_scope_name=\"OrleansOms\",", "").Replace("{otel_scope_name=\"OrleansOms\"}", "") == name).Value;
    }

    /// <summary>Every figure with its labels.</summary>
    async Task<Dictionary<string, double>> Figures() => (await Ask("/metrics")).Item2.Split('\n')
        .Where(l => l.StartsWith("oms_", StringComparison.Ordinal))
        .Select(l => l.Split(' ')).ToDictionary(l => l[0], l => double.Parse(l[1], System.Globalization.CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("GET", "/api/v1/nope", 404, "not_found"), InlineData("GET", "/nope", 404, "not_found")]
    [InlineData("POST", "/api/v1/nope", 404, "not_found"), InlineData("PUT", "/nope", 404, "not_found")]
    [InlineData("DELETE", "/api/v1/orders", 405, "method_not_allowed")]
    public async Task Wrong_addresses_and_methods_are_problems_too(string method, string path, int status, string code)
    {
        var answer = await app.Api.Send(new HttpMethod(method), path, null);
        Assert.Equal((status, code, "application/problem+json"),
            (answer.Status, answer.Code, answer.Http.Content.Headers.ContentType?.ToString()));
        Assert.NotNull(answer.Json["traceId"]);
    }

    async Task<(int, string)> Ask(string path)
    {
        var answer = await app.Caller(null).Get(path);
        return (answer.Status, answer.Text);
    }
}
