using Orleans;
using OrleansOms.Domain.Orders;

namespace OrleansOms.Contracts.Orders;

/// <summary>Where a cart's reservation stands.</summary>
[GenerateSerializer, Alias("oms.ReservationStatus")]
public enum ReservationStatus
{
    /// <summary>Its units are held.</summary>
    Active = 0,
    /// <summary>Its time was up, and its units are free again.</summary>
    Expired = 1,
    /// <summary>The shop gave it back.</summary>
    Released = 2,
    /// <summary>An order of the same id has its units.</summary>
    Ordered = 3,
}

/// <summary>A line of a cart.</summary>
/// <param name="Quantity">Units asked for.</param>
/// <param name="Reserved">Units held; fewer than asked for where not all were there.</param>
/// <param name="Allocations">Where they are.</param>
[GenerateSerializer, Immutable, Alias("oms.ReservationLineView")]
public sealed record ReservationLineView(
    [property: Id(0)] int LineId, [property: Id(1)] string Sku, [property: Id(2)] int Quantity, [property: Id(3)] int Reserved,
    [property: Id(4)] IReadOnlyList<AllocationView> Allocations);

/// <summary>What is held for a cart.</summary>
/// <param name="Id">Also the id of the order that is placed with it.</param>
/// <param name="ExpiresAt">When it ends, or would have ended, UTC.</param>
/// <param name="Version">Number of the last event that it shows.</param>
/// <param name="Warehouses">Where it is held, or was.</param>
[GenerateSerializer, Immutable, Alias("oms.ReservationView")]
public sealed record ReservationView(
    [property: Id(0)] string Id, [property: Id(1)] ReservationStatus Status, [property: Id(2)] DateTimeOffset ExpiresAt,
    [property: Id(3)] IReadOnlyList<ReservationLineView> Lines, [property: Id(4)] int Version,
    [property: Id(5)] IReadOnlyList<string> Warehouses)
{
    /// <summary>The view of an order that began as a cart.</summary>
    public static ReservationView Of(Order order)
    {
        var cart = order.Cart ?? throw new InvalidOperationException($"{order.Id} was no cart.");
        return new ReservationView(
            order.Id,
            cart.End switch
            {
                null => ReservationStatus.Active,
                CartEnd.Expired => ReservationStatus.Expired,
                CartEnd.Released => ReservationStatus.Released,
                _ => ReservationStatus.Ordered,
            },
            cart.Until,
            [
                .. cart.Lines.Select(l => (Line: l, Held: cart.Held.Where(h => cart.IsOpen && h.LineId == l.LineId).ToList()))
                    .Select(l => new ReservationLineView(
                        l.Line.LineId, l.Line.Sku, l.Line.Quantity, l.Held.Sum(h => h.Quantity),
                        [.. l.Held.Select(h => new AllocationView(h.Warehouse, h.Quantity))])),
            ],
            order.Version, [.. cart.Held.Select(h => h.Warehouse).Distinct().Order(StringComparer.Ordinal)]);
    }
}
