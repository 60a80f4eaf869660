using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>A process that cannot read what has come into stock lately.</summary>
public sealed class StaleIndexTests
{
    [Fact]
    public async Task Whoever_asks_for_a_waiting_order_is_not_told_that_nothing_is_there()
    {
        await using var silos = await Silos.Start();
        var order = await silos.Place(lines: ("A", 2));
        Assert.Equal(OrderStatus.Backordered, order.Status);
        var goesOn = new TaskCompletionSource();
        silos.Faults.Reads = goesOn.Task;
        // A stock tells the process that it lives in; this one comes from another.
        Assert.IsType<AppendResult.Committed>(await silos.Log.Append(new Append(new StreamEvents(
            Keys.OfStock("LON", "A"), 0, [new NewEvent(new StockReceived(2, "test"), "c", "test", DateTimeOffset.UtcNow)]))));

        // Nobody would ask once more who was told that it is done.
        await Assert.ThrowsAsync<LogUnavailableException>(silos.Order(order.Id).AllocateWaiting);

        goesOn.SetResult();
        await silos.UntilOrder(order.Id, o => o.Status == OrderStatus.InFulfilment);
    }

    [Fact]
    public async Task An_order_that_takes_all_or_nothing_is_not_refused_for_what_is_not_known()
    {
        await using var silos = await Silos.Start();
        var goesOn = new TaskCompletionSource();
        silos.Faults.Reads = goesOn.Task;
        var (id, command) = silos.NewOrder(PaymentReport.Paid, StockPolicy.Reject, ("A", 1));

        await Assert.ThrowsAsync<LogUnavailableException>(() => silos.Desk.Place(id, command, Silos.By(id)));

        goesOn.SetResult();
        Assert.Equal("insufficient_stock", (await silos.Desk.Place(id, command, Silos.By(id))).Rejection!.Code);
    }
}
