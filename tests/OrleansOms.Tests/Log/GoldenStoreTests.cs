using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Storage;
using OrleansOms.Grains.Stock;
using OrleansOms.Host;
using OrleansOms.Postgres;
using OrleansOms.Postgres.Laws;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Log;

/// <summary>
/// The program goes on with the store of every version before it: each of them has left one in <c>Golden/Stores</c>, with what
/// its clients were told. A new version writes its own by running <see cref="Write"/> with <c>OMS_WRITE_GOLDEN=1</c>.
/// </summary>
public sealed class GoldenStoreTests
{
    /// <summary>As lists show them, but for the whole view of a shipment, to which a newer version may add.</summary>
    const string Rows = """
        select string_agg(r, E'\n' order by r) from (
          select 'order ' || o::text as r from oms.orders o
          union all select 'line ' || l::text from oms.order_lines l
          union all select 'shipment ' || (to_jsonb(s) - 'view')::text from oms.shipments s
          union all select 'stock ' || (to_jsonb(s) - 'version' - 'day' - 'day_version')::text from oms.stock s
          union all select 'product ' || p::text from oms.products p
          union all select 'warehouse ' || w::text from oms.warehouses w
          union all select 'count ' || c::text from oms.order_counts c where orders <> 0) as rows
        """;

    const string AtRest = """
        select count(*) = 5 and bool_and((c.transaction, c.position) >= (e.xid::text::bigint, e.position))
        from oms.checkpoint c, (select xid, position from oms.event order by xid desc, position desc limit 1) e
        """;

    const string Events = "select array_agg(stream || ' ' || version || ' ' || type order by stream, version) from oms.event";

    public static TheoryData<string, bool> Versions => new(Directory.EnumerateFiles(GoldenStore.Folder)
        .Select(f => Path.GetFileNameWithoutExtension(f)).SelectMany(v => new[] { (v, false), (v, true) }));

    /// <param name="version">Whose store it is.</param>
    /// <param name="isHeardAgain">
    /// Whether followers have lost their places and hear everything again: nothing that was done is done twice.
    /// </param>
    [Theory, MemberData(nameof(Versions))]
    public async Task The_store_of_an_older_version_is_read_and_goes_on(string version, bool isHeardAgain)
    {
        var (rows, events) = ("", Array.Empty<string>());
        await using var app = new OmsApp
        {
            IsEmpty = true,
            Before = async database =>
            {
                await GoldenStore.Load(version, database);
                await Migrator.Run(database.ConnectionString);
                (rows, events) = (await database.Ask<string>(Rows), await database.Ask<string[]>(Events));
                if (!isHeardAgain) return;
                await database.Execute("delete from oms.checkpoint");
                await database.Execute("""
                    truncate oms.orders, oms.order_search, oms.order_lines, oms.order_counts, oms.shipments, oms.stock,
                      oms.stock_days, oms.products, oms.warehouses, oms.waiting
                    """);
            },
        };
        await app.InitializeAsync();
        await OmsApp.Until(() => app.Database.Ask<bool>(AtRest), isAtRest => isAtRest);
        Assert.Empty((await app.Database.Ask<string[]>(Events)).Except(events));
        Assert.Equal(rows, await app.Database.Ask<string>(Rows));

        // Whoever asks again is answered as before, and nothing happens twice.
        var requests = GoldenStore.RequestsOf(version);
        foreach (var request in requests)
        {
            var again = await app.Api.Send(HttpMethod.Post, request.Path, request.Body, request.Key);
            Assert.Equal(request.Status, again.Status);
            // What is done is answered with what it is now; what was placed, as it was.
            if (request.Status == 201) Assert.Equal(request.Answer, again.Text);
        }
        await OmsApp.Until(() => app.Database.Ask<bool>(AtRest), isAtRest => isAtRest);
        // A program that has just started does not know that an order is placed until it has reserved for it; it lets go again.
        Assert.DoesNotContain((await app.Database.Ask<string[]>(Events)).Except(events), e => !e.Contains(" stock.reserv", StringComparison.Ordinal));
        Assert.Equal(rows, await app.Database.Ask<string>(Rows));
        await HoldsTheLaws(app);

        // An external id is taken for ever, by its order.
        var delivered = requests.Single(r => r.Key == "delivered");
        var twin = await app.Api.Send(HttpMethod.Post, "/api/v1/orders", delivered.Body, "another key");
        Assert.Equal("duplicate_order", twin.Code);
        var shipments = (await app.Api.Get("/api/v1/shipments")).Json["items"]!.AsArray();
        Assert.Equal(await app.Database.Ask<long>("select count(*) from oms.event where type = 'shipment.created.v1'"), shipments.Count);
        await HasItsSnapshot(app);
        await GoOn(app, requests);
        await HoldsTheLaws(app);
    }

    /// <summary>What had begun ends.</summary>
    static async Task GoOn(OmsApp app, IReadOnlyList<GoldenRequest> requests)
    {
        var history = new History(app, requests);
        Assert.Equal(2, await app.Database.Ask<long>("select count(*) from oms.waiting"));
        await history.Pay("unpaid");
        await history.Track("shipped");
        await OmsApp.Until(() => app.Database.Ask<long>("select count(*) from oms.waiting"), n => n == 0);
        await history.Do("ship", history.Shipment("packed"), """{"carrier":"dhl","service":"parcel"}""");
        await history.Do("cancel", history.Order("unpaid"), """{"reason":"after all"}""");
        await app.Receive("MAN", "C", 4);
        await OmsApp.Until(() => app.Read(history.Answer("waiting")), o => o["status"]!.GetValue<string>() == "inFulfilment");
        await OmsApp.Until(() => app.Database.Ask<bool>(AtRest), isAtRest => isAtRest);
    }

    /// <summary>A stock's snapshot is found where it was left, and is what it was.</summary>
    static async Task HasItsSnapshot(OmsApp app)
    {
        var read = new GrainState<StockSnapshot>(new StockSnapshot());
        await Storage(app).ReadStateAsync(SnapshotName, SnapshotOf, read);
        Assert.True(read.RecordExists);
        Assert.Equivalent(Sample, read.State, strict: true);
    }

    /// <summary>
    /// As of the moment when the last one who was waited for had moved: the store is as old as its version.
    /// </summary>
    static async Task HoldsTheLaws(OmsApp app)
    {
        var then = await app.Database.Ask<DateTime>("select min(at) from oms.event");
        var report = await new StoreCheck(app.Database.Source).Run(then.AddMinutes(10), _ => { }, CancellationToken.None);
        Assert.True(report.Broken.Count == 0, string.Join('\n', report.Broken.Values.Select(b => b.First)));
    }

    const string SnapshotName = "stock-snapshot";
    static GrainId SnapshotOf => GrainId.Create("oms-stock", "stk-LON/long ago");

    static StockSnapshot Sample => new()
    {
        Version = 500, OnHand = 40, Remembered = ["mov-1/0/do", "ord-1/4"], Failed = ["ord-2"],
        Reservations = { ["ord-1/1"] = new SnapshotReservation { Quantity = 6, Commands = ["ord-1/a", "ord-1/b"] } },
    };

    static IGrainStorage Storage(OmsApp app) => app.Services.GetRequiredKeyedService<IGrainStorage>(SnapshotStore.Name);

    /// <summary>Lives through a small history and keeps what it leaves.</summary>
    [Fact(Explicit = true)]
    public async Task Write()
    {
        var version = typeof(OmsHost).Assembly.GetName().Version!.ToString(3);
        Assert.True(GoldenFiles.Writes && !File.Exists(GoldenStore.PathOf(version)), "It is written once, with OMS_WRITE_GOLDEN=1.");
        // Nobody's time is up, however old the store.
        await using var app = await OmsApp.Start(("Oms:PaymentWindow", "3650.00:00:00"), ("Oms:TrackingSilence", "3650.00:00:00"));
        var history = new History(app, []);
        await history.Receive("LON", ("A", 20), ("B", 10));
        await history.Receive("MAN", ("A", 5));
        await history.Place("delivered", ("A", 2));
        await history.Leave("delivered", ("A", 2));
        await history.Track("delivered");
        await history.Place("shipped", ("A", 1), ("B", 1));
        await history.Leave("shipped", ("A", 1), ("B", 1));
        await history.Place("packed", ("A", 3));
        await history.Pick("packed", ("A", 3));
        await history.Pack("packed", ("A", 3));
        await history.Place("short", ("B", 3));
        await history.Pick("short", ("B", 2));
        await history.Place("cancelled", ("A", 2));
        await history.Do("cancel", history.Order("cancelled"), """{"reason":"changed my mind"}""");
        await history.Place("in part", ("A", 2));
        await history.Do("cancel", history.Order("in part"), """{"reason":"one is enough","lines":[{"lineId":1,"quantity":1}]}""");
        await history.Place("waiting", ("C", 4));
        await history.Place("unpaid", "pending", "backorder", ("A", 1));
        await history.Place("refused", "paid", "reject", ("C", 1));
        await history.Post("/api/v1/stock/adjustments", "count", """{"warehouse":"LON","reason":"count","lines":[{"sku":"A","delta":-1}]}""");
        await Storage(app).WriteStateAsync(SnapshotName, SnapshotOf, new GrainState<StockSnapshot>(Sample));
        await OmsApp.Until(() => app.Database.Ask<bool>(AtRest), isAtRest => isAtRest);
        await HoldsTheLaws(app);
        await GoldenStore.Write(version, app.Database, history.Requests);
    }

    /// <summary>Requests under keys that say what they are for, each at rest before the next.</summary>
    sealed class History(OmsApp app, IReadOnlyList<GoldenRequest> before)
    {
        readonly List<GoldenRequest> _requests = [.. before];

        public IReadOnlyList<GoldenRequest> Requests => _requests;

        public JsonNode Answer(string key) => JsonNode.Parse(_requests.First(r => r.Key == key).Answer)!;

        public string Order(string key) => $"/api/v1/orders/{Answer(key).Id()}";

        public string Shipment(string key) => $"/api/v1/shipments/shp-{Answer(key).Id()["ord-".Length..]}-1";

        public async Task<JsonNode> Post(string path, string key, string body)
        {
            var answer = await app.Api.Send(HttpMethod.Post, path, body, key);
            _requests.Add(new GoldenRequest(path, key, body, answer.Status, answer.Text));
            await OmsApp.Until(() => app.Database.Ask<bool>(AtRest), isAtRest => isAtRest);
            return answer.Json;
        }

        public async Task<JsonNode> Do(string what, string of, string body)
        {
            var answer = await Post($"{of}/{what}", $"{of}/{what}", body);
            Assert.Equal(200, _requests[^1].Status);
            return answer;
        }

        public Task Place(string key, params (string Sku, int Quantity)[] lines) => Place(key, "paid", "backorder", lines);

        public Task Place(string key, string payment, string policy, params (string Sku, int Quantity)[] lines)
        {
            var order = Api.Order(lines);
            (order["payment"]!["status"], order["payment"]!["reference"], order["stockPolicy"]) = (payment, $"pay-{key}", policy);
            order["externalId"] = key;
            return Post("/api/v1/orders", key, order.ToJsonString());
        }

        public Task Receive(string warehouse, params (string Sku, int Quantity)[] lines) => Post(
            "/api/v1/stock/receipts", $"receipt {warehouse}",
            new JsonObject { ["warehouse"] = warehouse, ["reference"] = "PO-7", ["lines"] = Units(lines) }.ToJsonString());

        public Task Pick(string key, params (string Sku, int Quantity)[] lines) =>
            Do("pick", Shipment(key), new JsonObject { ["lines"] = Units(lines) }.ToJsonString());

        public Task Pack(string key, params (string Sku, int Quantity)[] lines) => Do("pack", Shipment(key), new JsonObject
        {
            ["packages"] = new JsonArray(new JsonObject { ["weightGrams"] = 500, ["lines"] = Units(lines) }),
        }.ToJsonString());

        public async Task Leave(string key, params (string Sku, int Quantity)[] lines)
        {
            await Pick(key, lines);
            await Pack(key, lines);
            await Do("ship", Shipment(key), """{"carrier":"dhl","service":"parcel","trackingNumber":"JD1"}""");
        }

        public Task Track(string key) => Do("tracking", Shipment(key), """
            {"status":"delivered","description":"Delivered","location":"Worthing","occurredAt":"2026-03-02T09:00:00Z","eventId":"e1"}
            """);

        public Task Pay(string key) => Do("payments", Order(key), new JsonObject
        {
            ["status"] = "paid", ["amount"] = Answer(key)["totals"]!["grand"]!.GetValue<decimal>(), ["reference"] = $"pay-{key}",
        }.ToJsonString());

        static JsonArray Units((string Sku, int Quantity)[] lines) =>
            new([.. lines.Select(l => (JsonNode)new JsonObject { ["sku"] = l.Sku, ["quantity"] = l.Quantity })]);
    }
}
