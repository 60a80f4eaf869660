namespace OrleansOms.Domain.Stock;

/// <summary>A line of an order that waits for units.</summary>
/// <param name="Units">Still missing, 1 or more.</param>
/// <param name="Channel">Code of the sales channel.</param>
/// <param name="PlacedAt">UTC.</param>
/// <param name="PromisedBy">Until when the units are promised, UTC.</param>
public sealed record WaitingLine(
    string OrderId, int LineId, string Sku, int Units, string Channel, DateTimeOffset PlacedAt, DateTimeOffset PromisedBy);

/// <summary>Units for a line that waited, and why it was served before the others.</summary>
/// <param name="Units">1 or more, at most what the line waits for.</param>
/// <param name="Why">For people, without a full stop.</param>
public sealed record WaitingChoice(WaitingLine Line, int Units, string Why);
