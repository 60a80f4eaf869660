using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace OrleansOms.Grains.Stock;

/// <summary>
/// How snapshots are stored: JSON, by the names of their members. What versions up to 0.1 stored is read too: ids and types,
/// whose names begin with a dollar, stand among the members there, and a list is the <c>$values</c> of an object. What is neither is
/// no snapshot: the log is read instead, and the next one takes its place.
/// </summary>
public sealed partial class SnapshotFormat(ILogger<SnapshotFormat> logger) : IGrainStorageSerializer
{
    /// <inheritdoc />
    public BinaryData Serialize<T>(T? input) =>
        new(JsonSerializer.SerializeToUtf8Bytes((StockSnapshot)(object)input!, SnapshotJson.Default.StockSnapshot));

    /// <inheritdoc />
    public T Deserialize<T>(BinaryData input) => (T)(object)Read(input);

    StockSnapshot Read(BinaryData input)
    {
        try
        {
            return JsonSerializer.Deserialize(input.ToMemory().Span, SnapshotJson.Default.StockSnapshot) ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            LogUnreadable(logger, e);
            return new StockSnapshot();
        }
    }

    [LoggerMessage(LogLevel.Warning, "What is stored as a stock's snapshot is none; the log is read instead.")]
    static partial void LogUnreadable(ILogger logger, Exception e);
}

[JsonSourceGenerationOptions(
    RespectNullableAnnotations = true, Converters = [typeof(SnapshotIds), typeof(SnapshotReservations)])]
[JsonSerializable(typeof(StockSnapshot))]
sealed partial class SnapshotJson : JsonSerializerContext;

sealed class SnapshotIds : JsonConverter<List<string>>
{
    public override List<string> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var isInObject = reader.TokenType == JsonTokenType.StartObject;
        while (isInObject && reader.TokenType is not (JsonTokenType.StartArray or JsonTokenType.EndObject)) reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException();
        var ids = new List<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.String) ids.Add(reader.GetString()!);
        if (reader.TokenType != JsonTokenType.EndArray) throw new JsonException();
        if (isInObject) reader.Read();
        return ids;
    }

    public override void Write(Utf8JsonWriter writer, List<string> value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var id in value) writer.WriteStringValue(id);
        writer.WriteEndArray();
    }
}

sealed class SnapshotReservations : JsonConverter<Dictionary<string, SnapshotReservation>>
{
    public override Dictionary<string, SnapshotReservation> Read(
        ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw new JsonException();
        var open = new Dictionary<string, SnapshotReservation>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var line = reader.GetString()!;
            reader.Read();
            if (line.StartsWith('$')) reader.Skip();
            else open[line] = JsonSerializer.Deserialize(ref reader, SnapshotJson.Default.SnapshotReservation) ?? throw new JsonException();
        }
        return open;
    }

    public override void Write(
        Utf8JsonWriter writer, Dictionary<string, SnapshotReservation> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (line, reservation) in value)
        {
            writer.WritePropertyName(line);
            JsonSerializer.Serialize(writer, reservation, SnapshotJson.Default.SnapshotReservation);
        }
        writer.WriteEndObject();
    }
}
