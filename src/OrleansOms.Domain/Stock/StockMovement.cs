using OrleansOms.Domain.Shared;
using Orleans;

namespace OrleansOms.Domain.Stock;

/// <summary>What a movement does to its stocks. Numbers are stored: append only.</summary>
[GenerateSerializer, Alias("oms.MovementKind")]
public enum MovementKind
{
    /// <summary>Units came in.</summary>
    Receipt = 0,
    /// <summary>Numbers on hand are corrected.</summary>
    Adjustment = 1,
}

/// <summary>A difference for one SKU.</summary>
/// <param name="Delta">Units; above zero in a receipt, not zero in an adjustment.</param>
[GenerateSerializer, Immutable, Alias("oms.MovementLine")]
public sealed record MovementLine([property: Id(0)] string Sku, [property: Id(1)] int Delta);

/// <summary>A receipt or an adjustment of one warehouse, all of its lines or none.</summary>
/// <param name="Note">A receipt's reference or an adjustment's reason.</param>
/// <param name="RequestHash">SHA-256 of the request in hexadecimal: tells a retry from a reused key.</param>
[GenerateSerializer, Immutable, Alias("oms.MoveStock")]
public sealed record MoveStock(
    [property: Id(0)] MovementKind Kind, [property: Id(1)] string Warehouse, [property: Id(2)] string Note,
    [property: Id(3)] IReadOnlyList<MovementLine> Lines, [property: Id(4)] string RequestHash);

/// <summary>A fact of a movement.</summary>
public abstract record MovementEvent : DomainEvent;

/// <summary>The movement is known; its lines are being applied. The first event of every movement.</summary>
public sealed record MovementStarted(
    MovementKind Kind, string Warehouse, string Note, IReadOnlyList<MovementLine> Lines, string RequestHash) : MovementEvent;

/// <summary>Every line is in its stock.</summary>
public sealed record MovementCompleted : MovementEvent;

/// <summary>A stock refused a line; what was applied is being taken back. The movement will be refused, whatever comes.</summary>
public sealed record MovementTurnedBack(string Code, string Detail) : MovementEvent;

/// <summary>A stock refused a line; what was applied has been taken back, or the detail says what could not be.</summary>
public sealed record MovementRefused(string Code, string Detail) : MovementEvent;

/// <summary>One receipt or adjustment: the fold of its events.</summary>
public sealed record StockMovement
{
    /// <summary>Number of events folded in.</summary>
    public int Version { get; init; }
    /// <summary>What it is; null before it exists.</summary>
    public MovementStarted? Started { get; init; }
    /// <summary>When that was, UTC.</summary>
    public DateTimeOffset StartedAt { get; init; }
    /// <summary>Why its lines are being taken back, if they are or were.</summary>
    public MovementTurnedBack? TurnedBack { get; init; }
    /// <summary>Whether every line is applied.</summary>
    public bool IsCompleted { get; init; }
    /// <summary>Why it was refused, if it was.</summary>
    public MovementRefused? Refused { get; init; }

    /// <summary>Whether its lines still have to be applied or taken back.</summary>
    public bool IsOpen => Started is not null && !IsCompleted && Refused is null;

    /// <summary>The state after one more event.</summary>
    public StockMovement Apply(MovementEvent @event, DateTimeOffset at) => @event switch
    {
        MovementStarted e => this with { Started = e, StartedAt = at },
        MovementTurnedBack e => this with { TurnedBack = e },
        MovementCompleted => this with { IsCompleted = true },
        MovementRefused e => this with { Refused = e },
        _ => throw new InvalidOperationException($"A movement cannot fold {@event.GetType().Name}."),
    } with { Version = Version + 1 };
}
