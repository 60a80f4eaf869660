namespace OrleansOms.Contracts;

/// <summary>A piece of a list.</summary>
/// <param name="NextCursor">What to send for the piece that follows; null if this is the last one.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor)
{
    /// <summary>How many items a list gives unless asked for another number.</summary>
    public const int DefaultLimit = 50;
    /// <summary>Most items that a list gives at once.</summary>
    public const int MaxLimit = 200;
}

/// <summary>A cursor that this list has not given out, or not for this order of its rows: the caller's mistake.</summary>
public sealed class BadCursorException() : FormatException("The cursor does not belong to this list.");
