using System.Text;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Tests.Log;

/// <summary>
/// What was stored once is read for ever. Every event has a file with the text that was stored; it is never edited. A
/// new event or a new member gets a new file, written by running with <c>OMS_WRITE_GOLDEN=1</c>.
/// </summary>
public sealed class GoldenEventsTests
{
    static readonly DateTimeOffset At = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    static readonly Address Address = new(
        "Jane Doe", "1 High Street", "Flat 2", "Worthing", "West Sussex", "BN9 1AA", "GB", "+44 1903 000000");

    static readonly DomainEvent[] Samples =
    [
        new OrderPlaced(
            "100001", "web", "536365", At, "GBP", "GB", [new PlacedLine(1, "85123A", 6, 2.55m, 0.2m, 0.5m)],
            new ShippingChoice("standard", 3.95m), new PaymentTerms(PaymentMethod.Prepaid, PaymentReport.Pending, "pi_1", 30),
            StockPolicy.Reject, At.AddMinutes(30), At.AddDays(14), "abc",
            new PersonalData(new Customer("Jane Doe", "jane@example.com", "+44 1903 000000"), Address)),
        new OrderRefused("insufficient_stock", "Not in stock: 2 × 85123A.", "abc"),
        new OrderAbandoned(),
        new OrderAllocated(
            SourcingCause.ShortPick, [new LineAllocation(1, "85123A", "LON", 4)], [new LineUnits(1, 2)],
            new SourcingPlan(
                [new PlannedUnits("LON", "85123A", 4)], new Dictionary<string, int> { ["85123A"] = 2 }, "one warehouse",
                [new CandidateOutcome("LON", 81.5, true, "ships a part"), new CandidateOutcome("MAN", null, false, "has none")])),
        new PaymentRecorded(PaymentReport.Paid, 22.31m, "pi_1"),
        new ShipmentReleased("shp-1", "LON", [new LineUnits(1, 4)]),
        new UnitsNotFound("shp-1", "LON", [new LineAllocation(1, "85123A", "LON", 1)]),
        new UnitsShipped("shp-1", "LON", [new LineAllocation(1, "85123A", "LON", 3)]),
        new UnitsDelivered("shp-1", [new LineUnits(1, 3)]),
        new ShipmentProgressed("shp-1", 5, ShipmentStatus.InTransit, At, "Sorted", "Gatwick", "DHL", "Parcel", "JD1"),
        new CancellationRequested("c1", "changed my mind", [new LineUnits(1, 1)]),
        new UnitsCancelled("c1", "changed my mind", [new CancelledUnits(1, "85123A", 1, "LON", "shp-1")]),
        new HoldPlaced("fraud", "check the address", HoldStops.Allocate | HoldStops.Release),
        new HoldLifted("fraud"),
        new OrderClosed(),
        new ReservationSettled("LON", "85123A", [new LineUnits(1, 2)]),
        new StockReceived(100, "PO-7"),
        new StockAdjusted(-3, "damaged"),
        new StockReserved("ord-1", [new LineUnits(1, 6)]),
        new ReservationReleased("ord-1", [new LineUnits(1, 2)], "cancelled"),
        new StockShipped("ord-1", "shp-1", [new LineUnits(1, 3)]),
        new StockNotFound("ord-1", "shp-1", [new LineUnits(1, 1)]),
        new MovementStarted(MovementKind.Adjustment, "LON", "count", [new MovementLine("85123A", -3)], "abc"),
        new MovementCompleted(),
        new MovementRefused("insufficient_stock", "85123A in LON has 2 on hand."),
        new ShipmentCreated(
            "ord-1", "100001", "LON", "GB", "standard", [new ShipmentUnit(1, "85123A", 4)], new PersonalData(null, Address)),
        new UnitsPicked([new PickedUnits(1, "85123A", 3, 1)]),
        new ShipmentPacked([new Package(900, [new SkuUnits("85123A", 3)])]),
        new ShipmentShipped("DHL", "Parcel", "JD1"),
        new TrackingRecorded(ShipmentStatus.Delivered, "Delivered", "Worthing", At, "e1"),
        new UnitsWithdrawn("c1", [new LineUnits(1, 1)]),
        new ShipmentUnpacked("c1"),
        new TrackingAlarmRaised(At),
        new ProductPut("85123A", new ProductDetails("T-light holder", 320, "5012345678900")),
        new LawBroken(Law.NoOversell, "stk-LON/85123A", "8 reserved, 5 on hand at version 3"),
        new WarehousePut("LON", new WarehouseDetails("London", Address, new GeoPoint(51.5, -0.1), true)),
    ];

    static string Folder => Path.Combine(Repository.Root, "tests", "OrleansOms.Tests", "Log", "Golden");

    static string JsonOf(DomainEvent e) => Encoding.UTF8.GetString(EventTypes.Write(e).Json);

    public static TheoryData<string> Names => new(EventTypes.Names.Select(n => n.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_stored_event_is_read_for_ever(string name)
    {
        var file = Path.Combine(Folder, $"{name}.json");
        var sample = Assert.Single(Samples, s => EventTypes.Write(s).Type == name);
        if (Environment.GetEnvironmentVariable("OMS_WRITE_GOLDEN") == "1" && !File.Exists(file))
            File.WriteAllText(file, JsonOf(sample) + "\n");
        var stored = File.ReadAllText(file).TrimEnd('\n');
        var read = EventTypes.Read(name, Encoding.UTF8.GetBytes(stored));
        Assert.NotNull(read);
        Assert.Equal(stored, JsonOf(read));
        Assert.Equal(JsonOf(sample), stored);
    }

    [Fact]
    public void No_stored_name_is_forgotten() => Assert.Equal(
        Directory.GetFiles(Folder, "*.json").Select(f => Path.GetFileNameWithoutExtension(f)).Order(),
        EventTypes.Names.Select(n => n.Name).Order());

    [Fact]
    public void A_type_of_a_newer_program_is_not_an_error() => Assert.Null(EventTypes.Read("order.teleported.v1", "{}"u8));

    [Fact]
    public void A_member_that_moved_is_noticed()
    {
        var swapped = EventTypes.Read("stock.received.v1", """{"units":100,"reference":"PO-7"}"""u8);
        Assert.NotEqual(new StockReceived(100, "PO-7"), swapped);
    }
}
