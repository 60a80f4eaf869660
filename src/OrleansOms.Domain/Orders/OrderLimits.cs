namespace OrleansOms.Domain.Orders;

/// <summary>How large an order may be; past these it is refused.</summary>
public static class OrderLimits
{
    /// <summary>Lines of one order.</summary>
    public const int MaxLines = 10_000;
    /// <summary>Units of one line.</summary>
    public const int MaxQuantity = 1_000_000;
    /// <summary>Units of one order.</summary>
    public const int MaxUnits = 10_000_000;
    /// <summary>Price of one unit, in any currency.</summary>
    public const decimal MaxUnitPrice = 1_000_000_000m;
}
