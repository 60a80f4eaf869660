using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Grains;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>Whoever waits is told when the time is up, and whoever does not costs nothing.</summary>
public sealed class WaitTests
{
    const string Waiting = "select count(*) from oms.waiting", Reminders = "select count(*) from oms.orleans_reminder";

    /// <summary>A silo that is lost is missed, its sweepers' reminders are read again, and their minute passes.</summary>
    static readonly TimeSpan UntilWoken = TimeSpan.FromMinutes(4);

    [Fact]
    public async Task Unpaid_orders_are_cancelled_and_their_stock_freed_when_their_time_is_up_however_many_they_are()
    {
        const int many = 700; // more than a sweeper reads at once
        await using var silos = await Silos.Start(new OmsSettings { PaymentWindow = TimeSpan.FromSeconds(3) });
        await silos.Receive("LON", "A", many);
        var placed = await Task.WhenAll(Enumerable.Range(0, many).Select(_ => silos.Place(PaymentReport.Pending, lines: ("A", 1))));
        Assert.All(placed, o => Assert.Equal(OrderStatus.AwaitingPayment, o.Status));
        Assert.All(placed, o => Assert.NotNull(o.PaymentDueAt));
        await silos.UntilStock("LON", "A", s => s.Available == many);
        await Silos.Until(() => silos.Database.Ask<long>(Waiting), n => n == 0);
        Assert.Equal(many, await silos.Database.Ask<long>("""
            select count(*) from oms.event c join oms.event p on p.stream = c.stream and p.type = 'order.placed.v1'
            where c.type = 'order.units-cancelled.v1' and c.at >= (p.data ->> 'paymentDueAt')::timestamptz
            """));
    }

    [Fact]
    public async Task An_order_that_was_paid_in_part_waits_no_more_when_a_person_has_to_decide()
    {
        await using var silos = await Silos.Start(new OmsSettings { PaymentWindow = TimeSpan.FromSeconds(3) });
        await silos.Receive("LON", "A", 1);
        var order = await silos.Place(PaymentReport.Pending, lines: ("A", 1));
        await silos.Order(order.Id).Execute(new RecordPayment(PaymentReport.Paid, 1m, "pi"), Silos.By("pay"));
        await silos.UntilOrder(order.Id, o => o.Status == OrderStatus.OnHold);
        await Silos.Until(() => silos.Database.Ask<long>(Waiting), n => n == 0);
    }

    [Fact]
    public async Task An_order_that_was_placed_with_its_money_is_cancelled_when_that_has_failed_and_its_time_is_up()
    {
        await using var silos = await Silos.Start(new OmsSettings { PaymentWindow = TimeSpan.FromSeconds(3) });
        await silos.Receive("LON", "A", 1);
        var order = await silos.Place(PaymentReport.Authorized, lines: ("A", 1));
        var failed = await silos.Order(order.Id).Execute(new RecordPayment(PaymentReport.Failed, 12m, "pi"), Silos.By("fail"));
        Assert.NotNull(failed.Value!.PaymentDueAt);
        await silos.UntilOrder(order.Id, o => o.Status == OrderStatus.Cancelled);
        await silos.UntilStock("LON", "A", s => s.Available == 1);
        await Silos.Until(() => silos.Database.Ask<long>(Waiting), n => n == 0);
    }

    [Fact]
    public async Task Money_that_comes_while_a_time_out_waits_for_the_warehouse_keeps_the_order()
    {
        await using var silos = await Silos.Start(new OmsSettings { PaymentWindow = TimeSpan.FromSeconds(3) });
        await silos.Receive("LON", "A", 1);
        var order = await silos.Place(PaymentReport.Authorized, lines: ("A", 1));
        await silos.UntilOrder(order.Id, o => o.Shipments.Count == 1);
        silos.Faults.OnAppend = a => a.Main.Events.Any(e => e.Data is UnitsWithdrawn) ? FaultyLog.Fault.BeforeCommit : null;
        await silos.Order(order.Id).Execute(new RecordPayment(PaymentReport.Failed, 12m, "pi"), Silos.By("fail"));
        await Silos.Until(() => Stored("order.cancellation-requested.v1"), n => n == 1);
        var paid = await silos.Order(order.Id).Execute(new RecordPayment(PaymentReport.Paid, 12m, "pi_2"), Silos.By("pay"));
        Assert.Null(paid.Rejection);
        silos.Faults.OnAppend = null;
        await Silos.Until(() => Stored("order.units-cancelled.v1"), n => n == 1);
        var kept = (await silos.Order(order.Id).Get())!;
        Assert.Equal((OrderStatus.InFulfilment, PaymentStatus.Paid, 0), (kept.Status, kept.PaymentStatus, kept.Lines[0].Cancelled));
        await Leave(silos, kept.Shipments[0].Id);
        await silos.UntilOrder(order.Id, o => o.Status == OrderStatus.Shipped);

        Task<long> Stored(string type) => silos.Database.Ask<long>(
            $"select count(*) from oms.event where stream = '{order.Id}' and type = '{type}'");
    }

    [Fact]
    public async Task A_time_out_is_through_with_the_warehouse_when_it_answers()
    {
        await using var silos = await Silos.Start(new OmsSettings { PaymentWindow = TimeSpan.Zero });
        await silos.Receive("LON", "A", 1);
        var order = await silos.Place(PaymentReport.Authorized, lines: ("A", 1));
        await silos.UntilOrder(order.Id, o => o.Shipments.Count == 1);
        await silos.Database.Execute("alter table oms.waiting rename to not_waiting"); // nobody else tells it
        await silos.Order(order.Id).Execute(new RecordPayment(PaymentReport.Failed, 12m, "pi"), Silos.By("fail"));
        await silos.Order(order.Id).ExpirePayment();
        Assert.Equal(OrderStatus.Cancelled, (await silos.Order(order.Id).Get())!.Status);
    }

    [Fact]
    public async Task A_shipment_that_stays_silent_raises_one_alarm()
    {
        await using var silos = await Silos.Start(new OmsSettings { TrackingSilence = TimeSpan.FromSeconds(1) });
        var id = await Ship(silos);
        await Silos.Until(() => silos.Shipment(id).Get(), s => s!.AlarmSince is not null);
        await Silos.Until(() => silos.Database.Ask<long>(Waiting), n => n == 0);
        await silos.Shipment(id).CheckTracking();
        Assert.Equal(1, await silos.Database.Ask<long>("select count(*) from oms.event where type = 'shipment.tracking-alarm-raised.v1'"));
    }

    [Fact]
    public async Task The_happy_path_waits_for_nothing_until_it_has_left_and_for_nothing_again_when_it_is_there()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 1);
        var order = await silos.Place(lines: ("A", 1));
        var id = (await silos.UntilOrder(order.Id, o => o.Shipments.Count == 1)).Shipments[0].Id;
        await Silos.Until(() => silos.Database.Ask<long>("select count(*) from oms.shipments"), n => n == 1);
        Assert.Equal(0, await silos.Database.Ask<long>(Waiting));
        await Leave(silos, id);
        await Silos.Until(() => silos.Database.Ask<long>(Waiting), n => n == 1);
        await silos.Shipment(id).Execute(
            new RecordTracking(ShipmentStatus.Delivered, "At the door", null, DateTimeOffset.UtcNow, "e1"), Silos.By("t"));
        await Silos.Until(() => silos.Database.Ask<long>(Waiting), n => n == 0);
        Assert.Equal(4, await silos.Database.Ask<long>(Reminders));
    }

    [Fact]
    public async Task Sweepers_that_are_lost_with_their_silo_wake_up_elsewhere()
    {
        await using var silos = await Silos.Start(new OmsSettings { PaymentWindow = TimeSpan.FromSeconds(20) }, silos: 2);
        await Silos.Until(() => silos.Database.Ask<long>(Reminders), n => n == 4);
        await silos.Receive("LON", "A", 40);
        // Enough for each shard to have some.
        for (var i = 0; i < 40; i++) await silos.Place(PaymentReport.Pending, lines: ("A", 1));
        await Silos.Until(() => silos.Database.Ask<long>(Waiting), n => n == 40);
        Assert.Equal(4, await silos.Database.Ask<long>("select count(distinct shard) from oms.waiting"));
        await silos.Cluster.KillSiloAsync(silos.Cluster.Silos[0]);
        await Silos.Until(() => silos.Database.Ask<long>(Waiting), n => n == 0, UntilWoken);
    }

    [Fact]
    public async Task A_reminder_that_an_older_version_has_left_is_heard_and_is_gone()
    {
        await using var silos = await Silos.Start(new OmsSettings { PaymentWindow = TimeSpan.Zero });
        await silos.Receive("LON", "A", 1);
        await Silos.Until(() => silos.Database.Ask<long>(Reminders), n => n == 4);
        await silos.Database.Execute("alter table oms.waiting rename to not_waiting"); // nobody else tells it
        var order = await silos.Place(PaymentReport.Pending, lines: ("A", 1));
        await silos.Database.Execute($"""
            insert into oms.orleans_reminder (service, grain_id, name, grain_hash, start_time, period, version)
            select min(service), 'oms-order/{order.Id}', 'payment-due', 1, now(), 1800000, 1 from oms.orleans_reminder
            """);
        await silos.Order(order.Id).AsReference<IRemindable>().ReceiveReminder("payment-due", default);
        Assert.Equal(OrderStatus.Cancelled, (await silos.Order(order.Id).Get())!.Status);
        Assert.Equal(0, await silos.Database.Ask<long>("select count(*) from oms.orleans_reminder where name = 'payment-due'"));
    }

    static async Task<string> Ship(Silos silos)
    {
        await silos.Receive("LON", "A", 1);
        var order = await silos.Place(lines: ("A", 1));
        var id = (await silos.UntilOrder(order.Id, o => o.Shipments.Count == 1)).Shipments[0].Id;
        await Leave(silos, id);
        return id;
    }

    static async Task Leave(Silos silos, string id)
    {
        SkuUnits[] units = [new("A", 1)];
        await silos.Shipment(id).Execute(new PickUnits(units), Silos.By("p"));
        await silos.Shipment(id).Execute(new PackShipment([new Package(1, units)]), Silos.By("k"));
        await silos.Shipment(id).Execute(new ShipShipment("dhl", "parcel", null), Silos.By("s"));
    }
}
