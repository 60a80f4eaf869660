using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shipments;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>The life of orders through the real grains, followers and database.</summary>
public sealed class OrderFlowTests : IAsyncLifetime
{
    Silos _silos = null!;
    int _commands;

    public async ValueTask InitializeAsync() => _silos = await Silos.Start();
    public ValueTask DisposeAsync() => _silos.DisposeAsync();

    Task<OrderView> Released(string id) =>
        _silos.UntilOrder(id, o => o.Shipments.Any(s => s.Status == ShipmentStatus.Released));

    async Task<ShipmentView> Do(string shipment, ShipmentCommand command)
    {
        var reply = await _silos.Shipment(shipment).Execute(command, Silos.By($"{shipment}/{++_commands}"));
        return reply.Value ?? throw new InvalidOperationException(reply.Rejection!.Detail);
    }

    async Task Ship(string shipment, params (string Sku, int Quantity)[] lines)
    {
        SkuUnits[] units = [.. lines.Select(l => new SkuUnits(l.Sku, l.Quantity))];
        await Do(shipment, new PickUnits(units));
        await Do(shipment, new PackShipment([new Package(500, units)]));
        await Do(shipment, new ShipShipment("dhl", "parcel", "T1"));
    }

    static RecordTracking Delivered(int n) =>
        new(ShipmentStatus.Delivered, "at the door", null, DateTimeOffset.UtcNow, $"e{n}");

    [Fact]
    public async Task A_paid_order_goes_from_shelf_to_door_and_its_stock_with_it()
    {
        await _silos.Receive("LON", "A", 10);
        var placed = await _silos.Place(lines: ("A", 6));
        Assert.Equal((OrderStatus.Allocated, 3), (placed.Status, placed.Version));
        Assert.Equal(4, (await _silos.Stock("LON", "A").Get()).Available);

        var released = await Released(placed.Id);
        Assert.Equal(OrderStatus.InFulfilment, released.Status);
        await Ship(released.Shipments[0].Id, ("A", 6));
        await _silos.UntilOrder(placed.Id, o => o.Status == OrderStatus.Shipped);
        var stock = await _silos.UntilStock("LON", "A", s => s.Reserved == 0);
        Assert.Equal((4, 4), (stock.OnHand, stock.Available));

        await Do(released.Shipments[0].Id, Delivered(1));
        var end = await _silos.UntilOrder(placed.Id, o => o.Status == OrderStatus.Delivered);
        Assert.Equal(6, end.Lines[0].Delivered);
    }

    [Fact]
    public async Task Units_that_no_single_warehouse_has_make_one_shipment_each()
    {
        await _silos.Receive("LON", "A", 1);
        await _silos.Receive("MAN", "B", 1);
        var placed = await _silos.Place(lines: [("A", 1), ("B", 1)]);
        var released = await _silos.UntilOrder(placed.Id, o => o.Shipments.Count == 2);
        Assert.Equal(["LON", "MAN"], released.Shipments.Select(s => s.Warehouse).Order());
    }

    [Fact]
    public async Task A_short_pick_corrects_the_stock_and_sources_the_rest_elsewhere()
    {
        await _silos.Receive("LON", "A", 6);
        await _silos.Receive("MAN", "A", 1);
        var placed = await _silos.Place(lines: ("A", 6));
        var first = (await Released(placed.Id)).Shipments[0];
        Assert.Equal("LON", first.Warehouse);
        await Do(first.Id, new PickUnits([new SkuUnits("A", 4)]));

        var again = await _silos.UntilOrder(placed.Id, o => o.Shipments.Count == 2 && o.Lines[0].Backordered == 1);
        Assert.Equal(("MAN", 5), (again.Shipments[1].Warehouse, again.Lines[0].Allocated));
        var london = await _silos.UntilStock("LON", "A", s => s.OnHand == 4);
        Assert.Equal(4, london.Reserved);
        Assert.Equal(1, (await _silos.Stock("MAN", "A").Get()).Reserved);

        await _silos.Receive("LON", "A", 5);
        await _silos.UntilOrder(placed.Id, o => o.Lines[0].Backordered == 0 && o.Shipments.Count == 3);
    }

    [Fact]
    public async Task Units_that_were_not_found_wait_for_an_arrival_whatever_the_books_say()
    {
        await _silos.Receive("LON", "A", 100);
        var placed = await _silos.Place(lines: ("A", 6));
        await Do((await Released(placed.Id)).Shipments[0].Id, new PickUnits([new SkuUnits("A", 3)]));
        await _silos.UntilStock("LON", "A", s => s.OnHand == 97);
        await _silos.UntilOrder(placed.Id, o => o.Lines[0].Backordered == 3);

        // Units that someone else gives back are no arrival either.
        var other = await _silos.Place(PaymentReport.Pending, lines: ("A", 1));
        await _silos.Order(other.Id).Execute(new CancelOrder("c", "x", null), Silos.By("c"));
        var last = await _silos.Place(lines: ("B", 1)); // Once it is served, whoever was to be served before it is.
        await _silos.Receive("MAN", "B", 1);
        await _silos.UntilOrder(last.Id, o => o.Lines[0].Allocated == 1);
        var waiting = (await _silos.Order(placed.Id).Get())!;
        Assert.Equal((3, 3, 1), (waiting.Lines[0].Allocated, waiting.Lines[0].Backordered, waiting.Shipments.Count));

        await _silos.Receive("LON", "A", 1);
        var served = await _silos.UntilOrder(
            placed.Id, o => o.Lines[0].Backordered == 0 && o.Shipments.Count == 2);
        Assert.Equal(("LON", 6), (served.Shipments[1].Warehouse, served.Lines[0].Allocated));
    }

    [Fact]
    public async Task An_order_that_can_leave_is_stored_with_its_shipments_in_one_append()
    {
        await _silos.Receive("LON", "A", 6);
        var appends = new System.Collections.Concurrent.ConcurrentBag<string>();
        _silos.Faults.OnAppend = a =>
        {
            appends.Add(a.Main.Stream);
            return null;
        };
        var placed = await _silos.Place(lines: ("A", 6));
        Assert.Equal((OrderStatus.Allocated, 3, 0), (placed.Status, placed.Version, placed.Shipments.Count));
        var stored = (await _silos.Order(placed.Id).Get())!;
        Assert.Equal((OrderStatus.InFulfilment, 4), (stored.Status, stored.Version));
        Assert.Equal(6, (await _silos.Shipment(stored.Shipments.Single().Id).Get())!.Lines.Single().Quantity);

        // Whoever follows the log finds nothing left to do: the next order's events come after this one's.
        var next = await _silos.Place(PaymentReport.Pending, lines: ("A", 1));
        await Silos.Until(() => _silos.Database.Ask<long>("select count(*) from oms.waiting"), n => n == 1);
        Assert.Single(appends, placed.Id);
        Assert.Single(appends, next.Id);
    }

    [Fact]
    public async Task Cancelling_frees_the_stock_exactly_once_before_and_during_fulfilment()
    {
        await _silos.Receive("LON", "A", 10);
        var waiting = await _silos.Place(PaymentReport.Pending, lines: ("A", 3));
        Assert.Null((await _silos.Order(waiting.Id).Execute(new CancelOrder("c", "x", null), Silos.By("c"))).Rejection);
        Assert.Equal(10, (await _silos.Stock("LON", "A").Get()).Available);

        var paid = await _silos.Place(lines: ("A", 4));
        var shipment = (await Released(paid.Id)).Shipments[0].Id;
        await Do(shipment, new PickUnits([new SkuUnits("A", 4)]));
        var one = await _silos.Order(paid.Id).Execute(new CancelOrder("c1", "x", [new LineUnits(1, 1)]), Silos.By("c1"));
        Assert.Equal(1, one.Value!.Lines[0].Cancelled);
        Assert.Equal(7, (await _silos.Stock("LON", "A").Get()).Available);
        var all = await _silos.Order(paid.Id).Execute(new CancelOrder("c2", "x", null), Silos.By("c2"));
        Assert.Equal(OrderStatus.Cancelled, all.Value!.Status);
        Assert.Equal(ShipmentStatus.Cancelled, (await _silos.Shipment(shipment).Get())!.Status);

        var last = await _silos.Place(lines: ("A", 1)); // Whatever the follower does again has happened by then.
        await Released(last.Id);
        var stock = await _silos.Stock("LON", "A").Get();
        Assert.Equal((10, 1), (stock.OnHand, stock.Reserved));
    }

    [Fact]
    public async Task Units_of_a_packed_shipment_are_freed_once_and_the_rest_is_packed_again()
    {
        await _silos.Receive("LON", "A", 10);
        var placed = await _silos.Place(lines: ("A", 4));
        var shipment = (await Released(placed.Id)).Shipments[0].Id;
        await Do(shipment, new PickUnits([new SkuUnits("A", 4)]));
        await Do(shipment, new PackShipment([new Package(500, [new SkuUnits("A", 4)])]));

        var part = new CancelOrder("c1", "x", [new LineUnits(1, 1)]);
        var replies = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => _silos.Order(placed.Id).Execute(part, Silos.By("c1"))));
        Assert.All(replies, r => Assert.Equal(1, r.Value!.Lines[0].Cancelled));
        Assert.Equal(7, (await _silos.Stock("LON", "A").Get()).Available);
        var opened = (await _silos.Shipment(shipment).Get())!;
        Assert.Equal((ShipmentStatus.Picking, 0, 3), (opened.Status, opened.Packages.Count, opened.Lines[0].Picked));
        var told = await _silos.UntilOrder(placed.Id, o => o.Shipments[0].Status == ShipmentStatus.Picking);
        Assert.Equal(OrderStatus.InFulfilment, told.Status);
        Assert.Equal(
            "shipment_not_packed",
            (await _silos.Shipment(shipment).Execute(new ShipShipment("dhl", "parcel", "T1"), Silos.By("s"))).Rejection?.Code);

        await Do(shipment, new PackShipment([new Package(400, [new SkuUnits("A", 3)])]));
        await Do(shipment, new ShipShipment("dhl", "parcel", "T1"));
        await _silos.UntilOrder(placed.Id, o => o.Status == OrderStatus.Shipped && o.Lines[0].Shipped == 3);
        var stock = await _silos.UntilStock("LON", "A", s => s.Reserved == 0);
        Assert.Equal((7, 7), (stock.OnHand, stock.Available));
        var late = await _silos.Order(placed.Id).Execute(new CancelOrder("c2", "x", [new LineUnits(1, 1)]), Silos.By("c2"));
        Assert.Equal("order_not_cancellable", late.Rejection?.Code);
    }

    [Fact]
    public async Task Cancelling_after_it_left_is_refused_and_changes_nothing()
    {
        await _silos.Receive("LON", "A", 2);
        var placed = await _silos.Place(lines: ("A", 2));
        await Ship((await Released(placed.Id)).Shipments[0].Id, ("A", 2));
        foreach (var lines in new LineUnits[]?[] { null, [new LineUnits(1, 1)], null })
        {
            var reply = await _silos.Order(placed.Id).Execute(new CancelOrder("c", "x", lines), Silos.By("c"));
            Assert.Equal("order_not_cancellable", reply.Rejection?.Code);
        }
        var shipped = await _silos.UntilOrder(placed.Id, o => o.Status == OrderStatus.Shipped);
        Assert.Equal((8, 0), (shipped.Version, shipped.Lines[0].Cancelled));
        Assert.Equal(
            [
                typeof(OrderPlaced), typeof(PaymentRecorded), typeof(OrderAllocated), typeof(ShipmentReleased),
                typeof(ShipmentProgressed), typeof(ShipmentProgressed), typeof(UnitsShipped), typeof(ShipmentProgressed),
            ],
            (await _silos.Log.ReadStream(placed.Id)).Select(e => e.Data!.GetType()));
    }

    [Fact]
    public async Task Cancelling_more_than_can_be_given_back_is_refused_and_takes_nothing()
    {
        await _silos.Receive("LON", "A", 2);
        await _silos.Receive("MAN", "A", 1);
        var placed = await _silos.Place(lines: ("A", 3));
        var released = await _silos.UntilOrder(placed.Id, o => o.Shipments.Count == 2);
        var (gone, here) = (released.Shipments.Single(s => s.Warehouse == "LON"), released.Shipments.Single(s => s.Warehouse == "MAN"));
        await Ship(gone.Id, ("A", 2));
        var more = await _silos.Order(placed.Id).Execute(new CancelOrder("c1", "x", [new LineUnits(1, 3)]), Silos.By("c1"));
        Assert.Equal("order_not_cancellable", more.Rejection?.Code);
        Assert.Equal(1, (await _silos.Shipment(here.Id).Get())!.Lines.Single().Quantity);
        Assert.DoesNotContain(
            await _silos.Log.ReadStream(placed.Id), e => e.Data is CancellationRequested or UnitsCancelled);

        var rest = await _silos.Order(placed.Id).Execute(new CancelOrder("c2", "x", null), Silos.By("c2"));
        Assert.Equal((1, 2), (rest.Value!.Lines[0].Cancelled, rest.Value.Lines[0].Shipped));
    }

    [Fact]
    public async Task Units_that_a_picker_did_not_find_are_cancelled_with_the_others()
    {
        await _silos.Receive("LON", "A", 3);
        var placed = await _silos.Place(lines: ("A", 3));
        await Do((await Released(placed.Id)).Shipments[0].Id, new PickUnits([new SkuUnits("A", 1)]));
        var all = await _silos.Order(placed.Id).Execute(new CancelOrder("c", "x", [new LineUnits(1, 3)]), Silos.By("c"));
        Assert.Equal((OrderStatus.Cancelled, 3), (all.Value!.Status, all.Value.Lines[0].Cancelled));
    }

    [Fact]
    public async Task Arriving_stock_goes_to_the_oldest_promise_first_wherever_it_arrives()
    {
        var orders = new List<OrderView>();
        for (var i = 0; i < 3; i++) orders.Add(await _silos.Place(lines: ("C", 2)));
        Assert.All(orders, o => Assert.Equal(OrderStatus.Backordered, o.Status));
        await _silos.Receive("MAN", "C", 3);
        await _silos.UntilOrder(orders[0].Id, o => o.Lines[0].Allocated == 2);
        await _silos.UntilOrder(orders[1].Id, o => o.Lines[0].Allocated == 1);
        Assert.Equal(2, (await _silos.Order(orders[2].Id).Get())!.Lines[0].Backordered);
        await _silos.Receive("LON", "C", 100);
        await _silos.UntilOrder(orders[2].Id, o => o.Lines[0].Allocated == 2);
    }

    [Fact]
    public async Task Many_buyers_of_the_last_units_never_get_more_than_there_are()
    {
        await _silos.Receive("LON", "A", 10);
        await _silos.Receive("MAN", "A", 10);
        var orders = Enumerable.Range(0, 60).Select(_ => _silos.NewOrder(policy: StockPolicy.Reject, lines: ("A", 1))).ToList();
        var replies = await Task.WhenAll(orders.Select(o => _silos.Desk.Place(o.Id, o.Command, Silos.By(o.Id))));
        Assert.Equal(20, replies.Count(r => r.Value is not null));
        Assert.All(replies.Where(r => r.Value is null), r => Assert.Equal("insufficient_stock", r.Rejection!.Code));
        Assert.Equal(0, (await _silos.Stock("LON", "A").Get()).Available + (await _silos.Stock("MAN", "A").Get()).Available);
    }

    [Fact]
    public async Task A_refused_order_leaves_nothing_reserved_and_gets_the_same_answer_again()
    {
        await _silos.Receive("LON", "A", 5);
        var (id, command) = _silos.NewOrder(policy: StockPolicy.Reject, lines: [("A", 3), ("B", 1)]);
        Assert.Equal("insufficient_stock", (await _silos.Desk.Place(id, command, Silos.By(id))).Rejection?.Code);
        Assert.Equal(5, (await _silos.Stock("LON", "A").Get()).Available);
        await _silos.Receive("LON", "B", 5);
        Assert.Equal("insufficient_stock", (await _silos.Desk.Place(id, command, Silos.By(id))).Rejection?.Code);
        Assert.Null(await _silos.Order(id).Get());
    }

    [Fact]
    public async Task One_external_id_is_one_order_for_ever()
    {
        await _silos.Receive("LON", "A", 50);
        var orders = Enumerable.Range(0, 10).Select(_ => _silos.NewOrder(lines: ("A", 1)))
            .Select(o => (o.Id, Command: o.Command with { ExternalId = "same" })).ToList();
        var replies = await Task.WhenAll(orders.Select(o => _silos.Desk.Place(o.Id, o.Command, Silos.By(o.Id))));
        var winner = Assert.Single(replies, r => r.Value is not null).Value!;
        Assert.All(replies.Where(r => r.Value is null), r =>
        {
            Assert.Equal("duplicate_order", r.Rejection!.Code);
            Assert.Equal(winner.Id, r.Rejection.Data!["orderId"]);
        });
        Assert.Equal(1, (await _silos.Stock("LON", "A").Get()).Reserved);
    }
}
