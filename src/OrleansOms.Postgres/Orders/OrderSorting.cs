using System.Globalization;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Postgres.Orders;

/// <summary>The order of a list: a column, then the id, both in one direction.</summary>
sealed record OrderSorting(OrderSort Sort, string Column, bool IsDescending)
{
    /// <summary>Where a page ended: the value of the column and the id.</summary>
    public sealed record Place(object Value, string Id);

    public static OrderSorting Of(OrderSort sort) => sort switch
    {
        OrderSort.PlacedAtDescending => new OrderSorting(sort, "placed_at", true),
        OrderSort.PlacedAt => new OrderSorting(sort, "placed_at", false),
        OrderSort.TotalDescending => new OrderSorting(sort, "total", true),
        OrderSort.Total => new OrderSorting(sort, "total", false),
        _ => throw new ArgumentOutOfRangeException(nameof(sort), sort, "There is no such order."),
    };

    public bool IsByTime => Column == "placed_at";

    string List => $"orders/{(int)Sort}";

    public string By(string alias, string id)
    {
        var direction = IsDescending ? "desc" : "asc";
        return $"{alias}.{Column} {direction}, {alias}.{id} {direction}";
    }

    public IEnumerable<string> After(Parameters p, string alias, string id, Place? after)
    {
        if (after is null) yield break;
        var comes = IsDescending ? "<" : ">";
        yield return $"({alias}.{Column}, {alias}.{id}) {comes} ({p.Add(after.Value)}, {p.Add(after.Id)})";
    }

    public Place? Read(string? cursor) => Cursor.Read(List, cursor, id => Keys.IsId(Keys.Order, id)) is not { } place
        ? null
        : new Place(IsByTime ? Cursor.ReadTime(place.Key) : Cursor.ReadDecimal(place.Key), place.Id);

    public string Write(OrderSummary last) => Cursor.Write(
        List, IsByTime ? Cursor.OfTime(last.PlacedAt) : last.Total.ToString(CultureInfo.InvariantCulture), last.Id);
}
