using System.Collections.Immutable;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Stock;

/// <summary>Units that one order line holds here.</summary>
/// <param name="Commands">
/// Ids of the commands that changed it, so that a repeated one is known for as long as the reservation lives.
/// </param>
public sealed record Reservation(int Quantity, ImmutableArray<string> Commands);

/// <summary>One SKU in one warehouse: the fold of its events.</summary>
/// <param name="Warehouse">Code of the warehouse.</param>
/// <param name="Sku">Stock keeping unit; case matters.</param>
public sealed record Stock(string Warehouse, string Sku)
{
    /// <summary>Most reservations that may be open at once.</summary>
    public const int MaxReservations = 1_000_000;

    /// <summary>
    /// How long the commands of a reservation are remembered after its end, unless too many others come: longer than a call is
    /// repeated. What comes again later finds no units to end, or is looked up in the ledger (docs/decisions/0036 and 0047).
    /// </summary>
    public static readonly TimeSpan Memory = TimeSpan.FromMinutes(5);

    /// <summary>Most units that a stock can hold.</summary>
    public const int MaxOnHand = 1_000_000_000;

    /// <summary>Number of events folded in.</summary>
    public int Version { get; init; }
    /// <summary>Sellable units in the warehouse, promised or not.</summary>
    public int OnHand { get; init; }
    /// <summary>Damaged units in the warehouse.</summary>
    public int Damaged { get; init; }
    /// <summary>Units in the warehouse of which nobody knows yet what they are.</summary>
    public int Quarantine { get; init; }
    /// <summary>Units promised to orders: always the sum of <see cref="Reservations"/>.</summary>
    public int Reserved { get; init; }
    /// <summary>Units kept back from promising.</summary>
    public int SafetyStock => 0;
    /// <summary>Open reservations of order lines.</summary>
    public Reservations Reservations { get; init; } = Reservations.None();
    /// <summary>
    /// Ids of the commands that counted units in or out, a bounded memory; null of a stock that is only folded, and takes no
    /// commands. They are few, and nothing else would know such a one again.
    /// </summary>
    public IdMemory? Counted { get; init; } = IdMemory.None();
    /// <summary>
    /// Ids of the commands of reservations that have ended, a bounded memory; null where <see cref="Counted"/> is.
    /// </summary>
    public IdMemory? Remembered { get; init; } = IdMemory.None();
    /// <summary>Orders whose units were not found here since units last came in, a bounded memory.</summary>
    public IdMemory Failed { get; init; } = IdMemory.None();

    /// <summary>
    /// Units that were promised to lines which waited, by channel: all of the last turn that made some free, and <see cref="GivenLately"/> of
    /// those before it, so that nothing hangs on the order in which one turn gives.
    /// </summary>
    public ImmutableDictionary<string, int> Given { get; init; } = ImmutableDictionary.Create<string, int>(StringComparer.Ordinal);

    /// <summary>Of about the last thousand of them, so that a share which is declared today is one of what is given from now on.</summary>
    public ImmutableDictionary<string, int> GivenLately
    {
        get
        {
            var given = Given;
            while (given.Values.Sum(n => (long)n) > MostGiven) given = given.SetItems(given.Select(g => KeyValuePair.Create(g.Key, g.Value / 2)));
            return given;
        }
    }

    /// <summary>Available to promise: on hand − reserved − safety stock, not below zero.</summary>
    public int Available => Math.Max(0, OnHand - Reserved - SafetyStock);

    /// <summary>The state after one more event.</summary>
    /// <param name="event">The event.</param>
    /// <param name="commandId">Id of the command that caused it.</param>
    /// <param name="at">When it was recorded, UTC.</param>
    public Stock Apply(StockEvent @event, string commandId, DateTimeOffset at) => @event switch
    {
        StockReceived e => Count(StockDelta.Of(e), commandId),
        StockAdjusted e => Count(StockDelta.Of(e), commandId),
        ConditionChanged e => Count(StockDelta.Of(e), commandId),
        StockServed e => Change(e.OrderId, e.Lines, 1, commandId, at) with
        {
            Given = Given.SetItem(e.Channel, (int)Math.Min(MaxOnHand, (long)Given.GetValueOrDefault(e.Channel) + Sum(e.Lines))),
        },
        StockReserved e => Change(e.OrderId, e.Lines, 1, commandId, at),
        ReservationReleased e => Change(e.OrderId, e.Lines, -1, commandId, at) with { Given = GivenLately },
        StockShipped e => Change(e.OrderId, e.Lines, -1, commandId, at) with { OnHand = OnHand - Sum(e.Lines) },
        StockNotFound e => Change(e.OrderId, e.Lines, -1, commandId, at) with
        {
            OnHand = OnHand - Sum(e.Lines), Failed = Failed.Add(e.OrderId),
        },
        _ => throw new InvalidOperationException($"A stock cannot fold {@event.GetType().Name}."),
    } with { Version = Version + 1 };

    /// <summary>Whether the command had its effect before.</summary>
    public bool HasDone(string commandId, string? orderId, IReadOnlyList<LineUnits>? lines)
    {
        if (Remembered!.Contains(commandId) || Counted!.Contains(commandId)) return true;
        if (orderId is null || lines is null) return false;
        foreach (var line in lines)
            if (Reservations.Of(orderId, line.LineId) is { } held && held.Commands.Contains(commandId)) return true;
        return false;
    }

    /// <summary>Whether all that an attempt has reserved for an order's lines is still held: nothing of it was ended since.</summary>
    public bool Holds(string orderId, IReadOnlyList<LineUnits> lines, string attempt)
    {
        foreach (var line in lines)
            if (Reservations.Of(orderId, line.LineId) is not { } held || held.Commands.IndexOf(attempt) is not (>= 0 and var at)
                || !held.Commands.Skip(at + 1).All(c => ReserveStock.AfterOf(orderId, c) > 0 && ReleaseStock.AttemptOf(c) is null)) return false;
        return true;
    }

    /// <summary>Units of all lines.</summary>
    public static int Sum(IReadOnlyList<LineUnits> lines)
    {
        var sum = 0;
        foreach (var line in lines) sum += line.Quantity;
        return sum;
    }

    /// <summary>Units of a condition.</summary>
    public int Of(StockCondition condition) => condition switch
    {
        StockCondition.Sellable => OnHand,
        StockCondition.Damaged => Damaged,
        StockCondition.Quarantine => Quarantine,
        _ => throw new InvalidOperationException($"Units cannot be {condition}."),
    };

    /// <summary>Units that were given are counted up to here; then each channel keeps half.</summary>
    const int MostGiven = 1000;

    Stock Count(StockDelta delta, string commandId) => this with
    {
        OnHand = OnHand + delta.OnHand,
        Damaged = Damaged + delta.Damaged,
        Quarantine = Quarantine + delta.Quarantine,
        Counted = Counted?.Add(commandId),
        Failed = delta.OnHand > 0 ? IdMemory.None() : Failed,
        Given = delta.OnHand > 0 ? GivenLately : Given,
    };

    Stock Change(string orderId, IReadOnlyList<LineUnits> lines, int sign, string commandId, DateTimeOffset at)
    {
        var reservations = Reservations;
        var remembered = Remembered;
        foreach (var line in lines)
        {
            var before = reservations.Of(orderId, line.LineId);
            var quantity = (before?.Quantity ?? 0) + sign * line.Quantity;
            if (quantity == 0)
                foreach (var id in before!.Commands.Add(commandId)) remembered = remembered?.Add(id, at, at - Memory);
            reservations = reservations.With(orderId, line.LineId, quantity == 0
                ? null
                : new Reservation(quantity, before?.Commands.Add(commandId) ?? [commandId]));
        }
        return this with
        {
            Reservations = reservations, Remembered = remembered, Reserved = Reserved + sign * Sum(lines),
        };
    }
}
