using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Orders;
using OrleansOms.Host.Catalogue;
using OrleansOms.Postgres.Shipments;

namespace OrleansOms.Host.Demo;

/// <summary>
/// Plays the demo company's day, slowly enough to watch: customers order, some pay late or never, pickers pick, now and
/// then something is not on the shelf, carriers scan, stock comes in.
/// </summary>
public sealed partial class DemoPlay(
    IGrainFactory grains, KnownThings known, OrderDesk desk, INumberSequence numbers, ShipmentQueries shipments, TimeProvider time,
    ILogger<DemoPlay> logger)
    : BackgroundService
{
    static readonly TimeSpan Beat = TimeSpan.FromSeconds(2);
    static readonly Caller Staff = new("", "operator:demo");

    readonly Random _random = new();

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var isLoaded = false;
        using var beat = new PeriodicTimer(Beat, time);
        try
        {
            do
            {
                try
                {
                    if (!isLoaded) await DemoCompany.Load(grains, known);
                    isLoaded = true;
                    await Play();
                }
                catch (Exception e) when (e is OmsFaultException or TimeoutException or OrleansException)
                {
                    LogPaused(logger, e.Message);
                }
            }
            while (await beat.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { return; }
    }

    async Task Play()
    {
        if (_random.Next(2) == 0) await PlaceOrder();
        foreach (var (code, _) in DemoCompany.Warehouses) await Work(code);
        if (_random.Next(12) == 0) await ReceiveStock();
    }

    async Task PlaceOrder()
    {
        var who = DemoCompany.People[_random.Next(DemoCompany.People.Length)];
        var number = $"{await numbers.Next()}";
        var lines = Enumerable.Range(0, _random.Next(1, 5))
            .Select(_ => DemoCompany.Products[_random.Next(DemoCompany.Products.Length)]).Distinct()
            .Select((p, i) => new PlacedLine(i + 1, p.Sku, _random.Next(1, 4), p.Price, 0.2m, 0)).ToList();
        var status = _random.Next(6) == 0 ? PaymentReport.Pending : PaymentReport.Paid;
        var id = Keys.FromIdempotencyKey(Keys.Order, "demo", number);
        var reply = await desk.Place(
            id,
            new PlaceOrder(
                number, Pick("web", "mobile", "marketplace", "phone", "b2b"), $"D-{number}",
                new Customer(who.Name, $"{who.Name.Split(' ')[0].ToLowerInvariant()}@example.com"),
                new Address(who.Name, who.Street, null, who.City, null, who.PostalCode, who.Country), "GBP", lines,
                new ShippingChoice("standard", 3.95m), new PaymentTerms(PaymentMethod.Prepaid, status, $"pi_{number}", null),
                StockPolicy.Backorder, "demo"),
            new Caller($"{id}/place", "operator:demo"));
        if (reply.Value is { } order && status == PaymentReport.Pending && _random.Next(2) == 0)
            await grains.GetGrain<IOrderGrain>(id).Execute(
                new RecordPayment(PaymentReport.Paid, order.Totals.Grand, $"pi_{number}"), Staff with { CommandId = $"{id}/pay" });
    }

    /// <summary>Moves a few shipments of a warehouse one step on.</summary>
    async Task Work(string warehouse)
    {
        var open = await shipments.List(new ShipmentFilter { Warehouse = warehouse, Statuses = Moving, Limit = 50 });
        foreach (var shipment in open.Items.Where(_ => _random.Next(6) == 0).Take(2))
            await grains.GetGrain<IShipmentGrain>(shipment.Id).Execute(
                Next(shipment), Staff with { CommandId = $"{shipment.Id}/{shipment.Version}" });
    }

    static readonly ShipmentStatus[] Moving =
    [
        ShipmentStatus.Released, ShipmentStatus.Picking, ShipmentStatus.Packed, ShipmentStatus.Shipped,
        ShipmentStatus.InTransit,
    ];

    ShipmentCommand Next(ShipmentView s) => s.Status switch
    {
        ShipmentStatus.Released or ShipmentStatus.Picking when s.Lines.FirstOrDefault(l => l.Picked is null) is { } line =>
            new PickUnits([new SkuUnits(line.Sku, Found(s.Lines.Where(l => l.Sku == line.Sku).Sum(l => l.Quantity)))]),
        ShipmentStatus.Picking => new PackShipment([new Package(
            300 + s.Lines.Sum(l => l.Quantity * 250),
            [.. s.Lines.GroupBy(l => l.Sku).Select(g => new SkuUnits(g.Key, g.Sum(l => l.Quantity)))])]),
        ShipmentStatus.Packed => new ShipShipment(
            "DHL", "Parcel", $"JD{_random.NextInt64(1_000_000_000_000, 9_999_999_999_999)}"),
        ShipmentStatus.Shipped => Scan(s, ShipmentStatus.InTransit, "Sorted at the parcel centre", "Parcel centre"),
        _ => s.Tracking.Count switch
        {
            1 => Scan(s, ShipmentStatus.InTransit, "At the delivery depot", s.ShipTo?.City),
            2 => Scan(s, ShipmentStatus.InTransit, "Out for delivery", s.ShipTo?.City),
            _ => Scan(s, ShipmentStatus.Delivered, "Delivered at the door", s.ShipTo?.City),
        },
    };

    RecordTracking Scan(ShipmentView s, ShipmentStatus status, string words, string? place) =>
        new(status, words, place, time.GetUtcNow(), $"{s.Id}/{s.Version}");

    int Found(int units) => _random.Next(25) == 0 ? units - 1 : units;

    Task ReceiveStock() => DemoCompany.Receive(
        grains, Pick("LON", "MAN", "RTM"), $"PO-{time.GetUtcNow():yyMMddHHmmss}",
        [.. Enumerable.Range(0, 8).Select(_ => DemoCompany.Products[_random.Next(DemoCompany.Products.Length)].Sku)
            .Distinct().Select(sku => new MovementLine(sku, _random.Next(5, 25)))]);

    T Pick<T>(params T[] from) => from[_random.Next(from.Length)];

    [LoggerMessage(LogLevel.Information, "The demo pauses: {Reason}")]
    static partial void LogPaused(ILogger logger, string reason);
}
