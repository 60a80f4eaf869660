using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Stock;
using OrleansOms.Host.Orders;
using OrleansOms.Host.Stock;
using OrleansOms.Host.Ui.Shared;

namespace OrleansOms.Host.Ui.Stock;

/// <summary>
/// Says that units of a stock are something else than they were. What it will do is said before it is done, what is refused
/// beside it. A repeated try after an unknown outcome carries the same id, so nothing is done twice.
/// </summary>
public sealed partial class ConditionPanel
{
    bool _isOpen, _isSending;
    string? _done, _refused, _id, _reason;
    int? _units;
    StockCondition _from, _to;
    (string Warehouse, string Sku) _of;

    [Inject] MovementDesk Movements { get; set; } = null!;
    [Inject] IJSRuntime Script { get; set; } = null!;
    [Inject] Viewer Viewer { get; set; } = null!;

    /// <summary>The stock as it is now.</summary>
    [Parameter, EditorRequired] public StockView Stock { get; set; } = null!;
    /// <summary>Called when it has changed.</summary>
    [Parameter, EditorRequired] public EventCallback Changed { get; set; }

    /// <summary>What the stock would say to it; null as long as it is not said what.</summary>
    Decision<StockEvent>? Decided => _units is > 0 and <= StockEndpoints.MaxUnits && _from != _to
        ? StockDecider.Decide(
            new Domain.Stock.Stock(Stock.Warehouse, Stock.Sku)
            {
                OnHand = Stock.OnHand, Reserved = Stock.Reserved, Damaged = Stock.Damaged, Quarantine = Stock.Quarantine,
            },
            new ChangeCondition("probe", _from, _to, _units.Value, "probe"))
        : null;

    string? WhyNot => _from == _to ? $"They are {_to.InWords()} already." : Decided?.Rejection?.Detail;

    string? Effect => Decided is { Rejection: null } && _units is { } units
        ? $"{Show.Count(units, "unit")} of {Stock.Sku} in {Stock.Warehouse} {(units == 1 ? "becomes" : "become")} {_to.InWords()}. "
            + (_from == StockCondition.Sellable ? $"{Show.Count(Stock.Available - units, "unit")} can be promised then."
                : _to == StockCondition.Sellable
                    ? $"{(units == 1 ? "It goes" : "They go")} to orders that wait, oldest promise first; the rest can be promised."
                : $"What can be promised stays the same: {Show.Count(Stock.Available, "unit")}.")
        : null;

    /// <inheritdoc />
    protected override void OnParametersSet()
    {
        // The page stays the same one when its address leads to another stock.
        if (_of == (Stock.Warehouse, Stock.Sku)) return;
        _of = (Stock.Warehouse, Stock.Sku);
        _done = null;
        Shut();
    }

    async Task Toggle()
    {
        if (_isOpen)
        {
            Shut();
            return;
        }
        (_isOpen, _done, _refused, _id, _units, _reason) = (true, null, null, null, 1, null);
        (_from, _to) = Stock switch
        {
            { Quarantine: > 0 } => (StockCondition.Quarantine, StockCondition.Sellable),
            { Available: 0, Damaged: > 0 } => (StockCondition.Damaged, StockCondition.Sellable),
            _ => (StockCondition.Sellable, StockCondition.Damaged),
        };
        StateHasChanged();
        await Script.InvokeVoidAsync("oms.focus", ".conditions #first");
    }

    void Shut() => (_isOpen, _refused, _id) = (false, null, null);

    /// <summary>It is another change now than the one that may have been sent.</summary>
    void Anew() => (_refused, _id) = (null, null);

    async Task Send()
    {
        // Sent again after an unknown outcome, it is the same change, whatever the stock says by now.
        if (_isSending || _units is not { } units || (_id is null && Effect is null)) return;
        if (!Domain.Shared.Text.IsPrintable(_reason, OrderValidation.MaxReason))
        {
            _refused = "The reason is missing.";
            return;
        }
        var (of, to, note) = ((Stock.Warehouse, Stock.Sku), _to, _reason!.Trim());
        MovementLine line = new(of.Sku, units, _from, to);
        (_isSending, _refused) = (true, null);
        try
        {
            var caller = await Viewer.CallerOfCommand();
            if (!caller.MaySee(of.Warehouse))
            {
                Say(null, $"{of.Warehouse} is a warehouse that you do not work in any more.");
                return;
            }
            var id = Keys.FromIdempotencyKey(Keys.Movement, caller.Id, _id ??= Guid.NewGuid().ToString("N"));
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{of.Warehouse}\n{line}\n{note}")));
            var reply = await Movements.Run(
                id, MoveStock.Of(MovementKind.ConditionChange, of.Warehouse, note, [line], hash), new Caller(id, caller.Actor));
            if (reply.Rejection is { } rejection) Say(null, rejection.Detail);
            else Say($"{Show.Count(units, "unit")} {(units == 1 ? "is" : "are")} {to.InWords()} now.", null);
        }
        catch (UpgradeUnderWayException e) { Say(null, e.Message); }
        catch (Exception e) when (e is OmsFaultException or TimeoutException or Orleans.Runtime.OrleansException)
        {
            _refused = "The answer did not arrive, so it is not known whether it was done. Send it again: it is never done twice.";
        }
        finally { _isSending = false; }
        await Changed.InvokeAsync();

        // Who has gone on to another stock meanwhile is not told of it there.
        void Say(string? done, string? refused)
        {
            if (of != _of) return;
            (_done, _refused, _id) = (done, refused, null);
            _isOpen = done is null;
        }
    }
}
