using System.Text.Json.Nodes;
using Npgsql;
using OrleansOms.Tests.ApiTests;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Operation;

/// <summary>Two servers, and the first one dies: with the commands that the runbook has.</summary>
[Collection(AloneCollection.Name)]
public sealed class FailoverTests
{
    [Fact]
    public async Task When_the_primary_dies_the_standby_has_every_acknowledged_order_and_the_program_goes_on_by_itself()
    {
        await using var first = await PlainPostgres.Start();
        await using var second = await StandbyOf(first);
        await using var program = new OmsProcess(ConnectionTo(first, second), Trade.Address);
        await program.Start();
        using var trade = await Trade.Begin(program.Url);
        await first.Kill();
        await Runbook.Run(["failover"], second.Folder, second.Variables, second.Account);
        await trade.Until(more: 20);
        await trade.End();

        await using var source = NpgsqlDataSource.Create(second.ConnectionTo("oms"));
        await Trade.Check(program, source, trade.PlacedBefore(trade.Now));
        // What it remembered was read from the other one.
        Assert.Equal(["is up", "begins anew", "is up"], Beginnings(program));
    }

    [Fact]
    public async Task All_of_a_cluster_begins_anew_at_once()
    {
        await using var first = await PlainPostgres.Start();
        await using var second = await StandbyOf(first);
        await using var cluster = await ClusterProcess.Start(ConnectionTo(first, second));
        using var trade = await Trade.Begin(cluster.Url);
        await first.Kill();
        await Runbook.Run(["failover"], second.Folder, second.Variables, second.Account);
        await trade.Until(more: 20);
        await trade.End();

        await using var beside = new OmsProcess(ConnectionTo(first, second)) { Url = cluster.Url };
        await using var source = NpgsqlDataSource.Create(second.ConnectionTo("oms"));
        await Trade.Check(beside, source, trade.PlacedBefore(trade.Now));
        Assert.Equal(5, cluster.Said.Count(l => l.Contains("OrleansOms begins anew", StringComparison.Ordinal)));
        Assert.DoesNotContain(cluster.Said, l => l.Contains("is started again", StringComparison.Ordinal));
        Assert.Equal(0, await cluster.Stop());
    }

    [Fact]
    public async Task What_only_the_lost_server_had_is_forgotten_though_it_was_read_there()
    {
        await using var first = await PlainPostgres.Start();
        await using var second = await StandbyOf(first);
        await using var program = new OmsProcess(ConnectionTo(first, second), Trade.Address);
        await program.Start();
        var shop = new Api(program.Url, OmsProcess.Key);
        var (id, payment) = await Unpaid(shop);
        var before = (await shop.Must(200, HttpMethod.Get, $"/api/v1/orders/{id}", null)).Version();
        await using var live = await LiveClient.Connect(program.Url.ToString().TrimEnd('/'), OmsProcess.Key);
        await live.CallAgain("WatchOrder", id);

        // The standby is away, and what ends the wait for it shows everybody what it has not: here somebody, else the
        // server's own end, in the moment before.
        await second.Stop();
        var key = Api.NewKey();
        var paid = shop.Post($"/api/v1/orders/{id}/payments", payment, key);
        await Silos.Until(async () =>
        {
            await first.Ask<long>("""
                select count(pg_terminate_backend(pid)) from pg_stat_activity where wait_event = 'SyncRep' and query like '%insert into oms.event%'
                """);
            return paid.IsCompleted;
        }, answered => answered);
        Assert.Equal(503, (await paid).Status);
        await Silos.Until(() => Task.FromResult(live.Versions().DefaultIfEmpty().Max()), v => v > before);
        await first.Kill();
        await second.StartAgain();
        await Runbook.Run(["failover"], second.Folder, second.Variables, second.Account);
        await Silos.Until(() => Task.FromResult(Beginnings(program).Count()), n => n == 3);

        Assert.Equal(before, (await shop.Must(200, HttpMethod.Get, $"/api/v1/orders/{id}", null)).Version());
        Assert.Equal((long)before, await second.Ask<long>($"select count(*) from oms.event where stream = '{id}'"));
        var (code, said) = await program.Run("check");
        Assert.True(code == 0, said);
        var again = await shop.Must(200, HttpMethod.Post, $"/api/v1/orders/{id}/payments", payment, key);
        Assert.Equal("paid", (string?)again["paymentStatus"]);
        await Silos.Until(
            () => second.Ask<int>($"select max(version) from oms.orders where id = '{id}'"), v => v >= again.Version());
        (code, said) = await program.Run("check");
        Assert.True(code == 0, said);
    }

    /// <summary>What a program has said of its beginning, and of beginning anew.</summary>
    static IEnumerable<string> Beginnings(OmsProcess program) => program.Said
        .SelectMany(l => new[] { "is up", "begins anew" }.Where(w => l.Contains($"OrleansOms {w}", StringComparison.Ordinal)));

    /// <summary>An order that waits for its payment, as its row tells too, and that payment.</summary>
    static async Task<(string Id, JsonObject Payment)> Unpaid(Api shop)
    {
        await shop.Must(201, HttpMethod.Put, "/api/v1/warehouses/LON", new JsonObject
        {
            ["name"] = "London", ["active"] = true,
            ["address"] = new JsonObject { ["line1"] = "1 Dock Road", ["city"] = "London", ["country"] = "GB" },
        });
        await shop.Must(201, HttpMethod.Put, "/api/v1/products/A", new JsonObject { ["name"] = "A" });
        await shop.Must(201, HttpMethod.Post, "/api/v1/stock/receipts", new JsonObject
        {
            ["warehouse"] = "LON", ["reference"] = "po-1",
            ["lines"] = new JsonArray(new JsonObject { ["sku"] = "A", ["quantity"] = 10 }),
        }, Api.NewKey());
        var order = Api.Order(("A", 1));
        order["payment"]!["status"] = "pending";
        var placed = await shop.Place(order);
        var id = placed.Id();
        await Silos.Until(() => shop.Get($"/api/v1/orders?channel=web"), a => a.Json["items"] is JsonArray { Count: 1 });
        return (id, new JsonObject
        {
            ["status"] = "paid", ["amount"] = placed["totals"]!["grand"]!.GetValue<decimal>(), ["reference"] = "pay-1",
        });
    }

    /// <summary>A standby that follows, and without which the first one acknowledges nothing.</summary>
    static async Task<PlainPostgres> StandbyOf(PlainPostgres first)
    {
        var second = await PlainPostgres.Place();
        await Runbook.Run(
            ["standby"], second.Folder, [.. second.Variables, ("PRIMARY", "127.0.0.1"), ("PRIMARY_PORT", $"{first.Port}")], second.Account);
        await Runbook.Run(["synchronous"], first.Folder, first.Variables);
        await Silos.Until(() => first.Ask<string>("select coalesce(string_agg(sync_state, ' '), '') from pg_stat_replication"), s => s == "quorum");
        return second;
    }

    static string ConnectionTo(PlainPostgres first, PlainPostgres second) =>
        $"Host=127.0.0.1:{first.Port},127.0.0.1:{second.Port};Target Session Attributes=primary;Host Recheck Seconds=1;"
        + "Username=oms;Database=oms;SslMode=Disable;GssEncryptionMode=Disable";
}
