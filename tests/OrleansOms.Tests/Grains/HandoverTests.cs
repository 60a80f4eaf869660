using Orleans.Runtime;
using Orleans.Runtime.Placement;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Stock;
using OrleansOms.Host.Cluster;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>A silo that stops is also the way by which answers of others come back.</summary>
public sealed class HandoverTests
{
    const int Requests = 12;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20), Slow = TimeSpan.FromSeconds(3);

    [Fact]
    public async Task An_answer_that_comes_back_through_a_silo_that_stops_is_not_lost()
    {
        await using var silos = await Silos.Start(adjust: silo => Handover.Add(silo, Patience));
        var goes = silos.Cluster.Silos[0];
        // Nobody has told the client of this one yet: it asks, and is answered, through the other.
        var stays = await silos.Cluster.StartAdditionalSiloAsync();
        RequestContext.Set(IPlacementDirector.PlacementHintKey, stays.SiloAddress);
        IStockGrain[] stocks = [.. Enumerable.Range(0, Requests).Select(n => silos.Stock("LON", $"SKU-{n}"))];
        foreach (var stock in stocks) await stock.Get();
        RequestContext.Clear();

        var slow = new TaskCompletionSource();
        var held = 0;
        silos.Faults.OnAppendAsync = async _ =>
        {
            Interlocked.Increment(ref held);
            await slow.Task;
            return null;
        };
        var received = stocks.Select((s, n) => s.Execute(new ReceiveStock($"r{n}", 1, "test"), "test")).ToList();
        await Silos.Until(() => Task.FromResult(Volatile.Read(ref held)), n => n == Requests);
        var stop = silos.Cluster.StopSiloAsync(goes);
        await Task.WhenAny(stop, Task.Delay(Slow));
        slow.SetResult();

        await Task.WhenAll(received).WaitAsync(Patience);
        await stop;
    }

    [Fact]
    public async Task The_last_silo_waits_for_nobody()
    {
        await using var silos = await Silos.Start(adjust: silo => Handover.Add(silo, TimeSpan.FromMinutes(10)));
        await silos.Cluster.StopSiloAsync(silos.Cluster.Silos[0]).WaitAsync(Patience);
    }
}
