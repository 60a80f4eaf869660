using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace OrleansOms.Tests.Import;

/// <summary>
/// Speaks the part of the API that the import uses, remembers idempotency keys as the real one does, and fails in the
/// ways the real one may: busy before the work, a connection that is lost before it, and one that is lost after it.
/// </summary>
sealed class MisbehavingServer : IAsyncDisposable
{
    public const string Key = "oms_test";

    readonly WebApplication _app;
    readonly ConcurrentDictionary<string, string> _keys = new(StringComparer.Ordinal);
    int _requests;

    /// <summary>Whether it fails now and then.</summary>
    public bool Misbehaves { get; set; }
    /// <summary>Orders of these invoices and products of these SKUs are refused with 422.</summary>
    public HashSet<string> Refused { get; } = new(StringComparer.Ordinal);
    /// <summary>Orders of these invoices are there already, placed by another caller.</summary>
    public HashSet<string> TakenByOthers { get; } = new(StringComparer.Ordinal);
    /// <summary>Called with each order's invoice after it is stored.</summary>
    public Action<string>? OnOrder { get; set; }

    public ConcurrentDictionary<string, JsonElement> Orders { get; } = new(StringComparer.Ordinal);
    public ConcurrentDictionary<string, string> Products { get; } = new(StringComparer.Ordinal);
    public ConcurrentDictionary<string, bool> Warehouses { get; } = new(StringComparer.Ordinal);
    public ConcurrentDictionary<(string Warehouse, string Sku), int> Stock { get; } = new();
    /// <summary>How often each fault was played.</summary>
    public ConcurrentDictionary<string, int> Faults { get; } = new(StringComparer.Ordinal);
    public int Requests => Volatile.Read(ref _requests);
    public Uri Url { get; private set; } = null!;

    MisbehavingServer(WebApplication app) => _app = app;

    public static async Task<MisbehavingServer> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var server = new MisbehavingServer(builder.Build());
        server._app.Run(server.Answer);
        await server._app.StartAsync();
        server.Url = new Uri(server._app.Urls.Single());
        return server;
    }

    async Task Answer(HttpContext http)
    {
        if (http.Request.Headers.Authorization != $"Bearer {Key}") { await Problem(http, 401, "unauthorized"); return; }
        using var copy = new MemoryStream();
        await http.Request.Body.CopyToAsync(copy);
        var body = copy.ToArray();
        var n = Interlocked.Increment(ref _requests);
        var fault = Misbehaves ? Fault(n) : null;
        if (fault is not null) Faults.AddOrUpdate(fault, 1, (_, count) => count + 1);
        switch (fault)
        {
            case "busy": http.Response.Headers.RetryAfter = "0"; await Problem(http, 503, "unavailable"); return;
            case "tooMany": http.Response.Headers.RetryAfter = "0"; await Problem(http, 429, "too_many_requests"); return;
            case "running": await Problem(http, 409, "request_in_progress"); return;
            case "lostBefore": http.Abort(); return;
        }
        var (status, code) = Do(http, body);
        if (fault == "lostAfter") { http.Abort(); return; }
        if (code is not null) { await Problem(http, status, code); return; }
        http.Response.StatusCode = status;
        await http.Response.WriteAsync("{}");
    }

    static string? Fault(int n) =>
        n % 5 == 1 ? "busy" : n % 7 == 2 ? "lostAfter" : n % 11 == 3 ? "lostBefore" : n % 13 == 4 ? "tooMany"
        : n % 17 == 5 ? "running" : null;

    (int Status, string? Code) Do(HttpContext http, byte[] body)
    {
        // The path as it came: a slash within a SKU is still encoded in it.
        var path = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('/');
        var json = JsonDocument.Parse(body).RootElement;
        switch (http.Request.Method, string.Join('/', path.Take(4)))
        {
            case ("PUT", "/api/v1/products") when path.Length == 5:
                if (Refused.Contains(Uri.UnescapeDataString(path[4]))) return (422, "invalid_product");
                Products[Uri.UnescapeDataString(path[4])] = json.GetProperty("name").GetString()!;
                return (200, null);
            case ("PUT", "/api/v1/warehouses") when path.Length == 5:
                Warehouses[path[4]] = json.GetProperty("active").GetBoolean();
                return (200, null);
            case ("POST", "/api/v1/stock") when path[4] == "receipts":
                return Once(http, body, "receipt", () => Receive(json));
            case ("POST", "/api/v1/orders"):
                return Once(http, body, "order", () => Place(json));
            default:
                return (404, "not_found");
        }
    }

    /// <summary>A refusal is not remembered; what was done is answered as done.</summary>
    (int, string?) Once(HttpContext http, byte[] body, string scope, Func<(int, string?)> work)
    {
        var key = http.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length == 0) return (400, "idempotency_key_missing");
        var hash = Convert.ToHexString(SHA256.HashData(body));
        lock (_keys)
        {
            if (_keys.TryGetValue($"{scope}/{key}", out var known))
                return known == hash ? (201, null) : (422, "idempotency_key_reused");
            var answer = work();
            if (answer.Item2 is null) _keys[$"{scope}/{key}"] = hash;
            return answer;
        }
    }

    (int, string?) Receive(JsonElement json)
    {
        var warehouse = json.GetProperty("warehouse").GetString()!;
        if (!Warehouses.ContainsKey(warehouse)) return (422, "unknown_warehouse");
        foreach (var line in json.GetProperty("lines").EnumerateArray())
        {
            var sku = line.GetProperty("sku").GetString()!;
            if (!Products.ContainsKey(sku)) return (422, "unknown_sku");
            var quantity = line.GetProperty("quantity").GetInt32();
            Stock.AddOrUpdate((warehouse, sku), quantity, (_, present) => present + quantity);
        }
        return (201, null);
    }

    (int, string?) Place(JsonElement json)
    {
        var invoice = json.GetProperty("externalId").GetString()!;
        if (Refused.Contains(invoice)) return (422, "unknown_sku");
        if (TakenByOthers.Contains(invoice)) return (409, "duplicate_order");
        if (json.GetProperty("lines").EnumerateArray().Any(l => !Products.ContainsKey(l.GetProperty("sku").GetString()!)))
            return (422, "unknown_sku");
        if (!Orders.TryAdd(invoice, json.Clone())) return (409, "duplicate_order");
        OnOrder?.Invoke(invoice);
        return (201, null);
    }

    static async Task Problem(HttpContext http, int status, string code)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/problem+json";
        await http.Response.WriteAsync($$"""{"status":{{status}},"code":"{{code}}","detail":"A sentence about {{code}}."}""");
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
