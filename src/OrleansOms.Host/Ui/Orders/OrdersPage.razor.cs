using System.Data.Common;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Host.Live;
using OrleansOms.Host.Ui.Shared;
using OrleansOms.Postgres.Orders;
using Radzen;
using Radzen.Blazor;

namespace OrleansOms.Host.Ui.Orders;

/// <summary>
/// The live list of orders. Rows that are in view change where they stand; what is new is counted above the list and
/// shown when it is asked for.
/// </summary>
public sealed partial class OrdersPage : IAsyncDisposable
{
    /// <summary>Sales channels that exist from the start.</summary>
    static readonly string[] Channels = ["web", "store", "mobile", "marketplace", "phone", "b2b"];

    // Changes come faster than the read model and an eye can follow: they are gathered for so long, and asked for once
    // more when all is quiet, because a follower of the log may be a moment behind what this page was told.
    static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(400), Settle = TimeSpan.FromSeconds(2);

    readonly CancellationTokenSource _gone = new();
    readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    readonly List<string?> _before = [];
    readonly SemaphoreSlim _bell = new(0, 1);
    Task _following = Task.CompletedTask;
    RadzenDataGrid<OrderSummary>? _grid;
    OrderListQuery _query = new();
    string? _only;
    bool _failed, _newIsMore;
    DateTimeOffset? _behindSince;
    int _new;

    [Inject] OrderQueries Orders { get; set; } = null!;
    [Inject] LiveFeed Feed { get; set; } = null!;
    [Inject] CatalogueIndex Catalogue { get; set; } = null!;
    [Inject] NavigationManager Nav { get; set; } = null!;
    [Inject] Viewer Viewer { get; set; } = null!;

    /// <summary>What is on the page; kept from the first answer, so that it does not flicker when the page comes alive.</summary>
    [Microsoft.AspNetCore.Components.PersistentState]
    public ShownOrders? Shown { get; set; }

    bool IsSavedView => SavedView.All.Any(v => v.Is(_query.Statuses));

    IReadOnlyList<WarehouseView> Warehouses =>
        _only is null ? Catalogue.Warehouses : [.. Catalogue.Warehouses.Where(w => w.Code == _only)];

    /// <inheritdoc />
    protected override async Task OnInitializedAsync()
    {
        // Someone who may see some warehouses only sees the orders of one of them at a time.
        _only = (await Viewer.Caller()).Warehouses?.Order(StringComparer.Ordinal).FirstOrDefault("-");
        Take(OrderListQuery.Read(Nav.Uri));
        Nav.LocationChanged += Moved;
        if (Shown is null) await Load();
        if (RendererInfo.IsInteractive) _following = Task.WhenAll(Follow(_gone.Token), KeepFresh(_gone.Token));
    }

    void Moved(object? sender, LocationChangedEventArgs e)
    {
        if (new Uri(e.Location).AbsolutePath != "/orders") return;
        _ = InvokeAsync(async () =>
        {
            Take(OrderListQuery.Read(e.Location));
            _toCancel = null;
            StateHasChanged();
            await Load();
            StateHasChanged();
        });
    }

    void Take(OrderListQuery query)
    {
        if (query.Cursor is null) _before.Clear();
        else if (_before.IndexOf(query.Cursor) is >= 0 and var at) _before.RemoveRange(at + 1, _before.Count - at - 1);
        else _before.Add(query.Cursor);
        _query = query;
    }

    async Task Load()
    {
        var asked = _query;
        try
        {
            var filter = asked.Filter(Viewer.Zone, _only);
            var page = await Orders.List(filter);
            var counts = await Orders.CountByStatus(filter);
            // An answer that comes after another question is no answer to that.
            if (asked != _query) return;
            Shown = new ShownOrders([.. page.Items], page.NextCursor, counts, asked.Statuses);
            (_new, _newIsMore, _failed, _behindSince) = (0, false, false, null);
            _changed.Clear();
            KeepSelection();
        }
        catch (BadCursorException)
        {
            if (asked == _query) Nav.NavigateTo(asked.FirstPage().Uri(), replace: true);
        }
        catch (Exception e) when (e is DbException or TimeoutException or OmsFaultException)
        {
            if (asked != _query) return;
            _failed = true;
            RingLater();
        }
    }

    Task Reload()
    {
        _failed = false;
        Shown = null;
        return Load();
    }

    async Task ShowNew()
    {
        if (_query.Cursor is not null) Nav.NavigateTo(_query.FirstPage().Uri());
        else await Load();
    }

    /// <summary>What a form does not ask for and the list keeps.</summary>
    static RenderFragment Stays(OrderListQuery rest) => builder =>
    {
        foreach (var (name, value) in rest.FirstPage().Parameters())
        {
            builder.OpenElement(0, "input");
            builder.AddAttribute(1, "type", "hidden");
            builder.AddAttribute(2, "name", name);
            builder.AddAttribute(3, "value", value);
            builder.CloseElement();
        }
    };

    void Sorted(DataGridColumnSortEventArgs<OrderSummary> e)
    {
        var sort = (e.Column?.Property, e.SortOrder) switch
        {
            ("Total", SortOrder.Ascending) => OrderSort.Total,
            ("Total", SortOrder.Descending) => OrderSort.TotalDescending,
            ("PlacedAt", SortOrder.Ascending) => OrderSort.PlacedAt,
            _ => OrderSort.PlacedAtDescending,
        };
        Nav.NavigateTo((_query.FirstPage() with { Sort = sort }).Uri());
    }

    // Rows come sorted from the database; the grid must not sort what one page holds.
    static void Nothing(LoadDataArgs e) { }

    SortOrder? SortOf(OrderSort up, OrderSort down) =>
        _query.Sort == up ? SortOrder.Ascending : _query.Sort == down ? SortOrder.Descending : null;

    void Open(DataGridRowMouseEventArgs<OrderSummary> e) => Nav.NavigateTo($"/orders/{e.Data?.Id}");

    void Mark(RowRenderEventArgs<OrderSummary> e)
    {
        if (e.Data is not { } order) return;
        var (isChanged, isSelected) = (_changed.Contains(order.Id), _selected.Contains(order.Id));
        if (isChanged || isSelected) e.Attributes["class"] = $"{(isChanged ? "changed" : "")} {(isSelected ? "selected" : "")}".Trim();
    }

    string Counted(SavedView view) => Shown is null ? "" : Show.Number(view.Count(Shown.Counts));

    string PreviousUri() => (_query with { Cursor = _before.Count > 1 ? _before[^2] : null }).Uri();

    static string CountryOf(string code) => Countries.NameOf(code) ?? code;

    IEnumerable<(string Words, string Value, OrderListQuery Without)> Chips()
    {
        var here = _query.FirstPage();
        if (here.Channel is { } channel) yield return ("from", Show.Channel(channel), here with { Channel = null });
        if (here.From is { } from) yield return ("placed since", from.ToString("d MMM yyyy", Viewer.Culture), here with { From = null });
        if (here.To is { } to) yield return ("placed until", to.ToString("d MMM yyyy", Viewer.Culture), here with { To = null });
        if (here.Sku is { } sku) yield return ("with", sku, here with { Sku = null });
        if (here.Warehouse is { } warehouse) yield return ("in", warehouse, here with { Warehouse = null });
        if (here.Q is { } q) yield return ("that match", $"“{q}”", here with { Q = null });
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Nav.LocationChanged -= Moved;
        await _gone.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _gone.Dispose();
        _bell.Dispose();
    }
}
