using Orleans;

namespace OrleansOms.Domain.Shared;

/// <summary>Which family of HTTP answer a refusal belongs to.</summary>
[GenerateSerializer, Alias("oms.RejectionKind")]
public enum RejectionKind
{
    /// <summary>409: the command does not fit the present state.</summary>
    Conflict = 0,
    /// <summary>422: the command has no meaning here (an unknown SKU, a reused key).</summary>
    Meaning = 1,
    /// <summary>404: there is no such thing, or the caller may not see it.</summary>
    NotFound = 2,
}

/// <summary>An expected refusal. It is a value, never an exception, and nothing was changed.</summary>
/// <param name="Code">Stable, snake_case, for programs: <c>insufficient_stock</c>.</param>
/// <param name="Detail">One sentence for people.</param>
/// <param name="Kind">Which HTTP answer it becomes.</param>
/// <param name="Data">Extra members for the caller, such as the id of the order that holds a claim.</param>
[GenerateSerializer, Immutable, Alias("oms.Rejection")]
public sealed record Rejection(
    [property: Id(0)] string Code,
    [property: Id(1)] string Detail,
    [property: Id(2)] RejectionKind Kind = RejectionKind.Conflict,
    [property: Id(3)] IReadOnlyDictionary<string, string>? Data = null)
{
    /// <summary>A command that does not fit the present state (409).</summary>
    public static Rejection Conflict(string code, string detail) => new(code, detail);

    /// <summary>A command that has no meaning (422).</summary>
    public static Rejection Meaning(string code, string detail) => new(code, detail, RejectionKind.Meaning);

    /// <summary>Nothing is there under this name (404).</summary>
    public static Rejection NotFound(string what) => new("not_found", $"{what} does not exist.", RejectionKind.NotFound);
}
