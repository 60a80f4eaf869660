using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OrleansOms.Bench.Database;
using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Workloads;

/// <summary>A database whose lists hold a million orders; it is made once and only read.</summary>
/// <param name="OrderId">An order that was placed and delivered through the API.</param>
/// <param name="Number">Its number.</param>
/// <param name="TrackPath">Its customer's page.</param>
/// <param name="ShipmentId">A shipment that waits to be picked.</param>
public sealed record LongStore(string Database, string OrderId, string Number, string TrackPath, string ShipmentId)
{
    static LongStore? _made;

    /// <summary>The store, filled if it is not yet.</summary>
    public static async Task<LongStore> Open(Session session)
    {
        if (_made is not null) return _made;
        const string database = "oms_bench_long";
        var played = await Play(session, database);
        session.Say("a million orders …");
        await session.Postgres.RunScript(database, Pgbench.Read("million_orders.sql"));
        await session.Postgres.RunScript(database, "vacuum analyze");
        session.Say("a million orders are there");
        return _made = played;
    }

    /// <summary>A short day's work: orders of the usual load, one of them all the way to its customer's door.</summary>
    static async Task<LongStore> Play(Session session, string database)
    {
        await using var shop = await Shop.Open(session, database, warmUpSeconds: 5, isKept: true);
        using var http = ApiOf(shop.Server.Url);
        await shop.CatchUp();
        var order = (await Get(http, "orders?limit=1"))["items"]![0]!;
        var id = $"{order["id"]}";
        var shipment = $"shipments/{(await Get(http, $"orders/{id}"))["shipments"]![0]!["id"]}";
        JsonArray lines = [.. (await Get(http, $"orders/{id}"))["lines"]!.AsArray().Select(l =>
            new JsonObject { ["sku"] = $"{l!["sku"]}", ["quantity"] = 1 })];
        await Post(http, $"{shipment}/pick", new JsonObject { ["lines"] = lines.DeepClone() });
        await Post(http, $"{shipment}/pack", new JsonObject
        {
            ["packages"] = new JsonArray(new JsonObject { ["weightGrams"] = 900, ["lines"] = lines }),
        });
        await Post(http, $"{shipment}/ship", new JsonObject { ["carrier"] = "DHL", ["service"] = "Parcel" });
        await Post(http, $"{shipment}/tracking", new JsonObject
        {
            ["status"] = "delivered", ["description"] = "At the door", ["eventId"] = "1",
            ["occurredAt"] = DateTimeOffset.UtcNow.ToString("O"),
        });
        await shop.CatchUp();
        var waiting = (await Get(http, $"shipments?warehouse={Requests.Warehouse}&status=released&limit=1"))["items"]![0]!;
        return new LongStore(
            database, id, $"{order["number"]}", new Uri($"{(await Get(http, $"orders/{id}"))["trackingUrl"]}").AbsolutePath,
            $"{waiting["id"]}");
    }

    /// <summary>A client of the API with the key that may do everything.</summary>
    public static HttpClient ApiOf(Uri server)
    {
        var http = new HttpClient { BaseAddress = new Uri(server, "/api/v1/") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", OmsProcess.ApiKey);
        return http;
    }

    static async Task<JsonNode> Get(HttpClient http, string path) => (await http.GetFromJsonAsync<JsonNode>(path))!;

    static async Task Post(HttpClient http, string path, JsonObject body)
    {
        using var answer = await http.PostAsJsonAsync(path, body);
        if (answer.StatusCode != HttpStatusCode.OK)
            throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }
}
