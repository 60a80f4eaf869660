using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Components;
using OrleansOms.Contracts.Orders;
using OrleansOms.Host.Live;
using OrleansOms.Host.Security;

namespace OrleansOms.Host.Ui.Track;

/// <summary>What the customer's page says of the shop. Section <c>Oms:Track</c> of the configuration.</summary>
public sealed class TrackSettings
{
    /// <summary>The shop's name, on top of the page.</summary>
    public string? ShopName { get; set; }

    /// <summary>Where customers reach the shop: a <c>mailto:</c> or <c>https:</c> address.</summary>
    public string? ContactUrl { get; set; }
}

/// <summary>
/// <c>/track/{token}</c>: the customer's page, and the part of it that changes. Whoever has the link sees its order and
/// nothing else; every link that opens nothing looks the same.
/// </summary>
public static class TrackEndpoints
{
    // No script or style within the page, nothing from or to another host, no frames, no forms.
    const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'";

    /// <summary>Registers the page's settings.</summary>
    public static WebApplicationBuilder AddTracking(this WebApplicationBuilder builder)
    {
        builder.Services.AddRazorComponents();
        builder.Services.AddSingleton(
            builder.Configuration.GetSection("Oms:Track").Get<TrackSettings>() ?? new TrackSettings());
        return builder;
    }

    /// <summary>Maps the page.</summary>
    public static WebApplication MapTracking(this WebApplication app)
    {
        app.MapGet("/track/{token}", Page).AllowAnonymous().ExcludeFromDescription();
        app.MapGet("/track/{token}/now", Now).AllowAnonymous().ExcludeFromDescription();
        return app;
    }

    static async Task<RazorComponentResult> Page(
        HttpContext http, string token, TrackingLinks links, LiveFeed feed, CustomerView customers, Gate gate,
        TimeProvider time) =>
        await Find(http, token, links, feed, customers, gate, time) is { } order
            ? Html<TrackPage>(new { Order = order, Token = token })
            : Unknown();

    static async Task<RazorComponentResult> Now(
        HttpContext http, string token, TrackingLinks links, LiveFeed feed, CustomerView customers, Gate gate,
        TimeProvider time) =>
        await Find(http, token, links, feed, customers, gate, time) is { } order
            ? Html<TrackNow>(new { Order = order })
            : Unknown();

    static async Task<OrderView?> Find(
        HttpContext http, string token, TrackingLinks links, LiveFeed feed, CustomerView customers, Gate gate,
        TimeProvider time)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers["Referrer-Policy"] = "no-referrer";
        headers["X-Robots-Tag"] = "noindex, nofollow";
        headers.CacheControl = "no-store";
        if (links.TryRead(token, time.GetUtcNow(), out var id) && await feed.ReadOrder(id) is { } order)
            return customers.Of(order);
        // Whoever guesses is slowed down by address.
        return gate.TakeAsStranger(http) is { } tooFast ? throw tooFast : null;
    }

    static RazorComponentResult Unknown() => new(typeof(TrackUnknown)) { StatusCode = 404, PreventStreamingRendering = true };

    static RazorComponentResult Html<T>(object parameters) where T : IComponent =>
        new(typeof(T), parameters) { PreventStreamingRendering = true };
}
