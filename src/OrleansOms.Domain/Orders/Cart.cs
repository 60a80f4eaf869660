using System.Collections.Immutable;
using Orleans;

namespace OrleansOms.Domain.Orders;

/// <summary>A line that a cart asks for.</summary>
/// <param name="LineId">1, 2, 3 … within the cart.</param>
/// <param name="Quantity">Units, 1 or more.</param>
[GenerateSerializer, Immutable, Alias("oms.CartLine")]
public sealed record CartLine([property: Id(0)] int LineId, [property: Id(1)] string Sku, [property: Id(2)] int Quantity);

/// <summary>How a cart's reservation ended.</summary>
[GenerateSerializer, Alias("oms.CartEnd")]
public enum CartEnd
{
    /// <summary>Its time was up.</summary>
    Expired = 0,
    /// <summary>The shop gave it back.</summary>
    Released = 1,
    /// <summary>An order was placed with it.</summary>
    Ordered = 2,
}

/// <summary>
/// What is reserved for somebody who has not ordered yet: an order before it is placed, in the order's own stream and under its id in
/// the stocks. So an order takes it over by being placed, and nothing is moved, or is nobody's for a moment.
/// </summary>
/// <param name="Lines">What was asked for.</param>
/// <param name="Held">What stocks hold of it, or have held until it ended.</param>
/// <param name="Until">When it ends, UTC.</param>
/// <param name="RequestHash">SHA-256 of the request in hexadecimal.</param>
/// <param name="End">How it ended; null as long as it has not.</param>
/// <param name="PassedBy">The event by which stocks give units to other lines than have held them; null if they are asked for none.</param>
public sealed record Cart(
    ImmutableArray<CartLine> Lines, ImmutableArray<LineAllocation> Held, DateTimeOffset Until, string RequestHash, CartEnd? End = null,
    int? PassedBy = null)
{
    /// <summary>Whether it holds its units.</summary>
    public bool IsOpen => End is null;

    /// <summary>What an order takes of it. A unit goes to the line that has held it, if that wants it, and to another one if not.</summary>
    public CartShare ShareOf(IReadOnlyList<PlacedLine> lines)
    {
        var left = Held.ToArray();
        var open = lines.Select(l => l.Quantity).ToArray();
        var taken = new List<CartUnits>(left.Length);
        foreach (var isSameLine in (bool[])[true, false])
            for (var l = 0; l < open.Length; l++)
                for (var h = 0; h < left.Length && open[l] > 0; h++)
                {
                    if (left[h].Sku != lines[l].Sku || (isSameLine && left[h].LineId != lines[l].LineId)) continue;
                    var units = Math.Min(open[l], left[h].Quantity);
                    if (units == 0) continue;
                    taken.Add(new CartUnits(left[h] with { Quantity = units }, lines[l].LineId));
                    left[h] = left[h] with { Quantity = left[h].Quantity - units };
                    open[l] -= units;
                }
        return new CartShare(taken, [.. left.Where(h => h.Quantity > 0)]);
    }
}

/// <summary>Units of a cart that an order's line takes.</summary>
/// <param name="Held">Where they are, and the cart's line that holds them.</param>
/// <param name="LineId">The order's line.</param>
public sealed record CartUnits(LineAllocation Held, int LineId)
{
    /// <summary>The same units as the order's.</summary>
    public LineAllocation AsOrdered() => Held with { LineId = LineId };
}

/// <summary>What an order takes of a cart, and what it leaves.</summary>
/// <param name="Freed">Nobody wants them any more.</param>
public sealed record CartShare(IReadOnlyList<CartUnits> Taken, IReadOnlyList<LineAllocation> Freed)
{
    /// <summary>Of nothing.</summary>
    public static CartShare None { get; } = new([], []);
}
