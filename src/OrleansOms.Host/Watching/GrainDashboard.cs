using Orleans.Dashboard;
using OrleansOms.Host.Security;

namespace OrleansOms.Host.Watching;

/// <summary>
/// The Orleans Dashboard, for admins: silos, grains and what their calls cost. It times calls only while somebody looks at
/// it, and for a minute after that.
/// </summary>
static class GrainDashboard
{
    /// <summary>Where it is.</summary>
    public const string Path = "/admin/grains";

    /// <summary>What is said where a silo or a front end adds it.</summary>
    // Its journal is a request that lasts for an hour, and holds up whoever stops the program.
    public static void Configure(DashboardOptions options) => options.HideTrace = true;

    /// <summary>Maps it.</summary>
    public static void Map(WebApplication app) =>
        app.MapOrleansDashboard(Path)
            .RequireAuthorization(policy => policy.AddAuthenticationSchemes(OperatorLogin.Scheme).RequireRole(OperatorLogin.Admin))
            .ExcludeFromDescription();
}
