using Microsoft.AspNetCore.SignalR;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Host.Security;

namespace OrleansOms.Host.Live;

/// <summary>Decides, call by call, what a connection may watch. What may not be seen is said not to exist.</summary>
public sealed class HubAccess(
    Gate gate, KeyRing ring, TrackingLinks links, CatalogueIndex catalogue, TimeProvider time)
{
    /// <summary>What a call wants to watch and may, as far as can be said before the order is read.</summary>
    /// <param name="OrderId">The order.</param>
    /// <param name="Caller">Who is calling; null for the holder of the order's own link.</param>
    public sealed record OrderAccess(string OrderId, ApiCaller? Caller)
    {
        /// <summary>Whether this order may be seen.</summary>
        public bool MaySee(OrderView order) => Caller is null || Caller.MaySeeAny(
            order.Shipments.Select(s => s.Warehouse)
                .Concat(order.Lines.SelectMany(l => l.Allocations.Select(a => a.Warehouse))));
    }

    /// <summary>Access to one order by its id or its link's token.</summary>
    /// <exception cref="HubException"><c>not_found</c>, <c>forbidden</c>.</exception>
    public async Task<OrderAccess> ToOrder(HttpContext http, string? idOrToken)
    {
        if (!Keys.IsId(Keys.Order, idOrToken))
            return links.TryRead(idOrToken, time.GetUtcNow(), out var linked)
                ? new OrderAccess(linked, null) : throw Refusal("not_found");
        // Strangers learn nothing of ids, not even that one is well formed.
        var caller = await Find(http) ?? throw Refusal("not_found");
        return caller.May(Scopes.OrdersRead) ? new OrderAccess(idOrToken!, caller) : throw Refusal("forbidden");
    }

    /// <summary>Access to a warehouse's work; who may also see its stock is told of that too.</summary>
    /// <exception cref="HubException"><c>not_found</c>, <c>forbidden</c>.</exception>
    public async Task<ApiCaller> ToWarehouse(HttpContext http, string? code)
    {
        var caller = await Find(http);
        if (caller is null || !caller.May(Scopes.ShipmentsRead)) throw Refusal("forbidden");
        return code is not null && caller.MaySee(code) && catalogue.TryGetWarehouse(code, out _)
            ? caller : throw Refusal("not_found");
    }

    /// <summary>Access to all orders: for operators that may see every warehouse.</summary>
    /// <exception cref="HubException"><c>forbidden</c>.</exception>
    public async Task ToOrders(HttpContext http)
    {
        if (await Find(http) is not { IsOperator: true, Warehouses: null } caller || !caller.May(Scopes.OrdersRead))
            throw Refusal("forbidden");
    }

    /// <summary>A refusal as the client sees it: its code and nothing else.</summary>
    public static HubException Refusal(string code) => new(code);

    async ValueTask<ApiCaller?> Find(HttpContext http)
    {
        // Browsers cannot set headers on a WebSocket; the official client sends its key in the address there.
        var request = http.Request;
        if (request.Headers.Authorization.Count == 0 && request.Query["access_token"] is [{ Length: > 0 } key])
        {
            var held = await ring.Find(key);
            return held is { Limit: { } limit } && !limit.TryTake(out _) ? throw Refusal("too_many_requests") : held?.Caller;
        }
        var caller = await gate.Find(http);
        return caller is { IsOperator: true } && IsOtherSite(request) ? null : caller;
    }

    /// <summary>A page of another site could open a connection with the operator's cookie; it must not see anything.</summary>
    static bool IsOtherSite(HttpRequest request) =>
        request.Headers.Origin.ToString() is { Length: > 0 } origin
        && !origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
}
