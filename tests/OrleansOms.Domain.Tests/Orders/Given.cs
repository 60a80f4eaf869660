using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Sourcing;

namespace OrleansOms.Domain.Tests.Orders;

/// <summary>Orders to begin with.</summary>
static class Given
{
    public const string Id = "ord-00000000000000000000000001";
    public static readonly DateTimeOffset Now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    public static readonly PlacingTerms Terms = new(TimeSpan.FromMinutes(30), TimeSpan.FromDays(14));

    public static PlaceOrder Request(
        PaymentReport payment = PaymentReport.Paid, PaymentMethod method = PaymentMethod.Prepaid,
        StockPolicy policy = StockPolicy.Backorder, params (string Sku, int Quantity)[] lines) => new(
        "100001", "web", "536365", new Customer("Jane Doe", "jane@example.com"),
        new Address("Jane Doe", "1 High Street", null, "Worthing", null, "BN9 1AA", "GB"), "GBP",
        [.. (lines.Length == 0 ? [("A", 6)] : lines).Select((l, i) => new PlacedLine(i + 1, l.Sku, l.Quantity, 2.55m, 0.2m, 0))],
        new ShippingChoice("standard", 3.95m), new PaymentTerms(method, payment, "pi_1", null), policy, "hash");

    public static SourcingPlan Plan(params (string Sku, int Missing)[] missing) =>
        new([], missing.ToDictionary(m => m.Sku, m => m.Missing), "test", []);

    public static Order Placed(PlaceOrder request, params LineAllocation[] reserved)
    {
        var missing = request.Lines.GroupBy(l => l.Sku)
            .Select(g => (g.Key, g.Sum(l => l.Quantity) - reserved.Where(r => r.Sku == g.Key).Sum(r => r.Quantity)))
            .Where(m => m.Item2 > 0).ToArray();
        var order = new Order(Id);
        return order.Apply(OrderDecider.Decide(order, new TakeOrder(request, reserved, Plan(missing), Terms), Now).Events);
    }

    /// <summary>One line of six units of A, all in LON.</summary>
    public static Order Allocated(PaymentReport payment = PaymentReport.Paid) =>
        Placed(Request(payment), new LineAllocation(1, "A", "LON", 6));

    public static Order Released() => Allocated().When(new ReleaseToWarehouses());

    public static Order When(this Order order, OrderCommand command, DateTimeOffset? now = null)
    {
        var decision = OrderDecider.Decide(order, command, now ?? Now);
        Assert.Null(decision.Rejection);
        return order.Apply(decision.Events);
    }

    public static ReportShipment Report(int version, Domain.Shipments.ShipmentStatus status, params LineUnits[] missing) =>
        new(Keys.OfShipment(Id, 1), version, status, Now, Missing: missing);
}
