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

    const string Utc = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    static readonly string[] LocalForms = ["yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm"];
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
    string _warehouse = "", _sku = "";
    string? _key;
    int? _before;
    int _firstShown = int.MaxValue;
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

    (string Warehouse, string Sku, DateTimeOffset? At, int? Before) Asked => (_warehouse, _sku, _at, _before);

    string? NameOf(string sku) => Catalogue.TryGetProduct(sku, out var product) ? product.Details.Name : null;

    /// <inheritdoc />
    protected override async Task OnInitializedAsync()
    {
        Read(Nav.Uri);
        Nav.LocationChanged += Moved;
        if (RendererInfo.IsInteractive) _following = Follow(_gone.Token);
        await Refresh();
    }

    /// <summary>What the page is about, from its address alone: it stays the same page when that leads to another stock.</summary>
    void Read(string uri)
    {
        var address = new Uri(uri);
        var query = QueryHelpers.ParseQuery(address.Query);
        var (warehouse, sku) = (_warehouse, _sku);
        _warehouse = address.Segments is [_, "stock/", var code, ..] ? Uri.UnescapeDataString(code.TrimEnd('/')) : "";
        _sku = query.TryGetValue("sku", out var named) ? named.ToString() : "";
        _before = query.TryGetValue("before", out var before)
            && int.TryParse(before, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;
        _at = query.TryGetValue("at", out var at) && MomentOf(at.ToString()) is { } moment && moment < Viewer.Now ? moment : null;
        if ((warehouse, sku) == (_warehouse, _sku)) return;
        (_shown, _entries, _days, _firstShown) = (null, [], [], int.MaxValue);
        Volatile.Write(ref _key, Keys.OfStock(_warehouse, _sku));
    }

    /// <summary>
    /// The end of the second that an address names: in UTC, as links of this page do, or by the viewer's clock, as the field for
    /// moments does.
    /// </summary>
    DateTimeOffset? MomentOf(string text)
    {
        const DateTimeStyles style = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        DateTime begin;
        if (DateTime.TryParseExact(text, Utc, CultureInfo.InvariantCulture, style, out var utc)) begin = utc;
        else if (DateTime.TryParseExact(text, LocalForms, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local)
            && local.Year is >= 1970 and < 9000)
        {
            // Of a moment that summer time skips, the one that comes instead.
            if (Viewer.Zone.IsInvalidTime(local)) local = local.AddHours(1);
            begin = TimeZoneInfo.ConvertTimeToUtc(local, Viewer.Zone);
        }
        else return null;
        return begin.Year is >= 1970 and < 9000 ? new DateTimeOffset(begin, TimeSpan.Zero).AddSeconds(1).AddTicks(-1) : null;
    }

    void Moved(object? sender, LocationChangedEventArgs e)
    {
        if (!new Uri(e.Location).AbsolutePath.StartsWith("/stock/", StringComparison.Ordinal)) return;
        _ = InvokeAsync(async () =>
        {
            Read(e.Location);
            await Refresh();
            StateHasChanged();
        });
    }

    async Task Refresh()
    {
        var asked = Asked;
        var (warehouse, sku, at, before) = asked;
        try
        {
            var caller = await Viewer.Caller();
            var isMissing = !Text.IsWarehouseCode(warehouse) || !caller.MaySee(warehouse) || !Catalogue.TryGetWarehouse(warehouse, out _)
                || !Text.IsSku(sku) || !Catalogue.TryGetProduct(sku, out _);
            if (asked != Asked) return;
            if (_isMissing = isMissing) return;
            var key = Keys.OfStock(warehouse, sku);
            var last = DateOnly.FromDateTime(Viewer.Now.UtcDateTime);
            var now = await Grains.GetGrain<IStockGrain>(key).Get();
            var shown = at is { } then ? StockView.Of(warehouse, sku, await History.AsOf(key, then)) : now;
            var (entries, hasMore) = await Ledger.Before(key, before ?? shown.Version + 1, PageSize);
            string[] unknown = [.. entries.Select(e => e.OrderId).OfType<string>().Distinct().Where(id => !_numbers.ContainsKey(id))];
            var orders = unknown.Length > 0 ? await Orders.WithIds(unknown) : [];
            var days = await History.Days(key, last.AddDays(1 - ChartDays), last);
            // Where no day is kept nothing has happened in all of them, or it is not known when.
            var begin = days is [var day, ..] ? day.Begin : new StockBalance(now.Version, now.OnHand, now.Reserved);
            if (asked != Asked || (at is null && _shown?.Version > shown.Version)) return;
            foreach (var order in orders) _numbers[order.Id] = order.Number;
            (_shown, _entries, _hasMore, _days, _failed, _behindSince) = (shown, entries, hasMore, days, false, null);
            (_begin, _first, _last) = (begin, FirstOf(days, last), last);
            if (_firstShown == int.MaxValue) _firstShown = shown.Version;
            // The lists of orders may be a moment behind the ledger.
            if (orders.Count < unknown.Length && at is null) Interlocked.Exchange(ref _heard, 1);
        }
        catch (Exception e) when (e is OmsFaultException or DbException or TimeoutException or Orleans.Runtime.OrleansException)
        {
            if (asked != Asked) return;
            (_failed, _behindSince) = (true, _behindSince ?? Viewer.Now);
            // What could not be read is read again.
            Interlocked.Exchange(ref _heard, 1);
        }
    }

    async Task Follow(CancellationToken gone)
    {
        using var heard = Tail.Subscribe(batch =>
        {
            var key = Volatile.Read(ref _key);
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

    /// <summary>A young stock is drawn from a day before its first entry on, and two weeks at least.</summary>
    static DateOnly FirstOf(IReadOnlyList<StockDay> days, DateOnly last)
    {
        var (earliest, latest) = (last.AddDays(1 - ChartDays), last.AddDays(1 - LeastDays));
        if (days is not [{ Begin.Version: 0 } born, ..]) return days.Count > 0 ? earliest : latest;
        var before = born.Day.AddDays(-1);
        return before > latest ? latest : before < earliest ? earliest : before;
    }

    /// <summary>The address of this page at a moment, from an entry back.</summary>
    string Place(DateTimeOffset? at = null, int? before = null) => QueryHelpers.AddQueryString(
        StockPlace.Of(_warehouse, _sku), new Dictionary<string, string?>
        {
            ["at"] = at?.UtcDateTime.ToString(Utc, CultureInfo.InvariantCulture), ["before"] = before?.ToString(CultureInfo.InvariantCulture),
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
