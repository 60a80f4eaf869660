using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Npgsql;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>
/// Every page has its empty state, its loading state and its error state: pictures of each, and that they end by
/// themselves.
/// </summary>
public sealed class PageStateTests(Browser browser, JavaScript js) : IClassFixture<Browser>, IClassFixture<JavaScript>
{
    [Fact]
    public async Task A_company_that_has_nothing_yet_is_told_what_will_be_here_and_how_to_begin()
    {
        browser.SkipIfMissing();
        await using var app = new OmsApp { IsEmpty = true };
        await app.InitializeAsync();
        await using var orders = await browser.Open(app, "/orders");
        await orders.Says("main .empty", "No orders yet");
        await orders.Alive();
        await orders.Pictures("orders-none", js);
        await using var warehouses = await browser.Open(app, "/warehouse");
        await warehouses.Says("main .empty", "No warehouse yet");
        await warehouses.Alive();
        await warehouses.Pictures("warehouses-none", js);

        var code = await app.NewWarehouse();
        await using var board = await browser.Open(app, $"/warehouse/{code}");
        await board.TakesScans();
        await board.Says("#to-pick", "Nothing to pick. New work appears here by itself.");
        await board.Pictures("board-none", js);
        await using var station = await browser.Open(app, $"/warehouse/{code}/shp-none-1");
        await station.Says("main .empty", "There is no such shipment here");
        await station.Alive();
        await station.Pictures("station-none", js);

        var sku = await app.NewProduct();
        await app.Receive(code, sku, 2);
        var order = await app.Api.Place(Api.Order((sku, 2)));
        await orders.Says(".orders tbody", (string)order["number"]!);
        foreach (var tab in new[] { orders, warehouses, board, station }) tab.AssertStayedOnItsHost();
        await board.Says("#to-pick .work", (string)order["number"]!);
        js.SkipIfMissing();
    }

    [Fact]
    public async Task A_page_that_is_still_read_is_a_skeleton_and_fills_itself()
    {
        browser.SkipIfMissing();
        await using var app = await OmsApp.Start();
        var (order, number, shipment) = await Released(app);
        await using var tab = await browser.Open(app, "/orders");
        await tab.Alive();
        await tab.Says(".orders tbody", number);

        await Waiting("order", $".orders a[href='/orders/{order.Id()}']", "h1", $"Order {number}");
        await Waiting("orders", ".trail a", ".orders tbody", number);
        await Waiting("stock", "nav a[href='/stock']", ".stocks tbody", Sku(order));
        await Waiting("stock-item", $".stocks a[href='/stock/LON?sku={Sku(order)}']", ".ledger tbody", "Received");
        await Waiting("board", "Warehouse", "#to-pick", number);
        await Waiting("station", $".work[href$='{shipment}']", ".picklist", "0 of 3");
        tab.AssertStayedOnItsHost();
        js.SkipIfMissing();

        // Goes to a page while nothing can be read, then lets it be read.
        async Task Waiting(string name, string link, string place, string text)
        {
            await using (await Locked(app))
            {
                if (link == "Warehouse")
                {
                    await tab.Page.ClickAsync("nav >> text=Warehouse");
                    await tab.Page.ClickAsync(".place[href='/warehouse/LON']");
                }
                else await tab.Page.ClickAsync(link);
                await Assertions.Expect(tab.Page.Locator("main .skeleton")).ToBeVisibleAsync();
                await tab.Pictures($"{name}-loading", js);
            }
            await tab.Page.SetViewportSizeAsync(1440, 800);
            await tab.Says(place, text);
            await Assertions.Expect(tab.Page.Locator("main .skeleton")).ToHaveCountAsync(0);
        }
    }

    [Fact]
    public async Task A_station_that_is_left_before_it_was_read_is_about_the_shipment_of_its_address()
    {
        browser.SkipIfMissing();
        await using var app = await OmsApp.Start();
        var (here, there) = (await app.PlaceNew(), await app.PlaceNew());
        var sku = (string)here["lines"]![0]!["sku"]!;
        var path = $"/warehouse/LON/{await app.ShipmentOf(here)}";
        var other = await app.ShipmentOf(there);
        await app.CountEvents();
        await using var tab = await browser.Open(app, path);
        await tab.TakesScans();
        // Once it knows an order by its number it has read the work of its warehouse: it need not read to find the other.
        var number = (string)here["number"]!;
        await OmsApp.Until(
            async () =>
            {
                await tab.Scan(number);
                return await tab.Page.InnerTextAsync(".said");
            },
            said => said.Contains($"Order {number}", StringComparison.Ordinal));
        await using (await Locked(app))
        {
            await tab.Scan(other);
            await Assertions.Expect(tab.Page.Locator("main .skeleton")).ToBeVisibleAsync();
            await tab.Page.EvaluateAsync("history.back()");
            await tab.IsAt(path);
        }
        await tab.Says("h1", $"Order {here["number"]}");
        await tab.TakesScans();
        await tab.Scan(sku);
        await tab.Says(".said", $"{sku}: 1 of 3");
        await tab.Says("h1", $"Order {here["number"]}");
        tab.AssertStayedOnItsHost();
    }

    [Fact]
    public async Task A_page_that_cannot_be_read_says_so_and_comes_back_by_itself()
    {
        browser.SkipIfMissing();
        await using var app = await OmsApp.Start();
        var (order, number, shipment) = await Released(app);
        var cookie = await app.Cookie();
        // Who is logged in is known from before; a stranger is shown what is shown for the tracking page.
        await using (await browser.Open(app.Url + "/orders", cookie: cookie)) { }

        await app.Database.TakeAway();
        (string Name, string Path, string Says, string Then, string Text)[] pages =
        [
            ("orders-away", "/orders", "The orders could not be read", ".orders tbody", number),
            ("order-away", $"/orders/{order.Id()}", "The order could not be read", "h1", $"Order {number}"),
            ("stock-away", "/stock", "The stock could not be read", ".stocks tbody", Sku(order)),
            ("stock-item-away", $"/stock/LON?sku={Sku(order)}", "The stock could not be read", ".ledger tbody", "Received"),
            ("board-away", "/warehouse/LON", "The work could not be read", "#to-pick", number),
            ("station-away", $"/warehouse/LON/{shipment}", "The shipment could not be read", ".picklist", "0 of 3"),
            ("track-away", $"/track/{order.Token()}#now", "We cannot show this right now", "h1", "Being packed"),
        ];
        var tabs = new List<Tab>();
        try
        {
            foreach (var page in pages)
            {
                var tab = await browser.Open(app.Url + page.Path, 1440, cookie: cookie, mayFail: true);
                tabs.Add(tab);
                await tab.Says("main", page.Says);
                await tab.Says("main", "Nothing is lost");
                await tab.Pictures(page.Name, js);
            }
            await app.Database.GiveBack();
            foreach (var (tab, page) in tabs.Zip(pages))
            {
                await tab.Says(page.Then, page.Text);
                tab.AssertStayedOnItsHost();
            }
        }
        finally
        {
            foreach (var tab in tabs) await tab.DisposeAsync();
        }
        js.SkipIfMissing();
    }

    static string Sku(JsonNode order) => (string)order["lines"]![0]!["sku"]!;

    /// <summary>An order whose shipment waits to be picked, known to every list.</summary>
    static async Task<(JsonNode Order, string Number, string Shipment)> Released(OmsApp app)
    {
        var order = await app.PlaceNew();
        var shipment = await app.ShipmentOf(order);
        await app.CountEvents();
        return (order, (string)order["number"]!, shipment);
    }

    /// <summary>Nothing that pages show can be read until it is disposed: whoever asks waits.</summary>
    static async Task<NpgsqlConnection> Locked(OmsApp app)
    {
        var connection = await app.Database.Source.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(
            "begin; lock table oms.event, oms.orders, oms.shipments, oms.stock, oms.stock_days in access exclusive mode", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }
}
