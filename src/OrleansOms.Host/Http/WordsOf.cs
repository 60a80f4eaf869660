using System.Collections.Frozen;
using System.Text.Json;

namespace OrleansOms.Host.Http;

/// <summary>The words of an enum on the wire: exactly its members in camelCase.</summary>
/// <typeparam name="T">The enum.</typeparam>
public static class WordsOf<T> where T : struct, Enum
{
    /// <summary>Every member by its word.</summary>
    public static FrozenDictionary<string, T> All { get; } = Enum.GetValues<T>()
        .ToFrozenDictionary(m => JsonNamingPolicy.CamelCase.ConvertName(m.ToString()), StringComparer.Ordinal);

    /// <summary>Some of the members by their words.</summary>
    public static FrozenDictionary<string, T> Only(params T[] members) =>
        All.Where(w => members.Contains(w.Value)).ToFrozenDictionary(StringComparer.Ordinal);
}
