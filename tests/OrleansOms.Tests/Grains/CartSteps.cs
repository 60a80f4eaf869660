using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains;
using OrleansOms.Grains.Orders;
using OrleansOms.Postgres.Laws;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>What tests of carts do again and again.</summary>
static class CartSteps
{
    public static readonly OmsSettings Soon = new() { ReservationGrace = TimeSpan.FromMilliseconds(300) };

    static int _ids;

    public static CartDesk Carts(Silos silos) => silos.Cluster.Silos[0].ServiceProvider.GetRequiredService<CartDesk>();

    public static string NewId() => Keys.FromIdempotencyKey(Keys.Order, "test", $"cart-{Interlocked.Increment(ref _ids)}");

    public static Task<Reply<ReservationView>> Reserve(Silos silos, string id, TimeSpan time, bool allOrNothing, params (string Sku, int Quantity)[] lines) =>
        Carts(silos).Reserve(id, new WantedCart(
            [.. lines.Select((l, i) => new CartLine(i + 1, l.Sku, l.Quantity))], allOrNothing, DateTimeOffset.UtcNow + time, "GB", null, "hash"),
            Silos.By(id));

    public static async Task<ReservationView> Held(Silos silos, params (string Sku, int Quantity)[] lines) =>
        (await Reserve(silos, NewId(), TimeSpan.FromMinutes(15), true, lines)).Value!;

    public static Task<Reply<OrderView>> Order(
        Silos silos, string cart, out string id, StockPolicy policy = StockPolicy.Backorder, params (string Sku, int Quantity)[] lines)
    {
        (id, var command) = silos.NewOrder(policy: policy, lines: lines);
        return silos.Desk.Place(id, command with { Reservation = cart }, Silos.By(id));
    }

    public static async Task<(int, int)> Counts(Silos silos, string sku = "A", string warehouse = "LON")
    {
        var stock = await silos.Stock(warehouse, sku).Get();
        return (stock.OnHand, stock.Reserved);
    }

    /// <summary>All laws over the whole store, once the lists have come as far.</summary>
    public static async Task Check(Silos silos)
    {
        foreach (var follower in (string[])["fulfilment", "read-model"]) await silos.UntilHandled(follower);
        var report = await new StoreCheck(silos.Database.Source).Run(DateTimeOffset.UtcNow.AddMinutes(6), _ => { }, TestContext.Current.CancellationToken);
        Assert.Empty(report.Broken);
    }
}
