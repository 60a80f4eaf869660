using System.Reflection;

namespace OrleansOms.Tests.Architecture;

/// <summary>
/// The rules of grain keys. The AdoNet provider folds keys that look like hexadecimal numbers or GUIDs together, so a
/// key begins with a prefix that cannot be a part of one.
/// </summary>
static class KeyRules
{
    /// <summary>The constants of a class of prefixes, by name.</summary>
    public static IReadOnlyDictionary<string, string> PrefixesOf(Type keys) => keys
        .GetFields(BindingFlags.Public | BindingFlags.Static).Where(f => f is { IsLiteral: true } && f.FieldType == typeof(string))
        .ToDictionary(f => f.Name, f => (string)f.GetRawConstantValue()!);

    /// <summary>Prefixes that could be mistaken: for a number, for a GUID, or for each other.</summary>
    public static IReadOnlyList<string> Breaches(IReadOnlyDictionary<string, string> prefixes) =>
    [
        .. prefixes.Where(p => !p.Value.Any(c => char.IsAsciiLetter(c) && !char.IsAsciiHexDigit(c) && c is not ('x' or 'X')))
            .Select(p => $"{p.Key}: {p.Value} may begin a number or a GUID"),
        .. prefixes.Where(p => !p.Value.EndsWith('-')).Select(p => $"{p.Key}: {p.Value} does not end in a dash"),
        .. from a in prefixes
           from b in prefixes
           where a.Key != b.Key && b.Value.StartsWith(a.Value, StringComparison.Ordinal)
           select $"{b.Key}: {b.Value} begins like {a.Key}",
    ];

    /// <summary>
    /// Grain classes without a prefix, and prefixes without a grain class. The grain type <c>oms-stock</c> has the
    /// prefix that is named <c>Stock</c>; grains of a family have the constant <c>Prefix</c> of their base class.
    /// </summary>
    public static IReadOnlyList<string> Unmatched(
        IReadOnlyCollection<Type> grains, IReadOnlyDictionary<string, string> prefixes)
    {
        var nameOf = grains.ToDictionary(g => g, g => PascalCase(WireRules.GrainTypeOf(g) ?? g.Name));
        return
        [
            .. grains.Where(g => FamilyPrefixOf(g) is null && !prefixes.ContainsKey(nameOf[g]))
                .Select(g => $"{g.Name}: its keys have no prefix"),
            .. prefixes.Keys.Except(nameOf.Values).Select(name => $"{name}: a prefix that no grain has"),
        ];
    }

    /// <summary>The constant <c>Prefix</c> of a grain class or of one that it comes from; null if there is none.</summary>
    public static string? FamilyPrefixOf(Type grain) => grain
        .GetField("Prefix", BindingFlags.Public | BindingFlags.Static | BindingFlags.FlattenHierarchy)
        ?.GetRawConstantValue() as string;

    static string PascalCase(string grainType) => string.Concat(
        grainType.Replace("oms-", "", StringComparison.Ordinal).Split('-').Select(w => char.ToUpperInvariant(w[0]) + w[1..]));
}
