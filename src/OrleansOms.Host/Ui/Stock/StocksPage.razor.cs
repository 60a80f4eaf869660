using System.Data.Common;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Grains.Followers;
using OrleansOms.Grains.Stock;
using OrleansOms.Host.Ui.Shared;
using OrleansOms.Postgres.Stock;

namespace OrleansOms.Host.Ui.Stock;

/// <summary>The live list of stock: rows that are in view change where they stand.</summary>
public sealed partial class StocksPage : IAsyncDisposable
{
    const int PageSize = 100;

    static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(400), FaultPause = TimeSpan.FromSeconds(1);

    readonly CancellationTokenSource _gone = new();
    readonly HashSet<(string Warehouse, string Sku)> _changed = [];
    HashSet<string> _keys = [];
    int _heard;
    Task _following = Task.CompletedTask;
    StockListQuery _query = new();
    IReadOnlyList<StockView>? _rows;
    IReadOnlySet<string>? _maySee;
    string? _next;
    long? _total;
    bool _failed;
    DateTimeOffset? _behindSince;

    [Inject] StockQueries Stocks { get; set; } = null!;
    [Inject] AvailabilityIndex Availability { get; set; } = null!;
    [Inject] LogTail Tail { get; set; } = null!;
    [Inject] CatalogueIndex Catalogue { get; set; } = null!;
    [Inject] NavigationManager Nav { get; set; } = null!;
    [Inject] Viewer Viewer { get; set; } = null!;

    IEnumerable<WarehouseView> Warehouses => Catalogue.Warehouses.Where(w => _maySee?.Contains(w.Code) ?? true);

    string? NameOf(string sku) => Catalogue.TryGetProduct(sku, out var product) ? product.Details.Name : null;

    /// <inheritdoc />
    protected override async Task OnInitializedAsync()
    {
        _maySee = (await Viewer.Caller()).Warehouses;
        _query = StockListQuery.Read(Nav.Uri);
        Nav.LocationChanged += Moved;
        if (RendererInfo.IsInteractive) _following = Follow(_gone.Token);
        await Load();
    }

    void Moved(object? sender, LocationChangedEventArgs e)
    {
        if (new Uri(e.Location).AbsolutePath != "/stock") return;
        _ = InvokeAsync(async () =>
        {
            _query = StockListQuery.Read(e.Location);
            await Load();
            StateHasChanged();
        });
    }

    async Task Load()
    {
        var asked = _query;
        try
        {
            var filter = new StockFilter
            {
                Q = asked.Q, HasNothing = asked.HasNothing, HasUnsellable = asked.HasUnsellable, Warehouses = Only(asked.Warehouse),
            };
            var page = await Stocks.List(filter, PageSize, asked.Cursor);
            var total = await Stocks.Count(filter);
            // An answer that comes after another question is no answer to that.
            if (asked != _query) return;
            // The lists may be a moment behind what this process knows.
            (_rows, _next, _total, _failed, _behindSince) = ([.. page.Items.Select(Newest)], page.NextCursor, total, false, null);
            Volatile.Write(ref _keys, _rows.Select(r => Keys.OfStock(r.Warehouse, r.Sku)).ToHashSet(StringComparer.Ordinal));
            _changed.Clear();
        }
        catch (BadCursorException)
        {
            if (asked == _query) Nav.NavigateTo((asked with { Cursor = null }).Uri(), replace: true);
        }
        catch (Exception e) when (e is DbException or TimeoutException or OmsFaultException)
        {
            if (asked != _query || _gone.IsCancellationRequested) return;
            _failed = true;
            _ = Task.Delay(FaultPause, _gone.Token).ContinueWith(
                _ => InvokeAsync(async () => { await Load(); StateHasChanged(); }), _gone.Token, TaskContinuationOptions.OnlyOnRanToCompletion,
                TaskScheduler.Default);
        }
    }

    /// <summary>The warehouses that are asked about, among those that may be seen; null for all.</summary>
    IReadOnlyCollection<string>? Only(string? warehouse) => warehouse is null
        ? _maySee is null ? null : [.. _maySee]
        : _maySee?.Contains(warehouse) ?? true ? [warehouse] : [];

    async Task Follow(CancellationToken gone)
    {
        using var heard = Tail.Subscribe(batch =>
        {
            // Each event of the program comes by here, for each open page.
            var keys = Volatile.Read(ref _keys);
            foreach (var e in batch)
                if (keys.Contains(e.Stream)) Interlocked.Exchange(ref _heard, 1);
        });
        using var timer = new PeriodicTimer(Gather);
        try
        {
            while (await timer.WaitForNextTickAsync(gone)) await InvokeAsync(Take);
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested) { return; }
    }

    /// <summary>Changes rows where they stand.</summary>
    void Take()
    {
        if (_rows is null || Interlocked.Exchange(ref _heard, 0) == 0) return;
        StockView[] rows = [.. _rows.Select(Newest)];
        foreach (var (now, before) in rows.Zip(_rows))
            if (now != before) _changed.Add((now.Warehouse, now.Sku));
        _rows = rows;
        StateHasChanged();
    }

    /// <summary>What this process knows of a stock, where that is newer than its row.</summary>
    StockView Newest(StockView row) =>
        Availability.Find(row.Warehouse, row.Sku) is { } now && now.Version > row.Version ? now : row;

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Nav.LocationChanged -= Moved;
        await _gone.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _gone.Dispose();
    }
}
