using Orleans;

namespace OrleansOms.Domain.Sourcing;

/// <summary>Units of one SKU from one warehouse.</summary>
[GenerateSerializer, Immutable, Alias("oms.PlannedUnits")]
public sealed record PlannedUnits(
    [property: Id(0)] string Warehouse, [property: Id(1)] string Sku, [property: Id(2)] int Quantity);

/// <summary>How one warehouse fared.</summary>
/// <param name="Kilometres">Great-circle distance to the destination; null if either place is unknown.</param>
/// <param name="Chosen">Whether it ships anything.</param>
/// <param name="Reason">Why it was chosen or lost, in words.</param>
[GenerateSerializer, Immutable, Alias("oms.CandidateOutcome")]
public sealed record CandidateOutcome(
    [property: Id(0)] string Warehouse, [property: Id(1)] double? Kilometres,
    [property: Id(2)] bool Chosen, [property: Id(3)] string Reason);

/// <summary>Which warehouse ships which units, what nobody has, and why.</summary>
/// <param name="Units">By warehouse and SKU.</param>
/// <param name="Missing">Units that no warehouse has, by SKU.</param>
/// <param name="Reason">The rule that chose, in words.</param>
/// <param name="Candidates">Every warehouse that was looked at, nearest first.</param>
[GenerateSerializer, Immutable, Alias("oms.SourcingPlan")]
public sealed record SourcingPlan(
    [property: Id(0)] IReadOnlyList<PlannedUnits> Units,
    [property: Id(1)] IReadOnlyDictionary<string, int> Missing,
    [property: Id(2)] string Reason,
    [property: Id(3)] IReadOnlyList<CandidateOutcome> Candidates);
