using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Shipments;
using OrleansOms.Host.Ui.Shared;

namespace OrleansOms.Host.Ui.Warehouse;

/// <summary>What a board draws of its warehouse's work; small enough to go into the page.</summary>
/// <param name="Columns">As they stand side by side.</param>
/// <param name="Next">What to do next; null if there is nothing.</param>
/// <param name="Cut">How much is known where that is not all; else null.</param>
public sealed record BoardCards(IReadOnlyList<BoardColumn> Columns, BoardNext? Next, BoardCut? Cut)
{
    /// <summary>Cards of a column; the counts are of all.</summary>
    const int MaxCards = WarehouseWork.MaxShipped;
    /// <summary>Cards of shipments with a silent carrier, so that today's keep their place.</summary>
    const int MaxSilentCards = 20;

    /// <summary>What is drawn of this work.</summary>
    public static BoardCards Of(WarehouseWork work) => new(
        [
            Column("to-pick", "To pick", work.ToPick, work.Count(ShipmentStatus.Released)),
            Column("picking", "Picking", work.Picking, work.Count(ShipmentStatus.Picking)),
            Column("packed", "Packed", work.Packed, work.Count(ShipmentStatus.Packed)), Left(work),
        ],
        NextOf(work), work.OpenOfCut is { } open ? new BoardCut(work.OpenKnown, open) : null);

    /// <summary>The shipment to go on with.</summary>
    public static BoardNext? NextOf(WarehouseWork work) => work switch
    {
        { ToPick: [var oldest, ..] } => new(oldest.Id, oldest.OrderNumber, "Pick the oldest:"),
        { Picking: [var begun, ..] } => new(begun.Id, begun.OrderNumber, "Go on with"),
        { Packed: [var packed, ..] } => new(packed.Id, packed.OrderNumber, "Ship"),
        _ => null,
    };

    static BoardColumn Column(string id, string name, IReadOnlyList<ShipmentView> list, long count)
    {
        BoardCard[] cards = [.. list.Take(MaxCards).Select(Card)];
        return new(id, name, count, 0, Math.Max(0, count - cards.Length), cards);
    }

    // Those with an alarm come first, whatever their day: somebody must ask the carrier.
    static BoardColumn Left(WarehouseWork work)
    {
        var silent = work.Silent;
        List<ShipmentView> drawn =
            [.. silent.Take(MaxSilentCards).Concat(work.Shipped.Where(s => s.AlarmSince is null)).Take(MaxCards)];
        var ofOtherDays = silent.Count(s => !work.LeftToday(s));
        return new(
            "shipped", "Shipped today", work.ShippedToday, silent.Count, work.ShippedToday + ofOtherDays - drawn.Count,
            [.. drawn.Select(Card)]);
    }

    static BoardCard Card(ShipmentView s) => new(
        s.Id, s.OrderNumber, s.ShippedAt ?? s.CreatedAt,
        s.ShipTo is { } to ? $"{ScanPage.Words(s)} to {to.Country}" : ScanPage.Words(s),
        s.Status switch
        {
            ShipmentStatus.Picking => $"{Show.Capital(s.Service)} · {Progress(s)}",
            ShipmentStatus.Released or ShipmentStatus.Packed => Show.Capital(s.Service),
            _ => $"{s.Carrier} {s.TrackingNumber}",
        },
        s.AlarmSince is not null);

    static string Progress(ShipmentView s)
    {
        var skus = s.Lines.GroupBy(l => l.Sku).ToList();
        return $"{skus.Count(g => g.All(l => l.Picked is not null))} of {skus.Count} picked";
    }
}

/// <summary>A column of a board.</summary>
/// <param name="Id">Where links to it go.</param>
/// <param name="Count">All its shipments by its name, drawn or not.</param>
/// <param name="Silent">Shipments in it whose carrier has been silent for too long, of any day.</param>
/// <param name="More">Shipments of both that are not drawn.</param>
public sealed record BoardColumn(string Id, string Name, long Count, int Silent, long More, IReadOnlyList<BoardCard> Cards);

/// <summary>A shipment on a board.</summary>
/// <param name="At">When it left, or else when it came.</param>
/// <param name="Words">What is in it and where it goes.</param>
/// <param name="Way">By which service, how far it is, or who carries it.</param>
/// <param name="HasAlarm">Whether the carrier has been silent for too long.</param>
public sealed record BoardCard(string Id, string OrderNumber, DateTimeOffset At, string Words, string Way, bool HasAlarm);

/// <summary>How many open shipments a board knows of how many.</summary>
public sealed record BoardCut(int Known, long Open);

/// <summary>The shipment to go on with, and the words of the button that leads to it.</summary>
public sealed record BoardNext(string Id, string OrderNumber, string What);
