using System.Data.Common;
using System.Globalization;
using Microsoft.AspNetCore.Components;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Host.Live;
using OrleansOms.Host.Ui.Shared;
using OrleansOms.Postgres.Shipments;

namespace OrleansOms.Host.Ui.Warehouse;

/// <summary>
/// A page with a scan field. The browser hands over each scan by its own name, in order, and keeps it until this page
/// shows that it was taken; see <see cref="ScanReceipts"/>.
/// </summary>
public abstract class ScanPage : ComponentBase, IAsyncDisposable
{
    const int MaxScanLength = 200;
    private protected static readonly TimeSpan FaultPause = TimeSpan.FromSeconds(1);

    readonly CancellationTokenSource _gone = new();
    Task _following = Task.CompletedTask;
    string? _readyFor;
    int _sounds;

    /// <summary>Code of the warehouse.</summary>
    [Parameter] public string Code { get; set; } = "";

    /// <summary>What became of the scans.</summary>
    [Inject] public ScanReceipts Receipts { get; set; } = null!;
    [Inject] private protected LiveFeed Feed { get; set; } = null!;
    [Inject] private protected ShipmentQueries Shipments { get; set; } = null!;
    [Inject] private protected CatalogueIndex Catalogue { get; set; } = null!;
    [Inject] private protected IGrainFactory Grains { get; set; } = null!;
    [Inject] private protected NavigationManager Nav { get; set; } = null!;
    [Inject] private protected Viewer Viewer { get; set; } = null!;

    private protected WarehouseWork? Work { get; private set; }
    private protected WarehouseView? Warehouse { get; private set; }
    private protected Said? Said { get; set; }
    /// <summary>The scan that is being worked on; null while a button is.</summary>
    private protected string? Scanning { get; private set; }

    /// <summary>Which place this field is: scans that are made here are taken here only.</summary>
    public abstract string FieldKey { get; }
    /// <summary>Whether scans are taken: what the browser has kept is known, and so is what they may be about.</summary>
    public bool IsReady => IsResumed && CanTake;
    bool IsResumed => _readyFor == FieldKey;
    /// <summary>Whether this page knows enough to answer a scan; until then the browser keeps it.</summary>
    private protected virtual bool CanTake => true;
    /// <summary>What the browser must keep for this place; null for nothing.</summary>
    public virtual string? Memory => null;
    /// <summary>Carrier and service for the browser to keep, a line each.</summary>
    public virtual string? Carrier => null;
    /// <summary>The sound to play: a number that tells it from the one before, its name, and whether a button was pressed.</summary>
    public string? SoundWords { get; private set; }

    /// <inheritdoc />
    protected override async Task OnInitializedAsync()
    {
        if (!(await Viewer.Caller()).MaySee(Code) || !Catalogue.TryGetWarehouse(Code, out var warehouse)) return;
        Warehouse = warehouse;
        Work = new WarehouseWork(Feed, Shipments, Code, Viewer, change => InvokeAsync(() =>
        {
            change();
            Changed();
            StateHasChanged();
        }));
        if (RendererInfo.IsInteractive) _following = Work.Follow(_gone.Token);
        else await Preview(Work);
    }

    /// <summary>What may be seen was asked for one warehouse: the page of another one is opened anew.</summary>
    protected override void OnParametersSet()
    {
        if (IsElsewhere) Nav.NavigateTo(Nav.Uri, forceLoad: true);
    }

    /// <summary>Whether the address has led to another warehouse than the page was opened for.</summary>
    private protected bool IsElsewhere => Warehouse is { } opened && opened.Code != Code;

    /// <summary>Reads what the page shows before it is alive: nothing but its frame, unless a page says otherwise.</summary>
    private protected virtual Task Preview(WarehouseWork work) => Task.CompletedTask;

    /// <summary>The browser has told what it has kept for this place: from now on scans are taken.</summary>
    public void Resumed(ResumeEventArgs kept)
    {
        if (IsResumed) return;
        Restore(kept);
        _readyFor = FieldKey;
        // The scan that led here is done now that its page is there.
        (Receipts.Taken, Receipts.LedTo) = (Receipts.Seen, null);
    }

    /// <summary>Takes a scan, once however often it is handed over.</summary>
    public async Task Scanned(ScanEventArgs scan)
    {
        if (!IsReady) return;
        if (scan.Id == Receipts.Seen)
        {
            if (scan.Id == Receipts.Led && Receipts.LedTo is { } there) Nav.NavigateTo(there);
            return;
        }
        Receipts.Seen = Scanning = scan.Id;
        var place = FieldKey;
        try
        {
            // What is told of a step that a lost page has finished was told to it.
            if (!IsDone(scan.Id)) Tell(await Answer(scan.Text.Trim()));
        }
        finally { Scanning = null; }
        if (Receipts.Led != scan.Id || place != FieldKey) Receipts.Taken = scan.Id;
        StateHasChanged();
    }

    async Task<Said?> Answer(string code)
    {
        if (code.Length is 0 or > MaxScanLength) return Said.Wrong("This is no code that is known here.");
        try { return await Take(code); }
        catch (Exception e) when (IsFault(e)) { return Said.Wrong("Not done: the database does not answer. Scan it again."); }
    }

    /// <summary>The page is about another thing now: nothing is taken until the browser has told what it has kept of it.</summary>
    private protected void BeginAnew() => _readyFor = null;

    /// <summary>What a scan does; its answer is shown and heard.</summary>
    private protected abstract Task<Said?> Take(string code);

    /// <summary>Takes back what the browser has kept.</summary>
    private protected virtual void Restore(ResumeEventArgs kept) { }

    /// <summary>Whether a scan was done by a page that is lost.</summary>
    private protected virtual bool IsDone(string scanId) => false;

    /// <summary>The work has changed.</summary>
    private protected virtual void Changed() { }

    /// <summary>Shows an answer and plays its sound.</summary>
    void Tell(Said? said)
    {
        if (said is not null) Said = said;
        SoundWords = string.Create(CultureInfo.InvariantCulture, $"{++_sounds} {said?.Kind ?? "none"} {(Scanning is null ? "press" : "scan")}");
    }

    /// <summary>Does what a button asks for; the browser gives the field its focus back.</summary>
    private protected async Task Press(Func<Task<Said?>> action) => Tell(await action());

    private protected void Press(Func<Said?> action) => Tell(action());

    private protected static bool IsFault(Exception e) =>
        e is OmsFaultException or TimeoutException or DbException or Orleans.Runtime.OrleansException;

    /// <summary>Opens another page of this room. The scans behind the one that leads there are meant for it.</summary>
    private protected void Go(string uri)
    {
        if (Nav.ToAbsoluteUri(uri).AbsolutePath == Nav.ToAbsoluteUri(Nav.Uri).AbsolutePath) return;
        if (Scanning is not null) (Receipts.Led, Receipts.LedTo) = (Scanning, uri);
        Nav.NavigateTo(uri);
    }

    /// <summary>The SKU that a scan names: a SKU itself or a product's barcode; null if it is neither.</summary>
    private protected string? SkuOf(string code) =>
        Catalogue.TryGetProduct(code, out _) ? code : Catalogue.FindByBarcode(code);

    private protected string NameOf(string sku) =>
        Catalogue.TryGetProduct(sku, out var product) ? product.Details.Name : "";

    /// <summary>Opens the shipment that a scan names; the answer says why not, and is null if it names none at all.</summary>
    private protected async Task<Said?> OpenShipment(string code)
    {
        var id = ShipmentCodes.Read(code) ?? Work!.IdOf(code);
        if (id is null) return null;
        var shipment = Work!.Find(id) ?? await Grains.GetGrain<IShipmentGrain>(id).Get();
        if (shipment is null) return Said.Wrong($"There is no shipment {code}.");
        if (shipment.Warehouse != Code) return Said.Wrong($"The shipment of order {shipment.OrderNumber} is in {shipment.Warehouse}, not here.");
        Go(UriOf(shipment.Id));
        return Said.Right($"Order {shipment.OrderNumber}: {Words(shipment)}.");
    }

    private protected string UriOf(string shipmentId) => $"/warehouse/{Uri.EscapeDataString(Code)}/{shipmentId}";

    /// <summary>What is in a shipment: "6 units of 2 products".</summary>
    internal static string Words(ShipmentView shipment)
    {
        var products = shipment.Lines.Select(l => l.Sku).Distinct(StringComparer.Ordinal).Count();
        return $"{Show.Count(shipment.Lines.Sum(l => (long)l.Quantity), "unit")} of {Show.Count(products, "product")}";
    }

    /// <summary>The shipment's number in its order, such as "order 1042, shipment 1".</summary>
    private protected static string NumberOf(ShipmentView shipment) => shipment.Id[(shipment.Id.LastIndexOf('-') + 1)..];

    /// <inheritdoc />
    public virtual async ValueTask DisposeAsync()
    {
        await _gone.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _gone.Dispose();
        GC.SuppressFinalize(this);
    }
}
