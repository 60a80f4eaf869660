using System.Collections.Frozen;
using System.Globalization;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Orders;
using OrleansOms.Host.Catalogue;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Http;
using OrleansOms.Host.OpenApi;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Orders;

namespace OrleansOms.Host.Orders;

/// <summary>Placing orders, finding them, and what may be asked of one.</summary>
public static class OrderEndpoints
{
    static readonly FrozenDictionary<string, OrderSort> Sorts = new Dictionary<string, OrderSort>
    {
        ["-placedAt"] = OrderSort.PlacedAtDescending, ["placedAt"] = OrderSort.PlacedAt,
        ["-total"] = OrderSort.TotalDescending, ["total"] = OrderSort.Total,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Maps <c>/api/v1/orders</c>.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        var orders = routes.MapGroup("/api/v1/orders").WithTags("Orders");
        orders.MapPost("", Place).Needs(Scopes.OrdersWrite).Describe(OrderDescriptions.Place);
        orders.MapGet("", List).Needs(Scopes.OrdersRead).Describe(OrderDescriptions.List);
        orders.MapGet("/{id}", Get).Needs(Scopes.OrdersRead).Describe(OrderDescriptions.Get);
        orders.MapGet("/{id}/timeline", Timeline).Needs(Scopes.OrdersRead).Describe(OrderDescriptions.Timeline);
        orders.MapPost("/{id}/cancel", Cancel).Needs(Scopes.OrdersWrite).Describe(OrderDescriptions.Cancel);
        orders.MapPost("/{id}/payments", Pay).Needs(Scopes.OrdersWrite).Describe(OrderDescriptions.Pay);
    }

    static async Task<IResult> Place(
        HttpContext http, OrderDesk desk, CartDesk carts, KnownThings known, INumberSequence numbers, TrackingLinks links)
    {
        var caller = http.Caller();
        var key = http.IdempotencyKey(isRequired: true)!;
        var body = await Body.Read(http, ApiJson.Default.PlaceOrderRequest);
        var command = body.Request.ToCommand(body.Hash);
        await known.RequireProducts(command.Lines.Select(l => l.Sku));
        // Whoever may see some warehouses takes no units of others.
        if (command.Reservation is { } cart
            && (!Keys.IsId(Keys.Order, cart)
                || (caller.Warehouses is not null && (await carts.Find(cart) is not { } held || !caller.MaySeeAny(held.Warehouses)))))
            return Problem.Of(CartDesk.Unknown(cart));
        // A retry burns a number; gaps are allowed, a read before every order is not.
        var number = (await numbers.Next()).ToString(CultureInfo.InvariantCulture);
        var id = Keys.FromIdempotencyKey(Keys.Order, caller.Id, key);
        var reply = await desk.Place(
            id, command with { Number = number }, new Caller($"{id}/place", caller.Actor));
        return reply.Rejection is { } no
            ? Problem.Of(no)
            : Answers.Created(links.WithUrl(reply.Value!), ApiJson.Default.OrderView, $"/api/v1/orders/{reply.Value!.Id}");
    }

    static async Task<IResult> List(HttpContext http, OrderQueries queries)
    {
        var f = new Findings();
        var filter = new OrderFilter
        {
            Statuses = http.Words("status", WordsOf<OrderStatus>.All, f),
            Channel = http.Query("channel", f),
            Q = http.Query("q", f),
            From = http.Moment("from", f),
            To = http.Moment("to", f),
            Sku = http.Query("sku", f),
            Warehouse = http.VisibleWarehouse(f),
            Sort = http.Word("sort", Sorts, f) ?? OrderSort.PlacedAtDescending,
            Limit = http.Limit(f),
            Cursor = http.Query("cursor", f, max: 2000),
        };
        f.Throw();
        var page = await RequestParts.Page(() => queries.List(filter));
        return Answers.Ok(new OrderList(page.Items, page.NextCursor), ApiJson.Default.OrderList);
    }

    static async Task<IResult> Get(HttpContext http, string id, IGrainFactory grains, TrackingLinks links) =>
        Answers.Ok(links.WithUrl(await Find(http, id, grains)), ApiJson.Default.OrderView);

    static async Task<IResult> Timeline(HttpContext http, string id, IGrainFactory grains, IEventLog log)
    {
        var order = await Find(http, id, grains);
        var events = await log.ReadStream(id);
        return Answers.Ok(
            new OrderTimeline(id, [.. events.Select(e => new TimelineEntry(
                e.Version, e.At, TimelineWords.Who(e.Actor), TimelineWords.TypeOf(e.Type),
                TimelineWords.Of(e.Data, order.Currency)))]),
            ApiJson.Default.OrderTimeline);
    }

    static async Task<IResult> Cancel(
        HttpContext http, string id, IGrainFactory grains, IEventLog log, TrackingLinks links)
    {
        var key = http.IdempotencyKey(isRequired: false);
        var body = await Body.Read(http, ApiJson.Default.CancelOrderRequest);
        await Find(http, id, grains);
        var caller = await http.CallerOf(id, key, body.Hash, log);
        return await Execute(body.Request.ToCommand(caller.CommandId), id, caller, grains, links);
    }

    static async Task<IResult> Pay(
        HttpContext http, string id, IGrainFactory grains, IEventLog log, TrackingLinks links)
    {
        var key = http.IdempotencyKey(isRequired: false);
        var body = await Body.Read(http, ApiJson.Default.RecordPaymentRequest);
        var order = await Find(http, id, grains);
        var caller = await http.CallerOf(id, key, body.Hash, log);
        return await Execute(body.Request.ToCommand(order), id, caller, grains, links);
    }

    static async Task<IResult> Execute(
        OrderCommand command, string id, Caller caller, IGrainFactory grains, TrackingLinks links)
    {
        var reply = await grains.GetGrain<IOrderGrain>(id).Execute(command, caller);
        return reply.Rejection is { } no
            ? Problem.Of(no) : Answers.Ok(links.WithUrl(reply.Value!), ApiJson.Default.OrderView);
    }

    /// <summary>The order, if there is one that the caller may see.</summary>
    /// <exception cref="ProblemException">404.</exception>
    static async Task<OrderView> Find(HttpContext http, string id, IGrainFactory grains)
    {
        if (Keys.IsId(Keys.Order, id)
            && await grains.GetGrain<IOrderGrain>(id).Get() is { } order
            && http.Caller().MaySeeAny(Warehouses(order))) return order;
        throw new ProblemException(Problem.NotFound("The order"));
    }

    static IEnumerable<string> Warehouses(OrderView order) =>
        order.Shipments.Select(s => s.Warehouse)
            .Concat(order.Lines.SelectMany(l => l.Allocations.Select(a => a.Warehouse)));
}
