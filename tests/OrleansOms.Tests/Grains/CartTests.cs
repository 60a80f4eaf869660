using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains;
using OrleansOms.Grains.Orders;
using OrleansOms.Postgres.Laws;
using OrleansOms.Tests.Fixtures;
using static OrleansOms.Tests.Grains.CartSteps;

namespace OrleansOms.Tests.Grains;

/// <summary>Stock that is held for a cart: nobody else's for as long as it is said, and then somebody's at once, whatever dies.</summary>
public sealed class CartTests
{
    [Fact]
    public async Task Units_are_free_within_moments_of_their_time_and_whoever_waits_has_them()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        var cart = (await Reserve(silos, NewId(), TimeSpan.FromSeconds(4), true, ("A", 5))).Value!;
        var waiting = await silos.Place(lines: ("A", 3));
        Assert.Equal(3, waiting.Lines[0].Backordered);
        await silos.UntilOrder(waiting.Id, o => o.Lines[0].Allocated == 3);
        var ended = (await silos.Log.ReadStream(cart.Id)).Single(e => e.Data is CartEnded);
        Assert.InRange(ended.At - cart.ExpiresAt, TimeSpan.Zero, TimeSpan.FromSeconds(20)); // Within two, where the machine has no other work.
        Assert.Equal(ReservationStatus.Expired, (await silos.Order(cart.Id).GetReservation())!.Status);
        Assert.Equal((5, 3), await Counts(silos));
        await Check(silos);
    }

    [Fact]
    public async Task All_or_nothing_or_what_is_there()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 2);
        await silos.Receive("MAN", "A", 1);
        Assert.Equal("insufficient_stock", (await Reserve(silos, NewId(), TimeSpan.FromMinutes(1), true, ("A", 4))).Rejection?.Code);
        Assert.Equal((2, 0), await Counts(silos));
        var part = (await Reserve(silos, NewId(), TimeSpan.FromMinutes(1), false, ("A", 4), ("B", 1))).Value!;
        Assert.Equal([3, 0], part.Lines.Select(l => l.Reserved));
        Assert.Equal(2, part.Lines[0].Allocations.Count);
        Assert.Equal("insufficient_stock", (await Reserve(silos, NewId(), TimeSpan.FromMinutes(1), false, ("A", 1))).Rejection?.Code);
    }

    [Fact]
    public async Task A_repeated_request_holds_nothing_more_and_another_one_is_refused()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 10);
        var id = NewId();
        var both = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Reserve(silos, id, TimeSpan.FromMinutes(1), true, ("A", 8))));
        var first = Assert.Single(both, r => r.Rejection is null).Value!;
        Assert.Equal((1, 8), (first.Version, first.Lines[0].Reserved));
        Assert.Equal("request_in_progress", both.Single(r => r.Rejection is not null).Rejection!.Code);
        await silos.Order(id).ChangeReservation(new ExtendCart(DateTimeOffset.UtcNow.AddHours(1)), Silos.By("longer"));
        var again = await Reserve(silos, id, TimeSpan.FromMinutes(1), true, ("A", 8));
        Assert.Equivalent(first, again.Value, strict: true);
        Assert.Equal((10, 8), await Counts(silos));
        Assert.Equal("idempotency_key_reused", (await Carts(silos).Reserve(
            id, new WantedCart([new CartLine(1, "A", 1)], true, DateTimeOffset.UtcNow, null, null, "other"), Silos.By(id))).Rejection?.Code);
    }

    [Fact]
    public async Task What_is_given_up_is_free_when_that_is_answered()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 3);
        var cart = await Held(silos, ("A", 3));
        Assert.Equal(ReservationStatus.Released, (await silos.Order(cart.Id).ChangeReservation(new ReleaseCart(), Silos.By("up"))).Value!.Status);
        Assert.Equal((3, 0), await Counts(silos));
        Assert.Null(await silos.Order(cart.Id).Get()); // It was no order.
        await Check(silos);
    }

    [Theory, InlineData(FaultyLog.Fault.BeforeCommit), InlineData(FaultyLog.Fault.AfterCommit)]
    public async Task A_cart_whose_store_fails_is_there_after_a_retry_or_holds_nothing(FaultyLog.Fault fault)
    {
        await using var silos = await Silos.Start(Soon);
        await silos.Receive("LON", "A", 5);
        var id = NewId();
        var isFirst = 1;
        silos.Faults.OnAppend = a => a.Main.Events[0].Data is CartReserved && Interlocked.Exchange(ref isFirst, 0) == 1 ? fault : null;
        await Assert.ThrowsAsync<LogUnavailableException>(() => Reserve(silos, id, TimeSpan.FromMinutes(5), true, ("A", 2)));
        // Nobody asks again: what no cart has stored is free after a while.
        var stays = fault == FaultyLog.Fault.BeforeCommit ? 0 : 2;
        await silos.UntilStock("LON", "A", s => s.Reserved == stays);
        Assert.Equal(2, (await Reserve(silos, id, TimeSpan.FromMinutes(5), true, ("A", 2))).Value!.Lines[0].Reserved);
        await silos.UntilStock("LON", "A", s => s.Reserved == 2);
        await Check(silos);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_cart_is_not_refused_for_want_of_what_its_own_dead_attempt_holds(bool allOrNothing)
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        await silos.Receive("LON", "B", 1);
        var id = NewId();
        var isFirst = 1;
        silos.Faults.OnAppend = a => a.Main.Events[0].Data is CartReserved && Interlocked.Exchange(ref isFirst, 0) == 1
            ? FaultyLog.Fault.BeforeCommit : null;
        (string, int)[] wanted = allOrNothing ? [("A", 5), ("B", 1)] : [("A", 6), ("B", 1)];
        await Assert.ThrowsAsync<LogUnavailableException>(() => Reserve(silos, id, TimeSpan.FromMinutes(5), allOrNothing, wanted));
        Assert.Equal((5, 5), await Counts(silos));
        Assert.Equal([5, 1], (await Reserve(silos, id, TimeSpan.FromMinutes(5), allOrNothing, wanted)).Value!.Lines.Select(l => l.Reserved));
        Assert.Equal(((5, 5), (1, 1)), (await Counts(silos), await Counts(silos, "B")));
        await Check(silos);
    }

    [Fact]
    public async Task A_cart_that_does_not_end_is_found_by_the_check()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 3);
        var cart = await Held(silos, ("A", 3));
        foreach (var follower in (string[])["fulfilment", "read-model"]) await silos.UntilHandled(follower);
        async Task<IEnumerable<string>> Broken(DateTimeOffset now) =>
            (await new StoreCheck(silos.Database.Source).Run(now, _ => { }, TestContext.Current.CancellationToken)).Broken.Values
                .Select(b => b.First.ToString());
        Assert.Empty(await Broken(cart.ExpiresAt.AddMinutes(4)));
        Assert.Contains("L6", Assert.Single(await Broken(cart.ExpiresAt.AddMinutes(6))));
        await silos.Database.Execute("update oms.waiting set since = since + interval '1 minute' where kind = 3");
        Assert.Contains("its cart's time", Assert.Single(await Broken(cart.ExpiresAt.AddMinutes(4))));
        await silos.Database.Execute("delete from oms.waiting where kind = 3");
        Assert.Contains("its cart's time", Assert.Single(await Broken(cart.ExpiresAt.AddMinutes(4))));
    }

    [Fact]
    public async Task A_cart_ends_in_time_whoever_else_does_not_answer()
    {
        var answer = new TaskCompletionSource();
        await using var silos = await Silos.Start(
            new OmsSettings { PaymentWindow = TimeSpan.FromSeconds(1) },
            adjust: silo => silo
                .AddSingleton<IIncomingGrainCallFilter>(new Silent(nameof(IOrderGrain.ExpirePayment), answer.Task))
                .Configure<SiloMessagingOptions>(o => o.ResponseTimeout = TimeSpan.FromHours(1)));
        await silos.Receive("LON", "A", 201);
        // More in the shard of each sweeper than it tells at once.
        for (var n = 0; n < 200; n++) await silos.Place(PaymentReport.Pending, lines: ("A", 1));
        await silos.UntilHandled("read-model");
        Assert.True(await silos.Database.Ask<long>("select min(n) from (select count(*) as n from oms.waiting group by shard) s") > 32);
        var cart = (await Reserve(silos, NewId(), TimeSpan.FromSeconds(3), true, ("A", 1))).Value!;
        await Silos.Until(() => silos.Order(cart.Id).GetReservation(), r => r!.Status == ReservationStatus.Expired);
        answer.SetResult();
    }

    /// <summary>Grains that do not answer to one call.</summary>
    sealed class Silent(string method, Task until) : IIncomingGrainCallFilter
    {
        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.MethodName == method) await until;
            await context.Invoke();
        }
    }

    [Fact]
    public async Task A_cart_that_was_held_for_longer_ends_when_that_is_over()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 1);
        var cart = (await Reserve(silos, NewId(), TimeSpan.FromSeconds(2), true, ("A", 1))).Value!;
        // The lists have not heard of it when its first time is up: it is told, and has to be told again.
        var goesOn = new TaskCompletionSource();
        await silos.UntilHandled("read-model");
        silos.Faults.Reads = goesOn.Task;
        var until = cart.ExpiresAt.AddSeconds(3);
        await silos.Order(cart.Id).ChangeReservation(new ExtendCart(until), Silos.By("longer"));
        await Silos.Until(() => Task.FromResult(DateTimeOffset.UtcNow), now => now > cart.ExpiresAt.AddSeconds(1.5));
        goesOn.SetResult();
        var ended = await Silos.Until(
            async () => (await silos.Log.ReadStream(cart.Id)).FirstOrDefault(e => e.Data is CartEnded), e => e is not null);
        Assert.InRange(ended!.At - until, TimeSpan.Zero, TimeSpan.FromSeconds(20)); // Who was told is left alone for thirty.
    }

    [Fact]
    public async Task The_first_answer_stays_the_same_when_the_watch_has_looked()
    {
        await using var silos = await Silos.Start();
        await silos.Receive("LON", "A", 5);
        var id = NewId();
        var first = (await Reserve(silos, id, TimeSpan.FromMinutes(5), true, ("A", 2))).Value!;
        Assert.True(await silos.Order(id).SettleReservation("LON", "A"));
        Assert.Equal(2, (await silos.Order(id).GetReservation())!.Version);
        Assert.Equivalent(first, (await Reserve(silos, id, TimeSpan.FromMinutes(5), true, ("A", 2))).Value, strict: true);
        Assert.Equal((5, 2), await Counts(silos));
    }
}
