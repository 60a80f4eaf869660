using System.Text.Json;
using MessagePack;
using MessagePack.Formatters;
using MessagePack.Resolvers;

namespace OrleansOms.Host.Live;

/// <summary>
/// Says in MessagePack exactly what the JSON protocol says: the same names, the same words, numbers as numbers, so that a
/// client may change protocols without noticing.
/// </summary>
sealed class LivePack : IFormatterResolver
{
    /// <summary>How a hub reads and writes MessagePack.</summary>
    public static MessagePackSerializerOptions Options { get; } = MessagePackSerializerOptions.Standard
        .WithResolver(new LivePack()).WithSecurity(MessagePackSecurity.UntrustedData);

    /// <inheritdoc />
    public IMessagePackFormatter<T>? GetFormatter<T>() => ByType<T>.Formatter;

    static class ByType<T>
    {
        public static readonly IMessagePackFormatter<T>? Formatter =
            typeof(T) == typeof(string) || typeof(T).IsPrimitive
                ? StandardResolver.Instance.GetFormatter<T>()
                : new AsJson<T>();
    }

    /// <summary>Goes through the JSON of a type.</summary>
    sealed class AsJson<T> : IMessagePackFormatter<T>
    {
        public void Serialize(ref MessagePackWriter writer, T value, MessagePackSerializerOptions options)
        {
            using var json = JsonSerializer.SerializeToDocument(value, LiveJson.Wire);
            Write(ref writer, json.RootElement);
        }

        public T Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options)
        {
            var piece = reader.ReadRaw();
            return JsonSerializer.Deserialize<T>(MessagePackSerializer.ConvertToJson(piece, options), LiveJson.Wire)!;
        }

        static void Write(ref MessagePackWriter writer, JsonElement json)
        {
            switch (json.ValueKind)
            {
                case JsonValueKind.Object:
                    writer.WriteMapHeader(json.GetPropertyCount());
                    foreach (var member in json.EnumerateObject())
                    {
                        writer.Write(member.Name);
                        Write(ref writer, member.Value);
                    }
                    break;
                case JsonValueKind.Array:
                    writer.WriteArrayHeader(json.GetArrayLength());
                    foreach (var item in json.EnumerateArray()) Write(ref writer, item);
                    break;
                case JsonValueKind.String: writer.Write(json.GetString()); break;
                case JsonValueKind.Number when json.TryGetInt32(out var whole): writer.Write(whole); break;
                // A JavaScript client gets anything wider than 32 bits as a double from JSON, and so here.
                case JsonValueKind.Number: writer.Write(json.GetDouble()); break;
                case JsonValueKind.True: writer.Write(true); break;
                case JsonValueKind.False: writer.Write(false); break;
                default: writer.WriteNil(); break;
            }
        }
    }
}
