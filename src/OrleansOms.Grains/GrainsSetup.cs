using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Metadata;
using Orleans.Storage;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Grains.Followers;
using OrleansOms.Grains.Orders;
using OrleansOms.Grains.Stock;
using OrleansOms.Grains.Upgrades;
using OrleansOms.Grains.Waiting;

namespace OrleansOms.Grains;

/// <summary>Registers what grains and front ends of this process share.</summary>
public static class GrainsSetup
{
    /// <summary>
    /// The order desk, the indexes that it plans from, and the log's tail that feeds them: every process has them. Needs
    /// the log, read model and places.
    /// </summary>
    public static IServiceCollection AddOmsDesk(this IServiceCollection services, OmsSettings settings)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<CatalogueIndex>();
        services.AddSingleton<AvailabilityIndex>();
        services.AddSingleton<WaitingIndex>();
        services.AddSingleton<WaitingOrders>();
        services.AddSingleton<StockCounting>();
        services.AddSingleton<LogTail>();
        services.AddHostedService(p => p.GetRequiredService<LogTail>());
        services.AddMetrics();
        services.AddSingleton<GrainMetrics>();
        services.AddSingleton(settings);
        services.AddSingleton<StockGrains>();
        services.AddSingleton<OrderSourcing>();
        services.AddSingleton<OrderDesk>();
        services.AddSingleton<CartDesk>();
        services.AddSingleton<MovementDesk>();
        services.AddSingleton<Upgrade>();
        return services;
    }

    /// <summary>
    /// What a silo needs besides. Call <see cref="AddOmsDesk"/> before Orleans is added, so that the tail is there
    /// when the first grain is called, and this one after it, so that followers are called when the silo is up.
    /// </summary>
    public static IServiceCollection AddOmsGrains(this IServiceCollection services)
    {
        services.AddSingleton(p => new SnapshotStore(p.GetRequiredKeyedService<IGrainStorage>(SnapshotStore.Name)));
        services.AddKeyedSingleton<IGrainStorageSerializer, SnapshotFormat>(SnapshotStore.Name);
        services.AddSingleton<IGrainPropertiesProvider, KnownEvents>();
        services.AddSingleton<SilosByVersion>();
        services.AddHostedService<FollowerKeeper>();
        services.AddHostedService<SweeperKeeper>();
        return services;
    }
}
