using System.Globalization;

namespace OrleansOms.Domain.Orders;

/// <summary>Statuses and sums as people say them.</summary>
public static class Words
{
    /// <summary>An enum member in words: <c>PartiallyShipped</c> is "partially shipped".</summary>
    public static string Of<T>(T member) where T : struct, Enum =>
        string.Concat(member.ToString().Select((c, i) =>
            char.IsUpper(c) ? (i > 0 ? " " : "") + char.ToLowerInvariant(c) : c.ToString()));

    /// <summary>An amount with thousands apart and without trailing zeros beyond two decimals, for sentences.</summary>
    public static string Amount(decimal amount) => amount.ToString("#,##0.00##", CultureInfo.InvariantCulture);

    /// <summary>What is missing: "2 × 85123A, 1 × 71053", the first five SKUs.</summary>
    public static string Missing(IReadOnlyDictionary<string, int> missing)
    {
        var named = string.Join(", ", missing.Take(5).Select(m => $"{m.Value} × {m.Key}"));
        return missing.Count > 5 ? $"{named} and {missing.Count - 5} more" : named;
    }
}
