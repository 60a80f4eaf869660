using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>The list of stock and a stock's page, in a real browser.</summary>
[Collection(ScreensCollection.Name)]
public sealed class StockScreenTests(OmsApp app, Browser browser) : IClassFixture<Browser>
{
    [Theory]
    [InlineData(360), InlineData(1440)]
    public async Task A_stock_in_the_list_changes_where_it_stands_and_none_is_a_view(int width)
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(10);
        await app.CountEvents();
        await using var tab = await browser.Open(app, $"/stock?q={sku}", width);
        await tab.Says("h1 .count", "1");
        await tab.Says(".stocks tbody tr", "Available");
        await tab.Alive();
        await app.Api.Place(Api.Order((sku, 10)));
        await tab.Says(".stocks tbody tr", "All promised");
        await app.CountEvents();
        await tab.Page.GotoAsync($"{app.Url}/stock?q={sku}&show=none");
        await tab.Says(".stocks tbody tr", "All promised");
        await tab.AssertFits(width);
        tab.AssertStayedOnItsHost();
    }

    [Fact]
    public async Task Why_so_many_are_on_hand_is_told_entry_by_entry_while_it_happens_and_as_it_was()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(50);
        var order = await app.Api.Place(Api.Order((sku, 4)));
        await app.CountEvents();
        await using var tab = await browser.Open(app, $"/stock/LON?sku={sku}");
        await tab.Says(".counts", "50");
        await tab.Says(".ledger tbody tr:nth-child(1)", $"Promised to order {(string)order["number"]!}");
        await tab.Says(".ledger tbody tr:nth-child(2)", "Received, test");
        await tab.Alive();
        await app.Api.Must(201, HttpMethod.Post, "/api/v1/stock/adjustments", JsonNode.Parse(
            $$"""{"warehouse":"LON","reason":"counted","lines":[{"sku":"{{sku}}","delta":-3}]}"""), Api.NewKey());
        await tab.Says(".ledger tbody tr:nth-child(1)", "Corrected: counted");
        await tab.Says(".counts dl", "47");

        // A day that has passed: nothing was there yet.
        await tab.Page.Locator("input[type=range]").FillAsync("3");
        await tab.Says(".counts .when", "As it was on");
        await tab.Says("main", "Nothing had happened to it by then.");
        await tab.Page.ClickAsync("text=Back to now");
        await tab.Says(".counts dl", "47");
        // The field for a moment: one that the slider has set is one that it takes.
        await tab.Page.Locator("input[type=range]").FillAsync("3");
        await tab.Says(".counts .when", "As it was on");
        await tab.Page.Locator("input[type=datetime-local]").FillAsync(DateTime.UtcNow.AddDays(1).ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture));
        await tab.Page.ClickAsync(".slide button");
        await tab.Says(".counts .when", "Now");
        await tab.Says(".counts dl", "47");
        await tab.Page.GotoAsync($"{app.Url}/stock/LON?sku={sku}&at=9999-12-31T23:59:59");
        await tab.Says(".counts .when", "Now");
        await tab.Page.ClickAsync($".ledger a[href='/orders/{order.Id()}']");
        await tab.Says("h1", $"Order {(string)order["number"]!}");
        tab.AssertStayedOnItsHost();
    }

    [Theory]
    [InlineData(360), InlineData(1440)]
    public async Task Units_are_found_to_be_something_else_and_what_that_does_is_said_before(int width)
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(10);
        await app.Api.Place(Api.Order((sku, 4)));
        await app.CountEvents();
        await using var tab = await browser.Open(app, $"/stock/LON?sku={sku}", width);
        await tab.Alive();
        await tab.Page.ClickAsync("text=Change condition");
        await tab.Says(".conditions .effect", $"1 unit of {sku} in LON becomes damaged. 5 units can be promised then.");
        await tab.Page.FillAsync(".conditions input[type=number]", "7");
        await tab.Says(".conditions .message.wrong", "10 on hand, 4 of them promised");
        await tab.Page.FillAsync(".conditions input[type=number]", "3");
        await tab.Page.FillAsync(".conditions input[maxlength]", "box was wet");
        await tab.Says(".conditions .effect", "3 units");
        await tab.AssertFits(width);
        await tab.Page.ClickAsync("text=Change the condition");
        await tab.Says(".conditions .message.done", "3 units are damaged now.");
        await tab.Says(".counts dl", "7");
        await tab.Says(".ledger tbody tr:nth-child(1)", "Was sellable, is damaged: box was wet");
        await app.CountEvents();
        await tab.Page.GotoAsync($"{app.Url}/stock?q={sku}&show=unsellable");
        await tab.Says(".stocks tbody tr", "3");
        await tab.AssertFits(width);
        tab.AssertStayedOnItsHost();
    }

    [Fact]
    public async Task What_has_left_names_its_order_and_leads_to_its_shipment()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(10);
        var order = await app.Api.Place(Api.Order((sku, 2)));
        var shipment = await app.Ship(order);
        await app.CountEvents();
        await using var tab = await browser.Open(app, $"/stock/LON?sku={sku}");
        // Written by the server it was whole before; drawn anew by the open page it was not.
        await tab.Alive();
        const string row = ".ledger tbody tr:nth-child(1)";
        await tab.Says(row, $"Left for order {(string)order["number"]!}, its shipment");
        await tab.Page.ClickAsync($"{row} a[href='/warehouse/LON/{shipment}']");
        await tab.Says("h1", (string)order["number"]!);
    }

    [Fact]
    public async Task Who_works_in_one_warehouse_sees_no_other_stock()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(1);
        await app.Receive("MAN", sku, 2);
        await app.CountEvents();
        await using var tab = await browser.Open($"{app.Url}/stock?q={sku}", 1440, cookie: await app.Cookie("MAN"));
        await tab.Says("h1 .count", "1");
        await tab.Says(".stocks tbody tr", "MAN");
        await tab.Page.GotoAsync($"{app.Url}/stock?q={sku}&warehouse=LON");
        await tab.Says("main", "No stock is like this");
        await tab.Page.GotoAsync($"{app.Url}/stock/LON?sku={sku}");
        await tab.Says("main", "There is no such stock");

        // Nor does the page of one lead to another's.
        await tab.Page.GotoAsync($"{app.Url}/stock/MAN?sku={sku}");
        await tab.Says(".counts dl", "2");
        await tab.Alive();
        await Lead($"/stock/LON?sku={sku}");
        await tab.Says("main", "There is no such stock");
        await Lead($"/stock/MAN?sku={sku}");
        await tab.Says(".counts dl", "2");
        var (here, there) = (await app.NewProduct(), await app.NewProduct(1));
        await app.Receive("MAN", here, 1);
        var mine = await app.ShipmentOf(await app.Api.Place(Api.Order((here, 1))));
        var others = await app.ShipmentOf(await app.Api.Place(Api.Order((there, 1))));
        await app.CountEvents();
        await tab.Page.GotoAsync($"{app.Url}/warehouse/MAN/{mine}");
        await tab.AtStation();
        await Lead($"/warehouse/LON/{others}");
        await tab.Says("main", "There is no such shipment here");

        // As a link within the page does it: the browser does not load anything anew.
        Task Lead(string to) => tab.Page.EvaluateAsync("to => Blazor.navigateTo(to)", to);
    }
}
