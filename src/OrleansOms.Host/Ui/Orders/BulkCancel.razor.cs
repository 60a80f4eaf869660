using System.Data.Common;
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
/// Cancels several orders: each one says first what that will do to it, and answers for itself. One that did not answer
/// is asked again under the same command id, so that nothing is done twice.
/// </summary>
public sealed partial class BulkCancel
{
    /// <summary>What became of one order.</summary>
    sealed record Outcome(string Word, string Tone, string Sentence, bool IsFinal = true);

    /// <summary>One of the orders, with what a cancellation would do, or why it would be refused.</summary>
    sealed class Asked(OrderSummary order, string? effect, string? whyNot)
    {
        public OrderSummary Order => order;
        public string? Effect => effect;
        public string? WhyNot => whyNot;
        public string CommandId { get; } = Guid.NewGuid().ToString("N");
        public Outcome? Result { get; set; }
        public bool IsOpen => whyNot is null && Result is not { IsFinal: true };
    }

    List<Asked>? _asked;
    string? _reason, _mistake, _focus;
    bool _failed, _isSending, _isSent;
    int _sent;

    [Inject] IEventLog Log { get; set; } = null!;
    [Inject] IGrainFactory Grains { get; set; } = null!;
    [Inject] IJSRuntime Script { get; set; } = null!;
    [Inject] Viewer Viewer { get; set; } = null!;

    /// <summary>The orders that were selected.</summary>
    [Parameter, EditorRequired] public IReadOnlyList<OrderSummary> Orders { get; set; } = [];
    /// <summary>Called when the list is wanted again.</summary>
    [Parameter, EditorRequired] public EventCallback Closed { get; set; }

    /// <summary>Those that can be cancelled and were not yet.</summary>
    List<Asked> Open => [.. _asked!.Where(o => o.IsOpen)];

    string Title => (_asked, _isSent) switch
    {
        (null, _) => $"Cancel {Show.Count(Orders.Count, "order")}?",
        (_, true) => "What became of the orders",
        _ when Open.Count == 0 => "None of these orders can be cancelled",
        _ when Open.Count == Orders.Count => $"Cancel {Show.Count(Open.Count, "order")}?",
        _ => $"Cancel {Show.Number(Open.Count)} of {Show.Count(Orders.Count, "order")}?",
    };

    string Summary
    {
        get
        {
            var taken = _asked!.Count(o => o.Result is { IsFinal: true, Tone: "done" or "moving" });
            var rest = Open.Count == 0 ? "" : $" {Show.Count(Open.Count, "order")} did not answer.";
            var refused = _asked!.Count(o => o.Result?.Tone == "wrong");
            return $"{Show.Count(taken, "cancellation")} taken."
                + (refused == 0 ? "" : $" {Show.Number(refused)} refused.") + rest;
        }
    }

    /// <inheritdoc />
    protected override async Task OnInitializedAsync() => await Ask();

    /// <inheritdoc />
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        // Only now is it certain that the browser has drawn what is to be focused.
        if (_focus is not { } target) return;
        _focus = null;
        await Script.InvokeVoidAsync("oms.focus", target);
    }

    async Task Ask()
    {
        (_failed, _asked) = (false, null);
        try
        {
            var events = await Log.ReadStreams([.. Orders.Select(o => o.Id)]);
            var orders = events.GroupBy(e => e.Stream, StringComparer.Ordinal).ToDictionary(
                g => g.Key,
                g => g.OrderBy(e => e.Version).Aggregate(
                    new Order(g.Key), (o, e) => o.Apply((OrderEvent)e.Known())),
                StringComparer.Ordinal);
            _asked = [.. Orders.Select(o =>
            {
                var (effect, whyNot) = OrderActions.Cancellation(orders[o.Id], null, Viewer.Now);
                return new Asked(o, effect, whyNot);
            })];
        }
        catch (Exception e) when (IsFault(e)) { _failed = true; }
        _focus = _asked is { } asked && asked.Exists(o => o.IsOpen) ? "#bulk-reason" : "#bulk";
    }

    async Task Send()
    {
        if (_isSending) return;
        if (!Text.IsPrintable(_reason, 200))
        {
            _mistake = "The reason is missing.";
            return;
        }
        var open = Open;
        (_mistake, _isSending, _sent) = (null, true, open.Count);
        foreach (var order in open) order.Result = null;
        foreach (var order in open)
        {
            order.Result = await Cancel(order, new Caller(order.CommandId, (await Viewer.CallerOfCommand()).Actor));
            StateHasChanged();
        }
        (_isSending, _isSent, _focus) = (false, true, "#bulk");
    }

    async Task<Outcome> Cancel(Asked order, Caller caller)
    {
        try
        {
            var reply = await Grains.GetGrain<IOrderGrain>(order.Order.Id)
                .Execute(new CancelOrder(caller.CommandId, _reason!.Trim(), null), caller);
            return reply switch
            {
                { Rejection: { } no } => new Outcome("Refused", "wrong", no.Detail),
                { Value.Status: OrderStatus.Cancelled } => new Outcome("Cancelled", "done", order.Effect!),
                _ => new Outcome("Taken", "moving", "The warehouse gives its units back; what has left stays."),
            };
        }
        catch (Exception e) when (IsFault(e))
        {
            return new Outcome("No answer", "attention", "It is not known whether it was done. Try again: it is never done twice.", IsFinal: false);
        }
    }

    static bool IsFault(Exception e) => e is OmsFaultException or TimeoutException or DbException or Orleans.Runtime.OrleansException;
}
