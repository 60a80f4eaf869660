using Microsoft.AspNetCore.SignalR;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Security;

namespace OrleansOms.Host.Live;

/// <summary>
/// Asks whether what a watch was allowed for still holds: the key is not revoked, the login not ended, the link not too
/// old. A watch asks before each push, and now and then when there is none.
/// </summary>
public delegate ValueTask<bool> StillAllowed();

/// <summary>Decides, call by call, what a connection may watch. What may not be seen is said not to exist.</summary>
public sealed class HubAccess(Gate gate, TrackingLinks links, CatalogueIndex catalogue, TimeProvider time)
{
    /// <summary>What a call wants to watch and may, as far as can be said before the order is read.</summary>
    /// <param name="OrderId">The order.</param>
    /// <param name="Caller">Who is calling; null for the holder of the order's own link.</param>
    /// <param name="Still">
    /// Asks whether what it was allowed for still holds, and lets the order be seen as it is given: its units may have gone
    /// to a warehouse that the caller may not see.
    /// </param>
    public sealed record OrderAccess(string OrderId, ApiCaller? Caller, Func<OrderView, ValueTask<bool>> Still)
    {
        /// <summary>Whether this order may be seen.</summary>
        public bool MaySee(OrderView order) => Caller is null || HubAccess.MaySee(Caller, order);
    }

    /// <summary>A warehouse's work, for a caller who may see it.</summary>
    public sealed record WarehouseAccess(ApiCaller Caller, StillAllowed Still);

    /// <summary>Access to one order by its id or its link's token.</summary>
    /// <exception cref="HubException"><c>not_found</c>, <c>forbidden</c>.</exception>
    public async Task<OrderAccess> ToOrder(HttpContext http, string? idOrToken)
    {
        if (!Keys.IsId(Keys.Order, idOrToken))
            return links.TryRead(idOrToken, time.GetUtcNow(), out var linked)
                ? new OrderAccess(linked, null, _ => new(links.TryRead(idOrToken, time.GetUtcNow(), out var _)))
                : throw Refusal("not_found");
        // Strangers learn nothing of ids, not even that one is well formed.
        var (caller, proof) = await Find(http) ?? throw Refusal("not_found");
        return MaySeeOrders(caller)
            ? new OrderAccess(idOrToken!, caller, order => Still(proof, c => MaySeeOrders(c) && MaySee(c, order))())
            : throw Refusal("forbidden");
    }

    /// <summary>Access to a warehouse's work; who may also see its stock is told of that too.</summary>
    /// <exception cref="HubException"><c>not_found</c>, <c>forbidden</c>.</exception>
    public async Task<WarehouseAccess> ToWarehouse(HttpContext http, string? code)
    {
        if (await Find(http) is not var (caller, proof) || !caller.May(Scopes.ShipmentsRead)) throw Refusal("forbidden");
        return code is not null && caller.MaySee(code) && catalogue.TryGetWarehouse(code, out _)
            ? new WarehouseAccess(caller, Still(proof, c => c.May(Scopes.ShipmentsRead) && c.MaySee(code)))
            : throw Refusal("not_found");
    }

    /// <summary>Access to all orders: for operators that may see every warehouse.</summary>
    /// <exception cref="HubException"><c>forbidden</c>.</exception>
    public async Task<StillAllowed> ToOrders(HttpContext http) =>
        await Find(http) is var (caller, proof) && MaySeeAllOrders(caller)
            ? Still(proof, MaySeeAllOrders) : throw Refusal("forbidden");

    /// <summary>A refusal as the client sees it: its code and nothing else.</summary>
    public static HubException Refusal(string code) => new(code);

    static bool MaySeeOrders(ApiCaller caller) => caller.May(Scopes.OrdersRead);

    static bool MaySee(ApiCaller caller, OrderView order) => caller.MaySeeAny(
        order.Shipments.Select(s => s.Warehouse)
            .Concat(order.Lines.SelectMany(l => l.Allocations.Select(a => a.Warehouse))));

    static bool MaySeeAllOrders(ApiCaller caller) =>
        caller is { IsOperator: true, Warehouses: null } && MaySeeOrders(caller);

    StillAllowed Still(Proof proof, Func<ApiCaller, bool> may) =>
        async () => await gate.FindAgain(proof) is { } caller && may(caller);

    async ValueTask<(ApiCaller Caller, Proof Proof)?> Find(HttpContext http)
    {
        var request = http.Request;
        // Browsers cannot set headers on a WebSocket; the official client sends its key in the address there.
        var proof = request.Headers.Authorization.Count == 0 && request.Query["access_token"] is [{ Length: > 0 } key]
            ? new Proof(key, null) : await Gate.ProofOf(http);
        if (proof is null || proof.Cookie is not null && IsOtherSite(request)) return null;
        try { return await gate.Find(proof) is { } caller ? (caller, proof) : null; }
        catch (ProblemException e) { throw Refusal(e.Problem.Code); }
    }

    /// <summary>A page of another site could open a connection with the operator's cookie; it must not see anything.</summary>
    static bool IsOtherSite(HttpRequest request) =>
        request.Headers.Origin.ToString() is { Length: > 0 } origin
        && !origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
}
