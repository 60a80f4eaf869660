using System.Text;
using System.Text.Json.Nodes;
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
/// What was stored once is read for ever. Every event has files with texts as they were stored, one with all members and,
/// where members may be absent, one with the fewest; none is ever edited (<see cref="GoldenFilesTests"/>). A new event or a
/// new member gets a new file, written by running with <c>OMS_WRITE_GOLDEN=1</c>.
/// </summary>
public sealed class GoldenEventsTests
{
    static readonly DateTimeOffset At = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    static readonly Address Address = new(
        "Jane Doe", "1 High Street", "Flat 2", "Worthing", "West Sussex", "BN9 1AA", "GB", "+44 1903 000000");

    static readonly DomainEvent[] Full =
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
        new MovementStarted(MovementKind.Adjustment, "LON", "count", [new SkuDelta("85123A", -3)], "abc"),
        new MovementCompleted(),
        new MovementTurnedBack("insufficient_stock", "85123A in LON has 2 on hand."),
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
        new ConditionChanged(StockCondition.Quarantine, StockCondition.Damaged, 2, "box was wet"),
        new ConditionMovementStarted(
            MovementKind.ConditionChange, "LON", "box was wet",
            [new MovementLine("85123A", 2, StockCondition.Sellable, StockCondition.Quarantine)], "abc"),
        new CartReserved(
            [new CartLine(1, "85123A", 6)], [new LineAllocation(1, "85123A", "LON", 4)], At.AddMinutes(15), "abc", "ord-1/after/0/x/1"),
        new CartExtended(At.AddMinutes(30)),
        new CartEnded(CartEnd.Ordered, [new LineAllocation(1, "85123A", "LON", 1)], [new CartUnits(new LineAllocation(1, "85123A", "LON", 3), 2)]),
        new OrderPlacedAs("ord-1", "abc"),
        new LawBroken(Law.NoOversell, "stk-LON/85123A", "8 reserved, 5 on hand at version 3"),
        new WarehousePut("LON", new WarehouseDetails("London", Address, new GeoPoint(51.5, -0.1), true)),
        new StockServed("ord-1", [new LineUnits(1, 6)], "web", "promised by 2026-08-02 09:00, the earliest of 2 that wait"),
    ];

    /// <summary>The same without whatever may be absent, and with lists empty that may be.</summary>
    static readonly DomainEvent[] Least =
    [
        new OrderPlaced(
            "100002", "store", null, At, "JPY", "JP", [new PlacedLine(1, "85123A", 1, 500m, 0m, 0m)],
            new ShippingChoice("standard", 0m), new PaymentTerms(PaymentMethod.Terms, PaymentReport.Authorized, null, null),
            StockPolicy.Backorder, null, At.AddDays(14), "abc",
            new PersonalData(new Customer("Jane Doe"), Address with { Line2 = null, Region = null, PostalCode = null, Phone = null })),
        new OrderAllocated(
            SourcingCause.Placing, [], [], new SourcingPlan([], new Dictionary<string, int>(), "nobody has it", [])),
        new ShipmentProgressed("shp-1", 2, ShipmentStatus.Picking, At, null, null, null, null, null),
        new CancellationRequested("c1", "changed my mind", null),
        new UnitsCancelled("c1", "changed my mind", [new CancelledUnits(1, "85123A", 1, null, null)]),
        new ShipmentCreated(
            "ord-1", "100001", "LON", "GB", "standard", [new ShipmentUnit(1, "85123A", 4)],
            new PersonalData(
                new Customer("Jane Doe", "jane@example.com", "+44 1903 000000"),
                Address with { Line2 = null, Region = null, PostalCode = null, Phone = null })),
        new ShipmentShipped("DHL", "Parcel", null),
        new TrackingRecorded(ShipmentStatus.ReturnedToSender, "Refused", null, At, "e2"),
        new ProductPut("85123A", new ProductDetails("T-light holder", null, null)),
        new ConditionChanged(null, null, 2, "box was wet"),
        new ConditionMovementStarted(MovementKind.Receipt, "LON", "PO-7", [new MovementLine("85123A", 3)], "abc"),
        new WarehousePut("LON", new WarehouseDetails(
            "London", Address with { Line2 = null, Region = null, PostalCode = null, Phone = null }, null, false)),
    ];

    /// <summary>As they are when personal data is erased, and what a refused cancellation leaves.</summary>
    static readonly DomainEvent[] Other =
    [
        ((OrderPlaced)Full[0]) with { Personal = null },
        new ShipmentCreated("ord-1", "100001", "LON", "GB", "standard", [new ShipmentUnit(1, "85123A", 4)], null),
        new UnitsCancelled("c2", "changed my mind", []),
    ];

    /// <summary>
    /// Personal data of which only a part is there, units that nobody had looked for, money that was taken back, and units of
    /// which is known by which attempt they were reserved.
    /// </summary>
    static readonly DomainEvent[] Part =
    [
        ((OrderPlaced)Full[0]) with { Personal = new PersonalData(null, null) },
        new ShipmentCreated(
            "ord-1", "100001", "LON", "GB", "standard", [new ShipmentUnit(1, "85123A", 4)],
            new PersonalData(new Customer("Jane Doe"), null)),
        new UnitsCancelled("c1", "changed my mind", [new CancelledUnits(1, "85123A", 1, null, null, IsOpen: true)]),
        new PaymentRecorded(PaymentReport.Failed, 22.31m, "pi_1", At.AddMinutes(30), "pi_0"),
        ((OrderAllocated)Full[3]) with { Attempt = "ord-1/@4/8f0c/1" },
    ];

    /// <summary>By the name of the file.</summary>
    static readonly IReadOnlyDictionary<string, DomainEvent> Samples = 
        new[] { (Full, ""), (Least, "+least"), (Other, "+other"), (Part, "+part") }
            .SelectMany(s => s.Item1.Select(e => (File: EventTypes.Write(e).Type + s.Item2, Event: e)))
            .ToDictionary(s => s.File, s => s.Event, StringComparer.Ordinal);

    static string Folder => Path.Combine(Repository.Root, "tests", "OrleansOms.Tests", "Log", "Golden", "Events");

    static string JsonOf(DomainEvent e) => Encoding.UTF8.GetString(EventTypes.Write(e).Json);

    static string TypeOf(string file) => file.Split('+')[0];

    static string Stored(string file) => File.ReadAllText(Path.Combine(Folder, $"{file}.json")).TrimEnd('\n');

    public static TheoryData<string> Files => new(Samples.Keys);

    [Theory]
    [MemberData(nameof(Files))]
    public void A_stored_event_is_read_for_ever(string file)
    {
        var sample = Samples[file];
        GoldenFiles.WriteIfNew(Path.Combine(Folder, $"{file}.json"), JsonOf(sample) + "\n");
        var stored = Stored(file);
        var read = EventTypes.Read(TypeOf(file), Encoding.UTF8.GetBytes(stored));
        Assert.NotNull(read);
        Assert.Equal(JsonOf(sample), JsonOf(read));
        Assert.Equal(stored, JsonOf(read));
    }

    [Fact]
    public void No_stored_name_is_forgotten_and_each_event_has_its_files()
    {
        var files = Directory.GetFiles(Folder, "*.json").Select(f => Path.GetFileNameWithoutExtension(f)).ToList();
        Assert.Equal(EventTypes.Names.Select(n => n.Name).Order(), files.Select(TypeOf).Distinct().Order());
        Assert.Equal(Samples.Keys.Order(StringComparer.Ordinal), files.Order(StringComparer.Ordinal));
    }

    public static TheoryData<string> Names => new(EventTypes.Names.Select(n => n.Name));

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_member_is_stored_in_a_file_and_every_optional_one_is_absent_in_one(string name)
    {
        var texts = Samples.Keys.Where(f => TypeOf(f) == name).Select(f => JsonNode.Parse(Stored(f))!).ToList();
        Assert.Empty(StoredShape.Missing(EventTypes.Names.Single(n => n.Name == name).Type, texts));
    }

    [Fact]
    public void A_member_without_a_file_is_noticed() => Assert.Equal(
        ["payment.days is in no file", "personal.customer.email is absent in no file"],
        StoredShape.Missing(typeof(OrderPlaced),
        [
            .. Samples.Keys.Where(f => TypeOf(f) == "order.placed.v1").Select(Stored).Select(text =>
            {
                var order = JsonNode.Parse(text)!;
                order["payment"]!.AsObject().Remove("days");
                if (order["personal"]?["customer"] is { } customer) customer["email"] = "jane@example.com";
                return order;
            }),
        ]).Order(StringComparer.Ordinal));

    /// <summary>Words are stored by name; those of columns in the case of the API.</summary>
    [Fact]
    public void A_stored_word_is_read_for_ever()
    {
        Type[] words = [.. EventTypes.Names.SelectMany(n => StoredShape.Words(n.Type))
            .Concat([typeof(OrderStatus), typeof(PaymentStatus), typeof(ShipmentStatus)]).Distinct().OrderBy(t => t.Name, StringComparer.Ordinal)];
        var text = string.Concat(words.SelectMany(t => Enum.GetNames(t).Select(n => $"{t.Name} {n} {Convert.ToInt64(Enum.Parse(t, n))}\n")));
        GoldenFiles.IsWithin("words.txt", text);
    }

    [Fact]
    public void A_type_of_a_newer_program_is_not_an_error() => Assert.Null(EventTypes.Read("order.teleported.v1", "{}"u8));

    [Fact]
    public void A_member_of_a_newer_program_is_not_an_error() => Assert.Equal(
        new StockReceived(100, "PO-7"), EventTypes.Read("stock.received.v1", """{"quantity":100,"reference":"PO-7","lot":{"no":7}}"""u8));

    [Fact]
    public void A_member_that_moved_is_noticed()
    {
        var swapped = EventTypes.Read("stock.received.v1", """{"units":100,"reference":"PO-7"}"""u8);
        Assert.NotEqual(new StockReceived(100, "PO-7"), swapped);
    }
}
