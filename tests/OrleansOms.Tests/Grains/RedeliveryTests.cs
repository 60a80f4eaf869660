using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Runtime;
using OrleansOms.Host.Cluster;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>What did not reach its grain is asked again, for as long as somebody waits for it.</summary>
public sealed class RedeliveryTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    [Fact]
    public async Task What_no_silo_takes_is_asked_again_until_one_does()
    {
        await using var silos = await Start(Patience);
        await silos.Cluster.StopSiloAsync(silos.Cluster.Silos[0]);
        var asked = silos.Stock("LON", "A").Get();
        await silos.Cluster.StartAdditionalSiloAsync();
        Assert.Equal("A", (await asked.WaitAsync(Patience)).Sku);
    }

    [Fact]
    public async Task Whoever_waits_for_nobody_is_told_in_the_end()
    {
        await using var silos = await Start(TimeSpan.FromMilliseconds(300));
        await silos.Cluster.StopSiloAsync(silos.Cluster.Silos[0]);
        await Assert.ThrowsAnyAsync<OrleansException>(() => silos.Stock("LON", "A").Get());
    }

    static Task<Silos> Start(TimeSpan patience) => Silos.Start(adjustClient: client => client
        .AddSingleton<IOutgoingGrainCallFilter>(new Redelivery(patience))
        .Configure<GatewayOptions>(o => o.GatewayListRefreshPeriod = TimeSpan.FromMilliseconds(200)));
}
