using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shipments;
using OrleansOms.Host.Http;

namespace OrleansOms.Host.Live;

/// <summary>What the hub says, in the shapes of the HTTP surface: camelCase, enums as words, nothing for absent values.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.Strict,
    MaxDepth = 32,
    Converters =
    [
        typeof(CamelCaseWord<OrderStatus>), typeof(CamelCaseWord<PaymentStatus>), typeof(CamelCaseWord<ShipmentStatus>),
    ])]
[JsonSerializable(typeof(OrderView)), JsonSerializable(typeof(OrderSummary)), JsonSerializable(typeof(ShipmentView))]
[JsonSerializable(typeof(IReadOnlyList<ShipmentView>)), JsonSerializable(typeof(StockView))]
[JsonSerializable(typeof(IReadOnlyDictionary<OrderStatus, long>)), JsonSerializable(typeof(string))]
[JsonSerializable(typeof(OrdersResync)), JsonSerializable(typeof(WarehouseResync)), JsonSerializable(typeof(WatchEnded))]
sealed partial class LiveJson : JsonSerializerContext
{
    /// <summary>For the hub's JSON protocol and, through it, for MessagePack.</summary>
    public static JsonSerializerOptions Wire => Holder.Wire;

    static class Holder
    {
        public static readonly JsonSerializerOptions Wire = new(Default.Options)
        {
            TypeInfoResolver = JsonTypeInfoResolver.Combine(Default, new DefaultJsonTypeInfoResolver()),
        };
    }
}

/// <summary>Too many orders have changed for this client: read lists again.</summary>
/// <param name="Watch">Always <c>orders</c>.</param>
/// <param name="Counts">Orders by status.</param>
sealed record OrdersResync(string Watch, IReadOnlyDictionary<OrderStatus, long> Counts);

/// <summary>Too much has changed in a warehouse for this client: all its open work anew.</summary>
/// <param name="Watch">Always <c>warehouse</c>.</param>
/// <param name="Shipments">What is not in it is done.</param>
sealed record WarehouseResync(string Watch, string Warehouse, IReadOnlyList<ShipmentView> Shipments);

/// <summary>A watch is over because what it was allowed for holds no longer. Nothing of it is pushed after this.</summary>
/// <param name="Watch"><c>order</c>, <c>warehouse</c> or <c>orders</c>.</param>
/// <param name="Of">The argument of the call that began it, if it had one.</param>
/// <param name="Code">Always <c>access_ended</c>.</param>
sealed record WatchEnded(string Watch, string? Of, string Code);
