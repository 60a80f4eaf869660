using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;
using Ledger = OrleansOms.Domain.Stock.Stock;

namespace OrleansOms.Tests.ReadModel;

/// <summary>
/// A small company that lives in the log: the deciders decide, every event is appended, and the state of each aggregate
/// is kept here as the truth that rows are compared with.
/// </summary>
public sealed class Company(IEventLog log)
{
    public static readonly DateTimeOffset Monday = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
    public static readonly string[] Warehouses = ["LON", "MAN", "GLA"];

    readonly Dictionary<string, int> _versions = new(StringComparer.Ordinal);
    int _commands;

    public SortedDictionary<string, Order> Orders { get; } = new(StringComparer.Ordinal);
    public SortedDictionary<string, Shipment> Shipments { get; } = new(StringComparer.Ordinal);
    public SortedDictionary<string, Ledger> Stocks { get; } = new(StringComparer.Ordinal);
    public DateTimeOffset Now { get; set; } = Monday;

    /// <summary>An order's key that tells its number.</summary>
    public static string OrderId(int n) => Keys.FromIdempotencyKey(Keys.Order, "test", $"{n}");

    /// <summary>Products with these SKUs, the warehouses, and a lot of stock of each in the first.</summary>
    public async Task Open(params string[] skus)
    {
        foreach (var code in Warehouses)
            await Append(Keys.Warehouse + code, new WarehousePut(code, new WarehouseDetails(
                code, new Address(code, "1 Quay", null, code, null, null, "GB"), null, true)));
        foreach (var sku in skus)
        {
            await Append(Keys.Product + sku, new ProductPut(sku, new ProductDetails($"Product {sku}", 100, null)));
            await Append(Keys.OfStock(Warehouses[0], sku), new StockReceived(1_000_000, "opening"));
        }
    }

    /// <summary>Stores an order as the grain would; units beyond those reserved wait.</summary>
    /// <param name="reserve">Units of each line that the warehouse has; all of them unless given.</param>
    public async Task<string> Place(PlaceOrder order, string id, string warehouse = "LON", int? reserve = null)
    {
        LineAllocation[] reserved = [.. order.Lines
            .Select(l => new LineAllocation(l.LineId, l.Sku, warehouse, Math.Min(l.Quantity, reserve ?? l.Quantity)))
            .Where(a => a.Quantity > 0)];
        var missing = order.Lines.Where(l => l.Quantity > (reserve ?? l.Quantity))
            .GroupBy(l => l.Sku).ToDictionary(g => g.Key, g => g.Sum(l => l.Quantity - reserve!.Value));
        var plan = new SourcingPlan(
            [.. reserved.Select(r => new PlannedUnits(r.Warehouse, r.Sku, r.Quantity))], missing, "nearest", []);
        foreach (var bySku in reserved.GroupBy(r => r.Sku))
            await Append(Keys.OfStock(warehouse, bySku.Key), new StockReserved(
                id, [.. bySku.Select(r => new LineUnits(r.LineId, r.Quantity))]));
        var terms = new PlacingTerms(TimeSpan.FromMinutes(30), TimeSpan.FromDays(14));
        await Do(id, new TakeOrder(order, reserved, plan, terms));
        return id;
    }

    /// <summary>An order as a channel sends it.</summary>
    public static PlaceOrder Request(
        int number, string channel = "web", string? externalId = null, string name = "Jane Doe",
        string? email = "jane@example.com", PaymentReport payment = PaymentReport.Paid, decimal price = 2.50m,
        StockPolicy policy = StockPolicy.Backorder, params (string Sku, int Quantity)[] lines) => new(
            $"{100000 + number}", channel, externalId, new Customer(name, email),
            new Address(name, "1 High Street", null, "Worthing", null, "BN9 1AA", "GB"), "GBP",
            [.. (lines.Length > 0 ? lines : [("A", 2)]).Select((l, i) =>
                new PlacedLine(i + 1, l.Sku, l.Quantity, price, 0.2m, 0))],
            new ShippingChoice("standard", 3.95m),
            new PaymentTerms(
                PaymentMethod.Prepaid, payment, payment == PaymentReport.Pending ? null : $"pi_{number}", null),
            policy, $"hash-{number}");

    /// <summary>Carries out a command on an order; shipments that it releases are born with it.</summary>
    public async Task Do(string id, OrderCommand command)
    {
        var order = Orders.GetValueOrDefault(id) ?? new Order(id);
        var decision = OrderDecider.Decide(order, command, Now);
        Assert.Null(decision.Rejection);
        if (decision.Events.Count == 0) return;
        await Append(id, [.. decision.Events]);
        foreach (var e in decision.Events.OfType<ShipmentReleased>())
            await Append(e.ShipmentId, new ShipmentCreated(
                id, Orders[id].Placed!.Number, e.Warehouse, "GB", "standard",
                [.. e.Lines.Select(l => new ShipmentUnit(l.LineId, order.Lines[l.LineId - 1].Placed.Sku, l.Quantity))],
                Orders[id].Placed!.Personal));
    }

    /// <summary>Carries out a command on a shipment; its order and its stocks hear of it.</summary>
    public async Task Do(string id, ShipmentCommand command)
    {
        var before = Shipments[id];
        var decision = ShipmentDecider.Decide(before, command, Now);
        Assert.Null(decision.Rejection);
        await Append(id, [.. decision.Events]);
        var after = Shipments[id];
        var hasLeft = decision.Events.Any(e => e is ShipmentShipped);
        await Do(after.Created!.OrderId, new ReportShipment(
            id, after.Version, after.Status, Now, Carrier: after.Left?.Carrier));
        if (!hasLeft) return;
        foreach (var bySku in after.Lines.GroupBy(l => l.Sku))
            await Append(Keys.OfStock(after.Created.Warehouse, bySku.Key), new StockShipped(
                after.Created.OrderId, id, [.. bySku.Select(l => new LineUnits(l.LineId, l.Quantity))]));
    }

    /// <summary>Takes an order's first shipment from the shelf to the carrier and, if asked, to the door.</summary>
    public async Task Ship(string orderId, bool deliver = false)
    {
        await Do(orderId, new ReleaseToWarehouses());
        var shipment = Shipments[Keys.OfShipment(orderId, 1)];
        SkuUnits[] units = [.. shipment.Lines.GroupBy(l => l.Sku)
            .Select(g => new SkuUnits(g.Key, g.Sum(l => l.Quantity)))];
        await Do(shipment.Id, new PickUnits(units));
        await Do(shipment.Id, new PackShipment([new Package(500, units)]));
        await Do(shipment.Id, new ShipShipment("post", "letter", "T-1"));
        if (deliver)
            await Do(shipment.Id, new RecordTracking(ShipmentStatus.Delivered, "At the door", "Worthing", Now, "e-1"));
    }

    /// <summary>Cancels what has not shipped of an order that no warehouse works on.</summary>
    public async Task Cancel(string orderId)
    {
        var before = Orders[orderId].Version;
        await Do(orderId, new CancelOrder($"cancel-{orderId}", "changed mind", null));
        Assert.True(Orders[orderId].Version > before);
        if (Orders[orderId].PendingCancellation is not null)
            await Do(orderId, new CompleteCancellation([]));
        foreach (var bySku in Orders[orderId].Lines.GroupBy(l => l.Placed.Sku))
        {
            LineUnits[] held = [.. bySku.Select(l => new LineUnits(l.Placed.LineId, Held(orderId, l)))
                .Where(l => l.Quantity > 0)];
            if (held.Length > 0)
                await Append(Keys.OfStock("LON", bySku.Key), new ReservationReleased(orderId, held, "cancelled"));
        }
    }

    /// <summary>
    /// Plays orders of every kind to different ends: unpaid, waiting, cancelled, in a warehouse, shipped, delivered.
    /// </summary>
    /// <param name="first">Number of the first one.</param>
    public async Task Play(int orders, int seed, string[] skus, int first = 1)
    {
        var dice = new Random(seed);
        for (var n = first; n < first + orders; n++)
        {
            Now += TimeSpan.FromSeconds(dice.Next(1, 600));
            var fate = dice.Next(8);
            (string, int)[] lines = [.. skus.OrderBy(_ => dice.Next()).Take(dice.Next(1, Math.Min(5, skus.Length + 1)))
                .Select(s => (s, dice.Next(1, 9)))];
            var id = await Place(
                Request(n, dice.Next(3) == 0 ? "store" : "web", dice.Next(2) == 0 ? $"EXT-{n}" : null,
                    payment: fate == 0 ? PaymentReport.Pending : PaymentReport.Paid, price: dice.Next(1, 2000) / 100m,
                    lines: lines),
                OrderId(n), reserve: fate == 1 ? 1 : null);
            if (fate == 2) await Cancel(id);
            if (fate == 3) await Do(id, new ReleaseToWarehouses());
            if (fate is 4 or 5) await Ship(id);
            if (fate is 6 or 7) await Ship(id, deliver: true);
        }
    }

    /// <summary>Appends to the end of a stream and folds into the truth.</summary>
    public async Task Append(string stream, params DomainEvent[] events)
    {
        var version = _versions.GetValueOrDefault(stream);
        var command = $"c-{++_commands}";
        var result = await log.Append(new Append(new StreamEvents(
            stream, version, [.. events.Select(e => new NewEvent(e, command, "system", Now))])));
        Assert.IsType<AppendResult.Committed>(result);
        _versions[stream] = version + events.Length;
        foreach (var e in events) Fold(stream, e, command);
    }

    void Fold(string stream, DomainEvent data, string command)
    {
        if (data is OrderEvent order)
            Orders[stream] = (Orders.GetValueOrDefault(stream) ?? new Order(stream)).Apply(order);
        if (data is ShipmentEvent shipment)
            Shipments[stream] = (Shipments.GetValueOrDefault(stream) ?? new Shipment(stream)).Apply(shipment, Now);
        if (data is not StockEvent stock) return;
        var (warehouse, sku) = Keys.ReadStock(stream);
        Stocks[stream] = (Stocks.GetValueOrDefault(stream) ?? new Ledger(warehouse, sku)).Apply(stock, command, Now);
    }

    int Held(string orderId, OrderLine line) => Stocks
        .GetValueOrDefault(Keys.OfStock("LON", line.Placed.Sku))?.Reservations
        .Of(orderId, line.Placed.LineId)?.Quantity ?? 0;
}
