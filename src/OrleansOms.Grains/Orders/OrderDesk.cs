using System.Collections.Concurrent;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Upgrades;

namespace OrleansOms.Grains.Orders;

/// <summary>
/// Takes new orders. An order's first events are stored before its grain is ever activated: the log's fence lets only
/// one first append of a stream through, so nobody needs to own it yet. Units, payment and what may leave at once are
/// decided together and become one append, with the first event of each shipment.
/// </summary>
public sealed partial class OrderDesk(
    IEventLog log, TimeProvider time, OrderSourcing sourcing, OmsSettings settings, GrainMetrics metrics, Upgrade upgrade)
{
    /// <summary>Scope of the claim on (channel, external id).</summary>
    public const string ExternalIdScope = "external-id";

    /// <summary>Ids that are remembered after their request is done: retries come soon, or never.</summary>
    const int Remembered = 20_000;

    /// <summary>Requests that run now (true), and those that were done lately (false).</summary>
    readonly ConcurrentDictionary<string, bool> _known = new(StringComparer.Ordinal);
    readonly ConcurrentQueue<string> _done = new();

    /// <summary>
    /// Sources, reserves and stores an order. A retry with the same request hash gets the answer of the first one;
    /// another hash is refused with <c>idempotency_key_reused</c>, a retry before the first one is done with
    /// <c>request_in_progress</c>.
    /// </summary>
    /// <param name="id">Made of the caller and the idempotency key, so that a retry names the same stream.</param>
    /// <param name="command">The order.</param>
    /// <param name="caller">Who asks; the command id marks the events that the answer is made of.</param>
    /// <exception cref="LogBusyException">Nothing was stored.</exception>
    /// <exception cref="LogUnavailableException">The outcome is unknown; a retry with the same id finds it out.</exception>
    /// <exception cref="NewerEventException">It was placed before by a newer program, which knows the answer.</exception>
    public async Task<Reply<OrderView>> Place(string id, PlaceOrder command, Caller caller)
    {
        var isNew = _known.TryAdd(id, true);
        if (!isNew && !_known.TryUpdate(id, true, false))
            return Reply<OrderView>.Refused(Rejection.Conflict(
                "request_in_progress", "The first request with this key is still running."));
        try
        {
            if (command.Reservation is { } cart) return await PlaceFromCart(id, cart, command, caller);
            // What is not remembered is taken as new, without a look: the append says if it is not.
            return (isNew ? await Place(new Order(id), command, caller) : null) ?? await PlacedBefore(id, command, caller);
        }
        finally { Done(id, isNew); }
    }

    void Done(string id, bool isNew)
    {
        if (!_known.TryUpdate(id, false, true) || !isNew) return;
        _done.Enqueue(id);
        while (_done.Count > Remembered && _done.TryDequeue(out var oldest)) _known.TryRemove(oldest, out _);
    }

    /// <summary>Stores the order as what follows a state without an order; null if its stream has grown since.</summary>
    async Task<Reply<OrderView>?> Place(Order start, PlaceOrder command, Caller caller)
    {
        var reserved = await sourcing.Reserve(
            start.Id, $"{start.Id}/{Guid.NewGuid():N}",
            [.. command.Lines.Select(l => new WantedUnits(l.LineId, l.Sku, l.Quantity))],
            command.ShipTo.Country, command.ShipTo.PostalCode, standsInLine: true, looksAgain: command.StockPolicy != StockPolicy.Reject,
            allOrNothing: command.StockPolicy == StockPolicy.Reject);
        if (command.StockPolicy == StockPolicy.Reject
            && await sourcing.HasGivenBack(start, [.. command.Lines.Select(l => l.LineId)], reserved)) return null;
        return await Store(
            start, new TakeOrder(command, reserved.Units, reserved.Plan, Terms, reserved.Attempt), caller, [],
            () => sourcing.Release(start.Id, reserved));
    }

    /// <summary>Decides and stores; null if a stream has grown meanwhile.</summary>
    /// <param name="births">Events of further streams, stored with it or not at all.</param>
    /// <param name="undo">Gives back what was reserved, if it is not stored.</param>
    async Task<Reply<OrderView>?> Store(
        Order start, TakeOrder take, Caller caller, IReadOnlyList<StreamEvents> births, Func<Task> undo)
    {
        var now = time.GetUtcNow();
        var taken = OrderDecider.Decide(start, take, now).Events;
        var order = start.Apply(taken);
        AppendResult result;
        try { result = await log.Append(FirstAppend(start.Version, order, taken, take.Order, caller, births, now)); }
        catch (LogBusyException)
        {
            await undo();
            throw;
        }
        if (result is AppendResult.Committed)
        {
            metrics.Order(order.Exists);
            return order.Refused is { } no ? RefusedAs(no) : Reply<OrderView>.Of(OrderView.Of(order));
        }
        await undo();
        return result is AppendResult.ClaimTaken claim
            ? Reply<OrderView>.Refused(new Rejection(
                "duplicate_order", $"{take.Order.Channel} has sent {take.Order.ExternalId} before.",
                Data: new Dictionary<string, string> { ["orderId"] = claim.Holder }))
            : null;
    }

    static Append FirstAppend(
        int version, Order order, IReadOnlyList<OrderEvent> taken, PlaceOrder command, Caller caller,
        IReadOnlyList<StreamEvents> births, DateTimeOffset now)
    {
        var events = new List<NewEvent>(taken.Count + 1);
        foreach (var e in taken) events.Add(new NewEvent(e, caller.CommandId, caller.Actor, now));
        if (!order.Exists) return new Append(new StreamEvents(order.Id, version, events));
        // Released in the same breath, under a command of its own: the answer tells of the order as it was taken.
        var release = OrderReleases.Decide(order, now);
        events.AddRange(release.Events);
        return new Append(
            new StreamEvents(order.Id, version, events), births.Count == 0 ? release.Births : [.. release.Births, .. births],
            command.ExternalId is { } id ? [new Claim(ExternalIdScope, $"{command.Channel}\n{id}")] : []);
    }

    PlacingTerms Terms => new(settings.PaymentWindow, settings.BackorderWindow);

    /// <summary>
    /// The first answer, made again from the events of the first command. An order that was abandoned before it was
    /// stored has none and is placed now.
    /// </summary>
    async Task<Reply<OrderView>> PlacedBefore(string id, PlaceOrder command, Caller caller)
    {
        while (true)
        {
            var events = await log.ReadStream(id);
            var order = FirstOf(id, events);
            // The key has placed an order under the id of its cart, by another body: this one names no cart.
            if (order.PlacedAs is not null) return Reused();
            if (order.Refused is { } no)
                return no.RequestHash == command.RequestHash ? RefusedAs(no) : Reused();
            if (!order.Exists)
            {
                if (await Place(order, command, caller) is { } reply) return reply;
                continue; // Someone else has placed it meanwhile.
            }
            if (order.Placed!.RequestHash != command.RequestHash) return Reused();
            return Reply<OrderView>.Of(OrderView.Of(order));
        }
    }

    /// <summary>
    /// The order as its first command has left it, or its stream by now if there was none. What came after that command may be of a newer
    /// program; the first answer is not made of it.
    /// </summary>
    static Order FirstOf(string id, IReadOnlyList<LogEvent> events)
    {
        var first = events.FirstOrDefault(e => e.Data is OrderPlaced);
        return Fold(id, first is null ? events
            : events.TakeWhile(e => e.Version < first.Version || e.CommandId == first.CommandId));
    }

    static Order Fold(string id, IEnumerable<LogEvent> events) =>
        events.Aggregate(new Order(id), (order, e) => order.Apply((OrderEvent)e.Known()));

    static Reply<OrderView> RefusedAs(OrderRefused no) => Reply<OrderView>.Refused(Rejection.Conflict(no.Code, no.Detail));

    static Reply<OrderView> Reused() => Reply<OrderView>.Refused(KeyReused);

    /// <summary>A key stands for one request.</summary>
    internal static Rejection KeyReused { get; } = Rejection.Meaning(
        "idempotency_key_reused", "This key was used with another body.");
}
