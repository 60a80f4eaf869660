using System.Globalization;
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
    /// <summary>Units go from one condition into another.</summary>
    ConditionChange = 2,
}

/// <summary>A difference for one SKU.</summary>
/// <param name="Delta">Units; above zero in a receipt and in a change of condition, not zero in an adjustment.</param>
/// <param name="Condition">What the units are, before they change; null for sellable ones.</param>
/// <param name="To">What they will be; null where no condition changes.</param>
[GenerateSerializer, Immutable, Alias("oms.MovementLine")]
public sealed record MovementLine(
    [property: Id(0)] string Sku, [property: Id(1)] int Delta, [property: Id(2)] StockCondition? Condition = null,
    [property: Id(3)] StockCondition? To = null)
{
    /// <summary>Whether it is about sellable units only: the command for the stock is a receipt or an adjustment then.</summary>
    public bool IsPlain() => To is null && Condition is null or StockCondition.Sellable;
}

/// <summary>One thing that a movement asks of a stock.</summary>
/// <param name="Line">Number of the line, from 0.</param>
/// <param name="Name">What the id of its command ends with.</param>
/// <param name="From">What the units are; null if they come in.</param>
/// <param name="To">What they will be; null if they leave.</param>
/// <param name="Units">Below zero for the other way round.</param>
/// <param name="IsPlain">Whether it is an entry of its own kind: units received, or a number corrected.</param>
public sealed record MovementStep(
    int Line, string Sku, string Name, StockCondition? From, StockCondition? To, int Units, bool IsPlain)
{
    /// <summary>What the id of the command ends with that takes it back.</summary>
    public string Undo => Name == Do ? "undo" : $"{Name}-undo";

    /// <summary>The one that a line has, or its last one.</summary>
    public const string Do = "do";

    /// <summary>What takes units out of the condition that they are in, where they are put into the next one by another step.</summary>
    public const string Out = "out";

    /// <summary>Id of the command for a stock.</summary>
    public static string IdOf(string movement, int line, string name) => string.Create(CultureInfo.InvariantCulture, $"{movement}/{line}/{name}");

    /// <summary>The movement that a command for a stock is of; null if it is of none.</summary>
    public static string? MovementOf(string commandId) =>
        commandId.StartsWith(Keys.Movement, StringComparison.Ordinal) && commandId.IndexOf('/') is > 0 and var end ? commandId[..end] : null;

    /// <summary>Units more that may be promised; below zero for fewer.</summary>
    public int Sellable => (StockDelta.In(To, Units) + StockDelta.In(From, -Units)).OnHand;

    /// <summary>The command for its stock.</summary>
    /// <param name="times">1, or -1 to take it back.</param>
    public StockCommand Command(string id, MovementKind kind, string note, int times)
    {
        var units = times * Units;
        if (IsPlain) return kind == MovementKind.Receipt && units > 0 ? new ReceiveStock(id, units, note) : new AdjustStock(id, units, note);
        return units > 0 ? new ChangeCondition(id, From, To, units, note) : new ChangeCondition(id, To, From, -units, note);
    }
}

/// <summary>A receipt, an adjustment or a change of condition in one warehouse, all of its lines or none.</summary>
/// <param name="Note">A receipt's reference, or the reason.</param>
/// <param name="RequestHash">SHA-256 of the request in hexadecimal: tells a retry from a reused key.</param>
[GenerateSerializer, Immutable, Alias("oms.MoveStock")]
public record MoveStock(
    [property: Id(0)] MovementKind Kind, [property: Id(1)] string Warehouse, [property: Id(2)] string Note,
    [property: Id(3)] IReadOnlyList<MovementLine> Lines, [property: Id(4)] string RequestHash)
{
    /// <summary>The command, of the kind that says what is in it.</summary>
    public static MoveStock Of(
        MovementKind kind, string warehouse, string note, IReadOnlyList<MovementLine> lines, string requestHash) =>
        lines.All(l => l.IsPlain())
            ? new MoveStock(kind, warehouse, note, lines, requestHash)
            : new MoveConditions(kind, warehouse, note, lines, requestHash);

    /// <summary>
    /// What it asks, in the order of its lines. Units that become sellable may be promised at once, and cannot be taken back then: where
    /// there are other lines, they are taken out of their condition first, and put on sale when nothing can be refused any more.
    /// </summary>
    public IReadOnlyList<MovementStep> Steps() => [.. Lines.SelectMany((line, n) => Steps(line, n))];

    IEnumerable<MovementStep> Steps(MovementLine line, int n)
    {
        var condition = line.Condition ?? StockCondition.Sellable;
        MovementStep step = line.To is null
            ? new(n, line.Sku, MovementStep.Do, null, condition, line.Delta, line.IsPlain())
            : new(n, line.Sku, MovementStep.Do, condition, line.To, line.Delta, IsPlain: false);
        if (line.To != StockCondition.Sellable || Lines.Count == 1) return [step];
        return [step with { Name = MovementStep.Out, To = null }, step with { From = null }];
    }

    /// <summary>The event with which it begins.</summary>
    public virtual MovementEvent Started() =>
        new MovementStarted(Kind, Warehouse, Note, [.. Lines.Select(l => new SkuDelta(l.Sku, l.Delta))], RequestHash);
}

/// <summary>
/// One that knows of conditions. A silo that does not would take all units for sellable ones: it does not know this command
/// either.
/// </summary>
[GenerateSerializer, Immutable, Alias("oms.MoveConditions")]
public sealed record MoveConditions(
    MovementKind Kind, string Warehouse, string Note, IReadOnlyList<MovementLine> Lines, string RequestHash)
    : MoveStock(Kind, Warehouse, Note, Lines, RequestHash)
{
    /// <inheritdoc />
    public override MovementEvent Started() => new ConditionMovementStarted(Kind, Warehouse, Note, Lines, RequestHash);
}

/// <summary>A fact of a movement.</summary>
public abstract record MovementEvent : DomainEvent;

/// <summary>The movement is known; its lines are being applied. The first event of every movement of sellable units.</summary>
public sealed record MovementStarted(
    MovementKind Kind, string Warehouse, string Note, IReadOnlyList<SkuDelta> Lines, string RequestHash) : MovementEvent;

/// <summary>Units of one SKU.</summary>
/// <param name="Delta">Above zero in a receipt, not zero in an adjustment.</param>
public sealed record SkuDelta(string Sku, int Delta);

/// <summary>The first event of every other movement: under a name of its own, as <see cref="MoveConditions"/> is.</summary>
public sealed record ConditionMovementStarted(
    MovementKind Kind, string Warehouse, string Note, IReadOnlyList<MovementLine> Lines, string RequestHash) : MovementEvent;

/// <summary>Every line is in its stock.</summary>
public sealed record MovementCompleted : MovementEvent;

/// <summary>A stock refused a line; what was applied is being taken back. The movement will be refused, whatever comes.</summary>
public sealed record MovementTurnedBack(string Code, string Detail) : MovementEvent;

/// <summary>A stock refused a line; what was applied has been taken back, or the detail says what could not be.</summary>
public sealed record MovementRefused(string Code, string Detail) : MovementEvent;

/// <summary>One movement: the fold of its events.</summary>
public sealed record StockMovement
{
    /// <summary>Number of events folded in.</summary>
    public int Version { get; init; }
    /// <summary>What was asked; null before it exists.</summary>
    public MoveStock? Started { get; init; }
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
        MovementStarted e => this with
        {
            Started = new MoveStock(e.Kind, e.Warehouse, e.Note, [.. e.Lines.Select(l => new MovementLine(l.Sku, l.Delta))], e.RequestHash),
            StartedAt = at,
        },
        ConditionMovementStarted e => this with
        {
            Started = new MoveConditions(e.Kind, e.Warehouse, e.Note, e.Lines, e.RequestHash), StartedAt = at,
        },
        MovementTurnedBack e => this with { TurnedBack = e },
        MovementCompleted => this with { IsCompleted = true },
        MovementRefused e => this with { Refused = e },
        _ => throw new InvalidOperationException($"A movement cannot fold {@event.GetType().Name}."),
    } with { Version = Version + 1 };
}
