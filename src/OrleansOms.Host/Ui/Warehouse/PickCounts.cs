using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Host.Ui.Warehouse;

/// <summary>One SKU to take from its shelf.</summary>
/// <param name="Wanted">Units that are still to be picked and were not reported yet.</param>
/// <param name="Counted">Units that were scanned and not yet sent.</param>
/// <param name="Reported">Units that the shipment already knows as picked; null if it does not.</param>
public sealed record PickTask(string Sku, int Wanted, int Counted, int? Reported)
{
    /// <summary>Whether the shipment knows that it is done.</summary>
    public bool IsDone => Reported is not null;
}

/// <summary>
/// Units that were scanned for a shipment and are not complete yet. A SKU is reported as a whole, so until its last unit
/// is scanned its count is kept here and in the browser's tab.
/// </summary>
public sealed class PickCounts
{
    readonly Dictionary<string, int> _counted = new(StringComparer.Ordinal);

    /// <summary>The SKUs of a shipment with their counts, those that are done last.</summary>
    public IReadOnlyList<PickTask> Tasks(ShipmentView shipment) =>
    [
        .. shipment.Lines.GroupBy(l => l.Sku, StringComparer.Ordinal)
            .Select(g =>
            {
                var open = g.Where(l => l.Picked is null).Sum(l => l.Quantity);
                return open > 0
                    ? new PickTask(g.Key, open, Math.Min(open, _counted.GetValueOrDefault(g.Key)), null)
                    : new PickTask(g.Key, g.Sum(l => l.Quantity), 0, g.Sum(l => l.Picked ?? 0));
            })
            .OrderBy(t => t.IsDone),
    ];

    /// <summary>Counts units of a SKU.</summary>
    public void Add(string sku, int units = 1) => _counted[sku] = _counted.GetValueOrDefault(sku) + units;

    /// <summary>Forgets a SKU: it was reported, or its count was wrong.</summary>
    public void Forget(string sku) => _counted.Remove(sku);

    /// <summary>Units by SKU, for the browser to keep.</summary>
    public IReadOnlyDictionary<string, int> Counted => _counted;

    /// <summary>Takes back what the browser has kept.</summary>
    public void Restore(IReadOnlyDictionary<string, int> kept)
    {
        _counted.Clear();
        foreach (var (sku, n) in kept)
            if (n > 0) _counted[sku] = n;
    }
}

/// <summary>A box that is being filled.</summary>
public sealed class Box
{
    /// <summary>Units in it by SKU.</summary>
    public Dictionary<string, int> Units { get; init; } = new(StringComparer.Ordinal);
    /// <summary>Weight of the packed box; null until it is known.</summary>
    public int? WeightGrams { get; set; }
}

/// <summary>How the picked units are spread over boxes: all in the first one until another one is begun.</summary>
public sealed class Boxes
{
    readonly List<Box> _boxes = [];

    /// <summary>The boxes, the first one never taken away.</summary>
    public IReadOnlyList<Box> All => _boxes;

    /// <summary>The one that scans go into.</summary>
    public Box Current => _boxes[^1];

    /// <summary>Everything into one box; its weight is what the products weigh, if that is known.</summary>
    public void Begin(ShipmentView shipment, Func<string, int?> weightGrams)
    {
        _boxes.Clear();
        var box = new Box();
        foreach (var line in shipment.Lines) box.Units[line.Sku] = box.Units.GetValueOrDefault(line.Sku) + line.Quantity;
        _boxes.Add(box);
        box.WeightGrams = Sum(box, weightGrams);
    }

    /// <summary>Takes back the boxes that the browser has kept, if they hold exactly what the shipment holds.</summary>
    public void Restore(IReadOnlyList<Box> kept)
    {
        if (_boxes.Count == 0 || kept.Count == 0 || !Contents(kept).SetEquals(Contents(_boxes))) return;
        _boxes.Clear();
        _boxes.AddRange(kept);
    }

    static HashSet<(string Sku, int Units)> Contents(IEnumerable<Box> boxes) =>
        [.. boxes.SelectMany(b => b.Units).GroupBy(u => u.Key, StringComparer.Ordinal).Select(g => (g.Key, g.Sum(u => u.Value)))];

    /// <summary>Begins another box.</summary>
    public void Another() => _boxes.Add(new Box());

    /// <summary>Moves one unit from an earlier box into the current one; false if none has it.</summary>
    public bool Move(string sku, Func<string, int?> weightGrams)
    {
        var from = _boxes.Take(_boxes.Count - 1).FirstOrDefault(b => b.Units.GetValueOrDefault(sku) > 0);
        if (from is null) return false;
        if (--from.Units[sku] == 0) from.Units.Remove(sku);
        Current.Units[sku] = Current.Units.GetValueOrDefault(sku) + 1;
        (from.WeightGrams, Current.WeightGrams) = (Sum(from, weightGrams), Sum(Current, weightGrams));
        return true;
    }

    /// <summary>The boxes that hold something, as the shipment wants them; null while a weight is missing.</summary>
    public IReadOnlyList<Package>? Packages()
    {
        var filled = _boxes.Where(b => b.Units.Count > 0).ToList();
        return filled.Exists(b => b.WeightGrams is null or < 1)
            ? null
            : [.. filled.Select(b => new Package(
                b.WeightGrams!.Value, [.. b.Units.Select(u => new SkuUnits(u.Key, u.Value))]))];
    }

    static int? Sum(Box box, Func<string, int?> weightGrams)
    {
        long grams = 0;
        foreach (var (sku, n) in box.Units)
        {
            if (weightGrams(sku) is not { } one) return null;
            grams += (long)one * n;
        }
        return grams is > 0 and <= int.MaxValue ? (int)grams : null;
    }
}
