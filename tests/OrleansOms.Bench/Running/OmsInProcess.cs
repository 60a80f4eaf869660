using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrleansOms.Host;
using OrleansOms.Postgres;

namespace OrleansOms.Bench.Running;

/// <summary>The whole program inside this process, so that grains can be called without a network between.</summary>
public sealed class OmsInProcess : IAsyncDisposable
{
    /// <summary>Name of a storage as Orleans has it, for the arms that are built on one.</summary>
    public const string PlainStorage = "bench-plain";

    readonly OmsApplication _application;

    OmsInProcess(OmsApplication application) => _application = application;

    /// <summary>Where grains are had.</summary>
    public IGrainFactory Grains => Get<IGrainFactory>();

    /// <summary>One of its parts.</summary>
    public T Get<T>() where T : notnull => _application.Web.Services.GetRequiredService<T>();

    /// <summary>Starts it on a database.</summary>
    /// <param name="adjust">What a workload adds to the program.</param>
    public static async Task<OmsInProcess> Start(
        Session session, string connectionString, Action<WebApplicationBuilder>? adjust = null)
    {
        var folder = Directory.CreateDirectory(Path.Combine(session.Folder, $"oms-{Guid.NewGuid():N}")).FullName;
        var application = await OmsHost.Build(
            [
                "--urls", "http://127.0.0.1:0", "--Oms:Data", folder, "--Oms:Silo:Port", "0",
                "--Oms:Silo:GatewayPort", "0", "--Oms:Bootstrap:ApiKey", OmsProcess.ApiKey,
                "--Oms:Bootstrap:AdminPassword", OmsProcess.AdminPassword,
                // These reservations have no orders on purpose: nobody should look for them.
                "--Oms:ReservationGrace", "1.00:00:00",
            ],
            connectionString,
            adjust: builder =>
            {
                builder.UseOrleans(silo => silo.AddAdoNetGrainStorage(PlainStorage, o =>
                    (o.Invariant, o.ConnectionString) = (OrleansSchema.Invariant, OrleansSchema.ConnectionString(connectionString))));
                adjust?.Invoke(builder);
            });
        var oms = new OmsInProcess(application);
        try
        {
            await application.Web.StartAsync(session.Cancel);
            return oms;
        }
        catch
        {
            await oms.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _application.Web.StopAsync();
        await _application.DisposeAsync();
    }
}
