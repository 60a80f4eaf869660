using System.Text.Json.Nodes;
using Microsoft.Playwright;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Screens;

/// <summary>What is done with the list of orders itself: columns are chosen, orders selected and cancelled together.</summary>
[Collection(ScreensCollection.Name)]
public sealed class ListWorkTests(OmsApp app, Browser browser) : IClassFixture<Browser>
{
    [Theory]
    [InlineData(360), InlineData(1440)]
    public async Task Selected_orders_are_cancelled_and_each_one_answers_for_itself(int width)
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(4);
        var (gone, taken, waits) = (await Place(sku, 1), await Place(sku, 2), await Place(sku, 3));
        await app.Ship(gone);
        await app.Released(taken);
        await app.CountEvents();
        await using var tab = await browser.Open(app, $"/orders?sku={sku}", width);
        await tab.Alive();
        foreach (var order in new[] { gone, taken, waits }) await Pick(tab, order).ClickAsync();
        await tab.Says(".bulk-bar", "3 orders selected");
        await tab.Page.ClickAsync(".bulk-bar .danger");

        await tab.Says(".bulk h2", "Cancel 2 of 3 orders?");
        await tab.Says(Row(gone), "Not possible");
        await tab.Says(Row(taken), $"takes 2 units of {sku} out of the shipment in LON and releases them there");
        await tab.Says(Row(waits), $"2 units of {sku}");
        await Assertions.Expect(tab.Page.Locator("#bulk-reason")).ToBeFocusedAsync();
        await tab.Page.Keyboard.TypeAsync("supplier recall");
        await tab.Page.Keyboard.PressAsync("Enter");
        await tab.Says(".bulk [role=status]", "2 cancellations taken.");
        foreach (var order in new[] { taken, waits })
        {
            var stored = await OmsApp.Until(() => app.Read(order), o => o["status"]!.GetValue<string>() == "cancelled");
            Assert.Equal("cancelled", stored["status"]!.GetValue<string>());
        }
        Assert.Equal("shipped", (await app.Read(gone))["status"]!.GetValue<string>());

        await tab.Page.ClickAsync("text=Back to the list");
        await Assertions.Expect(tab.Page.Locator(".orders .state:has-text('Cancelled')")).ToHaveCountAsync(2, new() { Timeout = 60_000 });
        await Assertions.Expect(tab.Page.Locator(".bulk-bar")).ToHaveCountAsync(0);
        tab.AssertStayedOnItsHost();

        string Row(JsonNode order) => $".each li:has-text('{order["number"]}')";
    }

    [Fact]
    public async Task A_customers_name_is_read_whole_however_wide_the_window_is()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(1);
        var body = Api.Order((sku, 1));
        body["customer"]!["name"] = "Claire Martineau";
        await app.Api.Place(body);
        await app.CountEvents();
        await using var tab = await browser.Open(app, $"/orders?sku={sku}");
        await tab.Alive();
        foreach (var width in new[] { 1440, 1361, 1360, 1300, 1281, 1280, 1151, 1150, 1000, 961, 960 })
        {
            await tab.Page.SetViewportSizeAsync(width, 800);
            Assert.True(await tab.Page.EvaluateAsync<bool>(
                "(name => name.scrollWidth <= name.clientWidth)(document.querySelector('tbody td.c-customer .rz-cell-data'))"), $"{width} px");
            await tab.AssertFits(width);
        }
    }

    [Fact]
    public async Task Orders_are_selected_with_the_keyboard_and_in_rows_and_none_is_opened_by_it()
    {
        browser.SkipIfMissing();
        var sku = await app.NewProduct(9);
        var orders = new List<JsonNode>();
        for (var i = 0; i < 4; i++) orders.Add(await Place(sku, 1));
        await app.CountEvents();
        await using var tab = await browser.Open(app, $"/orders?sku={sku}");
        await tab.Alive();
        await Pick(tab, orders[0]).FocusAsync();
        await tab.Page.Keyboard.PressAsync("Space");
        await tab.Says(".bulk-bar", "1 order selected");
        await Pick(tab, orders[2]).ClickAsync(new() { Modifiers = [KeyboardModifier.Shift] });
        await tab.Says(".bulk-bar", "3 orders selected");
        await tab.Page.ClickAsync("text=Select all 4 on this page");
        await tab.Says(".bulk-bar", "4 orders selected");
        await Assertions.Expect(tab.Page.Locator("tbody .pick input:checked")).ToHaveCountAsync(4);
        // A row that changes while it is selected stays selected.
        await app.Ship(orders[0]);
        await tab.Says($".orders tbody tr:has-text('{orders[0]["number"]}')", "Shipped");
        await tab.Says(".bulk-bar", "4 orders selected");
        await tab.Page.ClickAsync("text=Select none");
        await Assertions.Expect(tab.Page.Locator(".bulk-bar")).ToHaveCountAsync(0);
        await Assertions.Expect(tab.Page.Locator("tbody .pick input:checked")).ToHaveCountAsync(0);
        Assert.EndsWith($"/orders?sku={sku}", tab.Page.Url);
    }

    [Fact]
    public async Task Hidden_columns_stay_hidden_in_this_browser()
    {
        browser.SkipIfMissing();
        await app.PlaceNew();
        await app.CountEvents();
        await using var tab = await browser.Open(app, "/orders");
        await tab.Alive();
        await Assertions.Expect(tab.Page.Locator("th.c-payment")).ToBeVisibleAsync();
        await tab.Page.ClickAsync("summary:has-text('Columns')");
        await tab.Page.GetByLabel("Payment").UncheckAsync();
        await Assertions.Expect(tab.Page.Locator("th.c-payment")).ToBeHiddenAsync();
        await Assertions.Expect(tab.Page.Locator("td.c-payment").First).ToBeHiddenAsync();
        await tab.Page.ReloadAsync();
        await Assertions.Expect(tab.Page.Locator("th.c-payment")).ToBeHiddenAsync();
        await tab.Alive();
        await tab.Page.ClickAsync(".orders tbody tr td.c-customer");
        await tab.Says(".identity h1", "Order");
        await tab.Page.GoBackAsync();
        await Assertions.Expect(tab.Page.Locator("td.c-total").First).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await Assertions.Expect(tab.Page.Locator("th.c-payment")).ToBeHiddenAsync();
        await tab.Page.ClickAsync("summary:has-text('Columns')");
        await tab.Page.GetByLabel("Payment").CheckAsync();
        await Assertions.Expect(tab.Page.Locator("th.c-payment")).ToBeVisibleAsync();
        tab.AssertStayedOnItsHost();
    }

    Task<JsonNode> Place(string sku, int units) => app.Api.Place(Api.Order((sku, units)));

    static ILocator Pick(Tab tab, JsonNode order) => tab.Page.GetByLabel($"Select order {order["number"]}");
}
