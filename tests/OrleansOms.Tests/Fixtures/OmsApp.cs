using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Host;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Tests.Fixtures;

/// <summary>
/// The whole program in this process: a free port, a fresh database, three products and two warehouses. Tests of a
/// collection share one; each uses keys and SKUs of its own.
/// </summary>
public sealed class OmsApp : IAsyncLifetime
{
    /// <summary>The key that may do everything.</summary>
    public const string BootstrapKey = "oms_test_bootstrap_key_0001";
    /// <summary>The password of the operator <c>admin</c>.</summary>
    public const string AdminPassword = "correct horse battery";

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly TestFolder _folder = new();
    OmsApplication? _app;
    bool _isBeside;

    /// <summary>Further settings, such as <c>["Oms:MaxBodyBytes"] = "2000"</c>; an empty one is not set at all.</summary>
    public Dictionary<string, string> Settings { get; init; } = [];

    /// <summary>Whether nothing is created: no warehouse, no product.</summary>
    public bool IsEmpty { get; init; }

    /// <summary>What a test puts in the place of something.</summary>
    public Action<IServiceCollection> Adjust { get; init; } = _ => { };

    /// <summary>What is in its database before it starts for the first time.</summary>
    public Func<TestDatabase, Task> Before { get; init; } = _ => Task.CompletedTask;

    /// <summary>Its database.</summary>
    public TestDatabase Database { get; private set; } = null!;

    /// <summary>Where it answers.</summary>
    public string Url => _app!.Url;

    /// <summary>What it consists of.</summary>
    public IServiceProvider Services => _app!.Web.Services;

    /// <summary>Calls as the bootstrap key.</summary>
    public Api Api { get; private set; } = null!;

    /// <summary>Starts it on a fresh database.</summary>
    public static async Task<OmsApp> Start(params (string Name, string Value)[] settings)
    {
        var app = new OmsApp { Settings = settings.ToDictionary(s => s.Name, s => s.Value) };
        await app.InitializeAsync();
        return app;
    }

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.Create(migrated: false, maxPoolSize: 30);
        await Before(Database);
        await Begin();
        if (IsEmpty) return;
        await AddWarehouse("LON", 51.5, 0.0);
        await AddWarehouse("MAN", 53.5, -2.2);
        foreach (var sku in new[] { "A", "B", "C" }) await AddProduct(sku);
    }

    /// <summary>Starts another one on the same database, such as a front end of this one. Dispose it first.</summary>
    public async Task<OmsApp> StartBeside(params (string Name, string Value)[] settings)
    {
        var beside = new OmsApp { Settings = settings.ToDictionary(s => s.Name, s => s.Value), _isBeside = true };
        beside.Database = Database;
        await beside.Begin();
        return beside;
    }

    /// <summary>Stops it and starts it again on the same database.</summary>
    public async Task Restart()
    {
        await End();
        await Begin();
    }

    async Task Begin()
    {
        var settings = new Dictionary<string, string>
        {
            ["urls"] = "http://127.0.0.1:0", ["Oms:Silo:Port"] = "0", ["Oms:Silo:GatewayPort"] = "0",
            ["Oms:Data"] = _folder.Path, ["Oms:Bootstrap:ApiKey"] = BootstrapKey,
            ["Oms:Bootstrap:AdminPassword"] = AdminPassword, ["Oms:PublicUrl"] = "http://oms.test",
            ["Logging:LogLevel:Default"] = "Warning",
        };
        foreach (var (name, value) in Settings) settings[name] = value;
        _app = await OmsHost.Build(
            [.. settings.Where(s => s.Value.Length > 0).SelectMany(s => new[] { $"--{s.Key}", s.Value })], Database.ConnectionString,
            adjust: builder => Adjust(builder.Services));
        await _app.Web.StartAsync();
        Api = Caller(BootstrapKey);
    }

    async Task End()
    {
        if (_app is null) return;
        await _app.Web.StopAsync();
        await _app.DisposeAsync();
        _app = null;
    }

    /// <summary>Calls with a key, or as nobody.</summary>
    public Api Caller(string? key) => new(new Uri(Url), key);

    /// <summary>Calls with a new key.</summary>
    public async Task<Api> NewCaller(string[] scopes, string[]? warehouses = null, int? rate = null)
    {
        var key = KeyRing.NewKey();
        var id = Guid.NewGuid().ToString("N");
        await new ApiKeys(Database.Source).Add(
            new ApiKey(id, $"test-{id}", KeyRing.HashOf(key), scopes, warehouses, rate, default, null));
        return Caller(key);
    }

    /// <summary>Creates a product.</summary>
    public async Task AddProduct(string sku) => await Api.Must(
        201, HttpMethod.Put, $"/api/v1/products/{Uri.EscapeDataString(sku)}", new JsonObject { ["name"] = $"Product {sku}" });

    Task AddWarehouse(string code, double latitude, double longitude) => Api.Must(
        201, HttpMethod.Put, $"/api/v1/warehouses/{code}", new JsonObject
        {
            ["name"] = code, ["active"] = true, ["latitude"] = latitude, ["longitude"] = longitude,
            ["address"] = new JsonObject { ["line1"] = "1 Dock Road", ["city"] = code, ["country"] = "GB" },
        });

    /// <summary>Creates a warehouse of its own for a test: what is in it, the test has put there.</summary>
    public async Task<string> NewWarehouse()
    {
        var code = $"W{Guid.NewGuid():N}"[..16].ToUpperInvariant();
        await AddWarehouse(code, 52.5, -1.9);
        return code;
    }

    /// <summary>Creates a product of its own for a test, with units in LON.</summary>
    public async Task<string> NewProduct(int units = 0)
    {
        var sku = $"T-{Guid.NewGuid():N}"[..20];
        await AddProduct(sku);
        if (units > 0) await Receive("LON", sku, units);
        return sku;
    }

    /// <summary>Brings units into a warehouse.</summary>
    public async Task Receive(string warehouse, string sku, int units) => await Api.Must(
        201, HttpMethod.Post, "/api/v1/stock/receipts",
        new JsonObject
        {
            ["warehouse"] = warehouse, ["reference"] = "test",
            ["lines"] = new JsonArray(new JsonObject { ["sku"] = sku, ["quantity"] = units }),
        },
        Api.NewKey());

    /// <summary>Events stored, once every consequence of what happened so far is stored too.</summary>
    public async Task<long> CountEvents()
    {
        const string question =
            """
            select case when count(*) = 3 and bool_and((c.transaction, c.position) >= (e.xid::text::bigint, e.position))
              then (select count(*) from oms.event) else -1 end
            from oms.checkpoint c,
              (select xid, position from oms.event order by xid desc, position desc limit 1) e
            where c.follower in ('read-model', 'fulfilment', 'backorders')
            """;
        return await Until(() => Database.Ask<long>(question), n => n >= 0);
    }

    /// <summary>Asks again until the answer is what it must become.</summary>
    public static async Task<T> Until<T>(Func<Task<T>> ask, Func<T, bool> isSo)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (true)
        {
            var answer = await ask();
            if (isSo(answer)) return answer;
            if (limit.IsCancellationRequested) throw new TimeoutException($"It stayed at {answer}.");
            await Task.WhenAny(Task.Delay(20));
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await End();
        if (!_isBeside) await Database.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>An answer of the API.</summary>
public sealed record Answer(int Status, string Text, HttpResponseMessage Http)
{
    /// <summary>The body as JSON.</summary>
    public JsonNode Json => JsonNode.Parse(Text)!;

    /// <summary>The code of a problem.</summary>
    public string? Code => Json["code"]?.GetValue<string>();

    /// <inheritdoc />
    public override string ToString() => $"{Status} {Text}";
}

/// <summary>Calls the API as one caller.</summary>
public sealed class Api
{
    static int _keys;

    readonly HttpClient _client;

    /// <summary>Calls as the holder of a key, or as nobody.</summary>
    public Api(Uri url, string? key)
    {
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = url };
        if (key is not null) _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>An idempotency key that was never used.</summary>
    public static string NewKey() => $"key-{Interlocked.Increment(ref _keys)}-{Guid.NewGuid():N}";

    /// <summary>Sends a request as it is.</summary>
    public async Task<Answer> Send(HttpRequestMessage request)
    {
        var response = await _client.SendAsync(request);
        return new Answer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response);
    }

    /// <summary>Sends text as JSON.</summary>
    public Task<Answer> Send(HttpMethod method, string path, string? body, string? key = null)
    {
        var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (key is not null) request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        return Send(request);
    }

    /// <summary>Reads.</summary>
    public Task<Answer> Get(string path) => Send(HttpMethod.Get, path, null);

    /// <summary>Sends a command.</summary>
    public Task<Answer> Post(string path, JsonNode body, string? key = null) =>
        Send(HttpMethod.Post, path, body.ToJsonString(), key);

    /// <summary>Sends something that must succeed.</summary>
    public async Task<JsonNode> Must(int status, HttpMethod method, string path, JsonNode? body, string? key = null)
    {
        var answer = await Send(method, path, body?.ToJsonString(), key);
        Assert.True(answer.Status == status, $"{method} {path}: {answer}");
        return answer.Json;
    }

    /// <summary>Places an order that must be accepted.</summary>
    public Task<JsonNode> Place(JsonNode order, string? key = null) =>
        Must(201, HttpMethod.Post, "/api/v1/orders", order, key ?? NewKey());

    /// <summary>An order for some units, paid, under an external id of its own.</summary>
    public static JsonObject Order(params (string Sku, int Quantity)[] lines) => new()
    {
        ["channel"] = "web",
        ["externalId"] = Guid.NewGuid().ToString("N"),
        ["customer"] = new JsonObject { ["name"] = "Jane Doe", ["email"] = "jane@example.com" },
        ["shipTo"] = new JsonObject
        {
            ["name"] = "Jane Doe", ["line1"] = "1 High Street", ["city"] = "Worthing", ["postalCode"] = "BN9 1AA",
            ["country"] = "GB",
        },
        ["currency"] = "GBP",
        ["lines"] = new JsonArray([.. lines.Select(l => (JsonNode)new JsonObject
        {
            ["sku"] = l.Sku, ["quantity"] = l.Quantity, ["unitPrice"] = 2.55m, ["taxRate"] = 0.2m, ["discount"] = 0,
        })]),
        ["shipping"] = new JsonObject { ["service"] = "standard", ["price"] = 3.95m },
        ["payment"] = new JsonObject { ["method"] = "prepaid", ["status"] = "paid", ["reference"] = "pi_1" },
        ["stockPolicy"] = "backorder",
    };
}
