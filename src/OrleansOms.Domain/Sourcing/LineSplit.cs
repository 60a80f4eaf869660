using OrleansOms.Domain.Orders;

namespace OrleansOms.Domain.Sourcing;

/// <summary>Spreads planned units over order lines: two lines may want the same SKU.</summary>
public static class LineSplit
{
    /// <summary>Units wanted by SKU, summed over the lines, so that no unit is promised twice.</summary>
    public static Dictionary<string, int> Demand(IEnumerable<(int LineId, string Sku, int Quantity)> wanted)
    {
        var demand = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (_, sku, quantity) in wanted) demand[sku] = demand.GetValueOrDefault(sku) + quantity;
        return demand;
    }

    /// <summary>Gives each planned unit to a line, lines in their order.</summary>
    public static List<LineAllocation> Assign(
        IEnumerable<(int LineId, string Sku, int Quantity)> wanted, IReadOnlyList<PlannedUnits> planned)
    {
        var open = new Dictionary<string, Queue<(int LineId, int Quantity)>>(StringComparer.Ordinal);
        foreach (var (lineId, sku, quantity) in wanted)
        {
            if (!open.TryGetValue(sku, out var queue)) open[sku] = queue = new();
            queue.Enqueue((lineId, quantity));
        }
        var carried = new Dictionary<string, (int LineId, int Quantity)>(StringComparer.Ordinal);
        var allocations = new List<LineAllocation>();
        foreach (var units in planned)
        {
            var left = units.Quantity;
            while (left > 0)
            {
                var (lineId, quantity) = carried.Remove(units.Sku, out var rest) ? rest : open[units.Sku].Dequeue();
                var take = Math.Min(left, quantity);
                allocations.Add(new LineAllocation(lineId, units.Sku, units.Warehouse, take));
                if (quantity > take) carried[units.Sku] = (lineId, quantity - take);
                left -= take;
            }
        }
        return allocations;
    }
}
