using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Runtime;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Host.Cluster;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>What did not reach its grain, or was not stored there, is asked again, for as long as somebody waits for it.</summary>
public sealed class RedeliveryTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    static readonly string Stream = Keys.OfStock("LON", "A");

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

    [Fact]
    public async Task What_was_not_stored_because_another_activation_was_faster_is_asked_again()
    {
        await using var silos = await Start(Patience);
        await silos.Receive("LON", "A", 5);
        Assert.IsType<AppendResult.Committed>(await silos.Log.Append(new Append(new StreamEvents(
            Stream, 1, [new NewEvent(new StockReceived(3, "seen by the other"), "other", "test", DateTimeOffset.UtcNow)]))));
        var appends = 0;
        silos.Faults.OnAppend = a =>
        {
            if (a.Main.Stream == Stream) Interlocked.Increment(ref appends);
            return null;
        };
        await silos.Receive("LON", "A", 1);
        Assert.Equal(2, appends);
        Assert.Equal(9, (await silos.Stock("LON", "A").Get()).OnHand);
    }

    [Theory, InlineData(FaultyLog.Fault.BeforeCommit), InlineData(FaultyLog.Fault.AfterCommit)]
    public async Task What_may_have_been_stored_is_not_asked_again(FaultyLog.Fault fault)
    {
        await using var silos = await Start(Patience);
        var appends = 0;
        silos.Faults.OnAppend = a => a.Main.Stream == Stream && Interlocked.Increment(ref appends) == 1 ? fault : null;
        await Assert.ThrowsAsync<LogUnavailableException>(() => silos.Receive("LON", "A", 5));
        Assert.Equal(1, appends);
    }

    static Task<Silos> Start(TimeSpan patience) => Silos.Start(adjustClient: client => client
        .AddSingleton<IOutgoingGrainCallFilter>(new Redelivery(patience))
        .Configure<GatewayOptions>(o => o.GatewayListRefreshPeriod = TimeSpan.FromMilliseconds(200)));
}
