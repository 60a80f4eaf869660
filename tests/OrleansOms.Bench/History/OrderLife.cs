using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Bench.History;

/// <summary>
/// One order from its placing to its end, decided by the Domain's own deciders and written as the program writes it: the
/// same events, in the same appends, under command ids of the same shape.
/// </summary>
/// <param name="command">What was ordered.</param>
/// <param name="externalIdScope">Scope of the claim on its external id.</param>
public sealed class OrderLife(
    string id, PlaceOrder command, bool isCancelled, Shelves shelves, LogFeed feed, Random random, string externalIdScope)
{
    static readonly PlacingTerms Terms = new(TimeSpan.FromMinutes(30), TimeSpan.FromDays(14));

    Order _order = new(id);
    Shipment? _shipment;

    /// <summary>Now, as this order has it. Set before each step.</summary>
    public DateTimeOffset Now { get; set; }

    /// <summary>Takes the next step each time; answers when the one after it is due.</summary>
    public IEnumerable<DateTimeOffset> Live()
    {
        Place();
        if (_shipment is null) yield break; // It waits for stock.
        if (isCancelled)
        {
            yield return Now + Between(20, 90);
            Cancel();
            yield break;
        }
        yield return Now + Between(2 * 60, 8 * 60);
        Do("pick", new PickUnits([.. _shipment!.Lines.Select(l => new SkuUnits(l.Sku, l.Quantity))]));
        yield return Now + Between(5, 30);
        Do("pack", new PackShipment([new Package(900, [.. _shipment!.Lines.Select(l => new SkuUnits(l.Sku, l.Quantity))])]));
        yield return Now + Between(30, 120);
        Do("ship", new ShipShipment("DHL", "Parcel", $"JD{command.Number}"));
        yield return Now + Between(24 * 60, 4 * 24 * 60);
        Do("delivered", new RecordTracking(ShipmentStatus.Delivered, "At the door", null, Now, "1"));
        yield return Now + TimeSpan.FromDays(14);
        if (_order.DeriveStatus() == OrderStatus.Delivered)
            Store(Decide(new CloseOrder()), $"{id}/close", "operator:admin");
    }

    void Place()
    {
        var demand = LineSplit.Demand(command.Lines.Select(l => (l.LineId, l.Sku, l.Quantity)));
        var plan = Sourcer.Plan(demand, null, [new Candidate(shelves.Warehouse, null, shelves.Available(demand.Keys))]);
        var reserved = LineSplit.Assign(command.Lines.Select(l => (l.LineId, l.Sku, l.Quantity)), plan.Units);
        var attempt = $"{id}/{new Guid(Bytes(16)):N}/1";
        foreach (var stock in reserved.GroupBy(u => u.Sku, StringComparer.Ordinal))
            shelves.Do(stock.Key, new ReserveStock(
                attempt, id, [.. stock.Select(u => new LineUnits(u.LineId, u.Quantity))]), Now);
        var taken = Decide(new TakeOrder(command, reserved, plan, Terms));
        var released = OrderDecider.Decide(_order = _order.Apply(taken), new ReleaseToWarehouses(), Now).Events;
        var release = $"{id}/{_order.Version}/release";
        _order = _order.Apply(released);
        List<NewEvent> events =
        [
            .. taken.Select(e => New(e, $"{id}/place", "key:bench")), .. released.Select(e => New(e, release, Caller.System)),
        ];
        var births = new List<StreamEvents>();
        if (released.OfType<ShipmentReleased>().SingleOrDefault() is { } begun)
        {
            var created = Created(begun);
            _shipment = new Shipment(begun.ShipmentId).Apply(created, Now);
            births.Add(new StreamEvents(begun.ShipmentId, 0, [New(created, release, Caller.System)]));
        }
        feed.Add(new Append(
            new StreamEvents(id, 0, events), births, [new Claim(externalIdScope, $"{command.Channel}\n{command.ExternalId}")]));
    }

    ShipmentCreated Created(ShipmentReleased e) => new(
        id, command.Number, e.Warehouse, command.ShipTo.Country, command.Shipping.Service,
        [.. e.Lines.Select(l => new ShipmentUnit(l.LineId, command.Lines[l.LineId - 1].Sku, l.Quantity))],
        new PersonalData(null, command.ShipTo));

    /// <summary>The warehouse or the carrier does something with the shipment, and the order hears of it.</summary>
    void Do(string name, ShipmentCommand step)
    {
        var shipment = _shipment!;
        var decision = ShipmentDecider.Decide(shipment, step, Now);
        Append(shipment, decision, $"{shipment.Id}/{name}");
        var (done, left) = (_shipment!, _shipment!.Left);
        var tracked = step as RecordTracking;
        var isLeaving = step is ShipShipment;
        var report = Decide(new ReportShipment(
            done.Id, done.Version, done.Status, Now, tracked?.Description, tracked?.Location,
            isLeaving ? left!.Carrier : null, isLeaving ? left!.Service : null, isLeaving ? left!.TrackingNumber : null));
        Store(report, $"{done.Id}/{done.Version}", Caller.System);
    }

    void Cancel()
    {
        Store(Decide(new CancelOrder($"{id}/cancel", "changed my mind", null)), $"{id}/cancel", "key:bench");
        var withdrawn = new List<ShipmentUnits>();
        foreach (var ask in OrderCancellation.AskShipments(_order))
        {
            var request = $"{id}/{_order.PendingCancellation!.RequestId}";
            Append(_shipment!, ShipmentDecider.Decide(_shipment!, new WithdrawUnits(request, ask.Lines), Now), request);
            withdrawn.Add(ask);
        }
        Store(Decide(new CompleteCancellation(withdrawn)), $"{id}/{_order.Version}/cancel", Caller.System);
    }

    void Append(Shipment shipment, Decision<ShipmentEvent> decision, string commandId)
    {
        var events = Accepted(decision);
        feed.Add(new Append(new StreamEvents(
            shipment.Id, shipment.Version, [.. events.Select(e => New(e, commandId, "key:bench"))])));
        _shipment = events.Aggregate(shipment, (s, e) => s.Apply(e, Now));
    }

    void Store(IReadOnlyList<OrderEvent> events, string commandId, string actor)
    {
        var version = _order.Version;
        feed.Add(new Append(new StreamEvents(id, version, [.. events.Select(e => New(e, commandId, actor))])));
        _order = _order.Apply(events);
        for (var i = 0; i < events.Count; i++)
            foreach (var c in StockConsequences.Of(id, version + 1 + i, events[i], Now)) shelves.Do(c.Sku, c.Command, Now);
    }

    IReadOnlyList<OrderEvent> Decide(OrderCommand step) => Accepted(OrderDecider.Decide(_order, step, Now));

    IReadOnlyList<T> Accepted<T>(Decision<T> decision) where T : DomainEvent => decision.Events.Count > 0
        ? decision.Events
        : throw new InvalidOperationException($"{id} at version {_order.Version}: {decision.Rejection?.Detail ?? "nothing to do"}");

    NewEvent New(DomainEvent data, string commandId, string actor) => new(data, commandId, actor, Now);

    TimeSpan Between(int leastMinutes, int mostMinutes) =>
        TimeSpan.FromMinutes(leastMinutes + random.NextDouble() * (mostMinutes - leastMinutes));

    byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
