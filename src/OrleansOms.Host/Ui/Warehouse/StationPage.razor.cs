using Microsoft.AspNetCore.Components;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shipments;
using OrleansOms.Host.Ui.Shared;

namespace OrleansOms.Host.Ui.Warehouse;

/// <summary>
/// One shipment at the bench: pick, pack, ship, one big step at a time. What a scan does is in the other part of this
/// class; this part opens the shipment and keeps it true.
/// </summary>
public sealed partial class StationPage : ScanPage
{
    /// <summary>How far a shipment is on its way out.</summary>
    enum Step
    {
        Pick,
        Pack,
        Ship,
        Gone,
        Cancelled,
    }

    /// <summary>A question that must be answered before anything else.</summary>
    sealed record Question(string Sentence, string Yes, Func<Task<Said?>> Do);

    /// <summary>What the server's first answer shows.</summary>
    public sealed record FirstAnswer(ShipmentView Shipment, string? Warning);

    static readonly (Step Step, string Name)[] Steps = [(Step.Pick, "Pick"), (Step.Pack, "Pack"), (Step.Ship, "Ship")];

    readonly PickCounts _counts = new();
    readonly Boxes _boxes = new();
    readonly Dictionary<string, string> _commandIds = new(StringComparer.Ordinal);
    HashSet<string> _stored = [];
    CancellationTokenSource _another = new();
    Task _followingOrder = Task.CompletedTask;
    ShipmentView? _shipment;
    Question? _confirm;
    Func<Task<Said?>>? _retry;
    string _opened = "";
    string? _warning, _elsewhere, _lastSku;
    string? _carrier, _service, _tracking, _keptCarrier;
    bool _isMissing, _failed, _isSending, _isOpen;

    /// <summary>The shipment's id.</summary>
    [Parameter] public string Id { get; set; } = "";

    /// <summary>What the first answer showed, so that nothing flickers when the page comes alive.</summary>
    [Microsoft.AspNetCore.Components.PersistentState]
    public FirstAnswer? First { get; set; }

    [Inject] IEventLog Log { get; set; } = null!;

    /// <summary>Whether buttons would do nothing now.</summary>
    bool IsBusy => _isSending || !IsReady;

    /// <summary>Until it is known which scans are done, the browser keeps them.</summary>
    private protected override bool CanTake => _isOpen;

    /// <inheritdoc />
    public override string FieldKey => $"station.{Id}";

    /// <inheritdoc />
    public override string? Memory => _shipment is null ? null : Now switch
    {
        Step.Pick => new StationMemory(_counts.Counted, _lastSku, _confirm is not null, [], null).Save(),
        Step.Pack => new StationMemory(_counts.Counted, null, false, _boxes.All, null).Save(),
        Step.Ship => new StationMemory(_counts.Counted, null, false, [], _tracking).Save(),
        _ => null,
    };

    /// <inheritdoc />
    public override string? Carrier => _keptCarrier;

    Step Now => _shipment!.Status switch
    {
        ShipmentStatus.Released => Step.Pick,
        ShipmentStatus.Picking => _shipment.Lines.Any(l => l.Picked is null) ? Step.Pick : Step.Pack,
        ShipmentStatus.Packed => Step.Ship,
        ShipmentStatus.Cancelled => Step.Cancelled,
        _ => Step.Gone,
    };

    ShipmentView? Next => Work is { IsLoaded: true } work ? work.ToPick.FirstOrDefault(s => s.Id != Id) : null;

    string ScanWords => (_confirm, Now) switch
    {
        ({ }, _) => "Answer with YES or NO",
        (_, Step.Pick) => "Scan each unit that you take",
        (_, Step.Pack) => _boxes.All.Count > 1 ? "Scan what goes into the last box" : "Scan PACK when it is packed",
        (_, Step.Ship) => "Scan the tracking number of the label",
        _ => "Scan the next shipment",
    };

    /// <inheritdoc />
    protected override async Task OnParametersSetAsync()
    {
        if (_opened == Id || Warehouse is null || IsElsewhere) return;
        _opened = Id;
        (_shipment, _confirm, _retry, _warning, _lastSku, _tracking) = (null, null, null, null, null, null);
        (_isMissing, _elsewhere, _isOpen) = (false, null, false);
        _commandIds.Clear();
        BeginAnew();
        if (First is { } first && first.Shipment.Id == Id)
        {
            Adopt(first.Shipment);
            _warning = first.Warning;
            // Once: when this shipment is opened again, it is old.
            if (RendererInfo.IsInteractive) First = null;
        }
        await Leave();
        await Open();
    }

    /// <summary>Opens the shipment of the address. What is answered after another one was opened counts for nothing.</summary>
    async Task Open()
    {
        var another = _another.Token;
        _failed = false;
        try
        {
            var shipment = ShipmentCodes.Read(Id) is { } id ? await Grains.GetGrain<IShipmentGrain>(id).Get() : null;
            if (another.IsCancellationRequested || _isOpen) return;
            if (shipment is null || shipment.Warehouse != Code)
            {
                (_isMissing, _elsewhere) = (true, shipment?.Warehouse);
                return;
            }
            if (!RendererInfo.IsInteractive)
            {
                Adopt(shipment);
                using var watch = await Feed.WatchOrder(shipment.OrderId, another);
                _warning = watch is null ? null : WarningOf(watch.Snapshot);
                First = new FirstAnswer(shipment, _warning);
                return;
            }
            HashSet<string> stored = [.. (await Log.ReadStream(shipment.Id)).Select(e => e.CommandId)];
            if (another.IsCancellationRequested || _isOpen) return;
            (_stored, _isOpen) = (stored, true);
            Adopt(shipment);
            _followingOrder = FollowOrder(shipment.OrderId, another);
        }
        catch (Exception e) when (IsFault(e))
        {
            if (another.IsCancellationRequested || _isOpen) return;
            _failed = _shipment is null;
            if (RendererInfo.IsInteractive) _followingOrder = OpenLater(another);
        }
    }

    async Task OpenLater(CancellationToken another)
    {
        await Task.Delay(FaultPause, another).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (another.IsCancellationRequested) return;
        await InvokeAsync(async () =>
        {
            if (!_isOpen && !another.IsCancellationRequested) await Open();
            StateHasChanged();
        });
    }

    /// <summary>Shows what is against sending it, as it comes and goes, until another shipment is opened.</summary>
    async Task FollowOrder(string orderId, CancellationToken another)
    {
        while (!another.IsCancellationRequested)
        {
            try
            {
                using var watch = await Feed.WatchOrder(orderId, another);
                if (watch is null) return;
                await InvokeAsync(() => ShowWarning(watch.Snapshot));
                await foreach (var order in watch.Changes(another)) await InvokeAsync(() => ShowWarning(order));
            }
            catch (OperationCanceledException) when (another.IsCancellationRequested) { return; }
            catch (Exception e) when (IsFault(e))
            {
                await Task.Delay(FaultPause, another).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        void ShowWarning(OrderView order)
        {
            if (another.IsCancellationRequested) return;
            _warning = WarningOf(order);
            StateHasChanged();
        }
    }

    /// <summary>Why the shipment should not leave, whatever its own state; null if nothing is against it.</summary>
    static string? WarningOf(OrderView order) =>
        order.Holds.Count > 0 ? $"The order is on hold: {Show.Join([.. order.Holds.Select(h => $"{h.Name} ({h.Reason})")])}."
        : order.Status == OrderStatus.AwaitingPayment ? "The order is not paid any more."
        : null;

    async Task Leave()
    {
        await _another.CancelAsync();
        await _followingOrder.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _another.Dispose();
        _another = new CancellationTokenSource();
    }

    /// <inheritdoc />
    public override async ValueTask DisposeAsync()
    {
        await Leave();
        _another.Dispose();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected override void Restore(ResumeEventArgs kept)
    {
        var memory = StationMemory.Read(kept.Memory);
        _counts.Restore(memory?.Counted ?? new Dictionary<string, int>());
        (_lastSku, _tracking) = (memory?.LastSku, memory?.Tracking);
        if (memory is { Boxes.Count: > 0 } && Now == Step.Pack) _boxes.Restore(memory.Boxes);
        if (memory is { IsAsking: true } && Now == Step.Pick) AskShort();
        _keptCarrier ??= kept.Carrier;
        if (_carrier is null && kept.Carrier?.Split('\n') is [var carrier, var service]) (_carrier, _service) = (carrier, service);
    }

    // Events carry the name of the scan that caused them.
    private protected override bool IsDone(string scanId) => _stored.Contains(scanId);

    /// <summary>Takes a version of the shipment in, never an older one.</summary>
    void Adopt(ShipmentView shipment)
    {
        if (_shipment is { } known && known.Id == shipment.Id && known.Version >= shipment.Version) return;
        var before = _shipment is null ? (Step?)null : Now;
        var linesBefore = _shipment?.Lines;
        _shipment = shipment;
        Work?.Take(shipment);
        if (Now == Step.Pack && (before != Step.Pack || linesBefore?.SequenceEqual(shipment.Lines) != true))
            _boxes.Begin(shipment, WeightOf);
        if (before is not null && before != Now) _confirm = null;
    }

    private protected override void Changed()
    {
        if (_shipment is null || Work?.Find(Id) is not { } newer) return;
        var wasPacked = Now == Step.Ship;
        Adopt(newer);
        if (wasPacked && Now == Step.Pack)
            Said = Said.Wrong("Units were cancelled. Open it, take out what is not listed below, and pack the rest again.");
    }

    int? WeightOf(string sku) => Catalogue.TryGetProduct(sku, out var product) ? product.Details.WeightGrams : null;

    /// <summary>The one to take next: the last one scanned while it is not complete, else the first.</summary>
    PickTask? CurrentTask(IReadOnlyList<PickTask> tasks) =>
        tasks.FirstOrDefault(t => !t.IsDone && t.Sku == _lastSku) ?? tasks.FirstOrDefault(t => !t.IsDone);

    PickTask? CurrentTask() => CurrentTask(_counts.Tasks(_shipment!));

    /// <summary>
    /// Sends a command; a retry under the same name carries the same id, so that it is done once. A scan's own name is the
    /// id, so that the next page finds it in the log if this one is lost before it has told the browser.
    /// </summary>
    async Task<Said?> Send(string name, ShipmentCommand command, Func<ShipmentView, Said?> done)
    {
        _isSending = true;
        _retry = null;
        StateHasChanged();
        try
        {
            if (!_commandIds.TryGetValue(name, out var id)) _commandIds[name] = id = Scanning ?? Guid.NewGuid().ToString("N");
            var reply = await Grains.GetGrain<IShipmentGrain>(Id).Execute(command, new Caller(id, (await Viewer.CallerOfCommand()).Actor));
            _commandIds.Remove(name);
            if (reply.Rejection is { } rejection) return Said.Wrong(rejection.Detail);
            Adopt(reply.Value!);
            return done(reply.Value!);
        }
        catch (Exception e) when (IsFault(e))
        {
            _retry = () => Send(name, command, done);
            return Said.Wrong("Not saved yet: the database does not answer. Try again, it is never done twice.");
        }
        finally { _isSending = false; }
    }
}
