using System.Collections.Immutable;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Domain.Orders;

/// <summary>Units of a line that one warehouse has reserved.</summary>
/// <param name="Quantity">Reserved and not yet shipped.</param>
/// <param name="Released">Of these, how many are in a shipment.</param>
public sealed record Allocation(string Warehouse, int Quantity, int Released);

/// <summary>A line with its unit counts: ordered = open + cancelled + allocated + backordered + shipped.</summary>
public sealed record OrderLine(PlacedLine Placed)
{
    /// <summary>By warehouse.</summary>
    public ImmutableArray<Allocation> Allocations { get; init; } = [];
    /// <summary>Units that wait for stock.</summary>
    public int Backordered { get; init; }
    /// <summary>Units that left a warehouse.</summary>
    public int Shipped { get; init; }
    /// <summary>Of the shipped, those that arrived.</summary>
    public int Delivered { get; init; }
    /// <summary>Units cancelled before they shipped.</summary>
    public int Cancelled { get; init; }
    /// <summary>Of the shipped, those that came back.</summary>
    public int Returned { get; init; }

    /// <summary>Units reserved in warehouses and not yet shipped.</summary>
    public int Allocated => Allocations.Sum(a => a.Quantity);
    /// <summary>Units that nobody has looked for yet.</summary>
    public int Open => Placed.Quantity - Cancelled - Allocated - Backordered - Shipped;
    /// <summary>Units that are still wanted: ordered less cancelled.</summary>
    public int Kept => Placed.Quantity - Cancelled;
}

/// <summary>A shipment as its order knows it.</summary>
/// <param name="Version">Version of the shipment's stream that is reflected here.</param>
public sealed record OrderShipment(
    string Id, string Warehouse, ImmutableArray<LineUnits> Lines, ShipmentStatus Status, int Version)
{
    /// <summary>Who carries it, once shipped.</summary>
    public string? Carrier { get; init; }
    /// <summary>The carrier's product.</summary>
    public string? Service { get; init; }
    /// <summary>The carrier's number.</summary>
    public string? TrackingNumber { get; init; }
    /// <summary>What happened to it, oldest first.</summary>
    public ImmutableArray<ShipmentProgressed> Progress { get; init; } = [];

    /// <summary>Whether it is still inside the warehouse.</summary>
    public bool IsInWarehouse => Status is ShipmentStatus.Released or ShipmentStatus.Picking or ShipmentStatus.Packed;
}

/// <summary>A payment report that was recorded.</summary>
/// <param name="DueAt">The time limit that it gave the order; null if it gave none.</param>
/// <param name="Money">The reference whose money it is: its own, or that of the authorization that it takes from.</param>
public sealed record Payment(PaymentReport Status, decimal Amount, string Reference, DateTimeOffset? DueAt, string Money);

/// <summary>One order: the fold of its events.</summary>
public sealed record Order(string Id)
{
    /// <summary>Number of events folded in.</summary>
    public int Version { get; init; }
    /// <summary>How the order came; null before it exists and when it was refused.</summary>
    public OrderPlaced? Placed { get; init; }
    /// <summary>Why there is no order, if it was refused.</summary>
    public OrderRefused? Refused { get; init; }
    /// <summary>What was reserved for it before it was placed; null if nothing was.</summary>
    public Cart? Cart { get; init; }
    /// <summary>The order that was placed by the key of this id, which has another one; null if none was.</summary>
    public OrderPlacedAs? PlacedAs { get; init; }
    /// <summary>Whether warehouses have ever been asked for its units.</summary>
    public bool IsSourced { get; init; }
    /// <summary>Stocks that did not find units of it, ever.</summary>
    public ImmutableHashSet<(string Warehouse, string Sku)> NotFoundIn { get; init; } = [];
    /// <summary>By line id, from 1.</summary>
    public ImmutableArray<OrderLine> Lines { get; init; } = [];
    /// <summary>In the order of their numbers.</summary>
    public ImmutableArray<OrderShipment> Shipments { get; init; } = [];
    /// <summary>Payment reports, oldest first.</summary>
    public ImmutableArray<Payment> Payments { get; init; } = [];
    /// <summary>Holds that stand.</summary>
    public ImmutableArray<HoldPlaced> Holds { get; init; } = [];
    /// <summary>A cancellation that waits for its shipments' answers.</summary>
    public CancellationRequested? PendingCancellation { get; init; }
    /// <summary>The cancellation of all that had not shipped, once it has its shipments' answers; null if there was none.</summary>
    public CancellationRequested? AllCancelled { get; init; }
    /// <summary>Cancellations that took units, by request id.</summary>
    public ImmutableHashSet<string> CancellationIds { get; init; } = [];
    /// <summary>Cancellations that were asked for and took none: they were refused, and are refused for ever.</summary>
    public ImmutableHashSet<string> RefusedCancellationIds { get; init; } = [];
    /// <summary>Whether nothing more is expected.</summary>
    public bool IsClosed { get; init; }

    /// <summary>Whether there is an order at all.</summary>
    public bool Exists => Placed is not null;

    /// <summary>When what is reserved for it ends if it is not placed by then, UTC; null if nothing is, or it was.</summary>
    public DateTimeOffset? CartUntil => Cart is { IsOpen: true } cart ? cart.Until : null;

    /// <summary>Units of a line that it holds in a warehouse, by its own events.</summary>
    public int HeldIn(string warehouse, string sku, int lineId) => Cart is { IsOpen: true } cart
        ? cart.Held.Where(h => h.LineId == lineId && h.Sku == sku && h.Warehouse == warehouse).Sum(h => h.Quantity)
        : Lines.ElementAtOrDefault(lineId - 1) is { } line && line.Placed.Sku == sku
            ? line.Allocations.Where(a => a.Warehouse == warehouse).Sum(a => a.Quantity) : 0;

    /// <summary>Authorized money that no failure has taken back, in the order's currency.</summary>
    public decimal Authorized => Payments
        .Select((p, i) => p.Status == PaymentReport.Authorized ? LeftOf(i) : 0).Sum();
    /// <summary>Money taken, in the order's currency.</summary>
    public decimal Captured => Payments.Where(p => p.Status == PaymentReport.Paid).Sum(p => p.Amount);

    /// <summary>
    /// Money that is authorized or taken, in the order's currency. What is taken of an authorization is the same money; what
    /// is taken beside it is other money.
    /// </summary>
    public decimal Covered => Payments.Select((p, i) => p.Status switch
    {
        PaymentReport.Authorized => Math.Max(LeftOf(i), CapturedBy(p.Reference)),
        PaymentReport.Paid when AuthorizedBy(p.Money) is null => p.Amount,
        _ => 0,
    }).Sum();

    /// <summary>Whether its units may leave: on terms, or all that is due is authorized or taken.</summary>
    public bool IsPayable => Placed!.Payment.Method == PaymentMethod.Terms || Covered >= this.Due();

    /// <summary>
    /// Until when what has not left waits for money; null if it does not, or if its time is up and a person has to decide. An
    /// order that was placed with its money has its limit from the report that takes it back.
    /// </summary>
    public DateTimeOffset? WaitsForPaymentUntil =>
        (Placed?.PaymentDueAt ?? Payments.LastOrDefault(p => p.DueAt is not null)?.DueAt) is { } due
        && !IsPayable && Lines.Any(l => l.Kept > l.Shipped) && !Holds.Any(h => h.Name == OrderPayments.PartPaidHold) ? due : null;

    /// <summary>The authorization of a reference; null if it has none.</summary>
    public Payment? AuthorizedBy(string reference) =>
        Payments.FirstOrDefault(p => p.Reference == reference && p.Status == PaymentReport.Authorized);

    /// <summary>The first authorization of which so much can still be taken; null if there is none.</summary>
    public Payment? AuthorizedFor(decimal amount) => Payments.Where((p, i) =>
        p.Status == PaymentReport.Authorized && LeftOf(i) - CapturedBy(p.Reference) >= amount).FirstOrDefault();

    decimal CapturedBy(string authorization) =>
        Payments.Where(p => p.Money == authorization && p.Status == PaymentReport.Paid).Sum(p => p.Amount);

    /// <summary>Whether a hold stops this.</summary>
    public bool IsStopped(HoldStops what) => Holds.Any(h => h.Stops.HasFlag(what));

    /// <summary>The state after one more event.</summary>
    public Order Apply(OrderEvent @event) => Evolve(@event) with { Version = Version + 1 };

    /// <summary>The state after these events.</summary>
    public Order Apply(IEnumerable<OrderEvent> events) => events.Aggregate(this, (order, e) => order.Apply(e));

    /// <summary>A failed report takes back what its reference had authorized and not captured by then.</summary>
    decimal LeftOf(int authorization)
    {
        var (_, amount, reference, _, _) = Payments[authorization];
        var captured = 0m;
        for (var i = 0; i < Payments.Length; i++)
        {
            if (Payments[i].Money != reference) continue;
            if (Payments[i].Status == PaymentReport.Paid) captured += Payments[i].Amount;
            if (Payments[i].Status == PaymentReport.Failed && i > authorization) return Math.Min(amount, captured);
        }
        return amount;
    }

    Order Evolve(OrderEvent @event) => @event switch
    {
        OrderPlaced e => this with { Placed = e, Lines = [.. e.Lines.Select(l => new OrderLine(l))] },
        OrderRefused e => this with { Refused = e },
        OrderAbandoned or ReservationSettled => this,
        CartReserved e => this with { Cart = new Cart([.. e.Lines], [.. e.Allocations], e.Until, e.RequestHash) },
        CartExtended e => this with { Cart = Cart! with { Until = e.Until } },
        CartEnded e => this with { Cart = Cart! with
            {
                End = e.End, PassedBy = e.Kept.Any(k => k.LineId != k.Held.LineId) ? Version + 1 : null,
            },
        },
        OrderPlacedAs e => this with { PlacedAs = e },
        OrderAllocated e => Evolve(e),
        PaymentRecorded e => this with { Payments = Payments.Add(new Payment(e.Status, e.Amount, e.Reference, e.DueAt, e.Of ?? e.Reference)) },
        ShipmentReleased e => Evolve(e),
        UnitsNotFound e => Taken(e.Lines).WithoutUnits(
            e.ShipmentId, e.Lines.Select(l => (l.LineId, l.Quantity))) with
        {
            NotFoundIn = NotFoundIn.Union(e.Lines.Select(l => (l.Warehouse, l.Sku))),
        },
        UnitsShipped e => Taken(e.Lines).EachLine(
            e.Lines.Select(l => (l.LineId, l.Quantity)), (l, n) => l with { Shipped = l.Shipped + n }),
        UnitsDelivered e => EachLine(
            e.Lines.Select(l => (l.LineId, l.Quantity)), (l, n) => l with { Delivered = l.Delivered + n }),
        ShipmentProgressed e => Evolve(e),
        CancellationRequested e => this with { PendingCancellation = e },
        UnitsCancelled e => Evolve(e),
        HoldPlaced e => this with { Holds = Holds.Add(e) },
        HoldLifted e => this with { Holds = Holds.RemoveAll(h => h.Name == e.Name) },
        OrderClosed => this with { IsClosed = true },
        _ => throw new InvalidOperationException($"An order cannot fold {@event.GetType().Name}."),
    };

    Order Evolve(OrderAllocated e)
    {
        var order = EachLine(e.Allocations, a => a.LineId, (l, a) => l with
        {
            Allocations = Change(l.Allocations, a.Warehouse, a.Quantity, 0),
            Backordered = e.Cause == SourcingCause.Arrival ? l.Backordered - a.Quantity : l.Backordered,
        });
        return order.EachLine(
            e.Backordered.Select(b => (b.LineId, b.Quantity)),
            (l, n) => l with { Backordered = l.Backordered + n }) with { IsSourced = true };
    }

    Order Evolve(ShipmentReleased e) =>
        EachLine(
            e.Lines.Select(l => (l.LineId, l.Quantity)),
            (l, n) => l with { Allocations = Change(l.Allocations, e.Warehouse, 0, n) }) with
        {
            Shipments = Shipments.Add(new OrderShipment(
                e.ShipmentId, e.Warehouse, [.. e.Lines], ShipmentStatus.Released, 1)),
        };

    Order Evolve(ShipmentProgressed e) => WithShipment(e.ShipmentId, s => s with
    {
        Status = e.Status,
        Version = e.ShipmentVersion,
        Carrier = e.Carrier ?? s.Carrier,
        Service = e.Service ?? s.Service,
        TrackingNumber = e.TrackingNumber ?? s.TrackingNumber,
        Progress = s.Progress.Add(e),
    });

    Order Evolve(UnitsCancelled e)
    {
        var order = EachLine(e.Units, u => u.LineId, (l, u) => u.Warehouse is { } warehouse
            ? l with
            {
                Cancelled = l.Cancelled + u.Quantity,
                Allocations = Change(l.Allocations, warehouse, -u.Quantity, u.ShipmentId is null ? 0 : -u.Quantity),
            }
            : l with
            {
                Cancelled = l.Cancelled + u.Quantity,
                Backordered = u.IsOpen == true ? l.Backordered : l.Backordered - Math.Min(u.Quantity, l.Backordered),
            }) with
        {
            PendingCancellation = PendingCancellation?.RequestId == e.RequestId ? null : PendingCancellation,
            AllCancelled = e.Units.Count > 0 && PendingCancellation is { Lines: null } all && all.RequestId == e.RequestId
                ? all : AllCancelled,
            CancellationIds = e.Units.Count == 0 ? CancellationIds : CancellationIds.Add(e.RequestId),
            RefusedCancellationIds = e.Units.Count == 0 ? RefusedCancellationIds.Add(e.RequestId) : RefusedCancellationIds,
        };
        foreach (var shipment in e.Units.Where(u => u.ShipmentId is not null).GroupBy(u => u.ShipmentId!))
            order = order.WithoutUnits(shipment.Key, shipment.Select(u => (u.LineId, u.Quantity)));
        return order;
    }

    /// <summary>Units in shipments that leave the allocation, shipped or not found.</summary>
    Order Taken(IReadOnlyList<LineAllocation> units) => EachLine(units, u => u.LineId, (l, u) => l with
    {
        Allocations = Change(l.Allocations, u.Warehouse, -u.Quantity, -u.Quantity),
    });

    Order WithoutUnits(string shipmentId, IEnumerable<(int LineId, int Quantity)> units) =>
        WithShipment(shipmentId, s =>
        {
            var lines = s.Lines;
            foreach (var (lineId, quantity) in units)
            {
                var at = lines.FindIndex(l => l.LineId == lineId);
                var left = lines[at].Quantity - quantity;
                lines = left == 0 ? lines.RemoveAt(at) : lines.SetItem(at, new LineUnits(lineId, left));
            }
            return s with { Lines = lines, Status = lines.IsEmpty ? ShipmentStatus.Cancelled : s.Status };
        });

    Order WithShipment(string id, Func<OrderShipment, OrderShipment> change)
    {
        var at = Shipments.FindIndex(s => s.Id == id);
        return this with { Shipments = Shipments.SetItem(at, change(Shipments[at])) };
    }

    Order EachLine(IEnumerable<(int LineId, int Quantity)> units, Func<OrderLine, int, OrderLine> change) =>
        EachLine(units, u => u.LineId, (line, u) => change(line, u.Quantity));

    Order EachLine<T>(IEnumerable<T> items, Func<T, int> lineId, Func<OrderLine, T, OrderLine> change)
    {
        var lines = Lines.ToBuilder();
        foreach (var item in items)
        {
            var at = lineId(item) - 1;
            lines[at] = change(lines[at], item);
        }
        return this with { Lines = lines.MoveToImmutable() };
    }

    static ImmutableArray<Allocation> Change(ImmutableArray<Allocation> all, string warehouse, int quantity, int released)
    {
        var at = all.FindIndex(a => a.Warehouse == warehouse);
        if (at < 0) return all.Add(new Allocation(warehouse, quantity, released));
        var changed = all[at] with
        {
            Quantity = all[at].Quantity + quantity, Released = all[at].Released + released,
        };
        return changed.Quantity == 0 ? all.RemoveAt(at) : all.SetItem(at, changed);
    }
}

static class ImmutableArrays
{
    public static int FindIndex<T>(this ImmutableArray<T> array, Func<T, bool> match)
    {
        for (var i = 0; i < array.Length; i++)
            if (match(array[i])) return i;
        return -1;
    }
}
