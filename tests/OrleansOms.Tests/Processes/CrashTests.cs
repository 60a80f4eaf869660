using System.Text.Json.Nodes;
using Npgsql;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Processes;

/// <summary>One order, and the plug pulled at a chosen moment of it: what a retry with the same key finds.</summary>
[Collection(AloneCollection.Name)]
public sealed class CrashTests
{
    /// <summary>Orders that are being stored wait in the database until the test lets them go.</summary>
    const string Hold = """
        create function oms.hold() returns trigger language plpgsql as $$
        begin
          if new.type = 'order.placed.v1' then perform pg_advisory_xact_lock(4711); end if;
          return new;
        end $$;
        """;

    const string HoldInsert = Hold + "create trigger hold before insert on oms.event for each row execute function oms.hold();";

    /// <summary>It waits in the middle of the commit, which the server then ends whether or not somebody still listens.</summary>
    const string HoldCommit = Hold + """
        create constraint trigger hold after insert on oms.event deferrable initially deferred
        for each row execute function oms.hold();
        """;

    [Fact]
    public async Task Killed_after_reserving_and_before_the_order_is_stored_frees_the_stock_and_the_retry_places_it()
    {
        await using var database = await TestDatabase.Create();
        await using var program = new OmsProcess(database.ConnectionString);
        await program.Start();
        var shop = new Shop(program.Url);
        await shop.Open(units: 5);
        await database.Execute(HoldInsert);
        await using var hold = await database.Source.OpenConnectionAsync();
        await Run(hold, "select pg_advisory_lock(4711)");

        var lost = shop.Place();
        await Silos.Until(() => Held(database), n => n == 1);
        Assert.Equal(5, await Reserved(database));
        await program.Kill();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => lost);
        // Nobody is left who could still store it.
        await database.Execute("""
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name = 'OrleansOms'
            """);
        await Run(hold, "select pg_advisory_unlock(4711)");
        await program.Start();

        Assert.Equal(0, await Stored(database));
        await Silos.Until(() => Reserved(database), n => n == 0);
        Assert.Equal(201, (await shop.Place()).Status);
        Assert.Equal((1, 5), (await Stored(database), await Reserved(database)));
    }

    [Fact]
    public async Task Killed_after_the_order_is_stored_and_before_it_is_answered_gives_the_answer_to_the_retry()
    {
        await using var database = await TestDatabase.Create();
        await using var program = new OmsProcess(database.ConnectionString);
        await program.Start();
        var shop = new Shop(program.Url);
        await shop.Open(units: 5);
        await database.Execute(HoldCommit);
        await using var hold = await database.Source.OpenConnectionAsync();
        await Run(hold, "select pg_advisory_lock(4711)");

        var lost = shop.Place();
        await Silos.Until(() => Held(database), n => n == 1);
        await program.Kill();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => lost);
        await Run(hold, "select pg_advisory_unlock(4711)");
        await Silos.Until(() => Stored(database), n => n == 1);

        await program.Start();
        var first = await shop.Place();
        var again = await shop.Place();
        Assert.Equal((201, first.Text), (first.Status, again.Text));
        Assert.Equal("allocated", (string?)first.Json["status"]);
        Assert.Equal((1, 5), (await Stored(database), await Reserved(database)));
    }

    [Fact]
    public async Task Without_a_database_nothing_is_confirmed_and_all_goes_on_by_itself_when_it_is_back()
    {
        await using var database = await TestDatabase.Create();
        var (target, nowhere) = (new NpgsqlConnectionStringBuilder(database.ConnectionString), 1);
        var port = target.Port;
        await using var wire = new Relay(() => Volatile.Read(ref port));
        target.Port = new Uri(wire.Url).Port;
        target.Host = "127.0.0.1";
        await using var program = new OmsProcess(target.ConnectionString);
        await program.Start();
        var shop = new Shop(program.Url);
        await shop.Open(units: 5);

        var there = Interlocked.Exchange(ref port, nowhere);
        wire.Cut();
        for (var tries = 0; tries < 5; tries++)
        {
            var refused = await shop.Place();
            Assert.True((refused.Status, refused.Code) == (503, "unavailable"), refused.ToString());
            Assert.Equal("application/problem+json", refused.Http.Content.Headers.ContentType!.ToString());
            Assert.InRange(refused.Http.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        }
        Assert.Equal(0, await Stored(database));

        Volatile.Write(ref port, there);
        var placed = await Silos.Until(shop.Place, a => a.Status != 503);
        Assert.Equal((201, "allocated"), (placed.Status, (string?)placed.Json["status"]));
        Assert.Equal(placed.Text, (await shop.Place()).Text);
        await Silos.Until(() => Reserved(database), n => n == 5);
        Assert.Equal(1, await Stored(database));
        // The followers go on too: the order is handed to its warehouse.
        await Silos.Until(
            () => database.Ask<long>("select count(*) from oms.event where type = 'shipment.created.v1'"), n => n == 1);
    }

    static Task<long> Stored(TestDatabase database) =>
        database.Ask<long>("select count(*) from oms.event where type = 'order.placed.v1'");

    static Task<long> Held(TestDatabase database) =>
        database.Ask<long>("select count(*) from pg_locks where locktype = 'advisory' and objid = 4711 and not granted");

    /// <summary>Units that the stock's own events have reserved and not freed.</summary>
    static Task<long> Reserved(TestDatabase database) => database.Ask<long>("""
        select coalesce(sum((l->>'quantity')::int * case type when 'stock.reserved.v1' then 1 else -1 end), 0)::bigint
        from oms.event, json_array_elements(data->'lines') l
        where type in ('stock.reserved.v1', 'stock.reservation-released.v1')
        """);

    static async Task Run(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>A storefront with one order, sent under one key as often as it takes.</summary>
    sealed class Shop(Uri url)
    {
        readonly Api _api = new(url, OmsProcess.Key);
        readonly string _order = Api.Order(("A", 5)).ToJsonString();

        public async Task Open(int units)
        {
            await _api.Must(201, HttpMethod.Put, "/api/v1/warehouses/LON", JsonNode.Parse(
                """{"name":"London","active":true,"address":{"line1":"1 Dock Road","city":"London","country":"GB"}}"""));
            await _api.Must(201, HttpMethod.Put, "/api/v1/products/A", new JsonObject { ["name"] = "A" });
            await _api.Must(201, HttpMethod.Post, "/api/v1/stock/receipts", JsonNode.Parse(
                $$"""{"warehouse":"LON","reference":"r","lines":[{"sku":"A","quantity":{{units}}}]}"""), "receipt");
        }

        public Task<Answer> Place() => _api.Send(HttpMethod.Post, "/api/v1/orders", _order, "order");
    }
}
