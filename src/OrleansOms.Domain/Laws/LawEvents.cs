using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Laws;

/// <summary>A law was seen broken. The only event of its stream, so that one breach is told once.</summary>
/// <param name="Law">Which one.</param>
/// <param name="Aggregate">The stream that it was seen on.</param>
/// <param name="Numbers">What was found.</param>
public sealed record LawBroken(Law Law, string Aggregate, string Numbers) : DomainEvent
{
    /// <summary>Its stream, which belongs to no grain: <c>alm-L1/stk-…</c>.</summary>
    public static string StreamOf(Law law, string aggregate) => $"alm-L{(int)law}/{aggregate}";
}
