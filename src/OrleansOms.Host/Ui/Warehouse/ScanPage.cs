using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Host.Live;
using OrleansOms.Host.Ui.Shared;
using OrleansOms.Postgres.Shipments;

namespace OrleansOms.Host.Ui.Warehouse;

/// <summary>
/// A page with a scan field: the browser hands over each scan as one piece, in order, and waits for its answer before it
/// sends the next one.
/// </summary>
public abstract class ScanPage : ComponentBase, IAsyncDisposable
{
    readonly CancellationTokenSource _gone = new();
    DotNetObjectReference<ScanPage>? _self;
    Task _following = Task.CompletedTask;

    /// <summary>Code of the warehouse.</summary>
    [Parameter] public string Code { get; set; } = "";

    [Inject] private protected LiveFeed Feed { get; set; } = null!;
    [Inject] private protected ShipmentQueries Shipments { get; set; } = null!;
    [Inject] private protected CatalogueIndex Catalogue { get; set; } = null!;
    [Inject] private protected IGrainFactory Grains { get; set; } = null!;
    [Inject] private protected NavigationManager Nav { get; set; } = null!;
    [Inject] private protected IJSRuntime Script { get; set; } = null!;
    [Inject] private protected Viewer Viewer { get; set; } = null!;

    private protected WarehouseWork? Work { get; private set; }
    private protected WarehouseView? Warehouse { get; private set; }
    private protected Said? Said { get; set; }
    /// <summary>The number of the last scan that was taken.</summary>
    private protected long LastScan { get; set; }
    /// <summary>The field on the page.</summary>
    private protected ElementReference Field { get; set; }
    /// <summary>Under which name scans wait in the browser's tab while the network is away.</summary>
    private protected abstract string WaitingKey { get; }
    /// <summary>Whether the page has its field already.</summary>
    private protected abstract bool HasField { get; }

    string? _attachedTo;

    /// <inheritdoc />
    protected override async Task OnInitializedAsync()
    {
        if (!(await Viewer.Caller()).MaySee(Code) || !Catalogue.TryGetWarehouse(Code, out var warehouse)) return;
        Warehouse = warehouse;
        // A page that cannot be scanned into yet shows its frame only: its work is read once, when it comes alive.
        if (!RendererInfo.IsInteractive) return;
        Work = new WarehouseWork(Feed, Shipments, Code, Viewer.Today(), change => InvokeAsync(() =>
        {
            change();
            Changed();
            StateHasChanged();
        }));
        _following = Work.Follow(_gone.Token);
    }

    /// <inheritdoc />
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        // The field is another element when another shipment was opened, and none yet while one is being read.
        if (!HasField || Field.Id is null || Field.Id == _attachedTo) return;
        _attachedTo = Field.Id;
        _self ??= DotNetObjectReference.Create(this);
        await Script.InvokeVoidAsync("oms.attachScan", Field, _self, WaitingKey, _attachedTo);
    }

    /// <summary>Called by the browser with what was scanned or typed.</summary>
    /// <param name="number">Counts the scans of this tab; one that was seen before is sent again and does nothing.</param>
    [JSInvokable]
    public async Task Scanned(long number, string text)
    {
        if (text.Trim() is not { Length: > 0 and <= 200 } code) return;
        await InvokeAsync(async () =>
        {
            if (number <= LastScan) return;
            LastScan = number;
            await Tell(await Take(code));
            StateHasChanged();
        });
    }

    /// <summary>What a scan does; its answer is shown and heard.</summary>
    private protected abstract Task<Said?> Take(string code);

    /// <summary>The work has changed.</summary>
    private protected virtual void Changed() { }

    /// <summary>Shows an answer and plays its sound.</summary>
    private protected async Task Tell(Said? said)
    {
        if (said is null) return;
        Said = said;
        StateHasChanged();
        await Script.InvokeVoidAsync("oms.play", said.Kind);
    }

    /// <summary>Does what a button asks for, then gives the field its focus back.</summary>
    private protected async Task Press(Func<Task<Said?>> action)
    {
        await Tell(await action());
        await Script.InvokeVoidAsync("oms.focusScan");
    }

    /// <summary>The SKU that a scan names: a SKU itself or a product's barcode; null if it is neither.</summary>
    private protected string? SkuOf(string code) =>
        Catalogue.TryGetProduct(code, out _) ? code : Catalogue.FindByBarcode(code);

    private protected string NameOf(string sku) =>
        Catalogue.TryGetProduct(sku, out var product) ? product.Details.Name : "";

    /// <summary>Opens the shipment that a scan names; the answer says why not, and is null if it names none at all.</summary>
    private protected async Task<Said?> OpenShipment(string code)
    {
        var named = Work!.Where(s => s.OrderNumber == code || s.TrackingNumber == code);
        var id = ShipmentCodes.Read(code) ?? (named.Count > 0 ? named[0].Id : null);
        if (id is null) return null;
        var shipment = Work.Find(id) ?? await Grains.GetGrain<IShipmentGrain>(id).Get();
        if (shipment is null) return Said.Wrong($"There is no shipment {code}.");
        if (shipment.Warehouse != Code) return Said.Wrong($"The shipment of order {shipment.OrderNumber} is in {shipment.Warehouse}, not here.");
        Nav.NavigateTo(UriOf(shipment.Id));
        return Said.Right($"Order {shipment.OrderNumber}: {Words(shipment)}.");
    }

    private protected string UriOf(string shipmentId) => $"/warehouse/{Uri.EscapeDataString(Code)}/{shipmentId}";

    /// <summary>"6 units of 2 products".</summary>
    private protected static string Words(ShipmentView shipment)
    {
        var products = shipment.Lines.Select(l => l.Sku).Distinct(StringComparer.Ordinal).Count();
        return $"{Show.Count(shipment.Lines.Sum(l => (long)l.Quantity), "unit")} of {Show.Count(products, "product")}";
    }

    /// <summary>The shipment's number in its order, such as "order 1042, shipment 1".</summary>
    private protected static string NumberOf(ShipmentView shipment) => shipment.Id[(shipment.Id.LastIndexOf('-') + 1)..];

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _gone.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            if (_attachedTo is not null) await Script.InvokeVoidAsync("oms.detachScan", _attachedTo);
        }
        catch (JSDisconnectedException) { _attachedTo = null; }
        _self?.Dispose();
        _gone.Dispose();
        GC.SuppressFinalize(this);
    }
}
