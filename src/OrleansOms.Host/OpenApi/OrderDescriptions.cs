using OrleansOms.Contracts.Orders;
using OrleansOms.Host.Orders;

namespace OrleansOms.Host.OpenApi;

/// <summary>What the document says about orders.</summary>
static class OrderDescriptions
{
    static readonly DescribedParameter Id = DescribedParameter.Path("id", "The order's id: ord- and 26 characters.");

    const string Order =
        """
        {
          "id": "ord-2h7k9xw4v1c8t3q5m6n0p2r4sg", "number": "1001", "version": 3, "status": "allocated",
          "paymentStatus": "paid", "channel": "web", "externalId": "536365", "placedAt": "2010-12-01T08:26:00+00:00",
          "currency": "GBP", "customer": { "name": "Jane Doe", "email": "jane@example.com" },
          "shipTo": { "name": "Jane Doe", "line1": "1 High Street", "city": "Worthing", "postalCode": "BN9 1AA", "country": "GB" },
          "lines": [ { "lineId": 1, "sku": "85123A", "quantity": 6, "unitPrice": 2.55, "taxRate": 0.2, "discount": 0,
            "allocated": 6, "backordered": 0, "shipped": 0, "delivered": 0, "cancelled": 0, "returned": 0,
            "allocations": [ { "warehouse": "LON", "quantity": 6 } ] } ],
          "totals": { "goods": 15.30, "discount": 0, "tax": 3.06, "shipping": 3.95, "grand": 22.31 },
          "shipments": [], "holds": [], "promisedBy": "2010-12-15T08:26:00+00:00",
          "trackingUrl": "http://localhost:8080/track/…"
        }
        """;

    public static EndpointDescription Place { get; } = new(
        "placeOrder", "Place an order",
        "Checks, sources, reserves and stores the order; the answer is sent after it is durable. The same key with the "
        + "same body gives the same answer, byte for byte. A second order of the same channel and externalId under "
        + "another key is refused and names the first one as orderId. With a reservation it takes that one's units and its id; one that "
        + "is over has none to give, and the order is sourced as any other.",
        typeof(PlaceOrderRequest), typeof(OrderView))
    {
        Parameters = [DescribedParameter.IdempotencyKey(isRequired: true)],
        Successes = [201],
        Refusals = new Dictionary<int, string>
        {
            [400] = "`idempotency_key_required`, `invalid_idempotency_key`, `too_many_lines`, `too_many_units`",
            [409] = "`request_in_progress`, `duplicate_order`, `insufficient_stock`, `reservation_over`",
            [422] = "`idempotency_key_reused`, `unknown_channel`, `unknown_currency`, `unknown_country`, `unknown_sku`, "
                + "`unknown_reservation`",
        },
        RequestExample =
            """
            {
              "channel": "web", "externalId": "536365",
              "customer": { "name": "Jane Doe", "email": "jane@example.com" },
              "shipTo": { "name": "Jane Doe", "line1": "1 High Street", "city": "Worthing", "postalCode": "BN9 1AA", "country": "GB" },
              "currency": "GBP",
              "lines": [ { "sku": "85123A", "quantity": 6, "unitPrice": 2.55, "taxRate": 0.2, "discount": 0 } ],
              "shipping": { "service": "standard", "price": 3.95 },
              "payment": { "method": "prepaid", "status": "paid", "reference": "pi_1" },
              "stockPolicy": "backorder"
            }
            """,
        AnswerExample = Order,
    };

    public static EndpointDescription List { get; } = new(
        "listOrders", "Find orders",
        "Newest first unless sorted otherwise. Cursors stay where they are when new orders come in. The list follows the "
        + "orders within a moment; an order itself is never behind.",
        null, typeof(OrderList))
    {
        Parameters =
        [
            DescribedParameter.Query("status", "Any of these statuses, repeated or with commas between."),
            DescribedParameter.Query("channel", "Code of the sales channel."),
            DescribedParameter.Query("q", "Finds number, external id, name, e-mail, SKU."),
            DescribedParameter.Query("from", "Placed at this moment or later.", """{"type":"string","format":"date-time"}"""),
            DescribedParameter.Query("to", "Placed before this moment.", """{"type":"string","format":"date-time"}"""),
            DescribedParameter.Query("sku", "Exactly this SKU is in a line."),
            DescribedParameter.Query("warehouse", "This warehouse holds or shipped units of it."),
            DescribedParameter.Query("sort", "The rows' order.",
                """{"type":"string","enum":["-placedAt","placedAt","-total","total"],"default":"-placedAt"}"""),
            DescribedParameter.Limit, DescribedParameter.Cursor,
        ],
        Refusals = new Dictionary<int, string> { [400] = "`bad_cursor`", [404] = "A warehouse that you may not see" },
    };

    public static EndpointDescription Get { get; } = new(
        "getOrder", "Read an order", "The order as it is now.", null, typeof(OrderView))
    {
        Parameters = [Id],
        Refusals = new Dictionary<int, string> { [404] = "`not_found`" },
        AnswerExample = Order,
    };

    public static EndpointDescription Timeline { get; } = new(
        "getOrderTimeline", "Read what happened to an order",
        "Every event of the order in words, oldest first, numbered without a gap.", null, typeof(OrderTimeline))
    {
        Parameters = [Id],
        Refusals = new Dictionary<int, string> { [404] = "`not_found`" },
        AnswerExample =
            """
            { "orderId": "ord-2h7k9xw4v1c8t3q5m6n0p2r4sg", "events": [ { "version": 3, "at": "2010-12-01T08:26:00+00:00",
              "who": "shop", "type": "allocated", "what": "Reserved 6 × 85123A in LON: one warehouse has everything" } ] }
            """,
    };

    public static EndpointDescription Cancel { get; } = new(
        "cancelOrder", "Cancel an order or units of it",
        "Without lines, everything that has not shipped; with lines, all that they name or nothing, and should units leave "
        + "at that very moment, `cancelled` says how many were taken. Stock is released exactly once. What a warehouse has "
        + "begun is taken back if it has not left; a packed shipment that keeps some of its units goes back to be packed "
        + "again, and its packages are void.",
        typeof(CancelOrderRequest), typeof(OrderView))
    {
        Parameters = [Id, DescribedParameter.IdempotencyKey(isRequired: false)],
        Refusals = new Dictionary<int, string>
        {
            [404] = "`not_found`", [409] = "`order_not_cancellable`, `cancellation_in_progress`",
            [422] = "`unknown_line`, `idempotency_key_reused`",
        },
        RequestExample = """{ "reason": "changed my mind", "lines": [ { "lineId": 1, "quantity": 2 } ] }""",
        AnswerExample = Order,
    };

    public static EndpointDescription Pay { get; } = new(
        "recordPayment", "Record a payment",
        "What a payment provider reports. The same reference, status and amount again change nothing. What is paid under the "
        + "reference of its authorization is the same money, and the order's number is the reference of one that came with the "
        + "order and had none. Another reference is other money, beside what is authorized; if both would be more than is due, it is "
        + "taken from what is authorized. A failure takes back "
        + "what its reference had authorized and not captured: nothing more is released until money comes. A failure after "
        + "a later authorization of its reference is another one, unless it comes under its Idempotency-Key again.",
        typeof(RecordPaymentRequest), typeof(OrderView))
    {
        Parameters = [Id, DescribedParameter.IdempotencyKey(isRequired: false)],
        Refusals = new Dictionary<int, string>
        {
            [404] = "`not_found`", [409] = "`order_not_payable`",
            [422] = "`amount_too_high`, `payment_reference_reused`, `idempotency_key_reused`",
        },
        RequestExample = """{ "status": "paid", "amount": 22.31, "reference": "pi_1" }""",
        AnswerExample = Order,
    };
}
