namespace OrleansOms.Domain.Laws;

/// <summary>What must hold whatever dies. Numbers are stored: append only.</summary>
public enum Law
{
    /// <summary>On hand is not below zero, and no more is reserved than is on hand.</summary>
    NoOversell = 1,
    /// <summary>Every stored count equals the sum of its ledger at the same version.</summary>
    CountsAreTheirLedger = 2,
    /// <summary>Over all warehouses, on hand = received + adjusted − shipped − written off.</summary>
    Conservation = 3,
    /// <summary>What stocks have reserved and what orders have allocated is the same; one-sided for five minutes at most.</summary>
    ReservationsAreAllocations = 4,
    /// <summary>Each reserved unit ends once: shipped, released or written off.</summary>
    EndsOnce = 5,
    /// <summary>Each order is finished, or has moved within its time limit, or has an alarm; none exists twice.</summary>
    NothingLost = 6,
    /// <summary>Events are numbered 1..n without a gap; a view never goes back in version.</summary>
    NoGap = 7,
    /// <summary>0 ≤ captured ≤ authorized, and nothing that money is there for is cancelled for want of it.</summary>
    Money = 8,
    /// <summary>A line's counts are never below zero; shipped ≤ ordered − cancelled; delivered and returned ≤ shipped.</summary>
    Units = 9,
    /// <summary>One command id has one effect.</summary>
    OneEffect = 10,
    /// <summary>What happens outside happens once: a shipment leaves once, a payment is counted once.</summary>
    OutsideOnce = 11,
    /// <summary>Every list agrees with the log at the same position.</summary>
    ListsAreTheLog = 12,
}

/// <summary>A law that does not hold.</summary>
/// <param name="Aggregate">The stream that it was seen on, such as <c>ord-…</c>.</param>
/// <param name="Numbers">What was found, in numbers.</param>
public sealed record Breach(Law Law, string Aggregate, string Numbers)
{
    /// <inheritdoc />
    public override string ToString() => $"L{(int)Law} {Law}: {Aggregate}: {Numbers}";
}
