using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Catalogue;

namespace OrleansOms.Postgres;

/// <summary>Enum members as columns hold them: in camelCase, as the API says them.</summary>
static class Stored
{
    public static string Name<T>(T member) where T : struct, Enum => Names<T>.ByMember[member];

    public static T Read<T>(string name) where T : struct, Enum => Names<T>.ByName[name];

    /// <summary>What a lookup compares: in lower case, and never longer than an index entry may be.</summary>
    public static string Key(string text)
    {
        var clean = Clean(text).ToLowerInvariant();
        return clean.Length <= 256 ? clean : clean[..(char.IsHighSurrogate(clean[255]) ? 255 : 256)];
    }

    /// <summary>Text that a column can hold: PostgreSQL knows no zero character; one must not stop everything.</summary>
    public static string Clean(string text) => text.Contains('\0') ? text.Replace('\0', '\uFFFD') : text;

    /// <summary>A LIKE pattern for texts that begin with this.</summary>
    public static string Beginning(string text) => Escape(text) + "%";

    /// <summary>A LIKE pattern for texts that hold this.</summary>
    public static string Holding(string text) => $"%{Escape(text)}%";

    /// <summary>A LIKE pattern for this text alone.</summary>
    public static string Exactly(string text) => Escape(text);

    static string Escape(string text) =>
        text.Replace(@"\", @"\\").Replace("%", @"\%").Replace("_", @"\_");

    static class Names<T> where T : struct, Enum
    {
        public static readonly FrozenDictionary<T, string> ByMember = Enum.GetValues<T>()
            .ToFrozenDictionary(m => m, m => JsonNamingPolicy.CamelCase.ConvertName(m.ToString()));
        public static readonly FrozenDictionary<string, T> ByName =
            ByMember.ToFrozenDictionary(m => m.Value, m => m.Key, StringComparer.Ordinal);
    }
}

/// <summary>The shapes of the read model's JSON columns.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(ShipmentView)), JsonSerializable(typeof(WarehouseDetails))]
sealed partial class ReadModelJson : JsonSerializerContext;
