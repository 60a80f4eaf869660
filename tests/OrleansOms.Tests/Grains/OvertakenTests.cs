using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Stock;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Grains;

/// <summary>
/// An activation that another one of the same aggregate has overtaken: what is stored behind its back stands for what the
/// other one did.
/// </summary>
public sealed class OvertakenTests(OmsApp app) : IClassFixture<OmsApp>
{
    static readonly Caller Test = new("overtaken", "test");

    IGrainFactory Grains => app.Services.GetRequiredService<IGrainFactory>();

    async Task Store(string stream, DomainEvent e)
    {
        var log = app.Services.GetRequiredService<IEventLog>();
        var version = (await log.ReadStream(stream))[^1].Version;
        Assert.IsType<AppendResult.Committed>(await log.Append(new Append(new StreamEvents(
            stream, version, [new NewEvent(e, Guid.NewGuid().ToString("N"), "other", DateTimeOffset.UtcNow)]))));
    }

    [Fact]
    public async Task A_stock_does_not_refuse_what_has_come_in()
    {
        var sku = await app.NewProduct(5);
        var stock = Grains.GetGrain<IStockGrain>(Keys.OfStock("LON", sku));
        Assert.Equal(5, (await stock.Get()).OnHand);
        await Store(Keys.OfStock("LON", sku), new StockReceived(5, "seen by the other"));
        var reply = await stock.Execute(new ReserveStock("r1", "ord-1", [new LineUnits(1, 8)]), "test");
        Assert.Null(reply.Rejection);
        Assert.Equal((10, 8), (reply.Value!.OnHand, reply.Value.Reserved));
    }

    [Fact]
    public async Task A_stock_does_not_call_done_what_it_has_not_heard_of()
    {
        var sku = await app.NewProduct(5);
        var stock = Grains.GetGrain<IStockGrain>(Keys.OfStock("LON", sku));
        await stock.Get();
        await Store(Keys.OfStock("LON", sku), new StockReserved("ord-1", [new LineUnits(1, 2)]));
        var reply = await stock.Execute(new ShipStock("s1", "ord-1", "shp-1", [new LineUnits(1, 2)]), "test");
        Assert.Equal((3, 0), (reply.Value!.OnHand, reply.Value.Reserved));
    }

    [Fact]
    public async Task A_product_is_put_again_that_the_other_one_has_changed()
    {
        var sku = await app.NewProduct();
        var (first, other) = (new ProductDetails("first", null, null), new ProductDetails("other", null, null));
        var product = Grains.GetGrain<IProductGrain>(Keys.Product + sku);
        await product.Put(first, Test);
        await Store(Keys.Product + sku, new ProductPut(sku, other));
        await product.Put(first, Test with { CommandId = "overtaken again" });
        var events = await app.Services.GetRequiredService<IEventLog>().ReadStream(Keys.Product + sku);
        Assert.Equal(first, ((ProductPut)events[^1].Data!).Details);
    }

    [Fact]
    public async Task Who_only_looks_is_shown_what_is_stored()
    {
        var sku = await app.NewProduct(5);
        var id = (await app.Api.Place(Api.Order((sku, 1)))).Id();
        var (order, shipment) = (Grains.GetGrain<IOrderGrain>(id), Grains.GetGrain<IShipmentGrain>(Keys.OfShipment(id, 1)));
        var stock = Grains.GetGrain<IStockGrain>(Keys.OfStock("LON", sku));
        await app.CountEvents();
        await order.Get();
        await shipment.Get();
        await stock.Get();

        // Nobody commands any of them afterwards, and all have looked a moment ago.
        await Store(id, new HoldPlaced("look", "seen by the other", HoldStops.Allocate));
        Assert.Equal("look", Assert.Single((await order.Get())!.Holds).Name);
        await Store(Keys.OfStock("LON", sku), new StockReceived(5, "seen by the other"));
        Assert.Equal(10, (await stock.Get()).OnHand);
        await Store(Keys.OfShipment(id, 1), new UnitsPicked([new PickedUnits(1, sku, 1, 0)]));
        Assert.Equal(ShipmentStatus.Picking, (await shipment.Get())!.Status);
    }

    [Fact]
    public async Task Many_who_look_at_once_while_it_changes_are_each_shown_what_was_stored_when_they_asked()
    {
        var sku = await app.NewProduct(5);
        var stock = Grains.GetGrain<IStockGrain>(Keys.OfStock("LON", sku));
        await stock.Get();
        for (var stored = 5; stored < 55; stored++)
        {
            Task<StockView>[] before = [.. Enumerable.Range(0, 8).Select(_ => stock.Get())];
            await Store(Keys.OfStock("LON", sku), new StockReceived(1, "seen by the other"));
            StockView[] after = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => stock.Get()));
            Assert.All(after, s => Assert.Equal(stored + 1, s.OnHand));
            Assert.All(await Task.WhenAll(before), s => Assert.InRange(s.OnHand, stored, stored + 1));
        }
    }

    [Fact]
    public async Task Who_looks_while_an_append_is_not_answered_yet_is_not_shown_what_was_overtaken_since()
    {
        await using var silos = await Silos.Start();
        var (key, stock) = (Keys.OfStock("LON", "A"), silos.Stock("LON", "A"));
        var onHand = (await stock.Get()).OnHand;
        for (var round = 0; round < 10; round++)
        {
            var (stored, answered) = (new TaskCompletionSource(), new TaskCompletionSource());
            silos.Faults.OnStored = async append =>
            {
                if (append.Main.Stream != key) return;
                stored.TrySetResult();
                await answered.Task;
            };
            var first = stock.Execute(new ReceiveStock($"first-{round}", 1, "test"), "test");
            await stored.Task;
            var version = (await silos.Log.ReadStream(key))[^1].Version;
            Assert.IsType<AppendResult.Committed>(await silos.Log.Append(new Append(new StreamEvents(
                key, version, [new NewEvent(new StockReceived(1, "seen by the other"), $"other-{round}", "other", DateTimeOffset.UtcNow)]))));
            onHand += 2;

            // Both wait for the first one; then the second is under way before the look goes on, and is not stored for a while.
            var look = stock.Get();
            silos.Faults.OnAppendAsync = async append =>
            {
                if (append.Main.Stream == key) await Task.WhenAny(look, Task.Delay(200));
                return null;
            };
            var second = stock.Execute(new ReceiveStock($"second-{round}", 1, "test"), "test");
            await silos.Grains.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics();
            answered.SetResult();
            await first;
            try { Assert.InRange((await look).OnHand, onHand, onHand + 1); }
            catch (AggregateReloadedException) { } // It is told that it does not know.
            // It is refused by the log, unless it came when the look had told what the other one has done.
            try
            {
                await second;
                onHand++;
            }
            catch (AggregateReloadedException) { }
            (silos.Faults.OnStored, silos.Faults.OnAppendAsync) = (null, null);
            Assert.Equal(onHand, (await stock.Get()).OnHand);
        }
    }

    [Fact]
    public async Task An_order_decides_on_what_is_stored()
    {
        var placed = await app.PlaceNew();
        var id = placed.Id();
        await app.CountEvents();
        var order = Grains.GetGrain<IOrderGrain>(id);
        Assert.Empty((await order.Get())!.Holds);
        await Store(id, new HoldPlaced("look", "why", HoldStops.Release));
        var lifted = await order.Execute(new LiftHold("look"), Test);
        Assert.Null(lifted.Rejection);
        Assert.Contains((await app.Services.GetRequiredService<IEventLog>().ReadStream(id)), e => e.Data is HoldLifted);
    }

    [Fact]
    public async Task What_somebody_is_shown_of_an_order_changes_nothing_for_a_command_that_is_under_way()
    {
        var withdrawn = new AfterCall(nameof(IShipmentGrain.Withdraw));
        await using var silos = await Silos.Start(adjust: services => services.AddSingleton<IIncomingGrainCallFilter>(withdrawn));
        await silos.Receive("LON", "A", 5);
        var id = (await silos.Place(lines: ("A", 5))).Id;
        await silos.UntilOrder(id, o => o.Shipments.Count == 1);
        await silos.UntilHandled("fulfilment");
        // Another activation ends the cancellation while this one waits for the shipment, and somebody looks.
        withdrawn.Do = async () =>
        {
            var order = (await silos.Log.ReadStream(id)).Aggregate(new Order(id), (o, e) => o.Apply((OrderEvent)e.Known()));
            var ends = OrderDecider.Decide(
                order, new CompleteCancellation([new ShipmentUnits(Keys.OfShipment(id, 1), [new LineUnits(1, 5)])]), DateTimeOffset.UtcNow);
            Assert.IsType<AppendResult.Committed>(await silos.Log.Append(new Append(new StreamEvents(
                id, order.Version, [.. ends.Events.Select(e => new NewEvent(e, "other", "test", DateTimeOffset.UtcNow))]))));
            Assert.Equal(OrderStatus.Cancelled, (await silos.Order(id).Get())!.Status);
        };
        var cancel = new CancelOrder("c1", "why", null);
        await Assert.ThrowsAsync<AggregateReloadedException>(() => silos.Order(id).Execute(cancel, Silos.By("cancel")));
        Assert.Null((await silos.Order(id).Execute(cancel, Silos.By("cancel"))).Rejection);
        Assert.Single((await silos.Log.ReadStream(id)).Select(e => e.Data).OfType<UnitsCancelled>());
        await silos.UntilStock("LON", "A", s => s is { OnHand: 5, Reserved: 0 });
    }
}
