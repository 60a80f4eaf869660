using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Stock;
using OrleansOms.Host.Catalogue;
using OrleansOms.Host.Live;
using OrleansOms.Host.Orders;
using OrleansOms.Host.Shipments;
using OrleansOms.Host.Stock;

namespace OrleansOms.Host.Http;

/// <summary>
/// The JSON of the surface, over HTTP and by the hub, written and read without reflection: camelCase, enums as camelCase
/// words, absent members for absent values; unknown and repeated members, comments and trailing commas are refused.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    NumberHandling = JsonNumberHandling.Strict,
    ReadCommentHandling = JsonCommentHandling.Disallow,
    AllowTrailingCommas = false,
    AllowDuplicateProperties = false,
    MaxDepth = 32,
    Converters =
    [
        typeof(CamelCaseWord<OrderStatus>), typeof(CamelCaseWord<PaymentStatus>), typeof(CamelCaseWord<ShipmentStatus>),
        typeof(CamelCaseWord<MovementKind>), typeof(CamelCaseWord<StockCondition>), typeof(CamelCaseWord<ReservationStatus>),
    ])]
[JsonSerializable(typeof(PlaceOrderRequest)), JsonSerializable(typeof(CancelOrderRequest))]
[JsonSerializable(typeof(RecordPaymentRequest)), JsonSerializable(typeof(OrderView)), JsonSerializable(typeof(OrderList))]
[JsonSerializable(typeof(OrderTimeline))]
[JsonSerializable(typeof(ReservationRequest)), JsonSerializable(typeof(ExtensionRequest)), JsonSerializable(typeof(ReservationView))]
[JsonSerializable(typeof(WarehouseRequest)), JsonSerializable(typeof(ProductRequest))]
[JsonSerializable(typeof(WarehouseAnswer)), JsonSerializable(typeof(ProductAnswer))]
[JsonSerializable(typeof(ReceiptRequest)), JsonSerializable(typeof(AdjustmentRequest)), JsonSerializable(typeof(ConditionChangeRequest))]
[JsonSerializable(typeof(MovementView)), JsonSerializable(typeof(StockView)), JsonSerializable(typeof(StockLedger)), JsonSerializable(typeof(StockDays))]
[JsonSerializable(typeof(AvailabilityAnswer))]
[JsonSerializable(typeof(PickRequest)), JsonSerializable(typeof(PackRequest)), JsonSerializable(typeof(ShipRequest))]
[JsonSerializable(typeof(TrackingRequest)), JsonSerializable(typeof(ShipmentView)), JsonSerializable(typeof(ShipmentList))]
[JsonSerializable(typeof(OrderSummary)), JsonSerializable(typeof(IReadOnlyList<ShipmentView>))]
[JsonSerializable(typeof(IReadOnlyDictionary<OrderStatus, long>)), JsonSerializable(typeof(string))]
[JsonSerializable(typeof(OrdersResync)), JsonSerializable(typeof(WarehouseResync)), JsonSerializable(typeof(WatchEnded))]
[JsonSerializable(typeof(SnapshotCut))]
public sealed partial class ApiJson : JsonSerializerContext;

/// <summary>An enum as its camelCase word; numbers are refused.</summary>
/// <typeparam name="T">The enum.</typeparam>
public sealed class CamelCaseWord<T>()
    : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false) where T : struct, Enum;

/// <summary>
/// A decimal exactly as it was written. The usual converter rounds what has more than 28 digits, so that a price with too
/// many decimals would pass as another price.
/// </summary>
public sealed class ExactDecimal : JsonConverter<decimal?>
{
    const int MaxCharacters = 28;

    /// <inheritdoc />
    public override decimal? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Null) return null;
        if (reader.TokenType != JsonTokenType.Number) throw new JsonException();
        if (reader.ValueSpan.Length > MaxCharacters || reader.ValueSpan.IndexOfAny("eE"u8) >= 0)
            throw new JsonException();
        return reader.GetDecimal();
    }

    /// <inheritdoc />
    public override void Write(Utf8JsonWriter writer, decimal? value, JsonSerializerOptions options)
    {
        if (value is { } number) writer.WriteNumberValue(number);
        else writer.WriteNullValue();
    }
}
