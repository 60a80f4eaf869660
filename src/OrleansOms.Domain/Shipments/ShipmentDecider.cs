using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Shipments;

/// <summary>Turns (shipment, command, now) into facts or a refusal. Pure.</summary>
public static class ShipmentDecider
{
    /// <summary>How far ahead of our clock a carrier's may be.</summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromHours(24);

    /// <summary>
    /// Reports that a shipment keeps: a parcel has some dozens. All of them are told with each change, so that a carrier's fault
    /// that reports for ever would slow everybody. How it ends is heard also after that.
    /// </summary>
    public const int MaxReports = 1_000;

    /// <summary>The one decision function of shipments.</summary>
    public static Decision<ShipmentEvent> Decide(Shipment shipment, ShipmentCommand command, DateTimeOffset now) =>
        !shipment.Exists ? Decision<ShipmentEvent>.Refuse(Rejection.NotFound("The shipment")) : command switch
        {
            PickUnits c => Pick(shipment, c),
            PackShipment c => Pack(shipment, c),
            ShipShipment c => Ship(shipment, c),
            RecordTracking c => Track(shipment, c, now),
            WithdrawUnits c => Withdraw(shipment, c),
            CheckTracking c => shipment.WaitsForCarrierSince is { } since && now - since >= c.SilenceLimit
                ? Decision<ShipmentEvent>.Accept(new TrackingAlarmRaised(since)) : Decision<ShipmentEvent>.AlreadyDone,
            _ => throw new InvalidOperationException($"A shipment does not know {command.GetType().Name}."),
        };

    static Decision<ShipmentEvent> Pick(Shipment shipment, PickUnits c)
    {
        if (shipment.Status == ShipmentStatus.Cancelled)
            return IsWhatEndedIt(shipment, c)
                ? Decision<ShipmentEvent>.AlreadyDone : WrongState(shipment, "shipment_not_pickable");
        var canPick = shipment.Status is ShipmentStatus.Released or ShipmentStatus.Picking;
        var picked = new List<PickedUnits>();
        foreach (var found in c.Lines.GroupBy(l => l.Sku, l => (long)l.Quantity, StringComparer.Ordinal))
        {
            var asked = shipment.Created!.Lines.Any(l => l.Sku == found.Key);
            if (!asked)
                return Decision<ShipmentEvent>.Refuse(Rejection.Meaning(
                    "sku_not_in_shipment", $"{found.Key} is not part of this shipment."));
            var lines = shipment.Lines.Where(l => l.Sku == found.Key).ToList();
            var quantity = found.Sum();
            if (lines.All(l => l.Picked is not null))
            {
                if (quantity == lines.Sum(l => l.Picked!.Value)) continue;
                return Decision<ShipmentEvent>.Refuse("already_picked",
                    $"{found.Key} was picked before, {lines.Sum(l => l.Picked!.Value)} units.");
            }
            if (!canPick) break;
            var wanted = lines.Where(l => l.Picked is null).Sum(l => (long)l.Quantity);
            if (quantity > wanted)
                return Decision<ShipmentEvent>.Refuse(Rejection.Meaning(
                    "too_many_units", $"{quantity} of {found.Key}, but only {wanted} are wanted."));
            foreach (var line in lines.Where(l => l.Picked is null))
            {
                var n = (int)Math.Min(quantity, line.Quantity);
                quantity -= n;
                picked.Add(new PickedUnits(line.LineId, line.Sku, n, line.Quantity - n));
            }
        }
        if (!canPick && picked.Count == 0 && AllPicked(shipment, c)) return Decision<ShipmentEvent>.AlreadyDone;
        if (!canPick) return WrongState(shipment, "shipment_not_pickable");
        return picked.Count == 0
            ? Decision<ShipmentEvent>.AlreadyDone : Decision<ShipmentEvent>.Accept(new UnitsPicked(picked));
    }

    static bool AllPicked(Shipment shipment, PickUnits c) => c.Lines.All(found =>
        shipment.Lines.Where(l => l.Sku == found.Sku).All(l => l.Picked is not null));

    /// <summary>A shipment that nobody has taken units from was cancelled because none was on the shelf.</summary>
    static bool IsWhatEndedIt(Shipment shipment, PickUnits c) =>
        shipment.Withdrawals.Values.All(w => w.Lines.Count == 0)
        && c.Lines.All(l => l.Quantity == 0 && shipment.Created!.Lines.Any(asked => asked.Sku == l.Sku));

    static Decision<ShipmentEvent> Pack(Shipment shipment, PackShipment c)
    {
        if (shipment.Status is not ShipmentStatus.Picking)
            return !shipment.Packages.IsEmpty && Same(shipment.Packages, c.Packages)
                ? Decision<ShipmentEvent>.AlreadyDone : WrongState(shipment, "shipment_not_packable");
        if (shipment.Lines.FirstOrDefault(l => l.Picked is null) is { } open)
            return Decision<ShipmentEvent>.Refuse("shipment_not_picked", $"{open.Sku} has not been picked yet.");
        var picked = shipment.Lines.GroupBy(l => l.Sku, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Sum(l => (long)l.Quantity), StringComparer.Ordinal);
        var packed = c.Packages.SelectMany(p => p.Lines).GroupBy(l => l.Sku, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Sum(l => (long)l.Quantity), StringComparer.Ordinal);
        foreach (var sku in picked.Keys.Union(packed.Keys, StringComparer.Ordinal))
            if (picked.GetValueOrDefault(sku) != packed.GetValueOrDefault(sku))
                return Decision<ShipmentEvent>.Refuse(Rejection.Meaning("contents_do_not_match",
                    $"{packed.GetValueOrDefault(sku)} of {sku} in the boxes, {picked.GetValueOrDefault(sku)} were picked."));
        return Decision<ShipmentEvent>.Accept(new ShipmentPacked(c.Packages));
    }

    static Decision<ShipmentEvent> Ship(Shipment shipment, ShipShipment c)
    {
        var left = new ShipmentShipped(c.Carrier, c.Service, c.TrackingNumber);
        if (shipment.Status == ShipmentStatus.Packed) return Decision<ShipmentEvent>.Accept(left);
        return shipment.Left == left ? Decision<ShipmentEvent>.AlreadyDone : WrongState(shipment, "shipment_not_packed");
    }

    /// <summary>Repeated, late and backward reports change nothing; a final status stays.</summary>
    static Decision<ShipmentEvent> Track(Shipment shipment, RecordTracking c, DateTimeOffset now)
    {
        if (shipment.Left is null) return WrongState(shipment, "shipment_not_shipped");
        if (c.OccurredAt > now + ClockTolerance)
            return Decision<ShipmentEvent>.Refuse(Rejection.Meaning(
                "occurred_in_the_future", "A carrier's report cannot lie more than a day ahead."));
        if (!shipment.IsUnderway || shipment.Tracking.Any(t => t.EventId == c.EventId)
            || (!shipment.Tracking.IsEmpty && c.OccurredAt < shipment.Tracking[^1].OccurredAt))
            return Decision<ShipmentEvent>.AlreadyDone;
        if (shipment.Tracking.Length >= MaxReports && c.Status is not (ShipmentStatus.Delivered or ShipmentStatus.ReturnedToSender))
            return Decision<ShipmentEvent>.Refuse("too_many_reports", $"{MaxReports} reports are kept of a shipment, and how it ends.");
        return Decision<ShipmentEvent>.Accept(
            new TrackingRecorded(c.Status, c.Description, c.Location, c.OccurredAt, c.EventId));
    }

    static Decision<ShipmentEvent> Withdraw(Shipment shipment, WithdrawUnits c)
    {
        if (shipment.Withdrawals.ContainsKey(c.RequestId)) return Decision<ShipmentEvent>.AlreadyDone;
        if (shipment.Left is not null || shipment.IsFinal) return WrongState(shipment, "shipment_left");
        LineUnits[] lines = [.. c.Lines
            .Select(l => l with
            {
                Quantity = Math.Min(
                    l.Quantity, shipment.Lines.FirstOrDefault(s => s.LineId == l.LineId)?.Quantity ?? 0),
            })
            .Where(l => l.Quantity > 0)];
        var withdrawn = new UnitsWithdrawn(c.RequestId, lines);
        // Asked for nothing, it remembers that: the same request gets nothing later either, however late it comes.
        if (lines.Length == 0)
            return c.Lines.Count == 0 ? Decision<ShipmentEvent>.Accept(withdrawn) : Decision<ShipmentEvent>.AlreadyDone;
        var isAll = lines.Sum(l => (long)l.Quantity) == shipment.Lines.Sum(l => (long)l.Quantity);
        return shipment.Status == ShipmentStatus.Packed && !isAll
            ? Decision<ShipmentEvent>.Accept([withdrawn, new ShipmentUnpacked(c.RequestId)])
            : Decision<ShipmentEvent>.Accept(withdrawn);
    }

    static bool Same(IReadOnlyList<Package> a, IReadOnlyList<Package> b) =>
        a.Count == b.Count && a.Zip(b).All(p =>
            p.First.WeightGrams == p.Second.WeightGrams && p.First.Lines.SequenceEqual(p.Second.Lines));

    static Decision<ShipmentEvent> WrongState(Shipment shipment, string code) =>
        Decision<ShipmentEvent>.Refuse(code, $"The shipment is {Words.Of(shipment.Status)}.");
}
