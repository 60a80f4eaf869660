using System.Globalization;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Host.Ui.Shared;

namespace OrleansOms.Host.Ui.Orders;

/// <summary>
/// The actions that the order allows now. What one of them will do is said before it is done; what is refused is said
/// beside it. A repeated try after an unknown outcome carries the same command id, so nothing is done twice.
/// </summary>
public sealed partial class OrderActionsPanel
{
    IReadOnlyList<OrderAction> _actions = [];
    NextStep _next = new("");
    OrderAction? _open;
    string? _done, _refused, _commandId;
    bool _isSending, _isPart, _stopsAllocate, _stopsRelease;
    string? _reference, _hold, _reason, _amount;
    PaymentReport _report;
    readonly Dictionary<int, int> _units = [];

    [Inject] IGrainFactory Grains { get; set; } = null!;
    [Inject] IJSRuntime Script { get; set; } = null!;
    [Inject] Viewer Viewer { get; set; } = null!;

    /// <summary>The order as stored.</summary>
    [Parameter, EditorRequired] public Order Order { get; set; } = null!;
    /// <summary>Called when an action has changed it.</summary>
    [Parameter, EditorRequired] public EventCallback Changed { get; set; }

    string? Effect => _open?.Kind == OrderActionKind.Cancel ? OrderActions.Cancellation(Order, Chosen, Viewer.Now).Effect : null;

    string? Refusal => _refused
        ?? (_open?.Kind == OrderActionKind.Cancel && (!_isPart || _units.Count > 0)
            ? OrderActions.Cancellation(Order, Chosen, Viewer.Now).WhyNot : null);

    bool Hinders => _open?.Kind switch
    {
        OrderActionKind.Cancel => Effect is null,
        OrderActionKind.PutOnHold => !_stopsAllocate && !_stopsRelease,
        _ => false,
    };

    List<LineUnits>? Chosen =>
        _isPart ? [.. _units.Where(u => u.Value > 0).Select(u => new LineUnits(u.Key, u.Value))] : null;

    /// <inheritdoc />
    protected override void OnParametersSet()
    {
        _actions = OrderActions.Of(Order, Viewer.Now);
        _next = NextStep.Of(Order, Viewer);
        // Someone else may have done it meanwhile.
        if (_open is { } open && !_isSending && !_actions.Any(a => a.IsAllowed && a.Kind == open.Kind && a.Hold == open.Hold)) _open = null;
    }

    async Task Open(OrderAction action)
    {
        if (_open == action)
        {
            Shut();
            return;
        }
        (_open, _done, _refused, _commandId) = (action, null, null, null);
        (_isPart, _stopsAllocate, _stopsRelease) = (false, false, true);
        (_reference, _hold, _reason) = (null, null, null);
        _report = PaymentReport.Paid;
        _amount = OrderActions.Open(Order).ToString(CultureInfo.InvariantCulture);
        _units.Clear();
        StateHasChanged();
        await Script.InvokeVoidAsync("oms.focus", ".panel #first, .panel button");
    }

    void Shut() => (_open, _refused, _commandId) = (null, null, null);

    void SetUnits(int lineId, object? value)
    {
        _units[lineId] = int.TryParse(value?.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0;
        (_refused, _commandId) = (null, null);
    }

    async Task Send()
    {
        if (_open is not { } open || _isSending) return;
        var (command, mistake) = Command(open);
        if (command is null)
        {
            _refused = mistake;
            return;
        }
        _isSending = true;
        try
        {
            var caller = new Caller(_commandId ??= Guid.NewGuid().ToString("N"), (await Viewer.CallerOfCommand()).Actor);
            var reply = await Grains.GetGrain<IOrderGrain>(Order.Id).Execute(WithId(command, caller.CommandId), caller);
            if (reply.Rejection is { } rejection) (_refused, _commandId) = (rejection.Detail, null);
            else
            {
                _done = DoneWords(open);
                Shut();
            }
        }
        catch (Exception e) when (e is OmsFaultException or TimeoutException or Orleans.Runtime.OrleansException)
        {
            _refused = "The answer did not arrive, so it is not known whether it was done. Send it again: it is never done twice.";
        }
        finally { _isSending = false; }
        await Changed.InvokeAsync();
    }

    (OrderCommand? Command, string? Mistake) Command(OrderAction action)
    {
        switch (action.Kind)
        {
            case OrderActionKind.RecordPayment:
                if (!decimal.TryParse(_amount, NumberStyles.AllowDecimalPoint | NumberStyles.AllowThousands, Viewer.Culture, out var amount)
                    || amount <= 0 || !Currency.Fits(amount, Order.Placed!.Currency))
                    return (null, $"The amount must be a number above zero with at most {Currency.MinorUnits(Order.Placed!.Currency)} decimals.");
                return Text.IsPrintable(_reference, 200)
                    ? (new RecordPayment(_report, amount, _reference!.Trim()), null) : (null, "The reference is missing.");
            case OrderActionKind.PutOnHold:
                var stops = (_stopsAllocate ? HoldStops.Allocate : 0) | (_stopsRelease ? HoldStops.Release : 0);
                return Text.IsPrintable(_hold, 64) && Text.IsPrintable(_reason, 200)
                    ? (new PlaceHold(_hold!.Trim(), _reason!.Trim(), stops), null) : (null, "Name and reason are needed.");
            case OrderActionKind.LiftHold:
                return (new LiftHold(action.Hold!), null);
            case OrderActionKind.Close:
                return (new CloseOrder(), null);
            default:
                return Text.IsPrintable(_reason, 200)
                    ? (new CancelOrder("", _reason!.Trim(), Chosen), null) : (null, "The reason is missing.");
        }
    }

    // A cancellation is told from the next one by its own id; a retry of the same try has the same one.
    static OrderCommand WithId(OrderCommand command, string id) =>
        command is CancelOrder cancel ? cancel with { RequestId = id } : command;

    static string SendWords(OrderAction action) => action.Kind switch
    {
        OrderActionKind.RecordPayment => "Record this payment",
        OrderActionKind.PutOnHold => "Put on hold",
        OrderActionKind.LiftHold => "Lift this hold",
        OrderActionKind.Close => "Close the order",
        _ => "Cancel these units",
    };

    static string DoneWords(OrderAction action) => action.Kind switch
    {
        OrderActionKind.RecordPayment => "The payment is recorded.",
        OrderActionKind.PutOnHold => "The order is on hold.",
        OrderActionKind.LiftHold => "The hold is lifted.",
        OrderActionKind.Close => "The order is closed.",
        _ => "The cancellation is taken. The timeline says which units it got.",
    };

}
