using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Chaos;

/// <summary>
/// This version and the next one in one cluster, each with processes of its own build. See <see cref="NextBuild"/>.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class TwoBuildsTests(ITestOutputHelper output)
{
    const string Rows = """
        select string_agg(r, E'\n' order by r) from (
          select 'order ' || o::text as r from oms.orders o
          union all select 'line ' || l::text from oms.order_lines l
          union all select 'shipment ' || s::text from oms.shipments s
          union all select 'stock ' || s::text from oms.stock s
          union all select 'count ' || c::text from oms.order_counts c where orders <> 0) as rows
        """;

    static readonly string NewNames = $"type in ({string.Join(", ", NextBuild.Names.Select(n => $"'{n}'"))})";

    /// <summary>
    /// One silo is of the next version, two silos and both front ends are of this one: until the next version has written each of
    /// its events, every follower has handled some, and customers have gone on. Then the rest follows, one by one.
    /// </summary>
    static readonly Fault Upgrade = new("upgrade to the next version", async (cluster, _) =>
    {
        await cluster.Silos[0].Restart();
        await Silos.Until(
            () => cluster.Ask<long>($"select count(distinct type) from oms.event where {NewNames}"), n => n == NextBuild.Names.Count);
        var followers = await cluster.Ask<long>("select count(*) from oms.checkpoint");
        await Silos.Until(
            () => cluster.Ask<long>($"""
                select count(*) from oms.checkpoint c where (c.transaction, c.position) >= (
                  select max(xid)::text::bigint, 0 from (select min(xid) as xid from oms.event where {NewNames} group by type) as first)
                """),
            n => n == followers);
        Assert.Equal(1, await cluster.Ask<long>("select count(*) from oms.migration where scriptname like '%9999_next.sql'"));
        var placed = await Orders(cluster);
        await Silos.Until(() => Orders(cluster), n => n >= placed + 20);
        foreach (var node in cluster.Nodes.Skip(1)) await node.Restart();
    });

    [Fact]
    public async Task Nothing_is_lost_or_passed_over_while_the_next_version_writes_what_this_one_does_not_know() =>
        Assert.Empty(await new ChaosRun(1, output.WriteLine, new Builds(Builds.This, await NextBuild.Program()) { NameHere = NextBuild.NameHere })
            .Live([Upgrade]));

    [Fact]
    public async Task Going_back_is_refused_and_harms_nothing()
    {
        var next = await NextBuild.Program();
        await using var cluster = await ChaosCluster.Start(new Builds(next, next));
        using var history = new History([.. cluster.Fronts.Select(f => f.Url)]);
        var traders = new Traders(history, 2);
        await traders.Open();
        traders.Begin();
        await Silos.Until(
            () => cluster.Ask<long>($"select count(distinct type) from oms.event where {NewNames}"), n => n == NextBuild.Names.Count);
        await traders.End();
        // In one stock, and there are units left: nothing but what it holds can stop an order of it.
        var random = new Random(2);
        await history.Put(random, "/api/v1/products/OWN", new JsonObject { ["name"] = "OWN" });
        await history.Do(random, "/api/v1/stock/receipts", new JsonObject
        {
            ["warehouse"] = "LON", ["reference"] = "supplier",
            ["lines"] = new JsonArray(new JsonObject { ["sku"] = "OWN", ["quantity"] = 10 }),
        });
        Assert.Equal(201, (await history.Do(random, "/api/v1/orders", Api.Order(("OWN", 1)))).Status);
        await cluster.ComeToRest();

        await RestartAll(cluster, Builds.This);
        // A follower that is behind: it stands before the first event that it does not know.
        await cluster.Execute("update oms.checkpoint set transaction = 0, position = 0 where follower = 'fulfilment'");
        var (rows, events) = (await cluster.Ask<string>(Rows), await cluster.Ask<long>("select count(*) from oms.event"));
        var paid = await cluster.Ask<string>("select max(stream) from oms.event where type = 'order.payment-recorded.v2'");
        foreach (var front in cluster.Fronts)
        {
            await Refuses(HttpMethod.Get, front, $"/api/v1/orders/{paid}");
            await Refuses(HttpMethod.Post, front, $"/api/v1/orders/{paid}/cancel", new JsonObject { ["reason"] = "changed my mind" });
            await Refuses(HttpMethod.Post, front, "/api/v1/orders", Api.Order(("OWN", 1)));
            await Says(front, "which a newer version of this program has written");
        }
        // Whatever is written next, its positions are held against each other, and it begins where it stands now.
        await history.Put(random, "/api/v1/products/E", new JsonObject { ["name"] = "E" });
        await Task.WhenAny(cluster.Silos.Select(n => Says(n, "Follower fulfilment waits for a silo of a newer version"))).Unwrap();
        Assert.Contains("Check the store with that version", await cluster.Check(Builds.This));
        Assert.Equal(rows, await cluster.Ask<string>(Rows));
        Assert.Equal(events + 1, await cluster.Ask<long>("select count(*) from oms.event"));
        Assert.Empty(history.Wrong);

        await RestartAll(cluster, next);
        await cluster.ComeToRest();
        Assert.Equal(201, (await history.Do(random, "/api/v1/orders", Api.Order(("OWN", 1)))).Status);
        Assert.Equal(paid, (await history.Get(random, $"/api/v1/orders/{paid}"))["id"]!.GetValue<string>());
        await cluster.ComeToRest();
        Assert.Null(await cluster.Check(next));
        Assert.Equal(0, await cluster.Ask<long>("select count(*) from oms.event where type = 'law.broken.v1'"));
        Assert.Empty(history.Wrong);
    }

    static Task<long> Orders(ChaosCluster cluster) => cluster.Ask<long>("select count(*) from oms.event where type = 'order.placed.v1'");

    static async Task RestartAll(ChaosCluster cluster, string program)
    {
        await Task.WhenAll(cluster.Fronts.Select(n => n.Restart(program)));
        await Task.WhenAll(cluster.Silos.Select(n => n.Restart(program)));
        await cluster.AllIsBack();
    }

    static Task Says(ChaosNode node, string text) => Silos.Until(
        () => Task.FromResult(node.Said.Any(s => s.Contains(text, StringComparison.Ordinal))), isSaid => isSaid);

    /// <summary>503, with a time after which to ask again, and nothing else.</summary>
    static async Task Refuses(HttpMethod method, ChaosNode front, string path, JsonObject? body = null)
    {
        using var http = new HttpClient { BaseAddress = front.Url };
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", OmsProcess.Key);
        request.Headers.TryAddWithoutValidation("Idempotency-Key", Guid.NewGuid().ToString("N"));
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
    }
}
