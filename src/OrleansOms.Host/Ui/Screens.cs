using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Http.HttpResults;
using OrleansOms.Host.Security;
using OrleansOms.Host.Ui.Login;
using OrleansOms.Host.Ui.Shared;
using OrleansOms.Host.Ui.Shell;
using Radzen;

namespace OrleansOms.Host.Ui;

/// <summary>The staff's screens: orders and the warehouse, behind a login.</summary>
public static class Screens
{
    /// <summary>How long a lost browser may stay away and find its page as it left it.</summary>
    static readonly TimeSpan KeptAfterLoss = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Longest message of a browser: a page that comes alive sends back the state it was served with, a list's rows
    /// among it.
    /// </summary>
    const int MaxMessageBytes = 512 * 1024;

    /// <summary>Registers what the screens need.</summary>
    public static WebApplicationBuilder AddScreens(this WebApplicationBuilder builder)
    {
        builder.Services.AddRazorComponents().AddInteractiveServerComponents(o =>
        {
            o.DisconnectedCircuitRetentionPeriod = KeptAfterLoss;
            o.DetailedErrors = builder.Environment.IsDevelopment();
        }).AddHubOptions(o => o.MaximumReceiveMessageSize = MaxMessageBytes);
        builder.Services.AddCascadingAuthenticationState();
        builder.Services.AddScoped<PageLogin>();
        builder.Services.AddScoped<AuthenticationStateProvider>(p => p.GetRequiredService<PageLogin>());
        builder.Services.AddHttpContextAccessor();
        builder.Services.AddAntiforgery();
        builder.Services.AddRadzenComponents();
        builder.Services.AddScoped<Viewer>();
        builder.Services.AddScoped<Warehouse.ScanReceipts>();
        builder.Services.AddSingleton<WarmUp>();
        builder.Services.AddHostedService(p => p.GetRequiredService<WarmUp>());
        return builder;
    }

    /// <summary>
    /// Maps the screens, <c>GET /login</c> and the files that they load. Authentication, authorization and anti-forgery
    /// must be in the pipeline before.
    /// </summary>
    public static void MapScreens(this WebApplication app)
    {
        app.MapStaticAssets();
        app.MapGet("/login", Login).ExcludeFromDescription();
        app.MapGet("/", () => Results.Redirect("/orders")).ExcludeFromDescription();
        app.MapRazorComponents<App>()
            .AddInteractiveServerRenderMode()
            .RequireAuthorization(new AuthorizationPolicyBuilder(OperatorLogin.Scheme).RequireAuthenticatedUser().Build());
    }

    /// <summary>The login is no routed page: its address takes posts, which the pages' own routing would take away.</summary>
    static RazorComponentResult Login(string? error, string? returnUrl) => new RazorComponentResult<LoginDocument>(
        new Dictionary<string, object?>
        {
            [nameof(LoginDocument.Error)] = error,
            [nameof(LoginDocument.ReturnUrl)] = returnUrl,
        });
}
