using System.Text.Json.Serialization;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;

namespace OrleansOms.Host.Ui.Orders;

/// <summary>One page of the list and the counts above it, as of one answer.</summary>
public sealed record ShownOrders(
    List<OrderSummary> Rows, string? NextCursor, IReadOnlyDictionary<OrderStatus, long> Counts,
    IReadOnlyList<OrderStatus> Statuses)
{
    /// <summary>How many orders the whole view has.</summary>
    [JsonIgnore]
    public long Total => Statuses.Count == 0 ? Counts.Values.Sum() : Statuses.Sum(Counts.GetValueOrDefault);
}
