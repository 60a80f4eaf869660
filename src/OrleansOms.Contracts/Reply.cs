using Orleans;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Contracts;

/// <summary>What a command answers: the state after it, or a refusal. Faults are exceptions.</summary>
/// <typeparam name="T">The aggregate's view.</typeparam>
[GenerateSerializer, Immutable, Alias("oms.Reply`1")]
public sealed record Reply<T>([property: Id(0)] T? Value, [property: Id(1)] Rejection? Rejection) where T : class
{
    /// <summary>Done, now or before.</summary>
    public static Reply<T> Of(T value) => new(value, null);

    /// <summary>Refused, nothing was changed.</summary>
    public static Reply<T> Refused(Rejection rejection) => new(null, rejection);
}

/// <summary>Whose command it is.</summary>
/// <param name="CommandId">One id has one effect and one answer.</param>
/// <param name="Actor"><c>key:…</c>, <c>operator:…</c> or <c>system</c>; shown in timelines.</param>
[GenerateSerializer, Immutable, Alias("oms.Caller")]
public sealed record Caller([property: Id(0)] string CommandId, [property: Id(1)] string Actor)
{
    /// <summary>The program itself, for consequences of stored events.</summary>
    public const string System = "system";
}
