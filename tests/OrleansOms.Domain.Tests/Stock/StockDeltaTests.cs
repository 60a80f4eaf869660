using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Tests.Stock;

using Stock = Domain.Stock.Stock;

/// <summary>What an entry did is told without folding reservations.</summary>
public sealed class StockDeltaTests
{
    public static TheoryData<StockEvent> Entries =>
    [
        new StockReceived(7, "po-1"), new StockAdjusted(-3, "counted"), new StockReserved("ord-1", [new(3, 2), new(4, 1)]),
        new ReservationReleased("ord-2", [new(1, 1)], "cancelled"), new StockShipped("ord-2", "shp-1", [new(1, 2), new(2, 1)]),
        new StockNotFound("ord-2", "shp-1", [new(1, 2)]), new StockServed("ord-3", [new(1, 2)], "web", "nobody else waits"),
        new ConditionChanged(StockCondition.Sellable, StockCondition.Quarantine, 4, "odd"),
        new ConditionChanged(StockCondition.Quarantine, StockCondition.Damaged, 2, "broken"),
        new ConditionChanged(StockCondition.Damaged, StockCondition.Sellable, 1, "repaired"),
        new ConditionChanged(null, StockCondition.Damaged, 3, "po-2"), new ConditionChanged(StockCondition.Quarantine, null, 2, "sent back"),
    ];

    [Theory, MemberData(nameof(Entries))]
    public void It_is_what_the_fold_makes_of_it(StockEvent entry)
    {
        StockEvent[] before =
        [
            new StockReceived(20, "po-0"), new StockReserved("ord-2", [new(1, 5), new(2, 3)]),
            new ConditionChanged(null, StockCondition.Damaged, 5, "po-0"), new ConditionChanged(null, StockCondition.Quarantine, 5, "po-0"),
        ];
        var stock = before.Aggregate(new Stock("LON", "A"), (s, e) => s.Apply(e, $"c{s.Version}", DateTimeOffset.UnixEpoch));
        var after = stock.Apply(entry, "now", DateTimeOffset.UnixEpoch);
        Assert.Equal(new StockDelta(
            after.OnHand - stock.OnHand, after.Reserved - stock.Reserved, after.Damaged - stock.Damaged,
            after.Quarantine - stock.Quarantine), StockDelta.Of(entry));
    }

    [Fact]
    public void Every_kind_of_entry_is_known() => Assert.Equal(
        typeof(StockEvent).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(StockEvent))).Select(t => t.Name).Order(),
        Entries.Select(e => e.Data.GetType().Name).Distinct().Order());
}
