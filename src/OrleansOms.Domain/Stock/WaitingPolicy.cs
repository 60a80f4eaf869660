using System.Globalization;

namespace OrleansOms.Domain.Stock;

/// <summary>What decides who is served first. The names are settings.</summary>
public enum WaitingCriterion
{
    /// <summary>The earliest promise.</summary>
    Promise,
    /// <summary>The highest priority of a channel.</summary>
    Priority,
    /// <summary>The order that was placed first, whenever it began to wait.</summary>
    Age,
}

/// <summary>What a channel may claim of units that become free.</summary>
/// <param name="Priority">The highest comes first; 0 of a channel of which nothing is said.</param>
/// <param name="Share">Above 0, at most 1: while it has had less of what was promised, it comes first. Null for none.</param>
public sealed record WaitingChannel(int Priority, double? Share);

/// <summary>
/// Who of those that wait for a SKU is served first. Channels that have had less than their share come first, the one that lacks most
/// of it before the others; among the rest the criteria decide, in their order, and at last the order's id and the line's. However large
/// a line is, a channel that comes first has what it lacks and no more of it, and what the others have leaves it that.
/// </summary>
/// <param name="Criteria">In the order in which they decide.</param>
/// <param name="Channels">Channels of which something is said, by code.</param>
public sealed record WaitingPolicy(IReadOnlyList<WaitingCriterion> Criteria, IReadOnlyDictionary<string, WaitingChannel> Channels)
{
    /// <summary>The earliest promise first, and of those that are promised alike the oldest.</summary>
    public static WaitingPolicy Usual { get; } =
        new([WaitingCriterion.Promise, WaitingCriterion.Age], new Dictionary<string, WaitingChannel>());

    /// <summary>Whoever comes first is the least.</summary>
    public IComparer<WaitingLine> Order => Comparer<WaitingLine>.Create((a, b) => Compare(Criteria, Channels, a, b));

    /// <summary>
    /// Gives units to those that wait, until none is left or nobody waits. A line may be chosen more than once, each time for a reason of
    /// its own.
    /// </summary>
    /// <param name="waiting">Those of each channel who wait for the SKU, in their <see cref="Order"/>.</param>
    /// <param name="mayHave">Whether a line may have these units at all.</param>
    /// <param name="given">Units of it that those who waited have had before, by channel.</param>
    /// <param name="units">What there is to give.</param>
    public IEnumerable<WaitingChoice> Serve(
        IEnumerable<IReadOnlyCollection<WaitingLine>> waiting, Func<WaitingLine, bool> mayHave,
        IReadOnlyDictionary<string, int> given, int units)
    {
        // The first of each channel is the only one of it that can be next.
        var lines = waiting.Select(w => new Queue(w, mayHave)).Where(q => !q.IsEmpty).ToList();
        var had = given.ToDictionary(StringComparer.Ordinal);
        while (units > 0 && lines.Count > 0)
        {
            var (line, most, why) = Next(lines, had, units);
            var choice = new WaitingChoice(line.First, Math.Min(line.First.Units, most), why);
            had[line.Channel] = had.GetValueOrDefault(line.Channel) + choice.Units;
            units -= choice.Units;
            line.Take(choice.Units);
            if (line.IsEmpty) lines.Remove(line);
            yield return choice;
        }
    }

    /// <summary>Who is next, with how many units at most, and why.</summary>
    /// <param name="units">What there is left to give.</param>
    (Queue Line, int Most, string Why) Next(List<Queue> lines, Dictionary<string, int> had, int units)
    {
        var given = had.Values.Sum(n => (long)n);
        if (Lacking(lines, given) is { } lacking) return Chosen(lacking, $"{given} units");
        var first = FirstOf(lines);
        var others = lines.Where(l => l != first && Claim(l) > 0).ToList();
        var left = units - others.Sum(Claim);
        // They must have their shares of what there is when all of it is given.
        return left > 0 ? (first, (int)left, Reason(lines))
            : Chosen(Lacking(others, given + units)!, $"{given + units} units with those that are given now");

        Queue? Lacking(IEnumerable<Queue> among, long all) => among
            .Where(l => ShareOf(l) is { } share && Had(l) < share * all)
            .OrderBy(l => Had(l) / (ShareOf(l)!.Value * all)).ThenBy(l => l.Channel, StringComparer.Ordinal).FirstOrDefault();

        (Queue, int, string) Chosen(Queue line, string all) => (line, (int)Math.Clamp(Claim(line), 1, units), string.Create(
            CultureInfo.InvariantCulture,
            $"{line.Channel} has had {Had(line)} of {all}, its share is {ShareOf(line):P0}; {Reason([line], " of it")}"));

        // Whole units that it lacks of its share when all is given that there is.
        long Claim(Queue line) => ShareOf(line) is { } share ? Math.Max(0, (long)(share * (given + units)) - Had(line)) : 0;

        int Had(Queue line) => had.GetValueOrDefault(line.Channel);
    }

    double? ShareOf(Queue line) => Channels.GetValueOrDefault(line.Channel)?.Share;

    Queue FirstOf(IEnumerable<Queue> lines) => lines.MinBy(l => l.First, Order)!;

    /// <summary>The first criterion by which the first comes before the next one.</summary>
    /// <param name="of">Whose lines these are, if they are not all.</param>
    string Reason(List<Queue> lines, string of = "")
    {
        var line = FirstOf(lines);
        WaitingLine[] others = [.. lines.Where(l => l != line).Select(l => l.First), .. line.Second is { } second ? [second] : (WaitingLine[])[]];
        if (others.Length == 0) return $"nobody else{of} waits";
        var (first, next) = (line.First, others.Min(Order)!);
        var alike = new List<string>();
        foreach (var criterion in Criteria)
        {
            if (Compare(criterion, Channels, first, next) != 0) return Told(Words(criterion, first));
            alike.Add(criterion.ToString().ToLowerInvariant());
        }
        return Told("the first by its id");

        string Told(string what) => string.Create(CultureInfo.InvariantCulture,
            $"{what} of {lines.Sum(l => l.Count)} that wait{(alike.Count == 0 ? "" : $", with the same {string.Join(" and ", alike)} as the next")}");
    }

    string Words(WaitingCriterion criterion, WaitingLine first) => criterion switch
    {
        WaitingCriterion.Promise => $"promised by {Day(first.PromisedBy)}, the earliest",
        WaitingCriterion.Priority => string.Create(CultureInfo.InvariantCulture, $"priority {PriorityOf(Channels, first)}, the highest"),
        _ => $"placed on {Day(first.PlacedAt)}, the earliest",
    };

    static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    static int PriorityOf(IReadOnlyDictionary<string, WaitingChannel> channels, WaitingLine line) =>
        channels.GetValueOrDefault(line.Channel)?.Priority ?? 0;

    static int Compare(
        IReadOnlyList<WaitingCriterion> criteria, IReadOnlyDictionary<string, WaitingChannel> channels, WaitingLine a, WaitingLine b)
    {
        foreach (var criterion in criteria)
            if (Compare(criterion, channels, a, b) is not 0 and var order) return order;
        return string.CompareOrdinal(a.OrderId, b.OrderId) is not 0 and var byId ? byId : a.LineId.CompareTo(b.LineId);
    }

    static int Compare(
        WaitingCriterion criterion, IReadOnlyDictionary<string, WaitingChannel> channels, WaitingLine a, WaitingLine b) => criterion switch
    {
        WaitingCriterion.Promise => a.PromisedBy.CompareTo(b.PromisedBy),
        WaitingCriterion.Priority => PriorityOf(channels, b).CompareTo(PriorityOf(channels, a)),
        WaitingCriterion.Age => a.PlacedAt.CompareTo(b.PlacedAt),
        _ => throw new InvalidOperationException($"Nobody is served by {criterion}."),
    };

    /// <summary>Those of one channel that are not served yet, of which only the first two are looked at.</summary>
    sealed class Queue
    {
        readonly IEnumerator<WaitingLine> _rest;

        public Queue(IReadOnlyCollection<WaitingLine> waiting, Func<WaitingLine, bool> mayHave)
        {
            (_rest, Count) = (waiting.Where(mayHave).GetEnumerator(), waiting.Count);
            (First, Second) = (Read()!, Read());
        }

        /// <summary>How many wait, with those that may not have these units.</summary>
        public int Count { get; private set; }
        public WaitingLine First { get; private set; }
        public WaitingLine? Second { get; private set; }
        public bool IsEmpty => First is null;
        public string Channel => First.Channel;

        /// <summary>The first has so many units, and stands for the rest.</summary>
        public void Take(int units)
        {
            if (units < First.Units) First = First with { Units = First.Units - units };
            else (First, Second, Count) = (Second!, Read(), Count - 1);
        }

        WaitingLine? Read() => _rest.MoveNext() ? _rest.Current : null;
    }
}
