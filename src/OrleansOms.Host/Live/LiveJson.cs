using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Orders;
using OrleansOms.Host.Http;

namespace OrleansOms.Host.Live;

/// <summary>What the hub says, in the shapes of the HTTP surface.</summary>
static class LiveJson
{
    /// <summary>For the hub's JSON protocol and, through it, for MessagePack. SignalR's own types are found by reflection.</summary>
    public static JsonSerializerOptions Wire { get; } = new(ApiJson.Default.Options)
    {
        TypeInfoResolver = JsonTypeInfoResolver.Combine(ApiJson.Default, new DefaultJsonTypeInfoResolver()),
    };
}

/// <summary>Too many orders have changed for this client: read lists again.</summary>
/// <param name="Watch">Always <c>orders</c>.</param>
/// <param name="Counts">Orders by status.</param>
public sealed record OrdersResync(string Watch, IReadOnlyDictionary<OrderStatus, long> Counts);

/// <summary>Too much has changed in a warehouse for this client: all its open work anew.</summary>
/// <param name="Watch">Always <c>warehouse</c>.</param>
/// <param name="Warehouse">Its code.</param>
/// <param name="Shipments">What is not in it is done, unless <see cref="SnapshotCut"/> has been said before.</param>
public sealed record WarehouseResync(string Watch, string Warehouse, IReadOnlyList<ShipmentView> Shipments);

/// <summary>
/// The snapshot that comes next, as an answer or in a <c>resync</c>, is cut: there is more than it can hold, and what is not
/// in it may be open.
/// </summary>
/// <param name="Watch">Always <c>warehouse</c>.</param>
/// <param name="Of">Its code.</param>
/// <param name="Shown">Open shipments that it holds.</param>
/// <param name="Total">Open shipments that there are.</param>
public sealed record SnapshotCut(string Watch, string Of, int Shown, long Total);

/// <summary>A watch is over because what it was allowed for holds no longer. Nothing of it is pushed after this.</summary>
/// <param name="Watch"><c>order</c>, <c>warehouse</c> or <c>orders</c>.</param>
/// <param name="Of">The argument of the call that began it, if it had one.</param>
/// <param name="Code">Always <c>access_ended</c>.</param>
public sealed record WatchEnded(string Watch, string? Of, string Code);
