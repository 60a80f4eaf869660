using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Grains;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Laws;

/// <summary>The running program holds the laws over its own log and says which one is broken.</summary>
public sealed class LawWatchTests
{
    const string Alarms = "select count(*) from oms.event where type = 'law.broken.v1'";

    [Fact]
    public async Task A_broken_law_is_an_alarm_once_and_is_counted_and_good_work_raises_none()
    {
        await using var app = await OmsApp.Start();
        using var counted = new Counted(app.Services.GetRequiredService<IMeterFactory>(), "oms.laws.broken");

        var sku = await app.NewProduct(5);
        var order = await app.Api.Place(Api.Order((sku, 2)));
        await Heard(app);
        Assert.Equal(0, await app.Database.Ask<long>(Alarms));

        var log = app.Services.GetRequiredService<IEventLog>();
        var stock = Keys.OfStock("LON", sku);
        var version = (await log.ReadStream(stock))[^1].Version;
        // Nobody decided this: six units are promised of the three that are left.
        await Store(log, stock, version, new StockReserved("ord-nobody", [new LineUnits(1, 6)]));
        await OmsApp.Until(() => app.Database.Ask<long>(Alarms), n => n > 0);
        await Store(log, stock, version + 1, new StockReceived(1, "one more does not help"));
        await Heard(app);
        var alarms = await log.ReadStream(LawBroken.StreamOf(Law.NoOversell, stock));
        var broken = Assert.IsType<LawBroken>(Assert.Single(alarms).Data);
        Assert.Equal((Law.NoOversell, stock, "8 reserved, 5 on hand at version 3"), (broken.Law, broken.Aggregate, broken.Numbers));
        Assert.Equal(1, await app.Database.Ask<long>(Alarms));
        Assert.Equal(1, counted.Sum);

        // It is told once, also after a restart, and what goes on is held against what was before.
        await app.Restart();
        log = app.Services.GetRequiredService<IEventLog>();
        await Store(log, stock, version + 2, new StockShipped("ord-other", "shp-other", [new LineUnits(1, 1)]));
        await OmsApp.Until(() => log.ReadStream(LawBroken.StreamOf(Law.EndsOnce, stock)), e => e.Count == 1);
        Assert.Equal(2, await app.Database.Ask<long>(Alarms));
        Assert.NotNull(order);
    }

    [Fact]
    public async Task A_list_that_does_not_say_what_the_log_says_is_told()
    {
        await using var app = await OmsApp.Start();
        var order = await app.Api.Place(Api.Order((await app.NewProduct(5), 2)));
        await app.Released(order);
        await Heard(app);
        await app.Database.Execute("update oms.orders set number = 'another'");
        await app.CancelOne(order);
        var log = app.Services.GetRequiredService<IEventLog>();
        var alarms = await OmsApp.Until(
            () => log.ReadStream(LawBroken.StreamOf(Law.ListsAreTheLog, order.Id())), e => e.Count == 1);
        Assert.StartsWith("number is another, by the log ", ((LawBroken)alarms[0].Data!).Numbers, StringComparison.Ordinal);
        Assert.Equal(1, await app.Database.Ask<long>(Alarms));
    }

    [Fact]
    public async Task An_order_that_stands_still_beyond_its_limit_gets_an_alarm_at_the_second_look()
    {
        var time = new ShiftedTime();
        await using var app = new OmsApp { Adjust = services => services.AddSingleton<TimeProvider>(time) };
        await app.InitializeAsync();
        using var counted = new Counted(app.Services.GetRequiredService<IMeterFactory>(), "oms.alarms", "order-stands-still");
        var sku = await app.NewProduct(1);
        await app.Released(await app.Api.Place(Api.Order((sku, 1))));
        var waits = await app.Api.Place(Api.Order((sku, 2)));
        await Heard(app);
        var log = app.Services.GetRequiredService<IEventLog>();

        // Beyond its promise, for the first time.
        time.Ahead = TimeSpan.FromDays(15);
        await Task.Delay(TimeSpan.FromSeconds(3));
        Assert.Equal(0, await app.Database.Ask<long>(Alarms));
        // However late the watch looks, it looks again some minutes later.
        var alarms = await OmsApp.Until(() =>
        {
            time.Ahead += TimeSpan.FromMinutes(1);
            return log.ReadStream(LawBroken.StreamOf(Law.NothingLost, waits.Id()));
        }, e => e.Count == 1);
        Assert.Contains("not moved since", ((LawBroken)alarms[0].Data!).Numbers, StringComparison.Ordinal);
        Assert.Equal(1, await app.Database.Ask<long>(Alarms));
        await OmsApp.Until(() => Task.FromResult(counted.Sum), sum => sum == 1);
    }

    [Fact]
    public async Task A_reservation_that_no_order_has_for_more_than_five_minutes_is_told()
    {
        // Nobody settles it meanwhile.
        await using var app = await OmsApp.Start(("Oms:ReservationGrace", "1.00:00:00"));
        using var counted = new Counted(app.Services.GetRequiredService<IMeterFactory>(), "oms.laws.broken");
        var log = app.Services.GetRequiredService<IEventLog>();
        var (young, old) = (Keys.OfStock("LON", await app.NewProduct(5)), Keys.OfStock("LON", await app.NewProduct(5)));
        foreach (var (stock, minutes) in ((string, int)[])[(young, 3), (old, 6)])
            await Store(log, stock, 1, new StockReserved("ord-nobody", [new LineUnits(1, 2)]), TimeSpan.FromMinutes(minutes));
        var alarms = await OmsApp.Until(
            () => log.ReadStream(LawBroken.StreamOf(Law.ReservationsAreAllocations, old)), e => e.Count == 1);
        Assert.StartsWith(
            "2 reserved, 0 allocated for ord-nobody line 1 since ", ((LawBroken)alarms[0].Data!).Numbers, StringComparison.Ordinal);
        await Heard(app);
        Assert.Equal(1, await app.Database.Ask<long>(Alarms));
        Assert.Equal(1, counted.Sum);
    }

    [Fact]
    public async Task A_cart_that_does_not_end_when_its_time_is_long_over_gets_an_alarm()
    {
        var time = new ShiftedTime();
        await using var silos = await Silos.Start(adjust: silo => silo.AddSingleton<TimeProvider>(time));
        using var counted = new Counted(
            silos.Cluster.Silos[0].ServiceProvider.GetRequiredService<IMeterFactory>(), "oms.alarms", "order-stands-still");
        await silos.Receive("LON", "A", 3);
        var cart = (await CartSteps.Reserve(silos, CartSteps.NewId(), TimeSpan.FromMinutes(1), true, ("A", 2))).Value!;
        Assert.Null((await CartSteps.Reserve(silos, CartSteps.NewId(), OrderCarts.Longest, true, ("A", 1))).Rejection);
        foreach (var follower in (string[])["law-watch", "read-model"]) await silos.UntilHandled(follower);
        // It is told that its time is up, and cannot store its end.
        silos.Faults.OnAppend = a => a.Main.Events.Any(e => e.Data is CartEnded) ? FaultyLog.Fault.BeforeCommit : null;

        // However late the watch looks, it looks again some minutes later; the other cart's time is never up.
        var alarms = await Silos.Until(() =>
        {
            if (time.Ahead < OrderCarts.Longest / 2) time.Ahead += TimeSpan.FromMinutes(1);
            return silos.Log.ReadStream(LawBroken.StreamOf(Law.NothingLost, cart.Id));
        }, e => e.Count == 1);
        Assert.Equal($"a cart that was held until {cart.ExpiresAt:u} and still is", ((LawBroken)alarms[0].Data!).Numbers);
        await Silos.Until(() => Task.FromResult(counted.Sum), sum => sum == 1);
        Assert.Equal(1, await silos.Database.Ask<long>(Alarms));
    }

    [Fact]
    public async Task A_long_stream_is_read_piece_by_piece_and_no_further_than_asked()
    {
        const int events = 2_500, page = 1_000;
        await using var silos = await Silos.Start();
        var (stock, at) = (Keys.OfStock("LON", "A"), DateTimeOffset.UtcNow);
        NewEvent Received(int n) => new(new StockReceived(1, "test"), $"in-{n}", "test", at);
        Assert.IsType<AppendResult.Committed>(await silos.Log.Append(new Append(
            new StreamEvents(stock, 0, [.. Enumerable.Range(0, events).Select(Received)]))));
        await silos.UntilHandled("law-watch");
        await silos.Cluster.RestartSiloAsync(silos.Cluster.Silos[0]);

        // Nobody asks the stock: only the watch reads it, which has forgotten it.
        var reads = new ConcurrentQueue<(int After, int? Max)>();
        silos.Faults.OnReadStream = (stream, after, max) =>
        {
            if (stream == stock) reads.Enqueue((after, max));
        };
        Assert.IsType<AppendResult.Committed>(await silos.Log.Append(new Append(
            new StreamEvents(stock, events, [Received(events), Received(events + 1)]))));
        await silos.UntilHandled("law-watch");
        Assert.Equal([(0, page), (page, page), (2 * page, events - 2 * page)], reads);
        Assert.Equal(0, await silos.Database.Ask<long>(Alarms));
    }

    /// <param name="ago">How long it has been stored already.</param>
    static async Task Store(IEventLog log, string stream, int version, DomainEvent e, TimeSpan ago = default) =>
        Assert.IsType<AppendResult.Committed>(await log.Append(new Append(new StreamEvents(
            stream, version, [new NewEvent(e, Guid.NewGuid().ToString("N"), "system", DateTimeOffset.UtcNow - ago)]))));

    /// <summary>Waits until the watch has read everything, and the lists say it.</summary>
    static Task<long> Heard(OmsApp app) => OmsApp.Until(() => app.Database.Ask<long>("""
        select count(*) from oms.checkpoint c, (select xid, position from oms.event order by xid desc, position desc limit 1) e
        where c.follower in ('law-watch', 'read-model') and (c.transaction, c.position) >= (e.xid::text::bigint, e.position)
        """), n => n == 2);
}
