using System.Text.Json.Nodes;
using Microsoft.Playwright;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>The list of orders and an order's page, in a real browser.</summary>
[Collection(ScreensCollection.Name)]
public sealed class OrderScreenTests(OmsApp app, Browser browser) : IClassFixture<Browser>
{
    [Theory]
    [InlineData(360), InlineData(768), InlineData(1440)]
    public async Task A_new_order_is_announced_and_a_changed_one_changes_where_it_stands(int width)
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(10);
        var first = await app.Api.Place(Api.Order((sku, 1)));
        await app.Released(first);
        await app.CountEvents();
        await using var tab = await browser.Open(app, $"/orders?sku={sku}", width);
        await tab.Says("h1 .count", "1");
        await tab.Says(".orders tbody tr", "In fulfilment");
        await tab.Alive();
        var top = await Top();

        await app.Ship(first);
        await tab.Says(".orders tbody tr", "Shipped");
        var second = await app.Api.Place(Api.Order((sku, 2)));
        await tab.Says(".news", "1 new");
        await tab.Says("h1 .count", "2");
        Assert.Equal(1, await tab.Page.Locator(".orders tbody tr").CountAsync());
        Assert.Equal(top, await Top()); // nothing moves under the hand
        await tab.Page.ClickAsync(".news button");
        await tab.Says(".orders tbody tr", second["number"]!.GetValue<string>());
        Assert.Equal(2, await tab.Page.Locator(".orders tbody tr").CountAsync());
        tab.AssertStayedOnItsHost();

        async Task<float> Top() => (await tab.Page.Locator(".orders tbody tr").First.BoundingBoxAsync())!.Y;
    }

    [Fact]
    public async Task Search_tabs_and_filters_are_in_the_address_and_the_back_button_works()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(5);
        var order = await app.Api.Place(Api.Order((sku, 1)));
        var other = await app.Api.Place(Api.Order((sku, 1)));
        await app.CountEvents();
        await using var tab = await browser.Open(app, "/orders");
        await tab.Alive();
        await tab.Page.Keyboard.PressAsync("/");
        await Assertions.Expect(tab.Page.Locator("#q")).ToBeFocusedAsync(new() { Timeout = 60_000 });
        await Search(tab, order["number"]!.GetValue<string>());
        await tab.Says("h1 .count", "1");
        await tab.Says(".chips .sentence", "that match");
        await tab.Page.ClickAsync("text=Cancelled");
        await tab.Says("h2", "No order is like this");
        await tab.Page.GoBackAsync();
        await tab.Says(".orders tbody tr", order["number"]!.GetValue<string>());
        await tab.Page.ClickAsync(".chip");
        await Assertions.Expect(tab.Page).ToHaveURLAsync($"{app.Url}/orders");
        await Assertions.Expect(tab.Page.Locator($".orders tbody tr:has-text('{other["number"]}')")).ToBeVisibleAsync();
        await tab.Page.ClickAsync("th:has-text('Total')");
        await tab.IsAt("/orders?sort=total");
        tab.AssertStayedOnItsHost();
    }

    /// <summary>Types and confirms, once.</summary>
    static async Task Search(Tab tab, string text)
    {
        await tab.Page.Keyboard.TypeAsync(text);
        await tab.Page.Keyboard.PressAsync("Enter");
        await tab.IsAt("q=");
    }

    [Fact]
    public async Task What_is_typed_before_the_page_answers_is_not_lost()
    {
        browser.SkipIfMissing();
        var order = await app.PlaceNew();
        var number = order["number"]!.GetValue<string>();
        await app.CountEvents();
        var answers = new TaskCompletionSource();
        await using var tab = await browser.Open(app, "/login");
        await tab.Page.RouteAsync("**/_blazor/negotiate*", async route =>
        {
            await answers.Task;
            await route.ContinueAsync();
        });
        await tab.Page.GotoAsync($"{app.Url}/orders?sort=total");
        await tab.Page.ClickAsync("#q");
        await tab.Page.Keyboard.TypeAsync(number);
        answers.SetResult();
        await tab.Alive();
        await Assertions.Expect(tab.Page.Locator("#q")).ToHaveValueAsync(number);
        await Assertions.Expect(tab.Page.Locator("#q")).ToBeFocusedAsync();
        await tab.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(tab.Page).ToHaveURLAsync($"{app.Url}/orders?sort=total&q={number}", new() { Timeout = 60_000 });
        await tab.Says("h1 .count", "1");
    }

    [Fact]
    public async Task A_search_is_answered_even_before_the_page_is_alive()
    {
        browser.SkipIfMissing();
        var order = await app.PlaceNew();
        var number = order["number"]!.GetValue<string>();
        await app.CountEvents();
        await using var tab = await browser.Open(app, "/login");
        await tab.Page.RouteAsync("**/_blazor/negotiate*", route => route.AbortAsync());
        await tab.Page.GotoAsync($"{app.Url}/orders?status=allocated,inFulfilment,backordered");
        await tab.Page.ClickAsync("#q");
        await tab.Page.Keyboard.TypeAsync(number);
        await tab.Page.Keyboard.PressAsync("Enter");
        await tab.IsAt($"q={number}");
        Assert.Contains("status=", tab.Page.Url);
        await tab.Says(".orders tbody tr", number);
        Assert.Equal(1, await tab.Page.Locator(".orders tbody tr").CountAsync());
    }

    [Fact]
    public async Task Pages_go_forward_and_back()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(100);
        for (var i = 0; i < 51; i++) await app.Api.Place(Api.Order((sku, 1)));
        await app.CountEvents();
        await using var tab = await browser.Open(app, $"/orders?sku={sku}");
        await tab.Alive();
        await tab.Says(".pager", "50 orders of 51");
        await tab.Page.ClickAsync(".pager >> text=Next");
        await tab.Says(".pager", "1 order of 51");
        await tab.Page.ClickAsync(".pager >> text=First page");
        await tab.Says(".pager", "50 orders of 51");
    }

    [Fact]
    public async Task A_cancellation_says_what_it_will_do_before_it_is_done_and_what_is_not_allowed_says_why()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(4);
        var order = await app.Api.Place(Api.Order((sku, 6)));
        await app.Released(order);
        await using var tab = await browser.Open(app, $"/orders/{order.Id()}");
        await tab.Alive();
        Assert.Equal(0, await tab.Page.Locator("button[data-action=Close]").CountAsync());
        await tab.Page.ClickAsync("text=Why can't I");
        await tab.Says(".reasons", "Close?");
        await tab.Says(".reasons", "The order is in fulfilment.");
        await tab.Page.Keyboard.PressAsync("Escape");

        await tab.Page.ClickAsync("button[data-action=Cancel]");
        await tab.Says(".panel .effect", $"stops waiting for 2 units of {sku}");
        await tab.Says(".panel .effect", $"takes 4 units of {sku} out of the shipment in LON and releases them there");
        await tab.Page.ClickAsync("text=some units");
        await tab.Page.FillAsync(".panel .units input", "7");
        await tab.Says(".panel [role=alert]", "Line 1 has 6 units that can be cancelled");
        await tab.Page.FillAsync(".panel .units input", "2");
        await tab.Says(".panel .effect", "4 units of the order stay");
        await tab.Page.GetByLabel("Reason").FillAsync("customer asked");
        await tab.Page.ClickAsync(".panel button[type=submit]");
        await tab.Says(".timeline", "Cancelled 2");
        await tab.Says(".lines td[data-name=Cancelled]", "2");
        Assert.Equal(2, (await app.Read(order))["lines"]![0]!["cancelled"]!.GetValue<int>());
        tab.AssertStayedOnItsHost();
    }

    [Fact]
    public async Task An_order_that_leaves_the_warehouses_of_who_looks_at_it_leaves_the_page()
    {
        browser.SkipIfMissing();
        var (near, far) = (await app.NewProduct(1), await app.NewProduct());
        await app.Receive("MAN", far, 1);
        var unpaid = Api.Order((near, 1), (far, 1));
        unpaid["payment"] = new JsonObject { ["method"] = "prepaid", ["status"] = "pending" };
        var order = await app.Api.Place(unpaid);
        await using var tab = await browser.Open($"{app.Url}/orders/{order.Id()}", 1440, cookie: await app.Cookie("LON"));
        await tab.Alive();
        await tab.Says("h1", $"Order {order["number"]}");
        await app.CancelOne(order);
        await tab.Says("h1", "There is no such order");
        tab.AssertStayedOnItsHost();
    }

    [Fact]
    public async Task An_unpaid_order_is_paid_held_and_set_free_by_hand()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(4);
        var unpaid = Api.Order((sku, 2));
        unpaid["payment"] = new JsonObject { ["method"] = "prepaid", ["status"] = "pending" };
        var order = await app.Api.Place(unpaid);
        await using var tab = await browser.Open(app, $"/orders/{order.Id()}");
        await tab.Alive();
        await tab.Says(".next .sentence", "Waits for 10.07 GBP");

        await tab.Page.ClickAsync("button[data-action=PutOnHold]");
        await tab.Page.GetByLabel("Name").FillAsync("address check");
        await tab.Page.GetByLabel("Reason").FillAsync("street is missing");
        await tab.Page.ClickAsync(".panel button[type=submit]");
        await tab.Says(".identity", "On hold");
        await tab.Page.ClickAsync("button[data-action=RecordPayment]");
        await tab.Page.GetByLabel("Amount").FillAsync("1000");
        await tab.Page.GetByLabel("reference").FillAsync("pi_77");
        await tab.Page.ClickAsync(".panel button[type=submit]");
        await tab.Says(".panel [role=alert]", "Only 10.07 GBP is due");
        await tab.Page.GetByLabel("Amount").FillAsync("10.07");
        await tab.Page.ClickAsync(".panel button[type=submit]");
        await tab.Says(".identity", "Paid");
        await tab.Page.ClickAsync("button[data-action=LiftHold]");
        await tab.Page.ClickAsync(".panel button[type=submit]");
        await tab.Says(".identity", "In fulfilment");
        await tab.Says(".timeline", "ann");
        tab.AssertStayedOnItsHost();
    }
}
