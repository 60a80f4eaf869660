using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Postgres.Log;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Watching;

/// <summary>The program's own figures, of a process of its own: several programs in one process share what they count.</summary>
public sealed class FiguresTests : IAsyncLifetime
{
    TestDatabase _database = null!;
    OmsProcess _oms = null!;
    Api _api = null!;

    /// <summary>Starts it with one unit of A and none of B.</summary>
    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.Create();
        _oms = new OmsProcess(_database.ConnectionString, ("Oms__TrackingSilence", "00:00:01"));
        await _oms.Start();
        _api = new Api(_oms.Url, OmsProcess.Key);
        await _api.Must(201, HttpMethod.Put, "/api/v1/warehouses/LON", JsonNode.Parse(
            """{"name":"London","active":true,"address":{"line1":"1 Dock Road","city":"London","country":"GB"}}"""));
        foreach (var sku in (string[])["A", "B"])
            await _api.Must(201, HttpMethod.Put, $"/api/v1/products/{sku}", new JsonObject { ["name"] = sku });
        await _api.Must(201, HttpMethod.Post, "/api/v1/stock/receipts", JsonNode.Parse(
            """{"warehouse":"LON","reference":"r","lines":[{"sku":"A","quantity":1}]}"""), Api.NewKey());
    }

    [Fact]
    public async Task What_the_program_does_moves_its_figures()
    {
        var before = await Figures();

        var order = Api.Order(("A", 1));
        order["stockPolicy"] = "reject";
        await _api.Place(order);
        order["externalId"] = "another";
        Assert.Equal(409, (await _api.Post("/api/v1/orders", order, Api.NewKey())).Status);

        // An answer may be some hundred milliseconds old: only one with the last of what was done tells of all of it.
        const string last = "oms_refusals_total{code=\"insufficient_stock\"}";
        var after = await OmsApp.Until(
            Figures, f => Of(f, last) > Of(before, last) && f.Count(Lags) == 5 && f.Where(Lags).All(n => n.Value == 0));
        foreach (var moved in (string[])
        [
            "oms_orders_total{outcome=\"accepted\"}", "oms_orders_total{outcome=\"refused\"}",
            last, "oms_log_batch_count", "oms_log_append_duration_seconds_count",
        ])
            Assert.True(Of(after, moved) > Of(before, moved), $"{moved}: {Of(before, moved)}, {Of(after, moved)}");
        Assert.Equal(0, after["oms_log_queued"]);
        Assert.Equal(
            ["backorders", "fulfilment", "law-watch", "read-model", "reservation-watch"],
            after.Where(Lags).Select(f => f.Key.Split('"')[^2]).Order());
    }

    [Fact]
    public async Task Appends_that_no_writer_has_taken_are_seen_until_they_are_stored()
    {
        const string queued = "oms_log_queued";
        var placed = new List<Task>();
        // Nobody has any: each order is an append of its own, and none waits for a stock.
        Task Place() => _api.Post("/api/v1/orders", Api.Order(("B", 1)), Api.NewKey());
        await using (await Lock("oms.event"))
        {
            // Each writer takes all that is there, so what is to stay comes when all of them are at work.
            while (placed.Count < new EventLogOptions().Writers)
            {
                placed.Add(Place());
                await OmsApp.Until(() => _database.Ask<long>(
                    "select count(*) from pg_locks where relation = 'oms.event'::regclass and not granted"), n => n == placed.Count);
            }
            placed.Add(Place());
            await OmsApp.Until(() => Figure(queued), n => n > 0);
        }
        await Task.WhenAll(placed);
        await OmsApp.Until(() => Figure(queued), n => n == 0);
    }

    [Fact]
    public async Task A_follower_that_cannot_write_is_behind_until_it_can()
    {
        const string lag = "oms_follower_lag_seconds{follower=\"read-model\"}";
        await using (await Lock("oms.orders"))
        {
            await _api.Place(Api.Order(("A", 1)));
            // It grows for as long as that lasts.
            var first = await OmsApp.Until(() => Figure(lag), n => n > 0);
            await OmsApp.Until(() => Figure(lag), n => n > first);
        }
        await OmsApp.Until(() => Figure(lag), n => n == 0);
    }

    [Fact]
    public async Task A_silent_carrier_and_a_broken_law_are_counted_as_alarms()
    {
        const string silence = "oms_alarms_total{kind=\"tracking-silence\"}", law = "oms_alarms_total{kind=\"law\"}";
        Assert.Equal((0, 0), (await Figure(silence), await Figure(law)));

        var shipment = $"/api/v1/shipments/shp-{(await _api.Place(Api.Order(("A", 1)))).Id()["ord-".Length..]}-1";
        foreach (var (what, body) in ((string, string)[])
        [
            ("pick", """{"lines":[{"sku":"A","quantity":1}]}"""),
            ("pack", """{"packages":[{"weightGrams":1,"lines":[{"sku":"A","quantity":1}]}]}"""),
            ("ship", """{"carrier":"dhl","service":"parcel"}"""),
        ])
            await _api.Must(200, HttpMethod.Post, $"{shipment}/{what}", JsonNode.Parse(body), Api.NewKey());
        Assert.Equal(1, await OmsApp.Until(() => Figure(silence), n => n > 0));
        Assert.Equal(0, await Figure(law));

        // Nobody decided this: a unit is promised where there is none.
        await using var log = new EventLog(_database.Source);
        await log.Append(new Append(new StreamEvents(Keys.OfStock("LON", "none"), 0, [new NewEvent(
            new StockReserved("ord-nobody", [new LineUnits(1, 1)]), "nobody", "system", DateTimeOffset.UtcNow)])));
        Assert.Equal(1, await OmsApp.Until(() => Figure(law), n => n > 0));
        Assert.Equal((1, 1), (await Figure(silence), await Figure("oms_laws_broken_total{law=\"L1\"}")));
    }

    /// <summary>Nobody writes into a table until it is disposed; it can be read.</summary>
    async Task<NpgsqlConnection> Lock(string table)
    {
        var connection = await _database.Source.OpenConnectionAsync();
        await using var command = new NpgsqlCommand($"begin; lock table {table} in share row exclusive mode", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    /// <summary>Every figure with its labels, but for the name of the meter.</summary>
    async Task<Dictionary<string, double>> Figures() => (await _api.Get("/metrics")).Text.Split('\n')
        .Where(l => l.StartsWith("oms_", StringComparison.Ordinal))
        .Select(l => l.Replace("otel_scope_name=\"OrleansOms\",", "").Replace("{otel_scope_name=\"OrleansOms\"}", "").Split(' '))
        .ToDictionary(l => l[0], l => double.Parse(l[1], CultureInfo.InvariantCulture));

    static bool Lags(KeyValuePair<string, double> figure) => figure.Key.StartsWith("oms_follower_lag", StringComparison.Ordinal);

    async Task<double> Figure(string name) => Of(await Figures(), name);

    /// <summary>What was never counted is not there yet.</summary>
    static double Of(Dictionary<string, double> figures, string name) => figures.GetValueOrDefault(name);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _oms.DisposeAsync();
        await _database.DisposeAsync();
    }
}
