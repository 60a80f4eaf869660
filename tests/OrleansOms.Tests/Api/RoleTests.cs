using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>Front ends and silos may be different processes.</summary>
public sealed class RoleTests
{
    [Fact]
    public async Task A_front_end_without_grains_serves_the_API_of_the_silo_behind_it()
    {
        await using var both = await OmsApp.Start();
        await using var web = await both.StartBeside(("Oms:Role", "web"));
        var sku = $"W-{Guid.NewGuid():N}"[..20];
        await web.Api.Must(201, HttpMethod.Put, $"/api/v1/products/{sku}", new JsonObject { ["name"] = "from the front end" });
        await web.Receive("LON", sku, 5);
        var (body, key) = (Api.Order((sku, 2)).ToJsonString(), Api.NewKey());
        var placed = await web.Api.Send(HttpMethod.Post, "/api/v1/orders", body, key);
        Assert.Equal((201, "allocated"), (placed.Status, placed.Json["status"]!.GetValue<string>()));
        Assert.Equal("ok", (await web.Api.Get("/health/ready")).Text);

        // Both are one system: the other one knows at once what this one has stored, and gives the same answer.
        var again = await OmsApp.Until(
            () => both.Api.Send(HttpMethod.Post, "/api/v1/orders", body, key), a => a.Code is not "request_in_progress");
        Assert.Equal(placed.Text, again.Text);
    }

    [Fact]
    public async Task A_silo_without_a_front_end_answers_only_those_who_watch_it()
    {
        await using var both = await OmsApp.Start();
        await using var silo = await both.StartBeside(("Oms:Role", "silo"));
        Assert.Equal("ok", (await silo.Caller(null).Get("/health/ready")).Text);
        Assert.Equal(200, (await silo.Caller(null).Get("/metrics")).Status);
        Assert.Equal(404, (await silo.Api.Get("/api/v1/orders")).Status);
    }
}
