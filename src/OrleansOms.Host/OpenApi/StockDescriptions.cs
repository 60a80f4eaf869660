using OrleansOms.Contracts.Stock;
using OrleansOms.Host.Catalogue;
using OrleansOms.Host.Stock;

namespace OrleansOms.Host.OpenApi;

/// <summary>What the document says about products and warehouses.</summary>
static class CatalogueDescriptions
{
    public static EndpointDescription PutWarehouse { get; } = new(
        "putWarehouse", "Create or change a warehouse", "201 when it is new, 200 when it was there.",
        typeof(WarehouseRequest), typeof(WarehouseAnswer))
    {
        Parameters = [DescribedParameter.Path("code", "1 to 16 capitals, digits and dashes.")],
        Successes = [200, 201],
        Refusals = new Dictionary<int, string> { [404] = "`not_found`", [422] = "`unknown_country`" },
        RequestExample =
            """
            { "name": "London", "address": { "line1": "1 Dock Road", "city": "London", "postalCode": "E16 1AA", "country": "GB" },
              "latitude": 51.507, "longitude": 0.02, "active": true }
            """,
    };

    public static EndpointDescription PutProduct { get; } = new(
        "putProduct", "Create or change a product",
        "201 when it is new, 200 when it was there. A SKU is any printable text up to 64 characters; a1, A1 and 0a1 are "
        + "three. In the path it is percent-encoded, the slash included.",
        typeof(ProductRequest), typeof(ProductAnswer))
    {
        Parameters = [DescribedParameter.Path("sku", "Percent-encoded.")],
        Successes = [200, 201],
        RequestExample = """{ "name": "White hanging heart t-light holder", "weightGrams": 350, "barcode": "5012345678900" }""",
    };
}

/// <summary>What the document says about stock.</summary>
static class StockDescriptions
{
    static readonly DescribedParameter[] Place =
    [
        DescribedParameter.Path("warehouse", "Code of the warehouse."),
        DescribedParameter.Path("sku", "Percent-encoded, the slash included."),
    ];

    static readonly Dictionary<int, string> Moving = new()
    {
        [400] = "`idempotency_key_required`, `invalid_idempotency_key`, `too_many_lines`",
        [409] = "`request_in_progress`, `stock_too_large`, `insufficient_stock`",
        [422] = "`idempotency_key_reused`, `unknown_warehouse`, `unknown_sku`",
    };

    public static EndpointDescription Receive { get; } = new(
        "receiveStock", "Receive stock",
        "All of the lines or none. Waiting orders get theirs, oldest promise first; of what comes in damaged or to be looked at, nobody.",
        typeof(ReceiptRequest), typeof(MovementView))
    {
        Parameters = [DescribedParameter.IdempotencyKey(isRequired: true)],
        Successes = [201],
        Refusals = Moving,
        RequestExample = """{ "warehouse": "LON", "reference": "PO-17", "lines": [ { "sku": "85123A", "quantity": 100 } ] }""",
    };

    public static EndpointDescription Adjust { get; } = new(
        "adjustStock", "Correct stock", "All of the lines or none. What is promised cannot be taken away.",
        typeof(AdjustmentRequest), typeof(MovementView))
    {
        Parameters = [DescribedParameter.IdempotencyKey(isRequired: true)],
        Successes = [201],
        Refusals = Moving,
        RequestExample = """{ "warehouse": "LON", "reason": "counted", "lines": [ { "sku": "85123A", "delta": -2 } ] }""",
    };

    public static EndpointDescription Change { get; } = new(
        "changeStockCondition", "Change the condition of stock",
        "All of the lines or none: what is sellable, damaged or in quarantine is found to be something else. What is promised cannot "
        + "be taken away; what becomes sellable goes to waiting orders.",
        typeof(ConditionChangeRequest), typeof(MovementView))
    {
        Parameters = [DescribedParameter.IdempotencyKey(isRequired: true)],
        Successes = [201],
        Refusals = Moving,
        RequestExample =
            """
            { "warehouse": "LON", "reason": "box was wet",
              "lines": [ { "sku": "85123A", "quantity": 2, "from": "sellable", "to": "quarantine" } ] }
            """,
    };

    static readonly DescribedParameter Moment = DescribedParameter.Query(
        "at", "A moment of the past in ISO 8601, such as `2026-01-31T12:00:00Z`: as it was then.");

    public static EndpointDescription Get { get; } = new(
        "getStock", "Read a stock",
        "One SKU in one warehouse as it is now, or as it was at a moment of the past; zeros if it never held anything.",
        null, typeof(StockView))
    {
        Parameters = [.. Place, Moment],
        Refusals = new Dictionary<int, string> { [404] = "`not_found`" },
        AnswerExample =
            """
            { "warehouse": "LON", "sku": "85123A", "onHand": 100, "reserved": 6, "safetyStock": 0, "available": 94, "version": 2,
              "damaged": 0, "quarantine": 0 }
            """,
    };

    public static EndpointDescription Ledger { get; } = new(
        "getStockLedger", "Read a stock's ledger", 
        "Every change with its cause and what was there after it, newest first, or from a moment of the past back.",
        null, typeof(StockLedger))
    {
        Parameters = [.. Place, Moment, DescribedParameter.Limit, DescribedParameter.Cursor],
        Refusals = new Dictionary<int, string> { [400] = "`bad_cursor`", [404] = "`not_found`" },
    };

    public static EndpointDescription Days { get; } = new(
        "getStockDays", "Read a stock day by day",
        "What was on hand and reserved at the end of each day of UTC on which something happened.", null, typeof(StockDays))
    {
        Parameters =
        [
            .. Place, DescribedParameter.Query("from", "The first day, such as `2026-01-31`; 90 days before the last one if it is absent."),
            DescribedParameter.Query("to", "The last day; today if it is absent."),
        ],
        Refusals = new Dictionary<int, string> { [404] = "`not_found`" },
    };

    public static EndpointDescription Availability { get; } = new(
        "getAvailability", "What can be promised",
        "Available-to-promise units by warehouse, nearest to the destination first. It may be a moment behind; the "
        + "order decides.",
        null, typeof(AvailabilityAnswer))
    {
        Parameters =
        [
            DescribedParameter.Query("sku", "1 to 100, repeated.", """{"type":"array","items":{"type":"string"}}""")
                with { IsRequired = true },
            DescribedParameter.Query("country", "ISO 3166-1 alpha-2 code of the destination."),
            DescribedParameter.Query("postalCode", "Postcode of the destination."),
        ],
        Refusals = new Dictionary<int, string> { [422] = "`unknown_sku`, `unknown_country`" },
    };
}
