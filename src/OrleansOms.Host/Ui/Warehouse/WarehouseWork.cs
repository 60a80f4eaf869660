using System.Data.Common;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Shipments;
using OrleansOms.Host.Live;
using OrleansOms.Host.Ui.Shared;
using OrleansOms.Postgres.Shipments;

namespace OrleansOms.Host.Ui.Warehouse;

/// <summary>
/// The work of one warehouse as one page sees it: open shipments, those that left today and those whose carrier is silent,
/// kept up as they change. A shipment's version never goes back.
/// </summary>
/// <param name="viewer">Whose day and clock it is.</param>
/// <param name="change">Runs a change of this object where the page draws itself, then draws it.</param>
public sealed class WarehouseWork(
    LiveFeed feed, ShipmentQueries shipments, string warehouse, Viewer viewer, Func<Action, Task> change)
{
    /// <summary>Shipments of today that are known whole, the last ones.</summary>
    internal const int MaxShipped = 40;
    /// <summary>Shipments of today that are known by their numbers, the last ones; the others are only counted.</summary>
    const int MaxNamed = 2000;
    /// <summary>Shipments with a silent carrier that are counted, the oldest; more are not shown.</summary>
    const int MaxSilent = 200;
    static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);
    /// <summary>How often it looks whether another day has begun: a moment that is waited for is missed by a clock that is set.</summary>
    static readonly TimeSpan CalendarPause = TimeSpan.FromSeconds(10);
    static readonly ShipmentStatus[] Left =
        [ShipmentStatus.Shipped, ShipmentStatus.InTransit, ShipmentStatus.Exception, ShipmentStatus.Delivered, ShipmentStatus.ReturnedToSender];

    DateTimeOffset _today = viewer.Today();
    readonly Dictionary<string, ShipmentView> _all = new(StringComparer.Ordinal);
    readonly Dictionary<string, Departure> _departed = new(StringComparer.Ordinal);
    long _unnamed;
    DateTimeOffset _firstNamed;
    IReadOnlyDictionary<ShipmentStatus, long>? _counts;

    /// <summary>Whether there is something to show.</summary>
    public bool IsLoaded { get; private set; }
    /// <summary>Since when it could not be read, UTC; null if it could the last time.</summary>
    public DateTimeOffset? BehindSince { get; private set; }

    /// <summary>How many shipments are open where only some of them are known; null where all are.</summary>
    public long? OpenOfCut => _counts is null ? null : Math.Max(_counts.Values.Sum(), OpenKnown);
    /// <summary>How many open shipments are known.</summary>
    public int OpenKnown => _all.Values.Count(s => OpenWork.Statuses.Contains(s.Status));
    /// <summary>How many shipments are in an open status, known or not.</summary>
    public long Count(ShipmentStatus status) => _counts?[status] ?? _all.Values.LongCount(s => s.Status == status);

    /// <summary>Not begun, oldest first.</summary>
    public IReadOnlyList<ShipmentView> ToPick => In(ShipmentStatus.Released);
    /// <summary>Begun, oldest first.</summary>
    public IReadOnlyList<ShipmentView> Picking => In(ShipmentStatus.Picking);
    /// <summary>In boxes, oldest first.</summary>
    public IReadOnlyList<ShipmentView> Packed => In(ShipmentStatus.Packed);
    /// <summary>How many have left since the day began.</summary>
    public long ShippedToday => _departed.Count + _unnamed;
    /// <summary>Whether a shipment has left since the day began.</summary>
    public bool LeftToday(ShipmentView shipment) => shipment.ShippedAt >= _today;
    /// <summary>The last that have left since the day began, last first.</summary>
    public IReadOnlyList<ShipmentView> Shipped =>
    [
        .. _all.Values.Where(s => Left.Contains(s.Status) && s.ShippedAt >= _today)
            .OrderByDescending(s => s.ShippedAt).Take(MaxShipped),
    ];

    /// <summary>Left on any day, and the carrier has been silent for too long; the longest ago first.</summary>
    public IReadOnlyList<ShipmentView> Silent =>
        [.. _all.Values.Where(s => s.AlarmSince is not null).OrderBy(s => s.ShippedAt)];

    /// <summary>A shipment that is open, was among the last to leave today or has a silent carrier.</summary>
    public ShipmentView? Find(string id) => _all.GetValueOrDefault(id);

    /// <summary>The oldest shipment that is open or left today with this order number or tracking number.</summary>
    public string? IdOf(string code) =>
        (Where(s => s.OrderNumber == code || s.TrackingNumber == code) is [var known, ..] ? known.Id : null)
        ?? _departed.Values.Where(d => d.OrderNumber == code || d.TrackingNumber == code).MinBy(d => d.ShippedAt)?.Id;

    /// <summary>Shipments that match, oldest first.</summary>
    public IReadOnlyList<ShipmentView> Where(Func<ShipmentView, bool> match) =>
        [.. _all.Values.Where(match).OrderBy(s => s.CreatedAt).ThenBy(s => s.Id, StringComparer.Ordinal)];

    /// <summary>Takes a shipment in, unless a newer version of it is known.</summary>
    public void Take(ShipmentView shipment)
    {
        if (_all.TryGetValue(shipment.Id, out var known) && known.Version >= shipment.Version) return;
        _all[shipment.Id] = shipment;
        if (shipment.ShippedAt is not { } at || at < _today) return;
        // One that is older than all that have names was counted among those that have none.
        if (_unnamed > 0 && at < _firstNamed && !_departed.ContainsKey(shipment.Id)) _unnamed--;
        _departed[shipment.Id] = new Departure(shipment.Id, shipment.OrderNumber, shipment.TrackingNumber, at, null);
    }

    /// <summary>Reads the work as it is now, once; a fault is shown.</summary>
    public async Task Read()
    {
        try
        {
            var open = shipments.Open(warehouse, LiveFeed.MaxOpenShipments);
            var left = ReadLeft();
            Begin(await open, await left);
        }
        catch (Exception e) when (IsFault(e)) { BehindSince ??= viewer.Now; }
    }

    /// <summary>Follows the warehouse until the page is gone; faults are shown and tried again.</summary>
    public Task Follow(CancellationToken gone) => Task.WhenAll(FollowChanges(gone), FollowDays(gone));

    async Task FollowDays(CancellationToken gone)
    {
        while (!gone.IsCancellationRequested)
        {
            if (viewer.Today() is var today && today != _today) await change(() => Turn(today));
            await Task.Delay(CalendarPause, gone).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    void Turn(DateTimeOffset today)
    {
        (_today, _unnamed) = (today, 0);
        foreach (var id in _departed.Values.Where(d => d.ShippedAt < today).Select(d => d.Id).ToList()) _departed.Remove(id);
        foreach (var id in _all.Values.Where(s => s.ShippedAt < today && s.AlarmSince is null).Select(s => s.Id).ToList())
            _all.Remove(id);
    }

    async Task FollowChanges(CancellationToken gone)
    {
        while (!gone.IsCancellationRequested)
        {
            try
            {
                using var watch = await feed.WatchWarehouse(warehouse, gone);
                var left = await ReadLeft();
                await change(() => Begin(watch.Open, left));
                await foreach (var news in watch.Changes(gone))
                    if (news.Resync is { } open)
                    {
                        left = await ReadLeft();
                        await change(() => Begin(open, left));
                    }
                    else if (news.Shipments.Count > 0)
                    {
                        // What a shipment was that was not known here, nobody can say: all are counted again.
                        var counts = _counts is null ? null : await feed.CountOpenShipments(warehouse, gone);
                        await change(() => Take(news.Shipments, counts));
                        if (WantsMore) break;
                    }
            }
            catch (OperationCanceledException) when (gone.IsCancellationRequested) { return; }
            catch (Exception e) when (IsFault(e))
            {
                await change(() => BehindSince ??= viewer.Now);
                await Task.Delay(FaultPause, gone).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    // Cut work is read again when a good part of what was known is done, or when the rest would go in.
    bool WantsMore => _counts is { } counts
        && (counts.Values.Sum() <= LiveFeed.MaxOpenShipments || OpenKnown < LiveFeed.MaxOpenShipments / 2);

    static bool IsFault(Exception e) => e is OmsFaultException or TimeoutException or DbException;

    // What is not in the open work any more was finished meanwhile, or is cut off, and what has no alarm any more was heard
    // of; each is known again when it changes or is asked for.
    void Begin(OpenWork open, LeftWork left)
    {
        ShipmentView[] whole = [.. open.Shipments, .. left.Departed.Select(d => d.View).OfType<ShipmentView>(), .. left.Silent];
        var ids = whole.Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var id in _all.Keys.Where(id => !ids.Contains(id)).ToList()) _all.Remove(id);
        foreach (var d in left.Departed) _departed[d.Id] = d with { View = null };
        _unnamed = Math.Max(0, left.Total - _departed.Count);
        _firstNamed = left.Departed.Count == 0 ? default : left.Departed[^1].ShippedAt;
        Take(whole, open.Counts);
        (IsLoaded, BehindSince) = (true, null);
    }

    void Take(IReadOnlyList<ShipmentView> news, IReadOnlyDictionary<ShipmentStatus, long>? counts)
    {
        _counts = counts;
        foreach (var shipment in news) Take(shipment);
    }

    sealed record LeftWork(long Total, IReadOnlyList<Departure> Departed, IReadOnlyList<ShipmentView> Silent);

    async Task<LeftWork> ReadLeft()
    {
        var departures = shipments.Departures(warehouse, _today, MaxNamed, MaxShipped);
        var silent = shipments.All(new ShipmentFilter { Warehouse = warehouse, Statuses = Left, HasAlarm = true }, MaxSilent);
        var (total, departed) = await departures;
        return new LeftWork(total, departed, await silent);
    }

    IReadOnlyList<ShipmentView> In(ShipmentStatus status) => Where(s => s.Status == status);
}
