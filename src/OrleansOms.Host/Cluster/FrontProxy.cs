using Microsoft.AspNetCore.Http.Features;
using OrleansOms.Host.Errors;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms;

namespace OrleansOms.Host.Cluster;

/// <summary>
/// One address before several front ends, role <c>proxy</c>: a browser stays with the front end that holds its page, a
/// front end that is not ready gets nothing, and live connections pass through.
/// </summary>
public static class FrontProxy
{
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1), LookFor = TimeSpan.FromSeconds(4);

    /// <summary>Builds it; where it listens is in the arguments or in <c>ASPNETCORE_URLS</c>.</summary>
    /// <param name="fronts">Where the front ends answer.</param>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static WebApplication Build(string[] args, IReadOnlyList<string> fronts)
    {
        if (fronts.Count == 0) throw new InvalidOperationException("Oms:Fronts names no front end, such as http://front1:8080,http://front2:8080.");
        var builder = WebApplication.CreateSlimBuilder(args);
        if (string.IsNullOrEmpty(builder.Configuration["urls"])) builder.WebHost.UseUrls(OmsHost.DefaultUrl);
        builder.Logging.AddFilter("Yarp", LogLevel.Error).AddFilter("Microsoft", LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Front ends have limits of their own, and words for whoever passes them.
            kestrel.Limits.MaxRequestBodySize = null;
        });
        builder.Services.AddReverseProxy()
            .LoadFromMemory([new RouteConfig { RouteId = "all", ClusterId = "fronts", Match = new() { Path = "{**path}" } }], [Fronts(fronts)])
            // It records nothing itself: a trace passes through as it came, if one came.
            .ConfigureHttpClient((_, handler) => handler.ActivityHeadersPropagator = null)
            .AddTransforms(t => t.AddOriginalHost());
        var app = builder.Build();
        app.Use(async (http, next) =>
        {
            // What is live would last for ever: whoever is cut off connects again, when somebody is there again.
            using var cut = http.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
                ? app.Lifetime.ApplicationStopping.Register(http.Abort) : default;
            await next(http);
            // Nobody answered: what a front end says when it cannot answer either, and callers repeat.
            if (http.Response.HasStarted || http.Response.StatusCode is not (502 or 503 or 504)) return;
            http.Response.Clear();
            await Problem.OfStatus(503).ExecuteAsync(http);
        });
        // Figures are those of each process, and no business of who comes from outside.
        app.Map("/metrics", () => Problem.OfStatus(404));
        app.MapReverseProxy();
        return app;
    }

    static ClusterConfig Fronts(IReadOnlyList<string> fronts) => new()
    {
        ClusterId = "fronts",
        Destinations = fronts.Select((url, n) => (Name: $"front-{n + 1}", Url: url))
            .ToDictionary(f => f.Name, f => new DestinationConfig { Address = f.Url }),
        SessionAffinity = new SessionAffinityConfig
        {
            Enabled = true, Policy = "HashCookie", FailurePolicy = "Redistribute", AffinityKeyName = "oms-front",
            Cookie = new() { HttpOnly = true, SameSite = SameSiteMode.Strict, SecurePolicy = CookieSecurePolicy.SameAsRequest },
        },
        HealthCheck = new HealthCheckConfig
        {
            AvailableDestinationsPolicy = "HealthyOrPanic",
            Active = new ActiveHealthCheckConfig
            {
                Enabled = true, Path = "/health/ready", Interval = LookEvery, Timeout = LookFor, Policy = "ConsecutiveFailures",
            },
        },
        Metadata = new Dictionary<string, string> { ["ConsecutiveFailuresHealthPolicy.Threshold"] = "1" },
        // Live connections that are quiet are no dead ones.
        HttpRequest = new ForwarderRequestConfig { ActivityTimeout = TimeSpan.FromMinutes(5) },
    };
}
