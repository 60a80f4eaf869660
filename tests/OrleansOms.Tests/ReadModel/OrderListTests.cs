using OrleansOms.Contracts;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;

namespace OrleansOms.Tests.ReadModel;

public sealed class OrderListTests : ReadModelTest
{
    static readonly string[] Skus = ["85123A", "85123B", "a1", "A1", "50%_OFF"];

    protected override Task Prepare() => Company.Open(Skus);

    [Theory]
    [InlineData(OrderSort.PlacedAtDescending), InlineData(OrderSort.PlacedAt)]
    [InlineData(OrderSort.TotalDescending), InlineData(OrderSort.Total)]
    public async Task Pages_are_the_whole_list_in_its_order(OrderSort sort)
    {
        await Company.Play(60, 11, Skus);
        Company.Now = Company.Monday; // ties: the last ten are placed at one moment, with one total
        for (var n = 61; n <= 70; n++)
            await Company.Place(Company.Request(n, lines: ("a1", 1)), Company.OrderId(n));
        await CatchUp();
        var all = Company.Orders.Values.Select(OrderSummary.Of).ToList();
        var expected = sort switch
        {
            OrderSort.PlacedAt => all.OrderBy(o => o.PlacedAt).ThenBy(o => o.Id, StringComparer.Ordinal),
            OrderSort.Total => all.OrderBy(o => o.Total).ThenBy(o => o.Id, StringComparer.Ordinal),
            OrderSort.TotalDescending =>
                all.OrderByDescending(o => o.Total).ThenByDescending(o => o.Id, StringComparer.Ordinal),
            _ => all.OrderByDescending(o => o.PlacedAt).ThenByDescending(o => o.Id, StringComparer.Ordinal),
        };
        foreach (var limit in new[] { 1, 7, 200 })
            AssertSame(expected, await All(new OrderFilter { Sort = sort, Limit = limit }));
        OrderStatus[] some = [OrderStatus.Shipped, OrderStatus.Cancelled, OrderStatus.AwaitingPayment];
        AssertSame(expected.Where(o => some.Contains(o.Status)),
            await All(new OrderFilter { Sort = sort, Limit = 3, Statuses = some }));
        AssertSame(expected.Where(o => some.Contains(o.Status) && o.Channel == "web"),
            await All(new OrderFilter { Sort = sort, Limit = 3, Statuses = [.. some, .. some], Channel = "web" }));
    }

    [Fact]
    public async Task A_later_page_is_the_same_while_new_orders_arrive()
    {
        for (var n = 1; n <= 10; n++)
        {
            Company.Now += TimeSpan.FromMinutes(1);
            await Company.Place(Company.Request(n), Company.OrderId(n));
        }
        await CatchUp();
        var first = await Orders.List(new OrderFilter { Limit = 4 });
        for (var n = 11; n <= 15; n++)
        {
            Company.Now += TimeSpan.FromMinutes(1);
            await Company.Place(Company.Request(n), Company.OrderId(n));
        }
        await CatchUp();
        Assert.Equal(new[] { 6, 5, 4, 3, 2, 1 }, await Numbers(new OrderFilter { Limit = 4, Cursor = first.NextCursor }));
    }

    [Fact]
    public async Task Each_filter_lets_through_what_it_says()
    {
        await Place(1, "web", "W-1", ("85123A", 1));
        await Place(2, "store", null, ("a1", 1), ("A1", 1));
        await Company.Place(Company.Request(3, "web", "W-3", lines: ("A1", 2)), Company.OrderId(3), warehouse: "MAN");
        Company.Now += TimeSpan.FromHours(1);
        await Place(4, "store", "S-4", ("a1", 5));
        await Company.Cancel(Company.OrderId(4));
        await CatchUp();

        await Finds([3, 2, 1], new() { Statuses = [OrderStatus.Allocated] });
        await Finds([4, 3, 2, 1], new() { Statuses = [OrderStatus.Allocated, OrderStatus.Cancelled] });
        await Finds([], new() { Statuses = [OrderStatus.Closed] });
        await Finds([3, 1], new() { Channel = "web" });
        await Finds([], new() { Channel = "WEB" });
        await Finds([4, 2], new() { Sku = "a1" });
        await Finds([3, 2], new() { Sku = "A1" });
        await Finds([], new() { Sku = "85123" });
        await Finds([3], new() { Warehouse = "MAN" });
        await Finds([2, 1], new() { Warehouse = "LON" }); // a cancelled order holds units nowhere
        await Finds([4], new() { From = Company.Now });
        await Finds([3, 2, 1], new() { To = Company.Now });
        await Finds([], new() { From = Company.Now, To = Company.Now });
        await Finds([4], new() { From = Company.Now.ToOffset(TimeSpan.FromHours(5)), To = Company.Now.AddTicks(10) });
        await Finds([2], new()
        {
            Channel = "store", Sku = "A1", Warehouse = "LON", Q = "jane", Statuses = [OrderStatus.Allocated],
        });
        await Finds([], new() { Channel = "store", Sku = "A1", Warehouse = "MAN" });
    }

    [Fact]
    public async Task A_text_finds_numbers_external_ids_skus_names_and_addresses()
    {
        await Company.Place(Company.Request(1, externalId: "Shop-77", name: "Zoë Ångström", email: "zoe@Example.org",
            lines: ("85123A", 1)), Company.OrderId(1));
        await Company.Place(Company.Request(2, externalId: "Shop-78", name: "Li Wei", email: null, lines: ("85123B", 1)),
            Company.OrderId(2));
        await Company.Place(Company.Request(3, name: "100% O'Neill_\\", email: "a_b@x.org", lines: ("50%_OFF", 1)),
            Company.OrderId(3));
        await CatchUp();

        await Finds([1], new() { Q = "100001" });
        await Finds([3, 2, 1], new() { Q = "1000" });
        await Finds([], new() { Q = "00001" });
        await Finds([], new() { Q = "10" }); // too short to be a beginning
        await Finds([2, 1], new() { Q = "SHOP-7" });
        await Finds([2], new() { Q = " shop-78 " });
        await Finds([2, 1], new() { Q = "85123" });
        await Finds([2], new() { Q = "85123b" });
        await Finds([1], new() { Q = "ngströ" });
        await Finds([1], new() { Q = "ÅNGSTRÖM" });
        await Finds([1], new() { Q = "XAMPLE.org" });
        await Finds([3], new() { Q = "o'neill_\\" });
        await Finds([3], new() { Q = "50%_o" });
        await Finds([3], new() { Q = "a_b@" });
        await Finds([3, 2, 1], new() { Q = "  " });
    }

    [Theory]
    [InlineData("%"), InlineData("_"), InlineData("%%%"), InlineData("___"), InlineData("\\"), InlineData("\\%")]
    [InlineData("'; drop table oms.orders; --"), InlineData("a\0b"), InlineData("\ud800"), InlineData("$1")]
    [InlineData("{"), InlineData("'")]
    [InlineData("s:a1"), InlineData("c:web"), InlineData("\n"), InlineData("jane doe\njane"), InlineData("\"")]
    public async Task Hostile_text_finds_nothing_and_breaks_nothing(string text)
    {
        await Place(1, "web", "W-1", ("a1", 1));
        await CatchUp();
        var isBlank = string.IsNullOrWhiteSpace(text);
        await Finds(isBlank ? [1] : [], new() { Q = text });
        await Finds([], new() { Sku = text });
        await Finds([], new() { Channel = text });
        await Finds([], new() { Warehouse = text });
        Assert.Null(await Orders.FindIdByNumber(text));
        Assert.Empty((await Stocks.List(new() { Warehouses = [text] }, 10, null)).Items);
        Assert.Equal(isBlank ? 5 : text is "%" or "_" ? 1 : 0, (await Stocks.List(new() { Q = text }, 10, null)).Items.Count);
        await Finds([1], new());
    }

    [Fact]
    public async Task Endless_text_finds_nothing()
    {
        await Place(1, "web", "W-1", ("a1", 1));
        await CatchUp();
        var words = string.Concat(Enumerable.Repeat("ab ", 5000));
        foreach (var text in new[] { new string('a', 10_000), new string('%', 10_000), words })
        {
            await Finds([], new() { Q = text });
            await Finds([], new() { Sku = text, Channel = text, Warehouse = text });
            Assert.Empty((await Stocks.List(new() { Q = text }, 10, null)).Items);
        }
    }

    [Fact]
    public async Task A_cursor_of_another_list_or_of_nobody_is_refused()
    {
        for (var n = 1; n <= 3; n++) await Place(n, "web", null, ("a1", 1));
        await CatchUp();
        var newest = (await Orders.List(new OrderFilter { Limit = 1 })).NextCursor!;
        var totals = (await Orders.List(new OrderFilter { Limit = 1, Sort = OrderSort.Total })).NextCursor!;
        var stock = (await Stocks.List(new(), 1, null)).NextCursor!;
        string[] bad =
        [
            "", " ", "x", "AAAA", newest + "A", newest[..^2], newest.ToUpperInvariant(), totals, stock, "%00", "../..",
            new('A', 4000), Made("orders/0\n"), Made("orders/0\nx\ny"), Made("orders/0\n-1\nord-1"),
            Made("orders/0\n99999999999999999999\nx"), Made("orders/0\n9223372036854775807\nx"),
            Made("orders/0\n1\na\0b"), Made("orders/0\n1\n2\n3"), "_-8", "gICA",
        ];
        foreach (var cursor in bad)
            await Assert.ThrowsAsync<BadCursorException>(() => Orders.List(new OrderFilter { Cursor = cursor }));
        await Assert.ThrowsAsync<BadCursorException>(() =>
            Orders.List(new OrderFilter { Sort = OrderSort.TotalDescending, Cursor = totals }));
        await Assert.ThrowsAsync<BadCursorException>(() =>
            Orders.List(new OrderFilter { Sort = OrderSort.Total, Cursor = Made("orders/3\n1e9\nx") }));
        await Assert.ThrowsAsync<BadCursorException>(() => Stocks.List(new(), 1, newest));
        await Assert.ThrowsAsync<BadCursorException>(() => Shipments.List(new() { Cursor = newest }));
        Assert.Equal(2, (await All(new OrderFilter { Cursor = newest })).Count);

        static string Made(string text) =>
            System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(text));
    }

    [Theory, InlineData(0), InlineData(-1), InlineData(201)]
    public async Task A_limit_is_1_to_200(int limit)
    {
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Orders.List(new OrderFilter { Limit = limit }));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Shipments.List(new() { Limit = limit }));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Stocks.List(new(), limit, null));
    }

    [Fact]
    public async Task Counts_name_every_status_and_ignore_the_filters_own()
    {
        await Company.Play(60, 12, Skus);
        await CatchUp();
        foreach (var filter in new OrderFilter[]
        {
            new(), new() { Channel = "store" }, new() { Sku = "a1" }, new() { Q = "EXT-1" }, new() { Warehouse = "LON" },
            new() { From = Company.Monday.AddHours(2) }, new() { Channel = "web", To = Company.Monday.AddHours(2) },
            new() { Channel = "none" }, new() { Q = "a\0b" }, new() { Channel = "store", Warehouse = "LON" },
            new() { Warehouse = "NONE" }, new() { Warehouse = "LON", Sku = "A1" },
        })
        {
            var listed = await All(filter with { Limit = 200 });
            var counts = await Orders.CountByStatus(
                filter with { Statuses = [OrderStatus.Closed], Limit = 1, Cursor = "x" });
            Assert.Equal(Enum.GetValues<OrderStatus>().Select(s => (s, listed.LongCount(o => o.Status == s))),
                counts.OrderBy(c => c.Key).Select(c => (c.Key, c.Value)));
        }
    }

    [Fact]
    public async Task A_number_leads_to_its_order()
    {
        await Place(1, "web", null, ("a1", 1));
        await CatchUp();
        Assert.Equal(Company.OrderId(1), await Orders.FindIdByNumber("100001"));
        Assert.Null(await Orders.FindIdByNumber("10000"));
        Assert.Null(await Orders.FindIdByNumber(""));
    }

    Task Place(int n, string channel, string? externalId, params (string, int)[] lines) =>
        Company.Place(Company.Request(n, channel, externalId, lines: lines), Company.OrderId(n));

    // The order of orders that were placed at one moment follows from their ids, so numbers are compared as a set.
    async Task Finds(int[] expected, OrderFilter filter)
    {
        Assert.Equal(expected.Order(), (await Numbers(filter)).Order());
        Assert.Equal(expected.Order(), (await Numbers(filter with { Sort = OrderSort.Total, Limit = 1 })).Order());
    }
}
