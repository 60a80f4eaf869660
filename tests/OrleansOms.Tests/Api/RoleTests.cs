using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Processes;

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
    public async Task A_proxy_stands_before_front_ends_and_keeps_their_figures_to_itself()
    {
        await using var front = await OmsApp.Start();
        await using var proxy = new OmsProcess("", ("Oms__Role", "proxy"), ("Oms__Fronts", front.Url));
        await proxy.Start();
        var api = new Api(proxy.Url, OmsApp.BootstrapKey);
        var read = await api.Get("/api/v1/orders");
        Assert.Equal(200, read.Status);
        var cookie = Assert.Single(read.Http.Headers.GetValues("Set-Cookie"));
        Assert.Matches("^oms-front=.*httponly", cookie.ToLowerInvariant());
        Assert.Equal(404, (await api.Get("/metrics")).Status);
        Assert.Equal(401, (await new Api(proxy.Url, null).Get("/api/v1/orders")).Status);
    }

    [Fact]
    public async Task A_proxy_leaves_whoever_has_a_cookie_with_the_front_end_that_gave_it_and_sends_others_to_any()
    {
        await using var signed = new OmsApp { Adjust = services => services.AddSingleton<IStartupFilter, Signed>() };
        await signed.InitializeAsync();
        await using var other = await signed.StartBeside(("Oms:Role", "web"));
        foreach (var front in (OmsApp[])[signed, other]) await OmsApp.Until(() => front.Api.Get("/health/ready"), a => a.Status == 200);
        await using var proxy = new OmsProcess("", ("Oms__Role", "proxy"), ("Oms__Fronts", $"{signed.Url},{other.Url}"));
        await proxy.Start();
        var api = new Api(proxy.Url, OmsApp.BootstrapKey);

        var cookies = new Dictionary<bool, string>();
        await OmsApp.Until(async () =>
        {
            var answer = await Ask(null);
            cookies[Signed.Has(answer)] = Assert.Single(answer.Http.Headers.GetValues("Set-Cookie")).Split(';')[0];
            return cookies.Count;
        }, n => n == 2);
        foreach (var (isSigned, cookie) in cookies)
            for (var n = 0; n < 20; n++) Assert.Equal(isSigned, Signed.Has(await Ask(cookie)));

        async Task<Answer> Ask(string? cookie)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/orders");
            if (cookie is not null) request.Headers.Add("Cookie", cookie);
            var answer = await api.Send(request);
            Assert.Equal(200, answer.Status);
            return answer;
        }
    }

    [Fact]
    public async Task Without_a_front_end_a_proxy_says_that_the_service_cannot_answer()
    {
        await using var proxy = new OmsProcess("", ("Oms__Role", "proxy"), ("Oms__Fronts", "http://127.0.0.1:1"));
        var answer = await proxy.Launch(() => new Api(proxy.Url, null).Get("/api/v1/orders"));
        Assert.Equal((503, "unavailable"), (answer.Status, answer.Code));
        Assert.NotNull(answer.Http.Headers.RetryAfter);
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

    /// <summary>A front end whose answers say that they are its own.</summary>
    sealed class Signed : IStartupFilter
    {
        const string Header = "x-signed";

        public static bool Has(Answer answer) => answer.Http.Headers.Contains(Header);

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((http, go) =>
            {
                http.Response.Headers[Header] = "yes";
                return go(http);
            });
            next(app);
        };
    }
}
