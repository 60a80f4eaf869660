using System.Collections.Immutable;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Shipments;

/// <summary>Units of one order line in this shipment.</summary>
/// <param name="Quantity">To ship; falls when units are missing or withdrawn.</param>
/// <param name="Picked">Taken from the shelf; null until a picker has reported.</param>
public sealed record ShipmentLine(int LineId, string Sku, int Quantity, int? Picked);

/// <summary>The units of one order that leave one warehouse together: the fold of the shipment's events.</summary>
public sealed record Shipment(string Id)
{
    /// <summary>Number of events folded in.</summary>
    public int Version { get; init; }
    /// <summary>What was asked for; null before it exists.</summary>
    public ShipmentCreated? Created { get; init; }
    /// <summary>When it was asked for, UTC.</summary>
    public DateTimeOffset CreatedAt { get; init; }
    /// <summary>Where it is.</summary>
    public ShipmentStatus Status { get; init; }
    /// <summary>What is still part of it.</summary>
    public ImmutableArray<ShipmentLine> Lines { get; init; } = [];
    /// <summary>The boxes, while it is packed and after.</summary>
    public ImmutableArray<Package> Packages { get; init; } = [];
    /// <summary>How it left, once shipped.</summary>
    public ShipmentShipped? Left { get; init; }
    /// <summary>When it left, UTC.</summary>
    public DateTimeOffset? ShippedAt { get; init; }
    /// <summary>The carrier's reports, oldest first.</summary>
    public ImmutableArray<TrackingRecorded> Tracking { get; init; } = [];
    /// <summary>When the last alarm was raised, if it still stands.</summary>
    public DateTimeOffset? AlarmSince { get; init; }
    /// <summary>What each cancellation took back, by its request id.</summary>
    public ImmutableDictionary<string, UnitsWithdrawn> Withdrawals { get; init; } =
        ImmutableDictionary.Create<string, UnitsWithdrawn>(StringComparer.Ordinal);

    /// <summary>Ids of finished commands, a bounded memory. Only the shipment's own grain keeps it.</summary>
    public IdMemory Remembered { get; init; } = IdMemory.None();

    /// <summary>Whether there is a shipment at all.</summary>
    public bool Exists => Created is not null;
    /// <summary>Whether a carrier has it and more is to come.</summary>
    public bool IsUnderway => Status is ShipmentStatus.Shipped or ShipmentStatus.InTransit or ShipmentStatus.Exception;
    /// <summary>Whether nothing more can happen to it.</summary>
    public bool IsFinal =>
        Status is ShipmentStatus.Delivered or ShipmentStatus.ReturnedToSender or ShipmentStatus.Cancelled;
    /// <summary>The last thing that was heard of it since it left.</summary>
    public DateTimeOffset? LastHeard => Tracking.IsEmpty ? ShippedAt : Max(ShippedAt, Tracking[^1].OccurredAt);

    /// <summary>Since when a word from its carrier is waited for; null if none is, or if its silence is an alarm already.</summary>
    public DateTimeOffset? WaitsForCarrierSince => IsUnderway && AlarmSince is null ? LastHeard : null;

    /// <summary>The state after one more event.</summary>
    /// <param name="event">The event.</param>
    /// <param name="at">When it was recorded, UTC.</param>
    public Shipment Apply(ShipmentEvent @event, DateTimeOffset at) => Evolve(@event, at) with { Version = Version + 1 };

    /// <summary>The same, and remembers the command that caused it.</summary>
    public Shipment Apply(ShipmentEvent @event, string commandId, DateTimeOffset at) =>
        Apply(@event, at) with { Remembered = Remembered.Add(commandId) };

    Shipment Evolve(ShipmentEvent @event, DateTimeOffset at) => @event switch
    {
        ShipmentCreated e => this with
        {
            Created = e, CreatedAt = at, Status = ShipmentStatus.Released,
            Lines = [.. e.Lines.Select(l => new ShipmentLine(l.LineId, l.Sku, l.Quantity, null))],
        },
        UnitsPicked e => Picked(e),
        ShipmentPacked e => this with { Status = ShipmentStatus.Packed, Packages = [.. e.Packages] },
        ShipmentShipped e => this with { Status = ShipmentStatus.Shipped, Left = e, ShippedAt = at },
        TrackingRecorded e => this with { Status = e.Status, Tracking = Tracking.Add(e), AlarmSince = null },
        UnitsWithdrawn e => Withdrawn(e),
        ShipmentUnpacked => this with { Status = ShipmentStatus.Picking, Packages = [] },
        TrackingAlarmRaised e => this with { AlarmSince = at },
        _ => throw new InvalidOperationException($"A shipment cannot fold {@event.GetType().Name}."),
    };

    Shipment Picked(UnitsPicked e)
    {
        var picked = e.Lines.ToDictionary(l => l.LineId);
        ImmutableArray<ShipmentLine> lines = [.. Lines
            .Select(l => picked.TryGetValue(l.LineId, out var p) ? l with { Quantity = p.Quantity, Picked = p.Quantity } : l)
            .Where(l => l.Quantity > 0)];
        return this with { Lines = lines, Status = lines.IsEmpty ? ShipmentStatus.Cancelled : ShipmentStatus.Picking };
    }

    Shipment Withdrawn(UnitsWithdrawn e)
    {
        var taken = e.Lines.ToDictionary(l => l.LineId, l => l.Quantity);
        ImmutableArray<ShipmentLine> lines = [.. Lines
            .Select(l => taken.TryGetValue(l.LineId, out var n)
                ? l with { Quantity = l.Quantity - n, Picked = l.Picked is { } p ? Math.Min(p, l.Quantity - n) : null }
                : l)
            .Where(l => l.Quantity > 0)];
        return this with
        {
            Lines = lines,
            Status = lines.IsEmpty ? ShipmentStatus.Cancelled : Status,
            Withdrawals = Withdrawals.Add(e.RequestId, e),
        };
    }

    static DateTimeOffset? Max(DateTimeOffset? a, DateTimeOffset b) => a > b ? a : b;
}
