using OrleansOms.Contracts.Shipments;
using OrleansOms.Host.Shipments;

namespace OrleansOms.Host.OpenApi;

/// <summary>What the document says about shipments.</summary>
static class ShipmentDescriptions
{
    static readonly DescribedParameter Id = DescribedParameter.Path("id", "The shipment's id: shp-….");

    public static EndpointDescription List { get; } = new(
        "listShipments", "The warehouse's work", "Oldest first.", null, typeof(ShipmentList))
    {
        Parameters =
        [
            DescribedParameter.Query("warehouse", "Code of the warehouse that they leave."),
            DescribedParameter.Query("status", "Any of these statuses, repeated or with commas between."),
            DescribedParameter.Query("order", "Id of their order."),
            DescribedParameter.Limit, DescribedParameter.Cursor,
        ],
        Refusals = new Dictionary<int, string> { [400] = "`bad_cursor`", [404] = "A warehouse that you may not see" },
    };

    public static EndpointDescription Pick { get; } = Command(
        "pickShipment", "Pick", "What was found, by SKU. A named SKU is finished with this number: fewer than asked for "
        + "means that the rest is not on the shelf, the stock is corrected and the rest is sourced again.",
        typeof(PickRequest), "`shipment_not_pickable`, `already_picked`", "`sku_not_in_shipment`, `too_many_units`",
        """{ "lines": [ { "sku": "85123A", "quantity": 6 } ] }""");

    public static EndpointDescription Pack { get; } = Command(
        "packShipment", "Pack", "The boxes. Together they hold exactly what was picked. If the order takes units back before "
        + "it is shipped, the boxes are void and the shipment is `picking` again: pack what is left.", typeof(PackRequest),
        "`shipment_not_packable`, `shipment_not_picked`", "`contents_do_not_match`",
        """{ "packages": [ { "weightGrams": 2300, "lines": [ { "sku": "85123A", "quantity": 6 } ] } ] }""");

    public static EndpointDescription Ship { get; } = Command(
        "shipShipment", "Ship", "Hands the boxes to a carrier; the units leave the stock.", typeof(ShipRequest),
        "`shipment_not_packed`", null, """{ "carrier": "Royal Mail", "service": "48", "trackingNumber": "RM123456789GB" }""");

    public static EndpointDescription Track { get; } = Command(
        "trackShipment", "Record tracking", "A carrier's report. Repeated and late ones change nothing; a status never goes "
        + "back. A thousand are kept, and how it ends.", typeof(TrackingRequest), "`shipment_not_shipped`, `too_many_reports`", "`occurred_in_the_future`",
        """
        { "status": "inTransit", "description": "Arrived at sorting centre", "location": "Gatwick",
          "occurredAt": "2010-12-02T05:10:00Z", "eventId": "rm-1" }
        """);

    static EndpointDescription Command(
        string name, string summary, string description, Type request, string conflicts, string? meanings, string example)
    {
        const string reused = "`idempotency_key_reused`";
        var refusals = new Dictionary<int, string>
        {
            [404] = "`not_found`", [409] = conflicts, [422] = meanings is null ? reused : $"{meanings}, {reused}",
        };
        return new EndpointDescription(name, summary, description, request, typeof(ShipmentView))
        {
            Parameters = [Id, DescribedParameter.IdempotencyKey(isRequired: false)],
            Refusals = refusals,
            RequestExample = example,
        };
    }
}
