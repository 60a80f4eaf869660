using System.Data.Common;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Shipments;
using OrleansOms.Host.Live;
using OrleansOms.Postgres.Shipments;

namespace OrleansOms.Host.Ui.Warehouse;

/// <summary>
/// The work of one warehouse as one page sees it: open shipments and those that left today, kept up as they change. A
/// shipment's version never goes back.
/// </summary>
/// <param name="since">Where the viewer's day began.</param>
/// <param name="change">Runs a change of this object where the page draws itself, then draws it.</param>
public sealed class WarehouseWork(
    LiveFeed feed, ShipmentQueries shipments, string warehouse, DateTimeOffset since, Func<Action, Task> change)
{
    /// <summary>Shipments of today that are counted; more are not shown.</summary>
    const int MaxShipped = 2000;
    static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);
    static readonly ShipmentStatus[] Left =
        [ShipmentStatus.Shipped, ShipmentStatus.InTransit, ShipmentStatus.Exception, ShipmentStatus.Delivered, ShipmentStatus.ReturnedToSender];

    readonly Dictionary<string, ShipmentView> _all = new(StringComparer.Ordinal);

    /// <summary>Whether there is something to show.</summary>
    public bool IsLoaded { get; private set; }
    /// <summary>Whether the database does not answer.</summary>
    public bool IsBehind { get; private set; }

    /// <summary>Not begun, oldest first.</summary>
    public IReadOnlyList<ShipmentView> ToPick => In(ShipmentStatus.Released);
    /// <summary>Begun, oldest first.</summary>
    public IReadOnlyList<ShipmentView> Picking => In(ShipmentStatus.Picking);
    /// <summary>In boxes, oldest first.</summary>
    public IReadOnlyList<ShipmentView> Packed => In(ShipmentStatus.Packed);
    /// <summary>Left since the day began, last first.</summary>
    public IReadOnlyList<ShipmentView> Shipped =>
        [.. _all.Values.Where(s => Left.Contains(s.Status) && s.ShippedAt >= since).OrderByDescending(s => s.ShippedAt)];

    /// <summary>A shipment that is open or left today.</summary>
    public ShipmentView? Find(string id) => _all.GetValueOrDefault(id);

    /// <summary>Shipments that match, oldest first.</summary>
    public IReadOnlyList<ShipmentView> Where(Func<ShipmentView, bool> match) =>
        [.. _all.Values.Where(match).OrderBy(s => s.CreatedAt).ThenBy(s => s.Id, StringComparer.Ordinal)];

    /// <summary>Takes a shipment in, unless a newer version of it is known.</summary>
    public void Take(ShipmentView shipment)
    {
        if (_all.TryGetValue(shipment.Id, out var known) && known.Version >= shipment.Version) return;
        _all[shipment.Id] = shipment;
    }

    /// <summary>Reads the work as it is now, once; a fault is shown.</summary>
    public async Task Read()
    {
        try
        {
            var open = shipments.All(
                new ShipmentFilter { Warehouse = warehouse, Statuses = LiveFeed.Open }, LiveFeed.MaxOpenShipments);
            var shipped = ReadShipped();
            Begin(await open, await shipped);
        }
        catch (Exception e) when (IsFault(e)) { IsBehind = true; }
    }

    /// <summary>Follows the warehouse until the page is gone; faults are shown and tried again.</summary>
    public async Task Follow(CancellationToken gone)
    {
        while (!gone.IsCancellationRequested)
        {
            try
            {
                using var watch = await feed.WatchWarehouse(warehouse, gone);
                var shipped = await ReadShipped();
                await change(() => Begin(watch.OpenShipments, shipped));
                await foreach (var news in watch.Changes(gone))
                    if (news.Shipments.Count > 0 || news.Resync is not null) await change(() => Take(news));
            }
            catch (OperationCanceledException) when (gone.IsCancellationRequested) { return; }
            catch (Exception e) when (IsFault(e))
            {
                await change(() => IsBehind = true);
                await Task.Delay(FaultPause, gone).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    static bool IsFault(Exception e) => e is OmsFaultException or TimeoutException or DbException;

    void Begin(IReadOnlyList<ShipmentView> open, List<ShipmentView> shipped)
    {
        Resync(open);
        foreach (var shipment in shipped) Take(shipment);
        (IsLoaded, IsBehind) = (true, false);
    }

    void Take(WarehouseChange news)
    {
        if (news.Resync is { } open) Resync(open);
        foreach (var shipment in news.Shipments) Take(shipment);
    }

    // What is not in the open work any more was finished meanwhile; it is known again when it changes or is asked for.
    void Resync(IReadOnlyList<ShipmentView> open)
    {
        var ids = open.Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var id in _all.Values.Where(s => !Left.Contains(s.Status) && !ids.Contains(s.Id)).Select(s => s.Id).ToList())
            _all.Remove(id);
        foreach (var shipment in open) Take(shipment);
    }

    Task<List<ShipmentView>> ReadShipped() => shipments.All(
        new ShipmentFilter { Warehouse = warehouse, Statuses = Left, ShippedSince = since }, MaxShipped);

    IReadOnlyList<ShipmentView> In(ShipmentStatus status) => Where(s => s.Status == status);
}
