using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Host.Http;
using OrleansOms.Host.Live;
using OrleansOms.Host.Security;
using OrleansOms.Host.Ui.Stock;
using OrleansOms.Postgres.Orders;
using OrleansOms.Postgres.Security;
using OrleansOms.Postgres.Shipments;
using OrleansOms.Postgres.Stock;

namespace OrleansOms.Host.Ui;

/// <summary>
/// Opens one page of each kind after a start, as the first visitor would: what runs for the first time is compiled first,
/// and that takes longer than the page. Whoever asks is answered meanwhile; the process calls itself ready when it is done.
/// </summary>
public sealed partial class WarmUp(
    IServer server, IHostApplicationLifetime lifetime, Operators operators,
    IOptionsMonitor<CookieAuthenticationOptions> cookies, OrderQueries orders, ShipmentQueries shipments, StockQueries stocks,
    CatalogueIndex catalogue, TrackingLinks links, TimeProvider time, ILogger<WarmUp> logger) : BackgroundService
{
    static readonly TimeSpan LoginLasts = TimeSpan.FromMinutes(1), Patience = TimeSpan.FromSeconds(10);

    readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the pages were opened, or could not be.</summary>
    public Task Done => _done.Task;

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.Delay(Timeout.Infinite, lifetime.ApplicationStarted).WaitAsync(stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stoppingToken.ThrowIfCancellationRequested();
            await OpenPages(stoppingToken).WaitAsync(Patience, time, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested) { return; }
        // Whatever it is: a program must not stop because a page could not be opened ahead.
        catch (Exception e)
        {
            LogGivenUp(logger, e.Message);
        }
        finally { _done.TrySetResult(); }
    }

    async Task OpenPages(CancellationToken stop)
    {
        var address = server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false })
        {
            BaseAddress = new Uri(ListenAddress.Of(address)),
        };
        http.DefaultRequestHeaders.Add("Accept", "text/html");
        if (await operators.Find(FirstSecrets.AdminName) is { DisabledAt: null } admin)
            http.DefaultRequestHeaders.Add("Cookie", $"{OperatorLogin.Cookie}={Ticket(admin)}");
        foreach (var page in await Pages())
        {
            using var answer = await http.GetAsync(page, stop);
            await answer.Content.ReadAsByteArrayAsync(stop);
        }
    }

    async Task<List<string>> Pages()
    {
        List<string> pages = ["/orders", "/stock"];
        if ((await stocks.List(new StockFilter(), 1, null)).Items is [var stock]) pages.Add(StockPlace.Of(stock.Warehouse, stock.Sku));
        if ((await orders.List(new OrderFilter { Limit = 1 })).Items is [var order])
        {
            pages.Add($"/orders/{order.Id}");
            pages.Add($"/track/{links.TokenFor(order.Id, order.PlacedAt)}");
        }
        if (catalogue.Warehouses is [var warehouse, ..]) pages.Add($"/warehouse/{Uri.EscapeDataString(warehouse.Code)}");
        if ((await shipments.List(new ShipmentFilter { Statuses = OpenWork.Statuses, Limit = 1 })).Items is [var shipment])
            pages.Add($"/warehouse/{Uri.EscapeDataString(shipment.Warehouse)}/{shipment.Id}");
        return pages;
    }

    /// <summary>A login that never leaves this process: it is sent to its own address and ends by itself.</summary>
    string Ticket(Operator admin) => cookies.Get(OperatorLogin.Scheme).TicketDataFormat.Protect(new AuthenticationTicket(
        OperatorLogin.PrincipalOf(admin),
        new AuthenticationProperties { IssuedUtc = time.GetUtcNow(), ExpiresUtc = time.GetUtcNow() + LoginLasts },
        OperatorLogin.Scheme));

    [LoggerMessage(LogLevel.Information, "The pages were not opened ahead of their first visitors: {Reason}")]
    static partial void LogGivenUp(ILogger logger, string reason);
}
