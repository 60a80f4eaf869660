using System.Diagnostics;
using System.Security.Cryptography;
using OrleansOms.Contracts.Log;
using OrleansOms.Host.Live;
using OrleansOms.Postgres.Log;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;
using OrleansOms.Tests.Log;

namespace OrleansOms.Tests.Watching;

/// <summary>Whose requests are traced, and what of them.</summary>
public sealed class TraceTests
{
    [Fact]
    public async Task A_request_is_traced_if_its_caller_or_the_sampler_says_so_and_no_secret_is_told()
    {
        await using var collector = await TraceCollector.Start();
        await using var app = await OmsApp.Start([.. collector.Settings, ("OTEL_TRACES_SAMPLER_ARG", "0")]);
        var (untraced, order) = (await app.PlaceNew(), await app.PlaceNew());
        await using var client = await LiveClient.Connect(app.Url, OmsApp.BootstrapKey);
        await client.Call("WatchOrder", order.Id());

        var (page, cancel) = (NewTrace(), NewTrace());
        Assert.Equal(200, (await app.Api.Send(Traced(page, HttpMethod.Get, $"/track/{order.Token()}"))).Status);
        var answer = await app.Api.Send(Traced(cancel, HttpMethod.Post, $"/api/v1/orders/{order.Id()}/cancel", """{"reason":"test"}"""));
        Assert.Equal(200, answer.Status);
        var spans = await collector.Trace(
            cancel, all => all.Any(IsRequest) && all.Any(s => s.Name == "push") && all.Any(s => s.Name == "fulfilment"));

        var request = Assert.Single(spans, IsRequest);
        Assert.Equal(Parent, request.Parent);
        string[] appends = [.. spans.Where(s => s.Tags.GetValueOrDefault("oms.stream") == order.Id()).Select(s => s.Id)];
        Assert.All(spans.Where(s => s.Name == "push"), s => Assert.Contains(s.Parent, appends));
        Assert.Equal([cancel], collector.Spans.Select(s => s.Trace).Distinct());
        Assert.Equal(0, await app.Database.Ask<long>($"select count(*) from oms.event where stream = '{untraced.Id()}' and trace <> ''"));
        Assert.DoesNotContain(collector.Spans, s => s.Tags.Values.Any(v => v.Contains(order.Token(), StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_push_that_joins_several_events_belongs_to_the_trace_of_each()
    {
        var box = new Mailbox<int>(10, TimeProvider.System);
        box.Put("a", 1, "first");
        box.Put("a", 2, "second");
        box.Put("b", 3);
        Assert.Equal(["first", "second"], (await box.Take(TimeSpan.Zero, default))!.Value.Traces);
        box.Put("a", 4);
        Assert.Empty((await box.Take(TimeSpan.Zero, default))!.Value.Traces);
        for (var i = 0; i < 1000; i++) box.Put("a", i, $"{i}");
        Assert.Equal(16, (await box.Take(TimeSpan.Zero, default))!.Value.Traces.Count);
    }

    const string Parent = "00f067aa0ba902b7";

    static bool IsRequest(CollectedSpan span) => span.Name.StartsWith("POST", StringComparison.Ordinal);

    static string NewTrace() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    static HttpRequestMessage Traced(string trace, HttpMethod method, string path, string? body = null) => new(method, path)
    {
        Headers = { { "traceparent", $"00-{trace}-{Parent}-01" } },
        Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json"),
    };
}
