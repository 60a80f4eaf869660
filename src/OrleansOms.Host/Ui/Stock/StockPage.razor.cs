using System.Data.Common;
using System.Globalization;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using Microsoft.AspNetCore.WebUtilities;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Grains.Followers;
using OrleansOms.Host.Stock;
using OrleansOms.Host.Ui.Shared;
using OrleansOms.Postgres.Orders;
using OrleansOms.Postgres.Stock;

namespace OrleansOms.Host.Ui.Stock;

/// <summary>
/// One SKU in one warehouse: what is there now, what was there at any moment, and why, entry by entry.
/// </summary>
public sealed partial class StockPage : IAsyncDisposable
{
    const int PageSize = 50, ChartDays = 90, LeastDays = 14;

    static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(400), FaultPause = TimeSpan.FromSeconds(1);

    readonly CancellationTokenSource _gone = new();
    readonly Dictionary<string, string> _numbers = new(StringComparer.Ordinal);
    Task _following = Task.CompletedTask;
    IReadOnlyList<LedgerEntry> _entries = [];
    IReadOnlyList<StockDay> _days = [];
    StockView? _shown;
    StockBalance _begin;
    DateOnly _first, _last;
    DateTimeOffset? _at, _behindSince;
    string _sku = "";
    int? _before;
    int _firstShown;
    int _heard;
    bool _isMissing, _failed, _hasMore;

    /// <summary>Code of the warehouse.</summary>
    [Parameter] public string Warehouse { get; set; } = "";

    [Inject] IGrainFactory Grains { get; set; } = null!;
    [Inject] Ledger Ledger { get; set; } = null!;
    [Inject] StockHistory History { get; set; } = null!;
    [Inject] OrderQueries Orders { get; set; } = null!;
    [Inject] LogTail Tail { get; set; } = null!;
    [Inject] CatalogueIndex Catalogue { get; set; } = null!;
    [Inject] NavigationManager Nav { get; set; } = null!;
    [Inject] Viewer Viewer { get; set; } = null!;

    string Key => Keys.OfStock(Warehouse, _sku);

    string? NameOf(string sku) => Catalogue.TryGetProduct(sku, out var product) ? product.Details.Name : null;

    /// <inheritdoc />
    protected override async Task OnInitializedAsync()
    {
        Read(Nav.Uri);
        Nav.LocationChanged += Moved;
        var caller = await Viewer.Caller();
        _isMissing = !Text.IsWarehouseCode(Warehouse) || !caller.MaySee(Warehouse) || !Catalogue.TryGetWarehouse(Warehouse, out _)
            || !Text.IsSku(_sku) || !Catalogue.TryGetProduct(_sku, out _);
        if (_isMissing) return;
        if (RendererInfo.IsInteractive) _following = Follow(_gone.Token);
        await Refresh();
        _firstShown = _shown?.Version ?? 0;
    }

    void Read(string uri)
    {
        var query = QueryHelpers.ParseQuery(new Uri(uri).Query);
        _sku = query.TryGetValue("sku", out var sku) ? sku.ToString() : "";
        _before = query.TryGetValue("before", out var before)
            && int.TryParse(before, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;
        _at = query.TryGetValue("at", out var at)
            && DateTime.TryParse(at, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local) && local.Year >= 1970
                ? Moment(local) : null;
        if (_at >= Viewer.Now) _at = null;
    }

    /// <summary>A moment of the viewer's clock.</summary>
    DateTimeOffset Moment(DateTime local)
    {
        local = DateTime.SpecifyKind(local, DateTimeKind.Unspecified);
        if (Viewer.Zone.IsInvalidTime(local)) local = local.AddHours(1);
        return new DateTimeOffset(local, Viewer.Zone.GetUtcOffset(local)).ToUniversalTime();
    }

    void Moved(object? sender, LocationChangedEventArgs e)
    {
        if (new Uri(e.Location).AbsolutePath != new Uri(Nav.BaseUri + $"stock/{Uri.EscapeDataString(Warehouse)}").AbsolutePath) return;
        _ = InvokeAsync(async () =>
        {
            Read(e.Location);
            await Refresh();
            StateHasChanged();
        });
    }

    async Task Refresh()
    {
        try
        {
            var (at, before) = (_at, _before);
            var last = DateOnly.FromDateTime(Viewer.Now.UtcDateTime);
            var shown = at is { } then
                ? StockView.Of(Warehouse, _sku, await History.AsOf(Key, then)) : await Grains.GetGrain<IStockGrain>(Key).Get();
            var (entries, hasMore) = await Ledger.Before(Key, before ?? shown.Version + 1, PageSize);
            string[] unknown = [.. entries.Select(e => e.OrderId).OfType<string>().Distinct().Where(id => !_numbers.ContainsKey(id))];
            var orders = unknown.Length > 0 ? await Orders.WithIds(unknown) : [];
            var days = await History.Days(Key, last.AddDays(1 - ChartDays), last);
            var begin = days is [var day, ..] ? day.Begin : await History.AsOf(Key, Viewer.Now);
            if ((at, before) != (_at, _before)) return;
            foreach (var order in orders) _numbers[order.Id] = order.Number;
            (_shown, _entries, _hasMore, _days, _failed, _behindSince) = (shown, entries, hasMore, days, false, null);
            (_begin, _first, _last) = (begin, FirstOf(days, last), last);
        }
        catch (Exception e) when (e is OmsFaultException or DbException or TimeoutException)
        {
            (_failed, _behindSince) = (true, _behindSince ?? Viewer.Now);
            // What could not be read is read again.
            Interlocked.Exchange(ref _heard, 1);
        }
    }

    /// <summary>A young stock is drawn from a day before its first entry on, and two weeks at least.</summary>
    static DateOnly FirstOf(IReadOnlyList<StockDay> days, DateOnly last)
    {
        var (earliest, latest) = (last.AddDays(1 - ChartDays), last.AddDays(1 - LeastDays));
        if (days is not [{ Begin.Version: 0 } born, ..]) return days.Count > 0 ? earliest : latest;
        var before = born.Day.AddDays(-1);
        return before > latest ? latest : before < earliest ? earliest : before;
    }

    async Task Follow(CancellationToken gone)
    {
        var key = Key;
        using var heard = Tail.Subscribe(batch =>
        {
            if (batch.Any(e => e.Stream == key)) Interlocked.Exchange(ref _heard, 1);
        });
        using var timer = new PeriodicTimer(Gather);
        try
        {
            while (await timer.WaitForNextTickAsync(gone))
            {
                // What was is not changed by what happens, and nothing moves under who reads older entries.
                if (Interlocked.Exchange(ref _heard, 0) == 0 || (!_failed && (_at is not null || _before is not null))) continue;
                await InvokeAsync(async () => { await Refresh(); StateHasChanged(); });
                if (_failed) await Task.Delay(FaultPause, gone);
            }
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested) { return; }
    }

    /// <summary>The address of this page at a moment, from an entry back.</summary>
    string Place(DateTimeOffset? at = null, int? before = null) => QueryHelpers.AddQueryString(
        StockPlace.Of(Warehouse, _sku), new Dictionary<string, string?>
        {
            ["at"] = at is { } moment ? Local(moment) : null, ["before"] = before?.ToString(CultureInfo.InvariantCulture),
        }.Where(p => p.Value is not null).ToDictionary());

    /// <summary>As a field for moments writes it.</summary>
    string Local(DateTimeOffset at) => TimeZoneInfo.ConvertTime(at, Viewer.Zone).ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);

    string? LocalAt => _at is { } at ? Local(at) : null;

    DateOnly SlidDay => _at is { } at && DateOnly.FromDateTime(at.UtcDateTime) is var day ? day < _first ? _first : day : _last;

    int SlidTo => SlidDay.DayNumber - _first.DayNumber;

    string SlideWords => _at is null ? "now" : SlidDay.ToString("d MMMM yyyy", Viewer.Culture);

    void Slide(ChangeEventArgs e)
    {
        if (!int.TryParse($"{e.Value}", NumberStyles.None, CultureInfo.InvariantCulture, out var days)) return;
        var day = _first.AddDays(days);
        var end = new DateTimeOffset(day.AddDays(1).ToDateTime(TimeOnly.MinValue), TimeSpan.Zero).AddSeconds(-1);
        Nav.NavigateTo(end >= Viewer.Now ? Place() : Place(end));
    }

    static string Signed(int units) => units switch
    {
        > 0 => $"+{Show.Number(units)}",
        < 0 => $"−{Show.Number(-units)}",
        _ => "",
    };

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Nav.LocationChanged -= Moved;
        await _gone.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _gone.Dispose();
    }
}
