using System.Collections.Frozen;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace OrleansOms.Tests.Architecture;

/// <summary>
/// Looks into compiled code for whatever makes an answer depend on more than the question: waiting, clocks, chance, the
/// machine, the network, memory that changes.
/// </summary>
static class Purity
{
    const BindingFlags Declared = BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly
        | BindingFlags.Public | BindingFlags.NonPublic;

    static readonly string[] ForbiddenNamespaces =
        ["System.IO", "System.Net", "System.Threading", "System.Diagnostics.Process", "Microsoft.Extensions"];

    static readonly string[] ForbiddenTypes =
    [
        "System.Random", "System.Environment", "System.Console", "System.TimeProvider", "System.AppContext",
        "System.Diagnostics.Stopwatch", "System.Diagnostics.Process", "System.TimeZoneInfo",
        "System.Security.Cryptography.RandomNumberGenerator", "System.Runtime.CompilerServices.AsyncVoidMethodBuilder",
    ];

    static readonly string[] ForbiddenMembers =
    [
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTime.get_Today",
        "System.DateTimeOffset.get_Now", "System.DateTimeOffset.get_UtcNow", "System.Guid.NewGuid",
        "System.Guid.CreateVersion7", "System.DateTime.ToLocalTime", "System.DateTimeOffset.ToLocalTime",
    ];

    /// <summary>What the compiler itself writes into iterators; it decides nothing.</summary>
    const string IteratorsOwn = "System.Environment.get_CurrentManagedThreadId";

    static readonly FrozenDictionary<short, OpCode> OpCodesByValue = typeof(OpCodes).GetFields()
        .Select(f => (OpCode)f.GetValue(null)!).ToFrozenDictionary(o => o.Value);

    /// <summary>Each impure thing that the code of the types uses: where, and what.</summary>
    public static IReadOnlyList<string> Breaches(IEnumerable<Type> types) =>
        [.. types.SelectMany(BreachesOf).Distinct().Order(StringComparer.Ordinal)];

    static IEnumerable<string> BreachesOf(Type type)
    {
        foreach (var field in type.GetFields(Declared))
        {
            foreach (var used in TypesIn(field.FieldType).Where(IsForbidden))
                yield return $"{type.Name}.{field.Name}: {used.FullName}";
            if (field is { IsStatic: true, IsInitOnly: false, IsLiteral: false } && !IsCompilers(field) && !IsCompilers(type))
                yield return $"{type.Name}.{field.Name}: static and not readonly";
        }
        foreach (var method in type.GetMethods(Declared).Concat<MethodBase>(type.GetConstructors(Declared)))
            foreach (var used in UsedBy(method))
                if (Impure(used) is { } what) yield return $"{type.Name}.{method.Name}: {what}";
    }

    static bool IsCompilers(MemberInfo member) =>
        member.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) || member.Name.Contains('<');

    static string? Impure(MemberInfo used)
    {
        if (used is Type type) return TypesIn(type).FirstOrDefault(IsForbidden)?.FullName;
        var name = $"{used.DeclaringType?.FullName}.{used.Name}";
        if (name == IteratorsOwn) return null;
        return ForbiddenMembers.Contains(name) || used.DeclaringType is { } of && TypesIn(of).Any(IsForbidden) ? name : null;
    }

    static bool IsForbidden(Type type) =>
        ForbiddenNamespaces.Any(n => type.Namespace == n || type.Namespace?.StartsWith(n + ".", StringComparison.Ordinal) == true)
        || ForbiddenTypes.Contains(type.FullName);

    static IEnumerable<Type> TypesIn(Type type)
    {
        if (type.HasElementType) return TypesIn(type.GetElementType()!);
        return type.IsConstructedGenericType
            ? type.GetGenericArguments().SelectMany(TypesIn).Prepend(type.GetGenericTypeDefinition())
            : [type];
    }

    /// <summary>The types of a method's signature and variables, and every member that its code names.</summary>
    static IEnumerable<MemberInfo> UsedBy(MethodBase method)
    {
        foreach (var parameter in method.GetParameters()) yield return parameter.ParameterType;
        if (method is MethodInfo { ReturnType: var returned }) yield return returned;
        if (method.GetMethodBody() is not { } body) yield break;
        foreach (var variable in body.LocalVariables) yield return variable.LocalType;
        var ofType = method.DeclaringType!.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        foreach (var token in TokensIn(body.GetILAsByteArray() ?? []))
            yield return method.Module.ResolveMember(token, ofType, ofMethod)!;
    }

    /// <summary>The metadata tokens that a method's code names, in order.</summary>
    static IEnumerable<int> TokensIn(byte[] code)
    {
        for (var at = 0; at < code.Length;)
        {
            var value = code[at] == 0xFE ? unchecked((short)(0xFE00 | code[at + 1])) : code[at];
            var operation = OpCodesByValue[value];
            at += operation.Size;
            if (operation.OperandType is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok
                or OperandType.InlineType) yield return BitConverter.ToInt32(code, at);
            at += operation.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
                _ => 4,
            };
        }
    }
}
