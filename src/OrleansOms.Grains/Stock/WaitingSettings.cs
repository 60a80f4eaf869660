using OrleansOms.Domain.Stock;

namespace OrleansOms.Grains.Stock;

/// <summary>Who of those that wait for units is served first. Section <c>Oms:Waiting</c> of the configuration.</summary>
public sealed class WaitingSettings
{
    /// <summary>
    /// One or more criteria in the order in which they decide, with commas between: <c>promise</c>, <c>priority</c> of the channel, <c>age</c> of
    /// the order.
    /// </summary>
    public string Order { get; set; } = "promise, age";

    /// <summary>What is said of channels, by code. Which codes there are, the API knows.</summary>
    public Dictionary<string, WaitingChannelSettings> Channels { get; set; } = [];

    /// <summary>By which a sum of fractions may be beyond what it is.</summary>
    const double Rounding = 1e-9;

    /// <summary>The policy that they declare.</summary>
    /// <exception cref="InvalidOperationException">They make no sense.</exception>
    public WaitingPolicy ToPolicy()
    {
        WaitingCriterion[] criteria = [.. (Order ?? "").Split(',', StringSplitOptions.TrimEntries).Select(Read)];
        if (criteria.Distinct().Count() != criteria.Length) throw new InvalidOperationException("Oms:Waiting:Order names something twice.");
        if (Channels.FirstOrDefault(c => c.Value is null).Key is { } silent)
            throw new InvalidOperationException($"Oms:Waiting:Channels:{silent} has neither a priority nor a share.");
        if (Channels.Values.Any(c => c.Share is { } share && !(share is > 0 and <= 1)) || Channels.Values.Sum(c => c.Share ?? 0) > 1 + Rounding)
            throw new InvalidOperationException("Each Oms:Waiting:Channels:{code}:Share must be above 0, and together they must be 1 at most.");
        return new WaitingPolicy(criteria, Channels.ToDictionary(
            c => c.Key, c => new WaitingChannel(c.Value.Priority, c.Value.Share), StringComparer.OrdinalIgnoreCase));
    }

    static WaitingCriterion Read(string name)
    {
        foreach (var criterion in Enum.GetValues<WaitingCriterion>())
            if (string.Equals($"{criterion}", name, StringComparison.OrdinalIgnoreCase)) return criterion;
        throw new InvalidOperationException($"Oms:Waiting:Order names one or more of promise, priority and age, and not '{name}'.");
    }
}

/// <summary>What is said of a channel whose orders wait.</summary>
public sealed class WaitingChannelSettings
{
    /// <summary>The highest comes first, where <c>priority</c> decides.</summary>
    public int Priority { get; set; }

    /// <summary>
    /// Above 0, at most 1: while the channel has had less of the units that a stock has promised to those who waited, it comes first. Whether
    /// they were taken is not counted.
    /// </summary>
    public double? Share { get; set; }
}
