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
        Assert.Contains("pool_name=\"oms\"", text);
    }

    [Fact]
    public async Task Figures_are_no_business_of_who_comes_through_a_proxy()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Add("X-Forwarded-For", "203.0.113.1");
        var answer = await app.Caller(null).Send(request);
        Assert.Equal((404, "not_found"), (answer.Status, answer.Code));
    }

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
