using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Stock;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>A snapshot whose last events are not in the log: those of a server that was lost.</summary>
public sealed class StockSnapshotTests : IAsyncLifetime
{
    const int Events = 520, Lost = 2;

    Silos _silos = null!;

    public async ValueTask InitializeAsync() => _silos = await Silos.Start();
    public ValueTask DisposeAsync() => _silos.DisposeAsync();

    [Fact]
    public async Task One_that_is_ahead_of_its_log_is_not_believed_then_nor_when_the_log_has_come_as_far()
    {
        var stream = Keys.OfStock("LON", "C");
        await _silos.Log.Append(new Append(new StreamEvents(stream, 0, [.. Enumerable.Range(1, Events).Select(n =>
            new NewEvent(new StockReceived(1, "test"), $"c{n}", "test", DateTimeOffset.UtcNow))])));
        await _silos.Cluster.Silos[0].ServiceProvider.GetRequiredKeyedService<IGrainStorage>(SnapshotStore.Name).WriteStateAsync(
            "stock-snapshot", GrainId.Create("oms-stock", stream), new GrainState<StockSnapshot>(
                new StockSnapshot { Version = Events + Lost, OnHand = 7, KnownEvents = EventTypes.Count }));

        var stock = _silos.Stock("LON", "C");
        Assert.Equal((Events, Events), Told(await stock.Get()));
        for (var n = 1; n <= Lost; n++)
        {
            await stock.Execute(new ReceiveStock($"r{n}", 1, "test"), "test");
            var management = _silos.Grains.GetGrain<IManagementGrain>(0);
            await management.ForceActivationCollection(TimeSpan.Zero);
            await Silos.Until(async () => await management.GetActivationAddress(stock), place => place is null);
            Assert.Equal((Events + n, Events + n), Told(await stock.Get()));
        }

        static (int, int) Told(StockView view) => (view.Version, view.OnHand);
    }
}
