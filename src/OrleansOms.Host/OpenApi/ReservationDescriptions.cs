using OrleansOms.Contracts.Orders;
using OrleansOms.Host.Orders;

namespace OrleansOms.Host.OpenApi;

/// <summary>What the document says about reservations for carts.</summary>
static class ReservationDescriptions
{
    static readonly DescribedParameter Id = DescribedParameter.Path("id", "The reservation's id: ord- and 26 characters.");

    const string Reservation =
        """
        {
          "id": "ord-5k2q8w1x7c3v9b4n6m0h2j8gfd", "status": "active", "expiresAt": "2010-12-01T08:41:00+00:00",
          "lines": [ { "lineId": 1, "sku": "85123A", "quantity": 6, "reserved": 6,
            "allocations": [ { "warehouse": "LON", "quantity": 6 } ] } ],
          "version": 1
        }
        """;

    public static EndpointDescription Reserve { get; } = new(
        "reserveStock", "Hold stock for a cart",
        "The units are nobody else's until the time is up, to the second; then waiting orders get them, oldest promise first, or "
        + "they can be promised again. Orders that wait for a SKU come before carts. An order that names the reservation takes its units "
        + "over, and has its id.",
        typeof(ReservationRequest), typeof(ReservationView))
    {
        Parameters = [DescribedParameter.IdempotencyKey(isRequired: true)],
        Successes = [201],
        Refusals = new Dictionary<int, string>
        {
            [400] = "`idempotency_key_required`, `invalid_idempotency_key`, `too_many_lines`, `too_many_units`",
            [409] = "`request_in_progress`, `insufficient_stock`",
            [422] = "`idempotency_key_reused`, `unknown_sku`, `unknown_country`",
        },
        RequestExample = """{ "lines": [ { "sku": "85123A", "quantity": 6 } ], "expiresInSeconds": 900, "allOrNothing": true }""",
        AnswerExample = Reservation,
    };

    public static EndpointDescription Get { get; } = new(
        "getReservation", "Read a reservation", "As it is now.", null, typeof(ReservationView))
    {
        Parameters = [Id],
        Refusals = new Dictionary<int, string> { [404] = "`not_found`" },
        AnswerExample = Reservation,
    };

    public static EndpointDescription Extend { get; } = new(
        "extendReservation", "Hold a reservation for longer", "Its time is counted from now on; nothing is made shorter.",
        typeof(ExtensionRequest), typeof(ReservationView))
    {
        Parameters = [Id],
        Refusals = new Dictionary<int, string> { [404] = "`not_found`", [409] = "`reservation_over`" },
        RequestExample = """{ "expiresInSeconds": 900 }""",
        AnswerExample = Reservation,
    };

    public static EndpointDescription Release { get; } = new(
        "releaseReservation", "Give a reservation back", "Its units are free when this is answered; those of a warehouse whose part of the cluster has just failed, seconds later. "
        + "Once more changes nothing.",
        null, typeof(ReservationView))
    {
        Parameters = [Id],
        Refusals = new Dictionary<int, string> { [404] = "`not_found`", [409] = "`reservation_over`" },
        AnswerExample = Reservation,
    };
}
