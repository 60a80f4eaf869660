using System.Data.Common;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Host.Live;
using OrleansOms.Host.Orders;
using OrleansOms.Host.Security;
using OrleansOms.Host.Ui.Shared;

namespace OrleansOms.Host.Ui.Orders;

/// <summary>
/// Everything about one order on one page, folded from its events: what it shows, what it allows and what it tells are of
/// the same version.
/// </summary>
public sealed partial class OrderPage : IAsyncDisposable
{
    static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);

    readonly CancellationTokenSource _gone = new();
    Task _following = Task.CompletedTask;
    List<LogEvent> _events = [];
    IReadOnlyDictionary<string, DateTimeOffset> _silentSince = new Dictionary<string, DateTimeOffset>();
    Order? _order;
    OrderView? _view;
    string _trackingUrl = "";
    int _firstShown;
    DateTimeOffset? _behindSince;
    bool _isMissing, _failed, _copied;

    /// <summary>The order's id, or its number.</summary>
    [Parameter] public string Id { get; set; } = "";

    [Inject] IEventLog Log { get; set; } = null!;
    [Inject] LiveFeed Feed { get; set; } = null!;
    [Inject] CatalogueIndex Catalogue { get; set; } = null!;
    [Inject] TrackingLinks Links { get; set; } = null!;
    [Inject] NavigationManager Nav { get; set; } = null!;
    [Inject] IJSRuntime Script { get; set; } = null!;
    [Inject] Viewer Viewer { get; set; } = null!;

    /// <inheritdoc />
    protected override async Task OnInitializedAsync()
    {
        if (RendererInfo.IsInteractive) Feed.CarrierSilent += HearSilence;
        await Refresh();
        if (RendererInfo.IsInteractive && !_isMissing && !_gone.IsCancellationRequested) _following = Follow(_gone.Token);
    }

    void HearSilence(string shipmentId)
    {
        if (_order?.Shipments.Any(s => s.Id == shipmentId) == true) _ = InvokeAsync(Refresh);
    }

    async Task Follow(CancellationToken gone)
    {
        while (!gone.IsCancellationRequested)
        {
            try
            {
                using var watch = await Feed.WatchOrder(Id, gone);
                if (watch is null) return;
                await InvokeAsync(Refresh);
                if (!_failed)
                    await foreach (var view in watch.Changes(gone))
                    {
                        if (view.Version > (_order?.Version ?? 0)) await InvokeAsync(Refresh);
                        if (_failed) break;
                    }
                // What could not be read is read again, whether anything happens to the order or not.
                await Task.Delay(FaultPause, gone).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (gone.IsCancellationRequested) { return; }
            catch (Exception e) when (e is OmsFaultException or TimeoutException or DbException)
            {
                await InvokeAsync(() => { _behindSince ??= Viewer.Now; StateHasChanged(); });
                await Task.Delay(FaultPause, gone).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Reads the events that are not shown yet and folds them in.</summary>
    async Task Refresh()
    {
        try
        {
            var known = _order ?? new Order(Id);
            var news = Keys.IsId(Keys.Order, Id) ? await Log.ReadStream(Id, known.Version) : [];
            if (_order is not null && news.Count > 0 && news[0].Version != _order.Version + 1) return;
            var order = news.Aggregate(known, (o, e) => o.Apply((OrderEvent)e.Known()));
            var silentSince = await ReadSilence(order);
            (_failed, _behindSince) = (false, null);
            if (!order.Exists || !await MaySee(order)) _isMissing = true;
            else if (_order is null || news.Count > 0) Take(order, news);
            if (_order?.Version == order.Version) _silentSince = silentSince;
        }
        catch (Exception e) when (e is OmsFaultException or TimeoutException or DbException)
        {
            (_failed, _behindSince) = (true, _behindSince ?? Viewer.Now);
        }
        StateHasChanged();
    }

    /// <summary>
    /// Since when the carriers of shipments under way have been silent, where that is an alarm. A silence is no event of the
    /// order, but what ends it is: the shipments' events are read whenever the order's are, and when a silence is told.
    /// </summary>
    async Task<IReadOnlyDictionary<string, DateTimeOffset>> ReadSilence(Order order)
    {
        string[] underway = [.. order.Shipments
            .Where(s => s.Status is ShipmentStatus.Shipped or ShipmentStatus.InTransit or ShipmentStatus.Exception)
            .Select(s => s.Id)];
        return underway.Length == 0 ? new Dictionary<string, DateTimeOffset>() : (await Log.ReadStreams(underway))
            .Where(e => e.Data is TrackingAlarmRaised or TrackingRecorded).GroupBy(e => e.Stream, StringComparer.Ordinal)
            .Select(g => (Id: g.Key, Alarm: g.Last().Data as TrackingAlarmRaised)).Where(s => s.Alarm is not null)
            .ToDictionary(s => s.Id, s => s.Alarm!.SilentSince, StringComparer.Ordinal);
    }

    void Take(Order order, IReadOnlyList<LogEvent> news)
    {
        // Two refreshes may have read the same events; only the first one takes them in.
        if (_order?.Version >= order.Version) return;
        if (_order is null) _firstShown = order.Version;
        _order = order;
        _events = [.. _events, .. news];
        _view = OrderView.Of(order);
        _trackingUrl = Links.UrlFor(_view, seenAt: Nav.BaseUri);
    }

    async Task<bool> MaySee(Order order)
    {
        var caller = await Viewer.Caller();
        return caller.MaySeeAny(order.Lines.SelectMany(l => l.Allocations.Select(a => a.Warehouse))
            .Concat(order.Shipments.Select(s => s.Warehouse)));
    }

    Task Reload()
    {
        _failed = false;
        return Refresh();
    }

    async Task Copy() => _copied = await Script.InvokeAsync<bool>("oms.copy", _trackingUrl);

    string? NameOf(string sku) => Catalogue.TryGetProduct(sku, out var product) ? product.Details.Name : null;

    // Ids of shipments are for scanners; people on this page know them by their number.
    string Told(LogEvent e)
    {
        var told = _view!.Shipments.Aggregate(TimelineWords.Of(e.Data, _view.Currency), (words, s) => words.Replace(
            s.Id, $"shipment {s.Id[(s.Id.LastIndexOf('-') + 1)..]}", StringComparison.Ordinal));
        return char.ToUpperInvariant(told[0]) + told[1..];
    }

    static string? Zero(int units) => units == 0 ? "zero" : null;

    static IEnumerable<string> AddressLines(Address to) =>
        new[]
        {
            to.Name, to.Line1, to.Line2, $"{to.City} {to.PostalCode}".Trim(), to.Region,
            Countries.NameOf(to.Country) ?? to.Country, to.Phone,
        }.OfType<string>().Where(p => p.Length > 0);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Feed.CarrierSilent -= HearSilence;
        await _gone.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _gone.Dispose();
    }
}
