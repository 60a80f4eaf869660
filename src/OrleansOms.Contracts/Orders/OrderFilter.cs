using OrleansOms.Domain.Orders;

namespace OrleansOms.Contracts.Orders;

/// <summary>In which order a list of orders comes. Numbers are part of cursors: append only.</summary>
public enum OrderSort
{
    /// <summary>Newest first.</summary>
    PlacedAtDescending = 0,
    /// <summary>Oldest first.</summary>
    PlacedAt = 1,
    /// <summary>Largest grand total first, whatever the currency.</summary>
    TotalDescending = 2,
    /// <summary>Smallest grand total first, whatever the currency.</summary>
    Total = 3,
}

/// <summary>Which orders a list shows. Everything that is given must hold.</summary>
public sealed record OrderFilter
{
    /// <summary>One of these; empty means any.</summary>
    public IReadOnlyList<OrderStatus> Statuses { get; init; } = [];
    /// <summary>Code of the sales channel.</summary>
    public string? Channel { get; init; }
    /// <summary>
    /// Text to find, whatever its case: a number, external id, SKU or word of a name from its beginning, or any part of
    /// three or more characters of a name or e-mail address.
    /// </summary>
    public string? Q { get; init; }
    /// <summary>Placed at this moment or later.</summary>
    public DateTimeOffset? From { get; init; }
    /// <summary>Placed before this moment.</summary>
    public DateTimeOffset? To { get; init; }
    /// <summary>Exactly this SKU is in a line.</summary>
    public string? Sku { get; init; }
    /// <summary>This warehouse holds or shipped units of it.</summary>
    public string? Warehouse { get; init; }
    /// <summary>The rows' order; ties are broken by id.</summary>
    public OrderSort Sort { get; init; }
    /// <summary>How many, 1 to 200.</summary>
    public int Limit { get; init; } = Page<OrderSummary>.DefaultLimit;
    /// <summary>The last page's <see cref="Page{T}.NextCursor"/>.</summary>
    public string? Cursor { get; init; }
}
