using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Domain.Laws;
using OrleansOms.Host.Live;
using OrleansOms.Host.Security;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Live;

/// <summary>The hub as clients see it.</summary>
[Collection(LiveCollection.Name)]
public sealed class HubTests(OmsApp app)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_watched_order_is_followed_from_its_snapshot_to_its_last_version(bool isPacked)
    {
        var order = await app.PlaceNew();
        await using var client = await LiveClient.Connect(app.Url, OmsApp.BootstrapKey, isPacked);
        var snapshot = await client.Call("WatchOrder", order.Id());
        Assert.True(snapshot.Version() >= order.Version());

        var shipment = await app.Ship(order);
        await app.Track(shipment, "delivered", "Left at the door", "Worthing");
        await LiveApp.Until(() => client.Heard.Any(h => h.Value["status"]!.GetValue<string>() == "delivered"));

        var stored = await app.Read(order);
        await LiveApp.Until(() => client.Versions().LastOrDefault() == stored.Version());
        AssertRising([snapshot.Version(), .. client.Versions()]);
        AssertSame(stored, client.Heard.Last().Value);
    }

    [Fact]
    public async Task Both_protocols_say_the_same_as_the_api()
    {
        var order = await app.PlaceNew();
        await app.Ship(order);
        var stored = await OmsApp.Until(
            () => app.Read(order), o => o["status"]!.GetValue<string>() == "shipped");
        await using var json = await LiveClient.Connect(app.Url, OmsApp.BootstrapKey);
        await using var packed = await LiveClient.Connect(app.Url, OmsApp.BootstrapKey, isPacked: true);
        AssertSame(stored, await json.Call("WatchOrder", order.Id()));
        AssertSame(stored, await packed.Call("WatchOrder", order.Id()));
        AssertSame(await json.Call("WatchWarehouse", "LON"), await packed.Call("WatchWarehouse", "LON"));
    }

    [Fact]
    public async Task A_warehouse_shows_its_open_work_and_then_what_changes()
    {
        var reader = await NewKey([Scopes.ShipmentsRead, Scopes.StockRead], ["LON"]);
        await using var client = await LiveClient.Connect(app.Url, reader);
        var before = await client.Call("WatchWarehouse", "LON");
        var order = await app.PlaceNew();
        await app.Released(order);
        var shipment = await app.Ship(order);
        await LiveApp.Until(() => client.Heard.Any(h =>
            h.What == "shipmentChanged" && h.Value.Id() == shipment && h.Value["status"]!.GetValue<string>() == "shipped"));
        var sku = order["lines"]![0]!["sku"]!.GetValue<string>();
        await LiveApp.Until(() => client.Heard.Any(h =>
            h.What == "stockChanged" && h.Value["sku"]!.GetValue<string>() == sku && h.Value["onHand"]!.GetValue<int>() == 0));
        Assert.DoesNotContain(before.AsArray(), s => s!.Id() == shipment);
        AssertRising([.. client.Heard.Where(h => h.Value["id"]?.GetValue<string>() == shipment).Select(h => h.Value.Version())]);

        var waiting = await app.PlaceNew();
        var id = (await app.Released(waiting))["shipments"]![0]!.Id();
        Assert.Contains((await client.Call("WatchWarehouse", "LON")).AsArray(), s => s!.Id() == id);
    }

    [Fact]
    public async Task An_operator_sees_every_order_change_and_counts_that_end_equal_to_the_lists()
    {
        await using var client = await LiveClient.Connect(app.Url, cookie: await app.Cookie());
        await client.Call("WatchOrders");
        var order = await app.PlaceNew();
        await app.Ship(order);
        await LiveApp.Until(() => client.Heard.Any(h =>
            h.What == "orderChanged" && h.Value.Id() == order.Id() && h.Value["status"]!.GetValue<string>() == "shipped"));
        await app.CountEvents();
        await using var other = await LiveClient.Connect(app.Url, cookie: await app.Cookie());
        var counts = await other.Call("WatchOrders");
        await LiveApp.Until(() => JsonNode.DeepEquals(
            counts, client.Heard.LastOrDefault(h => h.What == "countsChanged").Value));
    }

    [Fact]
    public async Task A_link_shows_its_order_without_what_is_internal()
    {
        var order = await app.PlaceNew();
        await app.Released(order);
        await using var client = await LiveClient.Connect(app.Url);
        var view = await client.Call("WatchOrder", order.Token());
        Assert.Equal(order.Id(), view.Id());
        Assert.Equal("Jane Doe", view["customer"]!["name"]!.GetValue<string>());
        var text = view.ToJsonString();
        Assert.DoesNotContain("jane@example.com", text);
        Assert.DoesNotContain("High Street", text);
        Assert.Empty(view["lines"]![0]!["allocations"]!.AsArray());
        Assert.Empty(view["holds"]!.AsArray());

        await app.CancelOne(order);
        await LiveApp.Until(() => client.Heard.Any(h =>
            h.Value["lines"]![0]!["cancelled"]!.GetValue<int>() == 1));
        Assert.DoesNotContain(client.Heard, h => h.Value.ToJsonString().Contains("jane@example.com"));
    }

    [Fact]
    public async Task Links_that_are_forged_expired_or_broken_open_nothing()
    {
        var order = await app.PlaceNew();
        var token = order.Token();
        var links = app.Services.GetRequiredService<TrackingLinks>();
        var expired = links.TokenFor(order.Id(), DateTimeOffset.UtcNow.AddYears(-20));
        var forged = token[..10] + (token[10] == 'A' ? 'B' : 'A') + token[11..];
        await using var client = await LiveClient.Connect(app.Url);
        foreach (var bad in new[] { forged, expired, token[..^1], "", "x", order.Id(), $"{token}A" })
            Assert.Equal("not_found", await client.Refused("WatchOrder", bad));
        Assert.Equal("not_found", await client.Refused("WatchOrder", [null]));
        Assert.Equal("forbidden", await client.Refused("WatchOrders"));
        Assert.Equal("forbidden", await client.Refused("WatchWarehouse", "LON"));
        // A link opens its own order and no other one, whatever else is sent along.
        var other = await app.PlaceNew();
        await client.Call("WatchOrder", token);
        Assert.Equal("not_found", await client.Refused("WatchOrder", other.Id()));
        await app.CancelOne(other);
        await app.CancelOne(order);
        await LiveApp.Until(() => !client.Heard.IsEmpty);
        Assert.All(client.Heard, h => Assert.Equal(order.Id(), h.Value.Id()));
    }

    [Fact]
    public async Task Keys_see_what_their_scopes_and_warehouses_allow()
    {
        var order = await app.PlaceNew();
        await app.Released(order);
        await using var scopeless = await LiveClient.Connect(app.Url, await NewKey([Scopes.StockRead]));
        Assert.Equal("forbidden", await scopeless.Refused("WatchOrder", order.Id()));
        Assert.Equal("forbidden", await scopeless.Refused("WatchWarehouse", "LON"));

        var own = await app.NewWarehouse();
        await using var elsewhere = await LiveClient.Connect(
            app.Url, await NewKey([Scopes.OrdersRead, Scopes.ShipmentsRead], [own]));
        Assert.Equal("not_found", await elsewhere.Refused("WatchOrder", order.Id()));
        Assert.Equal("not_found", await elsewhere.Refused("WatchWarehouse", "LON"));
        Assert.Equal("not_found", await elsewhere.Refused("WatchWarehouse", "NOWHERE"));
        Assert.Equal("not_found", await elsewhere.Refused("WatchOrder", "ord-00000000000000000000000000"));
        Assert.Empty((await elsewhere.Call("WatchWarehouse", own)).AsArray());
        Assert.Equal("forbidden", await elsewhere.Refused("WatchOrders"));

        var sku = await app.NewProduct();
        await app.Receive(own, sku, 1);
        var here = await app.Released(await app.Api.Place(Api.Order((sku, 1))));
        Assert.Equal(here.Id(), (await elsewhere.Call("WatchOrder", here.Id())).Id());
        await app.CountEvents();
        Assert.Equal(
            [here["shipments"]![0]!.Id()],
            (await elsewhere.Call("WatchWarehouse", own)).AsArray().Select(shipment => shipment!.Id()));

        await using var unknown = await LiveClient.Connect(app.Url, "oms_this_key_was_never_made");
        Assert.Equal("not_found", await unknown.Refused("WatchOrder", order.Id()));
    }

    [Fact]
    public async Task Operators_of_one_warehouse_and_pages_of_other_sites_are_refused()
    {
        await using var some = await LiveClient.Connect(app.Url, cookie: await app.Cookie("LON"));
        Assert.Equal("forbidden", await some.Refused("WatchOrders"));
        Assert.Equal("not_found", await some.Refused("WatchWarehouse", "MAN"));
        Assert.NotNull(await some.Call("WatchWarehouse", "LON"));

        await using var evil = await LiveClient.Connect(app.Url, cookie: await app.Cookie(), origin: "https://evil.example");
        Assert.Equal("forbidden", await evil.Refused("WatchOrders"));
    }

    [Fact]
    public async Task After_unwatching_nothing_is_said()
    {
        var (watched, unwatched) = (await app.PlaceNew(), await app.PlaceNew());
        await Task.WhenAll(app.Released(watched), app.Released(unwatched));
        await using var client = await LiveClient.Connect(app.Url, OmsApp.BootstrapKey);
        await client.Call("WatchOrder", unwatched.Id());
        await client.Call("WatchOrder", watched.Id());
        await client.Do("UnwatchOrder", unwatched.Id());
        await app.CancelOne(unwatched);
        await app.CancelOne(watched);
        await LiveApp.Until(() => !client.Heard.IsEmpty);
        Assert.All(client.Heard, h => Assert.Equal(watched.Id(), h.Value.Id()));
    }

    [Fact]
    public async Task A_connection_has_a_limit_of_watches_and_of_calls()
    {
        var order = await app.PlaceNew();
        await using var client = await LiveClient.Connect(app.Url, OmsApp.BootstrapKey);
        var codes = new HashSet<string>();
        for (var i = 0; i < HubWatches.Capacity; i++)
        {
            var one = i == 0 ? order : await app.Api.Place(Api.Order(("A", 1)));
            await client.Call("WatchOrder", one.Id());
        }
        var next = await app.Api.Place(Api.Order(("A", 1)));
        Assert.Equal("too_many_watches", await client.Refused("WatchOrder", next.Id()));
        await client.Do("UnwatchOrder", order.Id());
        await client.Call("WatchOrder", next.Id());

        for (var i = 0; i < 2 * OmsHub.CallsAtOnce && !codes.Contains("too_many_requests"); i++)
            codes.Add(await client.Refused("WatchWarehouse", "NOWHERE"));
        Assert.Contains("too_many_requests", codes);
    }

    [Fact]
    public async Task A_long_message_ends_its_connection_and_no_other()
    {
        await using var client = await LiveClient.Connect(app.Url);
        await Assert.ThrowsAnyAsync<Exception>(() => client.Call("WatchOrder", new string('x', 100_000)));
        var order = await app.PlaceNew();
        await using var other = await LiveClient.Connect(app.Url);
        Assert.Equal(order.Id(), (await other.Call("WatchOrder", order.Token())).Id());
    }

    async Task<string> NewKey(string[] scopes, string[]? warehouses = null)
    {
        var key = KeyRing.NewKey();
        var id = Guid.NewGuid().ToString("N");
        await app.Services.GetRequiredService<Postgres.Security.ApiKeys>().Add(new Postgres.Security.ApiKey(
            id, $"live-{id}", KeyRing.HashOf(key), scopes, warehouses, null, default, null));
        // Strangers cannot make the ring look again all the time, so a new key may take a moment.
        await OmsApp.Until(
            async () => await app.Services.GetRequiredService<KeyRing>().Find(key), held => held is not null);
        return key;
    }

    internal static void AssertRising(List<int> versions)
    {
        for (var i = 1; i < versions.Count; i++)
            Assert.Null(LogLaws.NeverBack($"{i + 1} of {string.Join(", ", versions)}", versions[i - 1] + 1, versions[i]));
    }

    internal static void AssertSame(JsonNode expected, JsonNode actual) => Assert.True(
        JsonNode.DeepEquals(expected, actual), $"Expected {expected.ToJsonString()} but heard {actual.ToJsonString()}");
}
