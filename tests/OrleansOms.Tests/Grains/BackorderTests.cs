using OrleansOms.Contracts.Catalogue;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>Who gets units that become free, through the real grains, followers and database.</summary>
public sealed class BackorderTests : IAsyncLifetime
{
    Silos _silos = null!;

    public async ValueTask InitializeAsync() => _silos = await Silos.Start();
    public ValueTask DisposeAsync() => _silos.DisposeAsync();

    Task PutLondon(bool isActive) => _silos.Grains.GetGrain<IWarehouseGrain>(Keys.Warehouse + "LON").Put(
        new WarehouseDetails(
            "LON", new Address("LON", "1 Dock Road", null, "LON", null, null, "GB"), new GeoPoint(51.5, -1), isActive),
        Silos.By($"active-{isActive}"));

    [Fact]
    public async Task One_arrival_serves_more_orders_than_are_asked_at_once()
    {
        const int Orders = 1050;
        var orders = Enumerable.Range(0, Orders).Select(_ => _silos.NewOrder(lines: ("C", 1))).ToList();
        foreach (var some in orders.Chunk(100))
            await Task.WhenAll(some.Select(o => _silos.Desk.Place(o.Id, o.Command, Silos.By(o.Id))));
        await _silos.Receive("LON", "C", Orders);
        await Silos.Until(
            () => _silos.Database.Ask<long>("select count(*) from oms.event where type = 'order.allocated.v1' and data ->> 'cause' = 'Arrival'"),
            n => n == Orders);
        Assert.Equal(0, (await _silos.Stock("LON", "C").Get()).Available);
    }

    [Fact]
    public async Task An_order_whose_hold_is_lifted_takes_its_place_in_the_line_and_not_the_first()
    {
        var older = await _silos.Place(lines: ("C", 10));
        var held = await _silos.Place(lines: ("C", 5));
        await _silos.Order(held.Id).Execute(new PlaceHold("fraud", "check", HoldStops.Allocate), Silos.By("hold"));
        // All that follows comes at once, and each of the followers begins with what it likes.
        var goesOn = new TaskCompletionSource();
        _silos.Faults.Reads = goesOn.Task;
        await _silos.Receive("LON", "C", 10);
        await _silos.Order(held.Id).Execute(new LiftHold("fraud"), Silos.By("lift"));
        goesOn.SetResult();

        await _silos.UntilStock("LON", "C", s => s.Available == 0);
        await _silos.UntilOrder(older.Id, o => o.Lines[0].Allocated == 10);
        Assert.Equal(0, (await _silos.Order(held.Id).Get())!.Lines[0].Allocated);
        await _silos.Receive("LON", "C", 5);
        await _silos.UntilOrder(held.Id, o => o.Lines[0].Allocated == 5);
    }

    [Fact]
    public async Task A_warehouse_that_is_active_again_serves_the_orders_that_wait()
    {
        await PutLondon(isActive: false);
        await _silos.Receive("LON", "C", 5);
        var placed = await _silos.Place(lines: ("C", 2));
        Assert.Equal(OrderStatus.Backordered, placed.Status);
        var last = await _silos.Place(lines: ("B", 1)); // Once it is served, the other one has been looked at in vain.
        await _silos.Receive("MAN", "B", 1);
        await _silos.UntilOrder(last.Id, o => o.Lines[0].Allocated == 1);

        await PutLondon(isActive: true);
        await _silos.UntilOrder(placed.Id, o => o.Lines[0].Allocated == 2);
    }
}
