using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OrleansOms.Tests.Log;

/// <summary>What a stored type is made of, member by member, and which of it some stored texts show.</summary>
static class StoredShape
{
    /// <summary>Members that no text has, and optional ones that no text is without.</summary>
    public static IReadOnlyList<string> Missing(Type type, IReadOnlyCollection<JsonNode> texts) =>
        [.. Missing(type, [.. texts.Select(t => t.AsObject())], "")];

    /// <summary>The enums in it.</summary>
    public static IEnumerable<Type> Words(Type type) =>
        MembersOf(type).Select(m => Bare(m.PropertyType)).SelectMany(t => t.IsEnum ? [t] : IsOurs(t) ? Words(t) : []);

    static IEnumerable<string> Missing(Type type, IReadOnlyCollection<JsonObject> objects, string path)
    {
        foreach (var member in MembersOf(type))
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(member.Name);
            var values = objects.Select(o => o[name]).OfType<JsonNode>().ToList();
            if (values.Count == 0) yield return $"{path}{name} is in no file";
            else if (IsOptional(member) && values.Count == objects.Count) yield return $"{path}{name} is absent in no file";
            var part = Bare(member.PropertyType);
            if (values.Count == 0 || !IsOurs(part)) continue;
            JsonObject[] parts = [.. values.SelectMany(v => v is JsonArray items ? items.Select(i => i!.AsObject()) : [v.AsObject()])];
            foreach (var missing in Missing(part, parts, $"{path}{name}.")) yield return missing;
        }
    }

    static IEnumerable<PropertyInfo> MembersOf(Type type) => type.GetProperties(BindingFlags.Public | BindingFlags.Instance);

    static bool IsOurs(Type type) => !type.IsEnum && type.Namespace?.StartsWith("OrleansOms.", StringComparison.Ordinal) == true;

    static bool IsOptional(PropertyInfo member) =>
        new NullabilityInfoContext().Create(member).ReadState == NullabilityState.Nullable;

    /// <summary>A type without its list and its question mark.</summary>
    static Type Bare(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } value) return value;
        return type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type) && type.GetGenericArguments() is [var item] ? item : type;
    }
}
