using Microsoft.AspNetCore.SignalR;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Orders;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Shipments;

namespace OrleansOms.Host.Live;

/// <summary>
/// <c>/hubs/live</c>. Each watch answers with what is stored now and is followed by pushes: <c>orderChanged</c>,
/// <c>shipmentChanged</c>, <c>stockChanged</c>, <c>countsChanged</c>, <c>resync</c> for a client that is too slow for its
/// watch, <c>snapshotCut</c> before a snapshot that is not whole, and <c>watchEnded</c> when what the watch was allowed for
/// holds no longer. A client that has lost its connection
/// watches again and has missed nothing. Refusals are hub errors whose message is a code: <c>not_found</c>,
/// <c>forbidden</c>, <c>too_many_watches</c>, <c>too_many_requests</c>, <c>unavailable</c>.
/// </summary>
public sealed class OmsHub(
    LiveFeed feed, HubAccess access, CustomerView customers, TrackingLinks links, Gate gate,
    IHubContext<OmsHub> hub, TimeProvider time, ILogger<OmsHub> logger) : Hub
{
    /// <summary>Calls that a connection can make each second, and at once.</summary>
    public const int CallsPerSecond = 20, CallsAtOnce = 200;

    HubWatches Watches => (HubWatches)Context.Items[typeof(HubWatches)]!;
    HttpContext Http => Context.GetHttpContext() ?? throw new InvalidOperationException("The hub is reached over HTTP.");

    /// <inheritdoc />
    public override Task OnConnectedAsync()
    {
        Context.Items[typeof(HubWatches)] = new HubWatches(
            hub.Clients.Client(Context.ConnectionId), Context.Abort, time, logger);
        Context.Items[typeof(TokenBucket)] = new TokenBucket(time, CallsPerSecond, CallsAtOnce);
        return base.OnConnectedAsync();
    }

    /// <inheritdoc />
    public override async Task OnDisconnectedAsync(Exception? exception)
    {
        await Watches.Close();
        await base.OnDisconnectedAsync(exception);
    }

    /// <summary>An order by its id or by its link's token: its view, then <c>orderChanged(view)</c>.</summary>
    public Task<OrderView> WatchOrder(string idOrTrackingToken) => Answer(async () =>
    {
        var to = await access.ToOrder(Http, idOrTrackingToken);
        var name = new WatchName("order", idOrTrackingToken);
        RequireRoom(name);
        var watch = await feed.WatchOrder(to.OrderId, Context.ConnectionAborted)
            ?? throw HubAccess.Refusal("not_found");
        if (!to.MaySee(watch.Snapshot))
        {
            watch.Dispose();
            throw HubAccess.Refusal("not_found");
        }
        var url = links.UrlFor(watch.Snapshot);
        // The newest state, told or about to be: with the first one that may not be seen the watch ends.
        var newest = watch.Snapshot;
        await Watches.Add(name, watch, () => to.Still(newest), async (client, stop) =>
        {
            await foreach (var order in watch.Changes(stop))
            {
                newest = order;
                await client.SendAsync("orderChanged", Shown(order), stop);
            }
        });
        return Shown(watch.Snapshot);

        OrderView Shown(OrderView order) => (to.Caller is null ? customers.Of(order) : order) with { TrackingUrl = url };
    });

    /// <summary>
    /// A warehouse: its shipments that are to be picked, packed or shipped, oldest first; then
    /// <c>shipmentChanged(view)</c> and, for who may see stock, <c>stockChanged(view)</c>. Where there are too many for an
    /// answer, <c>snapshotCut</c> is said before it.
    /// </summary>
    public Task<IReadOnlyList<ShipmentView>> WatchWarehouse(string code) => Answer(async () =>
    {
        var (caller, still) = await access.ToWarehouse(Http, code);
        var name = new WatchName("warehouse", code);
        RequireRoom(name);
        var watch = await feed.WatchWarehouse(code, Context.ConnectionAborted);
        var (snapshot, seesStock) = (watch.Open, caller.May(Scopes.StockRead));
        await Watches.Add(name, watch, still, async (client, stop) =>
        {
            await foreach (var change in watch.Changes(stop))
            {
                if (change.Resync is { } open)
                {
                    await SayIfCut(client, code, open, stop);
                    await client.SendAsync("resync", new WarehouseResync("warehouse", code, open.Shipments), stop);
                }
                await client.SendEach("shipmentChanged", change.Shipments, stop);
                if (seesStock) await client.SendEach("stockChanged", change.Stocks, stop);
            }
        });
        await SayIfCut(Clients.Caller, code, snapshot, Context.ConnectionAborted);
        return snapshot.Shipments;
    });

    /// <summary>All orders: counts by status, then <c>orderChanged(summary)</c> and <c>countsChanged(counts)</c>.</summary>
    public Task<IReadOnlyDictionary<OrderStatus, long>> WatchOrders() => Answer(async () =>
    {
        var still = await access.ToOrders(Http);
        var name = new WatchName("orders", null);
        RequireRoom(name);
        var watch = await feed.WatchOrders(Context.ConnectionAborted);
        var counts = watch.Counts;
        await Watches.Add(name, watch, still, async (client, stop) =>
        {
            await foreach (var change in watch.Changes(stop))
            {
                if (change.IsResync) await client.SendAsync("resync", new OrdersResync("orders", watch.Counts), stop);
                await client.SendEach("orderChanged", change.Orders, stop);
                if (change.Counts is { } now) await client.SendAsync("countsChanged", now, stop);
            }
        });
        return counts;
    });

    /// <summary>Ends a watch; its argument is the one that began it.</summary>
    public Task UnwatchOrder(string idOrTrackingToken) => End(new WatchName("order", idOrTrackingToken));

    /// <summary>Ends a watch.</summary>
    public Task UnwatchWarehouse(string code) => End(new WatchName("warehouse", code));

    /// <summary>Ends a watch.</summary>
    public Task UnwatchOrders() => End(new WatchName("orders", null));

    /// <summary>
    /// A hub lives for one call and is disposed after its answer was sent: the moment from which pushes may follow.
    /// </summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing && Context.Items.TryGetValue(typeof(HubWatches), out var watches))
            ((HubWatches)watches!).StartWaiting();
        base.Dispose(disposing);
    }

    // Before the snapshot: whoever takes what is not in it for done must know first.
    static Task SayIfCut(IClientProxy client, string code, OpenWork open, CancellationToken stop) => open.Counts is null
        ? Task.CompletedTask
        : client.SendAsync("snapshotCut", new SnapshotCut("warehouse", code, open.Shipments.Count, open.Total), stop);

    void RequireRoom(WatchName name)
    {
        if (!Watches.HasRoomFor(name)) throw HubAccess.Refusal("too_many_watches");
    }

    void RequireToken()
    {
        if (!((TokenBucket)Context.Items[typeof(TokenBucket)]!).TryTake(out _))
            throw HubAccess.Refusal("too_many_requests");
    }

    Task End(WatchName name)
    {
        RequireToken();
        return Watches.Remove(name);
    }

    async Task<T> Answer<T>(Func<Task<T>> call)
    {
        RequireToken();
        try
        {
            return await call();
        }
        catch (HubException)
        {
            // Whoever guesses is slowed down by address, over all connections.
            if (gate.TakeAsStranger(Http) is not null) Context.Abort();
            throw;
        }
        catch (OperationCanceledException) when (Context.ConnectionAborted.IsCancellationRequested) { throw; }
        catch (Exception e)
        {
            var problem = ProblemMiddleware.Of(e);
            if (problem.Code == "internal_error") HubLog.CallFailed(logger, e);
            throw HubAccess.Refusal(problem.Code);
        }
    }
}
