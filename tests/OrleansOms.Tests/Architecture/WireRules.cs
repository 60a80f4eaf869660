using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace OrleansOms.Tests.Architecture;

/// <summary>
/// The rules of everything that goes from one process to another: an alias each, a number on each stored member, so
/// that renaming, reordering and renumbering cannot change the meaning of what another version sends. Orleans' own
/// types are known by their simple names: the bad samples have copies of them, because real ones would be loaded by
/// every test cluster.
/// </summary>
static partial class WireRules
{
    const BindingFlags Declared = BindingFlags.Instance | BindingFlags.DeclaredOnly | BindingFlags.Public
        | BindingFlags.NonPublic;

    /// <summary>Breaches of the types that are on the wire: those that say so, and those that these or a grain's methods hold.</summary>
    public static IReadOnlyList<string> Breaches(IReadOnlyCollection<Type> types) =>
    [
        .. types.Where(IsOnWire).SelectMany(BreachesOf),
        .. types.Where(IsOnWire).SelectMany(t => MembersOf(t).Select(m => m.Type)).Concat(SpokenByGrains(types))
            .SelectMany(Parts).Distinct()
            .Where(t => types.Contains(t) && !IsOnWire(t) && !IsGrainInterface(t))
            .Select(t => $"{t.Name}: goes over the wire without [GenerateSerializer]"),
        .. types.Where(t => IsOnWire(t) || IsGrainInterface(t))
            .Select(t => (Name: AliasOf(t), Type: t)).Where(a => a.Name is not null).GroupBy(a => a.Name)
            .Where(g => g.Count() > 1)
            .Select(g => $"alias {g.Key}: of {string.Join(" and ", g.Select(a => a.Type.Name))}"),
    ];

    /// <summary>Breaches of grain interfaces and grain classes.</summary>
    public static IReadOnlyList<string> GrainBreaches(IReadOnlyCollection<Type> types) =>
    [
        .. types.Where(t => IsGrainInterface(t) && AliasOf(t) is null).Select(t => $"{t.Name}: no [Alias]"),
        .. types.Where(IsGrainInterface).SelectMany(t => t.GetMethods().Where(m => AliasOf(m) is null)
            .Select(m => $"{t.Name}.{m.Name}: no [Alias]")),
        .. types.Where(t => IsGrainInterface(t) && !Is(t, "IGrainWithStringKey"))
            .Select(t => $"{t.Name}: its key is not a string"),
        .. types.Where(t => IsGrainClass(t) && GrainTypeOf(t) is null).Select(t => $"{t.Name}: no [GrainType]"),
        .. types.Where(IsGrainClass).GroupBy(GrainTypeOf).Where(g => g.Key is not null && g.Count() > 1)
            .Select(g => $"grain type {g.Key}: of {string.Join(" and ", g.Select(t => t.Name))}"),
    ];

    /// <summary>Enums on the wire whose source does not give each member its number.</summary>
    public static IReadOnlyList<string> EnumBreaches(IEnumerable<Type> types, IEnumerable<string> sources)
    {
        var written = sources.Select(s => Comment().Replace(s, "")).SelectMany(s => EnumSource().Matches(s))
            .ToLookup(m => m.Groups["name"].Value, m => m.Groups["body"].Value);
        return
        [
            .. types.Where(t => t.IsEnum && IsOnWire(t)).SelectMany(t => !written.Contains(t.Name)
                ? [$"{t.Name}: its source was not found"]
                : written[t.Name].SelectMany(body => MembersWithoutNumber(t, body))),
        ];

        static IEnumerable<string> MembersWithoutNumber(Type type, string body) =>
            Attribute().Replace(body, "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Where(member => !Numbered().IsMatch(member)).Select(member => $"{type.Name}.{member}: no number");
    }

    /// <summary>
    /// What another version of the program in the same cluster counts on, a line each: numbers and types of members, numbers of
    /// enums' members, methods of grains with what they take and give, and the names of grains.
    /// </summary>
    public static IEnumerable<string> Shape(IReadOnlyCollection<Type> types) =>
    [
        .. types.Where(t => IsOnWire(t) && t.IsEnum).SelectMany(t => Enum.GetNames(t)
            .Select(n => $"{AliasOf(t)} {Convert.ToInt64(Enum.Parse(t, n), CultureInfo.InvariantCulture)} {n}")),
        .. types.Where(t => IsOnWire(t) && !t.IsEnum).SelectMany(t => MembersOf(t)
            .Select(m => $"{AliasOf(t)} {m.Id} {m.Name} {Said(m.Type)}")),
        .. types.Where(IsGrainInterface).SelectMany(t => t.GetMethods().Select(m =>
            $"{AliasOf(t)} {AliasOf(m)}({string.Join(", ", m.GetParameters().Select(p => Said(p.ParameterType)))}) {Said(m.ReturnType)}")),
        .. types.Where(IsGrainClass).Select(t => $"grain {GrainTypeOf(t)}"),
    ];

    /// <summary>A type by the name that it has on the wire.</summary>
    static string Said(Type type) => type switch
    {
        { IsArray: true } => $"{Said(type.GetElementType()!)}[]",
        { IsGenericParameter: true } => type.Name,
        { IsGenericType: true } => $"{AliasOf(type.GetGenericTypeDefinition()) ?? type.Name.Split('`')[0]}"
            + $"<{string.Join(", ", type.GetGenericArguments().Select(Said))}>",
        _ => AliasOf(type) ?? type.Name,
    };

    /// <summary>Whether it is a concrete grain.</summary>
    public static bool IsGrainClass(Type t) => t is { IsClass: true, IsAbstract: false } && Is(t, "IGrainBase");

    /// <summary>The name in <c>[GrainType]</c>, or null.</summary>
    public static string? GrainTypeOf(Type t) => Argument(t, "GrainTypeAttribute") as string;

    static bool IsGrainInterface(Type t) => t.IsInterface && Is(t, "IGrain");

    static bool IsOnWire(Type t) => Find(t, "GenerateSerializerAttribute") is not null;

    static string? AliasOf(MemberInfo t) => Argument(t, "AliasAttribute") as string;

    static bool Is(Type t, string name) => t.GetInterfaces().Any(i => i.Name == name);

    static CustomAttributeData? Find(MemberInfo m, string attribute) =>
        m.GetCustomAttributesData().FirstOrDefault(a => a.AttributeType.Name == attribute);

    static object? Argument(MemberInfo m, string attribute) =>
        Find(m, attribute)?.ConstructorArguments.FirstOrDefault().Value;

    static IEnumerable<string> BreachesOf(Type type)
    {
        if (AliasOf(type) is null) yield return $"{type.Name}: no [Alias]";
        if (type.IsEnum) yield break;
        if (type.BaseType is { } parent && parent.Assembly == type.Assembly && !IsOnWire(parent) && MembersOf(parent).Any())
            yield return $"{type.Name}: its base {parent.Name} has no [GenerateSerializer]";
        var members = MembersOf(type).ToList();
        foreach (var (member, _, id) in members)
            if (id is null) yield return $"{type.Name}.{member}: no [Id]";
        foreach (var same in members.Where(m => m.Id is not null).GroupBy(m => m.Id).Where(g => g.Count() > 1))
            yield return $"{type.Name}: [Id({same.Key})] twice: {string.Join(", ", same.Select(m => m.Name))}";
    }

    /// <summary>What a value of the type holds: every field, those behind properties by the property's name.</summary>
    static IEnumerable<(string Name, Type Type, uint? Id)> MembersOf(Type type)
    {
        if (type.IsEnum) yield break;
        foreach (var field in type.GetFields(Declared).Where(f => !f.IsDefined(typeof(NonSerializedAttribute), inherit: false)))
        {
            var behind = BackingField().Match(field.Name);
            MemberInfo? member = behind.Success ? type.GetProperty(behind.Groups[1].Value, Declared) : field;
            yield return ((member ?? field).Name, field.FieldType, Argument(member ?? field, "IdAttribute") as uint?);
        }
    }

    static IEnumerable<Type> SpokenByGrains(IEnumerable<Type> types) => types.Where(IsGrainInterface)
        .SelectMany(t => t.GetMethods())
        .SelectMany(m => m.GetParameters().Select(p => p.ParameterType).Append(m.ReturnType));

    /// <summary>A type and what it is made of: <c>Task&lt;Reply&lt;OrderView&gt;&gt;</c> is three types.</summary>
    static IEnumerable<Type> Parts(Type type)
    {
        if (type.IsArray) return Parts(type.GetElementType()!);
        if (!type.IsGenericType) return [type];
        return type.GetGenericArguments().SelectMany(Parts).Prepend(type.GetGenericTypeDefinition());
    }

    [GeneratedRegex("^<(.+)>k__BackingField$")]
    private static partial Regex BackingField();
    [GeneratedRegex(@"\benum\s+(?<name>\w+)[^{;]*\{(?<body>[^}]*)\}")]
    private static partial Regex EnumSource();
    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comment();
    [GeneratedRegex(@"\[[^\]]*\]")]
    private static partial Regex Attribute();
    [GeneratedRegex(@"^\w+\s*=\s*(-?\d+|1\s*<<\s*\d+|\w+(\s*\|\s*\w+)+)$")]
    private static partial Regex Numbered();
}
