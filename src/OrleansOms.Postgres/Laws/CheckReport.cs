using OrleansOms.Domain.Laws;

namespace OrleansOms.Postgres.Laws;

/// <summary>What a check of the whole store has found.</summary>
public sealed class CheckReport
{
    readonly SortedDictionary<Law, (long Count, Breach First)> _broken = [];

    /// <summary>Events read.</summary>
    public long Events { get; internal set; }
    /// <summary>Streams read.</summary>
    public long Streams { get; internal set; }
    /// <summary>Orders among them.</summary>
    public long Orders { get; internal set; }
    /// <summary>Rows of lists that were held against the log.</summary>
    public long Rows { get; internal set; }

    /// <summary>Broken laws with how often, and the first counter-example of each.</summary>
    public IReadOnlyDictionary<Law, (long Count, Breach First)> Broken => _broken;

    internal void Add(Breach? breach)
    {
        if (breach is null) return;
        _broken[breach.Law] = _broken.TryGetValue(breach.Law, out var known)
            ? (known.Count + 1, known.First) : (1, breach);
    }

    internal void AddAll(IEnumerable<Breach?> breaches)
    {
        foreach (var breach in breaches) Add(breach);
    }
}
