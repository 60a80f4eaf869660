using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Orders;

/// <summary>What may be decided of an order before it is placed.</summary>
public static class OrderCarts
{
    /// <summary>Longest time that a cart may be held from now on, and the usual one.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(1), Usual = TimeSpan.FromMinutes(15);

    /// <summary>Why its units are free, for the ledgers of stocks.</summary>
    public static string Why(CartEnd end) => end switch
    {
        CartEnd.Expired => "the cart's time was up",
        CartEnd.Released => "the cart was given up",
        _ => "the order wants fewer than its cart",
    };

    internal static Decision<OrderEvent> Reserve(Order order, ReserveCart c)
    {
        if (order.Exists || order.Refused is not null || order.Cart is not null) return Decision<OrderEvent>.AlreadyDone;
        return c.Reserved.Count == 0 || (c.IsAllOrNothing && c.Plan.Missing.Count > 0)
            ? Decision<OrderEvent>.Accept(new OrderRefused(
                "insufficient_stock", $"Not in stock: {Words.Missing(c.Plan.Missing)}.", c.RequestHash))
            : Decision<OrderEvent>.Accept(new CartReserved(c.Lines, c.Reserved, c.Until, c.RequestHash, c.Attempt));
    }

    /// <summary>Nothing is made shorter by it. What still has its units has not ended, whatever the time is.</summary>
    internal static Decision<OrderEvent> Extend(Order order, ExtendCart c)
    {
        if (order.Cart is not { } cart) return NotFound;
        if (!cart.IsOpen) return Decision<OrderEvent>.Refuse(Over(cart));
        return c.Until <= cart.Until ? Decision<OrderEvent>.AlreadyDone : Decision<OrderEvent>.Accept(new CartExtended(c.Until));
    }

    internal static Decision<OrderEvent> Release(Order order)
    {
        if (order.Cart is not { } cart) return NotFound;
        if (cart.End == CartEnd.Ordered) return Decision<OrderEvent>.Refuse(Over(cart));
        return cart.IsOpen ? Decision<OrderEvent>.Accept(new CartEnded(CartEnd.Released, cart.Held, []))
            : Decision<OrderEvent>.AlreadyDone;
    }

    internal static Decision<OrderEvent> Expire(Order order, DateTimeOffset now) =>
        order.Cart is { IsOpen: true } cart && cart.Until <= now
            ? Decision<OrderEvent>.Accept(new CartEnded(CartEnd.Expired, cart.Held, []))
            : Decision<OrderEvent>.AlreadyDone;

    static Decision<OrderEvent> NotFound { get; } = Decision<OrderEvent>.Refuse(Rejection.NotFound("The reservation"));

    static Rejection Over(Cart cart) => Rejection.Conflict("reservation_over", cart.End switch
    {
        CartEnd.Ordered => "An order was placed with it.",
        CartEnd.Released => "It was released.",
        _ => "Its time is up.",
    });
}
