using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Stock;
using OrleansOms.Domain.Tests.Stock;

namespace OrleansOms.Domain.Tests.Simulation;

// Who is known to wait, which may be a while ago, when units become free.
sealed partial class World
{
    readonly List<(string OrderId, int LineId, int Units, string Attempt)> _served = [];

    /// <summary>Whom a stock serves with what has become free.</summary>
    public IReadOnlyList<Served> Serve(Domain.Stock.Stock stock, IReadOnlyList<StockEvent> entries, string command)
    {
        var waiting = Log.Audits.OfType<OrderAudit>().Select(a => AsKnown(a.Order)).SelectMany(o => WaitingOf(o, stock.Sku)).ToList();
        var served = StockServing.Decide(stock, entries, command, WaitingPolicy.Usual.ByChannel(waiting.Select(w => w.Line)),
            id => waiting.First(w => w.Line.OrderId == id).Version, WaitingPolicy.Usual, $"s{Next()}");
        foreach (var s in served)
            // What its last event has freed is not for what of it waited before that.
            if (StockConsequences.VersionOf(s.Entry.OrderId, command) is { } decided && Log.Order(s.Entry.OrderId) is { } order
                && order.Version == decided && order.Lines[s.Entry.Lines[0].LineId - 1].Backordered == 0)
                throw new BrokenLawException(new Breach(Law.ReservationsAreAllocations, order.Id, $"is served with what it has given up by {command}"));
        foreach (var s in served) _served.Add((s.Entry.OrderId, s.Entry.Lines[0].LineId, s.Entry.Lines[0].Quantity, s.Attempt));
        return served;
    }

    Order AsKnown(Order order) => !_scheduler.Chance(0.2) ? order
        : Log.Read(order.Id).SkipLast(_scheduler.Random.Next(1, 4)).Aggregate(new Order(order.Id), (o, e) => o.Apply((OrderEvent)e.Data));

    IEnumerable<(WaitingLine Line, int Version)> WaitingOf(Order order, string sku) =>
        !order.Exists || order.PendingCancellation is not null || order.IsStopped(HoldStops.Allocate) ? []
        : order.Lines.Where(l => l.Placed.Sku == sku)
            .Select(l => (Line: l.Placed.LineId, Units: l.Backordered - (_scheduler.Chance(0.1) ? 0 : OnItsWay(order.Id, l.Placed.LineId))))
            .Where(l => l.Units > 0).Select(l => (new WaitingLine(
                order.Id, l.Line, sku, l.Units, order.Placed!.Channel, order.Placed.PlacedAt, order.Placed.PromisedBy), order.Version));

    /// <summary>With what it was served and has not said anything since.</summary>
    int OnItsWay(string orderId, int lineId) => _served.Where(s => s.OrderId == orderId && s.LineId == lineId
        && Log.Read(orderId, ReserveStock.AfterOf(orderId, s.Attempt)).All(e => e.Data is ReservationSettled
            || (e.Data is OrderAllocated a && a.Attempt != s.Attempt))).Sum(s => s.Units);
}
