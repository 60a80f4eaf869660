using System.Security.Claims;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Live;

/// <summary>What the tests of live things do over HTTP.</summary>
static class LiveApp
{
    /// <summary>The port of the program.</summary>
    public static int Port(this OmsApp app) => new Uri(app.Url).Port;

    /// <summary>A paid order over units that are there, as it was answered.</summary>
    public static async Task<JsonNode> PlaceNew(this OmsApp app, int units = 3)
    {
        var sku = await app.NewProduct(units);
        return await app.Api.Place(Api.Order((sku, units)));
    }

    /// <summary>The token in an order's link.</summary>
    public static string Token(this JsonNode order) => order["trackingUrl"]!.GetValue<string>().Split('/')[^1];

    /// <summary>The order's id.</summary>
    public static string Id(this JsonNode order) => order["id"]!.GetValue<string>();

    /// <summary>The order's version.</summary>
    public static int Version(this JsonNode order) => order["version"]!.GetValue<int>();

    /// <summary>Cancels one unit: a change of the order.</summary>
    public static Task<JsonNode> CancelOne(this OmsApp app, JsonNode order, int lineId = 1) => app.Api.Must(
        200, HttpMethod.Post, $"/api/v1/orders/{order.Id()}/cancel",
        new JsonObject
        {
            ["reason"] = "test",
            ["lines"] = new JsonArray(new JsonObject { ["lineId"] = lineId, ["quantity"] = 1 }),
        });

    /// <summary>The order as stored now.</summary>
    public static async Task<JsonNode> Read(this OmsApp app, JsonNode order) =>
        (await app.Api.Get($"/api/v1/orders/{order.Id()}")).Json;

    /// <summary>The order once it has shipments.</summary>
    public static Task<JsonNode> Released(this OmsApp app, JsonNode order) => OmsApp.Until(
        () => app.Read(order), o => o["shipments"]!.AsArray().Count > 0);

    /// <summary>Picks, packs and ships the order's first shipment; answers with its id.</summary>
    public static async Task<string> Ship(this OmsApp app, JsonNode order)
    {
        await app.Released(order);
        return await app.ShipAlone(order, 0);
    }

    /// <summary>Picks, packs and ships one of the order's shipments; answers with its id.</summary>
    public static async Task<string> ShipAlone(this OmsApp app, JsonNode order, int index)
    {
        var released = await app.Read(order);
        var shipment = released["shipments"]![index]!;
        var id = shipment.Id();
        JsonArray Lines() => new([.. shipment["lines"]!.AsArray().Select(l => (JsonNode)new JsonObject
        {
            ["sku"] = released["lines"]![l!["lineId"]!.GetValue<int>() - 1]!["sku"]!.GetValue<string>(),
            ["quantity"] = l["quantity"]!.GetValue<int>(),
        })]);
        await app.Api.Must(200, HttpMethod.Post, $"/api/v1/shipments/{id}/pick", new JsonObject { ["lines"] = Lines() });
        await app.Api.Must(200, HttpMethod.Post, $"/api/v1/shipments/{id}/pack", new JsonObject
        {
            ["packages"] = new JsonArray(new JsonObject { ["weightGrams"] = 800, ["lines"] = Lines() }),
        });
        await app.Api.Must(200, HttpMethod.Post, $"/api/v1/shipments/{id}/ship", new JsonObject
        {
            ["carrier"] = "Royal Mail", ["service"] = "Tracked 48", ["trackingNumber"] = "RM123456785GB",
        });
        return id;
    }

    /// <summary>Gives a product a name.</summary>
    public static async Task Name(this OmsApp app, string sku, string name)
    {
        var answer = await app.Api.Send(
            HttpMethod.Put, $"/api/v1/products/{sku}", new JsonObject { ["name"] = name }.ToJsonString());
        Assert.InRange(answer.Status, 200, 201);
    }

    /// <summary>The carrier reports.</summary>
    public static Task Track(
        this OmsApp app, string shipment, string status, string description, string location, DateTimeOffset? at = null) =>
        app.Api.Must(200, HttpMethod.Post, $"/api/v1/shipments/{shipment}/tracking", new JsonObject
        {
            ["status"] = status, ["description"] = description, ["location"] = location,
            ["occurredAt"] = (at ?? DateTimeOffset.UtcNow).ToString("O"), ["eventId"] = Guid.NewGuid().ToString("N"),
        });

    /// <summary>The cookie of a login of an operator who may see these warehouses, or all.</summary>
    public static async Task<string> Cookie(this OmsApp app, params string[] warehouses)
    {
        var person = new Operator(string.Join('-', ["ann", .. warehouses]), "none", [], warehouses is [] ? null : warehouses);
        await new Operators(app.Database.Source).Put(person);
        return app.Cookie(OperatorLogin.PrincipalOf(person));
    }

    /// <summary>The cookie of a login.</summary>
    public static string Cookie(this OmsApp app, ClaimsPrincipal login)
    {
        var options = app.Services.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>()
            .Get(OperatorLogin.Scheme);
        var times = new AuthenticationProperties
        {
            IssuedUtc = DateTimeOffset.UtcNow, ExpiresUtc = DateTimeOffset.UtcNow.AddHours(1),
        };
        var ticket = new AuthenticationTicket(login, times, OperatorLogin.Scheme);
        return $"{OperatorLogin.Cookie}={options.TicketDataFormat.Protect(ticket)}";
    }

    /// <summary>Waits until something is so.</summary>
    public static Task Until(Func<bool> isSo) => OmsApp.Until(() => Task.FromResult(isSo()), so => so);
}
