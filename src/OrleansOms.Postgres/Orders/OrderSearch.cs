using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Postgres.Orders;

/// <summary>What a filter asks of <c>oms.order_search</c>, as conditions.</summary>
/// <param name="filter">The filter; <see cref="CanMatch"/> is true of it.</param>
/// <param name="skus">The SKUs that the filter's text stands for.</param>
sealed class OrderSearch(OrderFilter filter, IReadOnlyList<string> skus)
{
    /// <summary>Longest text that is looked for: longer than anything that is stored.</summary>
    public const int MaxText = 320;

    // Shorter beginnings of numbers fit too many orders to be of use.
    const int ShortestPart = 3;

    public string[] Statuses { get; } = [.. filter.Statuses.Distinct().Select(s => Stored.Name(s))];
    public bool HasStatus => Statuses.Length > 0;
    /// <summary>Whether it looks for something that is in an inverted index.</summary>
    public bool IsNarrow => filter.Q is not null || Terms().Length > 0;

    /// <summary>The filter with its text trimmed; a blank text looks for nothing.</summary>
    public static OrderFilter Normalise(OrderFilter filter) =>
        filter with { Q = string.IsNullOrWhiteSpace(filter.Q) ? null : filter.Q.Trim() };

    /// <summary>False if no order can match, such as a text with characters that no text may have.</summary>
    public static bool CanMatch(OrderFilter filter) =>
        Fits(filter.Channel) && Fits(filter.Sku) && Fits(filter.Warehouse) && Fits(filter.Q)
        && !(filter.From >= filter.To);

    /// <summary>Whether a text finds what begins with it, and not only what equals it.</summary>
    public static bool IsPrefix(string key) => key.Length >= ShortestPart;

    public IEnumerable<string> Where(Parameters p)
    {
        if (Terms() is { Length: > 0 } terms) yield return $"s.terms @> {p.Add(terms)}";
        if (filter.Q is not { } q) yield break;
        var key = Stored.Key(q);
        var pattern = p.Add(IsPrefix(key) ? Stored.Beginning(key) : Stored.Exactly(key));
        List<string> any = [$"s.number_key like {pattern}", $"s.external_key like {pattern}"];
        if (skus.Count > 0) any.Add($"s.terms && {p.Add(skus.Select(OrderRows.OfSku).ToArray())}");
        if (HasPart(key)) any.Add($"s.person like {p.Add(Stored.Holding(key))}");
        yield return $"({string.Join(" or ", any)})";
    }

    public IEnumerable<string> Times(Parameters p, string alias)
    {
        if (filter.From is { } from) yield return $"{alias}.placed_at >= {p.Add(from.ToUniversalTime())}";
        if (filter.To is { } to) yield return $"{alias}.placed_at < {p.Add(to.ToUniversalTime())}";
    }

    string[] Terms()
    {
        List<string> terms = [];
        if (filter.Sku is { } sku) terms.Add(OrderRows.OfSku(sku));
        if (filter.Channel is { } channel) terms.Add(OrderRows.OfChannel(channel));
        if (filter.Warehouse is { } warehouse) terms.Add(OrderRows.OfWarehouse(warehouse));
        return [.. terms];
    }

    static bool Fits(string? text) => text is null || Text.IsPrintable(text, MaxText);

    // The index knows pieces of three characters, counting two blanks before a word and one after it. A text has such
    // pieces if it has three letters in a row, or the beginning of a word after something else.
    static bool HasPart(string key)
    {
        var run = 0;
        for (var i = 0; i < key.Length && key.Length >= ShortestPart; i++)
        {
            if (!char.IsLetterOrDigit(key[i])) { run = 0; continue; }
            if (++run == ShortestPart || (run == 1 && i > 0)) return true;
        }
        return false;
    }
}

/// <summary>Parameters of a statement by position.</summary>
sealed class Parameters
{
    readonly List<object?> _values = [];

    public IReadOnlyList<object?> Values => _values;

    /// <summary>Adds a value and answers how the statement names it.</summary>
    public string Add(object value)
    {
        _values.Add(value);
        return $"${_values.Count}";
    }
}
