using System.Globalization;

namespace OrleansOms.Domain.Stock;

/// <summary>What decides who is served first. Numbers are settings: append only.</summary>
public enum WaitingCriterion
{
    /// <summary>The earliest promise.</summary>
    Promise = 0,
    /// <summary>The highest priority of a channel.</summary>
    Priority = 1,
    /// <summary>Whoever has waited longest.</summary>
    Age = 2,
}

/// <summary>What a channel may claim of units that come in.</summary>
/// <param name="Priority">The highest comes first; 0 of a channel of which nothing is said.</param>
/// <param name="Share">Above 0, at most 1: while it has had less of what was given, it comes first. Null for none.</param>
public sealed record WaitingChannel(int Priority, double? Share);

/// <summary>
/// Who of those that wait for a SKU is served next. Channels that have had less than their share come first, the one that lacks most
/// of it before the others; among the rest the criteria decide, in their order, and at last the order's id.
/// </summary>
/// <param name="Criteria">In the order in which they decide.</param>
/// <param name="Channels">Channels of which something is said, by code.</param>
public sealed record WaitingPolicy(IReadOnlyList<WaitingCriterion> Criteria, IReadOnlyDictionary<string, WaitingChannel> Channels)
{
    /// <summary>The earliest promise first, and of those that are promised alike the oldest.</summary>
    public static WaitingPolicy Usual { get; } =
        new([WaitingCriterion.Promise, WaitingCriterion.Age], new Dictionary<string, WaitingChannel>());

    /// <summary>The next one; null if nobody waits.</summary>
    /// <param name="waiting">Everybody who waits for the SKU.</param>
    /// <param name="given">Units that channels have had of it while somebody waited, by code.</param>
    public WaitingChoice? Next(IReadOnlyCollection<WaitingLine> waiting, IReadOnlyDictionary<string, long> given)
    {
        if (waiting.Count == 0) return null;
        var all = given.Values.Sum();
        var lacking = waiting.Select(w => w.Channel).Distinct(StringComparer.Ordinal)
            .Where(c => ShareOf(c) is { } share && Had(c) < share * all)
            .OrderBy(c => Had(c) / (ShareOf(c)!.Value * all)).ThenBy(c => c, StringComparer.Ordinal).FirstOrDefault();
        if (lacking is null) return First([.. waiting], "");
        var share = ShareOf(lacking)!.Value.ToString("P0", CultureInfo.InvariantCulture);
        return First([.. waiting.Where(w => w.Channel == lacking)],
            $"{lacking} has had {Had(lacking)} of {all} units, its share is {share}; ");

        long Had(string channel) => given.GetValueOrDefault(channel);
    }

    double? ShareOf(string channel) => Channels.GetValueOrDefault(channel)?.Share;

    int PriorityOf(string channel) => Channels.GetValueOrDefault(channel)?.Priority ?? 0;

    WaitingChoice First(List<WaitingLine> waiting, string because)
    {
        var order = Comparer<WaitingLine>.Create(Compare);
        var first = waiting.Min(order)!;
        var others = waiting.Where(w => w.OrderId != first.OrderId).ToList();
        return new WaitingChoice(first, because + (others.Count == 0 ? "nobody else waits" : Reason(first, others.Min(order)!, others)));
    }

    /// <summary>The first criterion by which the one comes before the next, and among how many.</summary>
    string Reason(WaitingLine first, WaitingLine next, List<WaitingLine> others)
    {
        var alike = "";
        foreach (var criterion in Criteria)
        {
            var among = string.Create(CultureInfo.InvariantCulture, $"of {others.Count + 1}{alike}");
            if (Compare(criterion, first, next) != 0)
                return criterion switch
                {
                    WaitingCriterion.Promise => string.Create(CultureInfo.InvariantCulture, $"promised by {first.PromisedBy:u}, the earliest {among}"),
                    WaitingCriterion.Priority => string.Create(
                        CultureInfo.InvariantCulture, $"priority {PriorityOf(first.Channel)}, the highest {among}"),
                    _ => string.Create(CultureInfo.InvariantCulture, $"waits since {first.PlacedAt:u}, the longest {among}"),
                };
            others = [.. others.Where(w => Compare(criterion, first, w) == 0)];
            alike += (alike == "" ? " with the same " : " and ") + criterion switch
            {
                WaitingCriterion.Promise => "promise", WaitingCriterion.Priority => "priority", _ => "age",
            };
        }
        return string.Create(CultureInfo.InvariantCulture, $"the first of {others.Count + 1}{alike}, by its id");
    }

    int Compare(WaitingLine a, WaitingLine b)
    {
        foreach (var criterion in Criteria)
            if (Compare(criterion, a, b) is not 0 and var order) return order;
        return string.CompareOrdinal(a.OrderId, b.OrderId) is not 0 and var byId ? byId : a.LineId.CompareTo(b.LineId);
    }

    int Compare(WaitingCriterion criterion, WaitingLine a, WaitingLine b) => criterion switch
    {
        WaitingCriterion.Promise => a.PromisedBy.CompareTo(b.PromisedBy),
        WaitingCriterion.Priority => PriorityOf(b.Channel).CompareTo(PriorityOf(a.Channel)),
        WaitingCriterion.Age => a.PlacedAt.CompareTo(b.PlacedAt),
        _ => throw new InvalidOperationException($"Nobody is served by {criterion}."),
    };
}
