using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Host.Ui.Track;

/// <summary>What a state feels like; becomes its colour, never without its word.</summary>
public enum Tone
{
    /// <summary>Nothing to do but wait.</summary>
    Waiting,
    /// <summary>Something moves.</summary>
    Moving,
    /// <summary>All is done.</summary>
    Done,
    /// <summary>Somebody should look.</summary>
    Attention,
    /// <summary>It went wrong, or ended.</summary>
    Wrong,
}

/// <summary>How far the parcels have come past one point of the line.</summary>
public enum Reach
{
    /// <summary>None has.</summary>
    Ahead,
    /// <summary>Some have.</summary>
    Partly,
    /// <summary>All have.</summary>
    Passed,
}

/// <summary>A point of the progress line.</summary>
/// <param name="At">When the last parcel passed it; null if not all have, or nobody told.</param>
public sealed record Milestone(string Name, Reach Reach, DateTimeOffset? At, bool IsCurrent);

/// <summary>The page's one sentence.</summary>
/// <param name="State">Its first words, coloured.</param>
/// <param name="Text">What comes after; ends before the moment, if there is one.</param>
/// <param name="At">The moment that the sentence names.</param>
/// <param name="After">What comes after the moment.</param>
public sealed record Sentence(Tone Tone, string State, string Text, DateTimeOffset? At = null, string After = ".");

/// <summary>Tells a customer's view of an order: where it is in one sentence and one line. Knows nothing that is not stored.</summary>
/// <param name="Order">The order as its customer may see it.</param>
public sealed record TrackStory(OrderView Order)
{
    static readonly (string Name, int Rank)[] Points = [("Packed", 1), ("Shipped", 2), ("In transit", 3), ("Delivered", 4)];

    /// <summary>Shipments of which something is left to send or was sent.</summary>
    public IReadOnlyList<OrderShipmentView> Parcels { get; } =
        [.. Order.Shipments.Where(s => s.Status != ShipmentStatus.Cancelled)];

    /// <summary>Units that are wanted and in no parcel yet.</summary>
    public int UnitsWithoutParcel =>
        Order.Lines.Sum(l => l.Quantity - l.Cancelled) - Parcels.Sum(p => p.Lines.Sum(l => l.Quantity));

    /// <summary>Whether nothing of it will ever be sent.</summary>
    public bool IsCancelled => Order.Status == OrderStatus.Cancelled;

    /// <summary>Whether a change may still reach the warehouse in time.</summary>
    public bool IsBeforeShipping => !IsCancelled && Parcels.All(p => RankOf(p.Status) < 2);

    /// <summary>The one sentence.</summary>
    public Sentence Sentence => IsCancelled
        ? new Sentence(Tone.Wrong, "Cancelled", "Nothing will be sent")
        : Trouble() ?? (Parcels.Any(p => RankOf(p.Status) >= 2) ? OnTheRoad() : BeforeTheRoad());

    /// <summary>The one line, from ordered to delivered.</summary>
    public IReadOnlyList<Milestone> Line
    {
        get
        {
            var points = new List<Milestone> { new("Ordered", Reach.Passed, Order.PlacedAt, false) };
            points.AddRange(Points.Select(p => PointOf(p.Name, p.Rank)));
            var current = points.FindLastIndex(p => p.Reach != Reach.Ahead);
            points[current] = points[current] with { IsCurrent = true };
            return points;
        }
    }

    /// <summary>
    /// What happened to a parcel, newest first. Carriers tell whole seconds: within one, what was told later is later.
    /// </summary>
    public static IEnumerable<ShipmentStepView> NewestFirst(OrderShipmentView parcel) =>
        parcel.Events.Select((e, i) => (Event: e, Index: i))
            .OrderByDescending(e => e.Event.OccurredAt.ToUnixTimeSeconds()).ThenByDescending(e => e.Index)
            .Select(e => e.Event);

    /// <summary>A parcel's state in words and colour.</summary>
    public static (Tone Tone, string Words) StateOf(ShipmentStatus status) => status switch
    {
        ShipmentStatus.Released => (Tone.Waiting, "Getting ready"),
        ShipmentStatus.Picking => (Tone.Waiting, "Being packed"),
        ShipmentStatus.Packed => (Tone.Waiting, "Packed"),
        ShipmentStatus.Shipped => (Tone.Moving, "Shipped"),
        ShipmentStatus.InTransit => (Tone.Moving, "In transit"),
        ShipmentStatus.Exception => (Tone.Attention, "Delayed"),
        ShipmentStatus.Delivered => (Tone.Done, "Delivered"),
        ShipmentStatus.ReturnedToSender => (Tone.Wrong, "Returned to us"),
        _ => (Tone.Wrong, "Cancelled"),
    };

    /// <summary>What a step means where nobody wrote a description.</summary>
    public static string WordsOf(ShipmentStepView step, OrderShipmentView parcel) =>
        step.Description is { Length: > 0 } told ? told : step.Status switch
        {
            ShipmentStatus.Picking when parcel.Events.TakeWhile(e => e != step).Any(e => e.Status == ShipmentStatus.Packed) =>
                "Opened, to be packed again",
            ShipmentStatus.Picking => "Taken from the shelf",
            ShipmentStatus.Shipped when parcel.Carrier is { } carrier => $"Handed to {carrier}",
            ShipmentStatus.Shipped => "Handed to the carrier",
            _ => StateOf(step.Status).Words,
        };

    Sentence? Trouble()
    {
        if (Parcels.FirstOrDefault(p => p.Status == ShipmentStatus.Exception) is { } delayed)
        {
            var report = NewestFirst(delayed).First(e => e.Status == ShipmentStatus.Exception);
            return new Sentence(
                Tone.Attention, "Delayed", $"The carrier reported a problem with {One("your parcel")} on", report.OccurredAt);
        }
        var back = Parcels.Where(p => p.Status == ShipmentStatus.ReturnedToSender).ToList();
        if (back.Count == 0) return null;
        var last = back.SelectMany(p => p.Events).Where(e => e.Status == ShipmentStatus.ReturnedToSender)
            .Max(e => e.OccurredAt);
        return new Sentence(Tone.Wrong, "Returned to us", $"The carrier brought {One("your parcel")} back on", last);
    }

    Sentence OnTheRoad()
    {
        var arrived = Parcels.Where(p => p.Status == ShipmentStatus.Delivered).ToList();
        var isAll = UnitsWithoutParcel <= 0;
        if (arrived.Count == Parcels.Count && isAll)
            return new Sentence(Tone.Done, "Delivered", Parcels.Count == 1 ? "Arrived on" : "The last parcel arrived on", Last(4));
        if (arrived.Count > 0)
            return new Sentence(
                Tone.Moving, "Partly delivered", $"{Counted(arrived.Count)} arrived, the latest on", Last(4),
                "; the rest follows.");
        var left = Parcels.Where(p => RankOf(p.Status) >= 2).ToList();
        var from = left.MaxBy(p => Passed(p, 2))!.Warehouse;
        return left.Count == Parcels.Count && isAll
            ? new Sentence(
                Tone.Moving, "On its way",
                Parcels.Count == 1 ? $"Left {Place(from)} on" : $"The last parcel left {Place(from)} on", Last(2))
            : new Sentence(
                Tone.Moving, "Partly on its way", $"{Counted(left.Count)} left {Place(from)} on", Last(2),
                "; the rest follows.");
    }

    Sentence BeforeTheRoad()
    {
        if (Order.Status == OrderStatus.AwaitingPayment)
            return Order.PaymentDueAt is { } due
                ? new Sentence(Tone.Attention, "Waiting for payment", "We keep your items for you until", due)
                : new Sentence(Tone.Attention, "Waiting for payment", "We start as soon as it is paid");
        if (Order.Lines.Any(l => l.Backordered > 0))
            return new Sentence(
                Tone.Waiting, "Waiting for stock",
                Order.Lines.All(l => l.Backordered == l.Quantity - l.Cancelled)
                    ? "We promise to send your items by" : "Some items are still to come; we promise them by",
                Order.PromisedBy);
        if (Parcels.Count == 0 || UnitsWithoutParcel > 0)
            return new Sentence(Tone.Waiting, "Order received", "We are getting it ready");
        var from = Parcels.Count == 1 ? Place(Parcels[0].Warehouse) : "our warehouses";
        return Parcels.All(p => p.Status == ShipmentStatus.Packed)
            ? new Sentence(Tone.Waiting, "Packed", $"Waiting for the carrier in {from}")
            : new Sentence(Tone.Waiting, "Being packed", $"In the hands of {from}");
    }

    Milestone PointOf(string name, int rank)
    {
        var passed = Parcels.Count(p => RankOf(p) >= rank);
        var reach = passed == 0 ? Reach.Ahead
            : passed == Parcels.Count && UnitsWithoutParcel <= 0 ? Reach.Passed : Reach.Partly;
        return new Milestone(name, reach, reach == Reach.Passed ? Last(rank) : null, false);
    }

    /// <summary>When the latest of the parcels that passed a point did so.</summary>
    DateTimeOffset? Last(int rank) => Parcels.Max(p => Passed(p, rank));

    /// <summary>When a parcel passed a point; what was packed may have been opened and packed again.</summary>
    static DateTimeOffset? Passed(OrderShipmentView parcel, int rank)
    {
        if (RankOf(parcel) < rank) return null;
        var passes = parcel.Events.Where(e => RankOf(e.Status) == rank);
        return (RankOf(ShipmentStatus.Packed) == rank ? passes.LastOrDefault() : passes.FirstOrDefault())?.OccurredAt;
    }

    static int RankOf(OrderShipmentView parcel) => RankOf(parcel.Status) == 0
        ? 0 : parcel.Events.Select(e => RankOf(e.Status)).Append(RankOf(parcel.Status)).Max();

    static int RankOf(ShipmentStatus status) => status switch
    {
        ShipmentStatus.Packed => 1,
        ShipmentStatus.Shipped => 2,
        ShipmentStatus.InTransit or ShipmentStatus.Exception or ShipmentStatus.ReturnedToSender => 3,
        ShipmentStatus.Delivered => 4,
        _ => 0,
    };

    string One(string alone) => Parcels.Count == 1 ? alone : "one of your parcels";

    string Counted(int parcels) => (parcels, UnitsWithoutParcel <= 0) switch
    {
        (1, true) => $"1 of {Parcels.Count} parcels",
        (1, false) => "One parcel",
        (_, true) => $"{parcels} of {Parcels.Count} parcels",
        _ => $"{parcels} parcels",
    };

    static string Place(string city) => city.Length > 0 ? $"our {city} warehouse" : "our warehouse";
}
