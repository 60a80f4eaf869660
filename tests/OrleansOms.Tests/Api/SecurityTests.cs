using System.Text.Json.Nodes;
using OrleansOms.Host.Commands;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>Who may call, what they may see, and how fast.</summary>
[Collection(ApiCollection.Name)]
public sealed class SecurityTests(OmsApp app)
{
    [Theory]
    [InlineData(null), InlineData("oms_wrong"), InlineData("nonsense"), InlineData("")]
    public async Task Without_a_key_that_holds_everything_is_401(string? key)
    {
        var caller = app.Caller(null);
        foreach (var path in new[] { "/api/v1/orders", "/api/v1/shipments", "/api/v1/stock/LON/A", "/api/v1/availability?sku=A" })
        {
            var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (key is not null) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
            var answer = await caller.Send(request);
            Assert.Equal((401, "unauthenticated"), (answer.Status, answer.Code));
            Assert.Equal("Bearer", answer.Http.Headers.WwwAuthenticate.ToString());
        }
    }

    [Theory]
    [InlineData("orders:read", "POST", "/api/v1/orders"), InlineData("orders:write", "GET", "/api/v1/orders")]
    [InlineData("orders:read", "POST", "/api/v1/orders/x/cancel"), InlineData("stock:read", "POST", "/api/v1/stock/receipts")]
    [InlineData("stock:write", "GET", "/api/v1/stock/LON/A"), InlineData("shipments:read", "POST", "/api/v1/shipments/x/pick")]
    [InlineData("shipments:write", "GET", "/api/v1/shipments"), InlineData("orders:write", "PUT", "/api/v1/products/x")]
    public async Task A_key_without_the_scope_is_403(string scope, string method, string path)
    {
        var caller = await app.NewCaller([scope]);
        var answer = await caller.Send(new HttpMethod(method), path, method == "GET" ? null : "{}", Api.NewKey());
        Assert.Equal((403, "forbidden"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_key_of_one_warehouse_sees_nothing_of_another()
    {
        var sku = await app.NewProduct(10);
        var id = (await app.Api.Place(Api.Order((sku, 2))))["id"]!.GetValue<string>();
        var order = await OmsApp.Until(
            () => app.Api.Must(200, HttpMethod.Get, $"/api/v1/orders/{id}", null), o => o["shipments"]!.AsArray().Count > 0);
        var shipment = order["shipments"]![0]!["id"]!.GetValue<string>();
        await app.CountEvents();
        var (here, elsewhere) = (await app.NewCaller(["*"], ["LON"]), await app.NewCaller(["*"], ["MAN"]));

        Assert.Equal(200, (await here.Get($"/api/v1/orders/{id}")).Status);
        Assert.Single((await here.Get($"/api/v1/shipments?order={id}")).Json["items"]!.AsArray());
        foreach (var path in new[] { $"/api/v1/orders/{id}", $"/api/v1/orders/{id}/timeline", $"/api/v1/stock/LON/{sku}", "/api/v1/orders?warehouse=LON", "/api/v1/shipments?warehouse=LON" })
            Assert.Equal((404, "not_found"), await Code(elsewhere.Get(path)));
        Assert.Empty((await elsewhere.Get($"/api/v1/shipments?order={id}")).Json["items"]!.AsArray());
        Assert.Empty((await elsewhere.Get($"/api/v1/orders?sku={sku}")).Json["items"]!.AsArray());
        Assert.Equal((404, "not_found"), await Code(elsewhere.Send(HttpMethod.Post, $"/api/v1/orders/{id}/cancel", """{"reason":"x"}""")));
        Assert.Equal((404, "not_found"), await Code(elsewhere.Send(
            HttpMethod.Post, $"/api/v1/shipments/{shipment}/pick", $$"""{"lines":[{"sku":"{{sku}}","quantity":2}]}""")));
        Assert.Equal((422, "unknown_warehouse"), await Code(elsewhere.Send(HttpMethod.Post, "/api/v1/stock/receipts",
            $$"""{"warehouse":"LON","reference":"r","lines":[{"sku":"{{sku}}","quantity":2}]}""", Api.NewKey())));
        Assert.Equal(["MAN"], (await elsewhere.Get($"/api/v1/availability?sku={sku}")).Json["items"]![0]!["warehouses"]!.AsArray()
            .Select(w => w!["warehouse"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_key_is_held_to_its_rate_and_told_when_to_come_again()
    {
        var slow = await app.NewCaller(["orders:read"], rate: 5);
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => slow.Get("/api/v1/orders?limit=1")));
        var refused = answers.Where(a => a.Status == 429).ToList();
        Assert.InRange(answers.Count(a => a.Status == 200), 5, 39);
        Assert.NotEmpty(refused);
        Assert.All(refused, a => Assert.Equal(("too_many_requests", 1),
            (a.Code, (int)a.Http.Headers.RetryAfter!.Delta!.Value.TotalSeconds)));
        Assert.Equal(200, (await app.Api.Get("/api/v1/orders?limit=1")).Status);
    }

    [Fact]
    public async Task Keys_are_made_listed_and_revoked_and_only_their_hash_is_stored()
    {
        var keys = new ApiKeys(app.Database.Source);
        var name = $"shop-{Guid.NewGuid():N}";
        var printed = new StringWriter();
        Assert.Equal(0, await KeyCommand.Run(["add", name, "--scopes", "orders:read,orders:write", "--rate", "50", "--warehouses", "LON"], keys, printed));
        var key = printed.ToString().Trim();
        Assert.Matches("^oms_[0-9a-f]{64}$", key);
        Assert.Equal(200, (await app.Caller(key).Get("/api/v1/orders?limit=1")).Status);
        var cart = await app.Caller(key).Post(
            "/api/v1/reservations", JsonNode.Parse("""{"lines":[{"sku":"A","quantity":1}]}""")!, Api.NewKey());
        Assert.Equal((403, "forbidden"), (cart.Status, cart.Code)); // It could be held where this key may not look.
        Assert.Equal(1, await KeyCommand.Run(["add", name, "--scopes", "*"], keys, TextWriter.Null));
        Assert.Equal(2, await KeyCommand.Run(["add", "other", "--scopes", "everything"], keys, TextWriter.Null));

        var list = new StringWriter();
        await KeyCommand.Run(["list"], keys, list);
        Assert.Contains($"{name}\torders:read,orders:write\tLON\t50/s", list.ToString());
        var stored = Assert.Single(await keys.List(), k => k.Name == name);
        Assert.Equal(KeyRing.HashOf(key), stored.Hash);
        Assert.DoesNotContain(key[4..], await app.Database.Ask<string>("select string_agg(k::text, ' ') from oms.api_keys k"));

        Assert.Equal(0, await KeyCommand.Run(["revoke", name], keys, TextWriter.Null));
        await OmsApp.Until(async () => (await app.Caller(key).Get("/api/v1/orders?limit=1")).Status, status => status == 401);
    }

    [Fact]
    public void A_bucket_gives_what_it_has_saved_and_then_its_rate()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var bucket = new TokenBucket(time, perSecond: 2, atOnce: 3);
        for (var i = 0; i < 3; i++) Assert.True(bucket.TryTake(out _));
        Assert.False(bucket.TryTake(out var seconds));
        Assert.Equal(1, seconds);
        time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.True(bucket.TryTake(out _));
        Assert.False(bucket.TryTake(out _));
        Assert.False(bucket.IsFull);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(bucket.IsFull);
        for (var i = 0; i < 3; i++) Assert.True(bucket.TryTake(out _));
        Assert.False(bucket.TryTake(out _));
    }

    [Fact]
    public void Passwords_are_hashed_with_enough_rounds()
    {
        var hash = Convert.FromBase64String(OperatorLogin.HashOf("a", "b"));
        Assert.Equal(1, hash[0]);
        Assert.True(System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(5)) >= 220_000);
        Assert.True(OperatorLogin.IsRight("a", Convert.ToBase64String(hash), "b"));
        Assert.False(OperatorLogin.IsRight("a", Convert.ToBase64String(hash), "c"));
    }

    static async Task<(int, string?)> Code(Task<Answer> answer)
    {
        var a = await answer;
        return (a.Status, a.Code);
    }
}
