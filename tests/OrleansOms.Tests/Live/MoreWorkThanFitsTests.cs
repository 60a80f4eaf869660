using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using OrleansOms.Host.Live;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Screens;

namespace OrleansOms.Tests.Live;

/// <summary>
/// A warehouse with more open shipments than a snapshot can hold: nobody may take what is not in it for done. One of them was
/// placed; the others are rows like it.
/// </summary>
public sealed class MoreWorkThanFitsTests(OmsApp app, Browser browser) : IClassFixture<OmsApp>, IClassFixture<Browser>
{
    const int Waiting = LiveFeed.MaxOpenShipments + 90, Begun = 10, Open = Waiting + Begun + 1;

    static int _made;

    /// <summary>The youngest are packed.</summary>
    const string Rows =
        """
        insert into oms.shipments
        select m.id, s.order_id, 'n' || m.n, s.warehouse, m.status, 1, m.at, null, m.at,
          (s.view::jsonb || jsonb_build_object('id', m.id, 'orderNumber', 'n' || m.n, 'status', m.status, 'createdAt', m.at))::json
        from oms.shipments s, lateral (
          select n, 'shp-' || lpad(({1} * 100000 + n)::text, 26, '0') || '-1' as id, timestamptz '2026-01-01' + n * interval '1 second' as at,
            case when n <= {2} then 'released' else 'packed' end as status
          from generate_series(1, {3}) n) m
        where s.id = '{0}'
        """;

    [Fact]
    public async Task A_snapshot_that_is_cut_says_so_before_it_comes_and_holds_what_is_begun_and_the_oldest()
    {
        var (code, _) = await Busy();
        var said = await Said(code);
        Assert.Equal("snapshotCut", said[0]["target"]?.GetValue<string>());
        HubTests.AssertSame(
            new JsonArray(new JsonObject
            {
                ["watch"] = "warehouse", ["of"] = code, ["shown"] = LiveFeed.MaxOpenShipments, ["total"] = Open,
            }),
            said[0]["arguments"]!);
        Assert.Equal(
            Enumerable.Range(1, LiveFeed.MaxOpenShipments - Begun).Concat(Enumerable.Range(Waiting + 1, Begun)).Select(n => $"n{n}"),
            said[1]["result"]!.AsArray().Select(s => s!["orderNumber"]!.GetValue<string>()));

        using var watch = await app.Services.GetRequiredService<LiveFeed>().WatchWarehouse(code);
        watch.Overflow();
        await foreach (var change in watch.Changes())
        {
            Assert.Equal((LiveFeed.MaxOpenShipments, Open), (change.Resync!.Shipments.Count, change.Resync.Total));
            Assert.NotNull(change.Resync.Counts);
            break;
        }

        // A snapshot that is whole says nothing.
        await app.Database.Execute($"delete from oms.shipments where warehouse = '{code}' and order_number like 'n%0'");
        Assert.Equal(Open - Open / 10, Assert.Single(await Said(code))["result"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_board_counts_all_work_however_much_it_is_and_says_how_much_of_it_is_there()
    {
        browser.SkipIfMissing();
        var (code, sku) = await Busy();
        await using var tab = await browser.Open(app, $"/warehouse/{code}");
        await tab.TakesScans();
        await tab.Says(".attention", $"Here are 5,000 of {Open:N0} open shipments");
        await tab.Says("#to-pick .count", $"{Waiting + 1:N0}");
        await tab.Says("#packed .count", $"{Begun}");
        await tab.Says("#to-pick", $"and {Waiting + 1 - 40:N0} more");

        // What comes and what goes is counted, known or not.
        var order = await app.Api.Place(Api.Order((sku, 1)));
        await tab.Says("#to-pick .count", $"{Waiting + 2:N0}");
        await app.Ship(order);
        await tab.Says("#to-pick .count", $"{Waiting + 1:N0}");
        await tab.Says("#packed .count", $"{Begun}");

        // When the rest fits, all of it is there.
        await app.CountEvents();
        await app.Database.Execute($"update oms.shipments set status = 'shipped' where warehouse = '{code}' and order_number like 'n%0'");
        await app.Api.Place(Api.Order((sku, 1)));
        await Assertions.Expect(tab.Page.Locator(".attention")).ToHaveCountAsync(0, new() { Timeout = 60_000 });
        await tab.Says("#to-pick .count", $"{Waiting + 2 - Waiting / 10:N0}");
        tab.AssertStayedOnItsHost();
    }

    /// <summary>What is said to a client that begins to watch, up to the answer.</summary>
    async Task<List<JsonNode>> Said(string code)
    {
        using var socket = await BrokenConnectionTests.Ask(app.Url, "WatchWarehouse", code);
        var (said, part, buffer) = (new List<JsonNode>(), new List<byte>(), new byte[1 << 16]);
        while (said.Count == 0 || said[^1]["type"]!.GetValue<int>() != 3)
        {
            var read = await socket.ReceiveAsync(buffer, CancellationToken.None);
            Assert.NotEqual(WebSocketMessageType.Close, read.MessageType);
            foreach (var b in buffer.AsSpan(0, read.Count))
            {
                if (b != 0x1e)
                {
                    part.Add(b);
                    continue;
                }
                // The answer to the handshake is empty, and a ping is nothing that is said.
                if (JsonNode.Parse(part.ToArray()) is { } one && one["type"]?.GetValue<int>() is { } type and not 6) said.Add(one);
                part.Clear();
            }
        }
        return said;
    }

    /// <summary>A warehouse of its own with a shipment that was placed, the youngest, and a product of which there is more.</summary>
    async Task<(string Code, string Sku)> Busy()
    {
        var (code, sku) = (await app.NewWarehouse(), await app.NewProduct());
        await app.Receive(code, sku, 100);
        var shipment = await app.ShipmentOf(await app.Api.Place(Api.Order((sku, 1))));
        await app.CountEvents();
        await app.Database.Execute(string.Format(
            System.Globalization.CultureInfo.InvariantCulture, Rows, shipment, Interlocked.Increment(ref _made), Waiting, Waiting + Begun));
        return (code, sku);
    }
}
