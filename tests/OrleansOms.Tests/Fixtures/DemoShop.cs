using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Host.Catalogue;
using OrleansOms.Host.Demo;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Fixtures;

/// <summary>The program with the demo company: its warehouses, products, opening stock and customers.</summary>
public sealed class DemoShop : IAsyncLifetime
{
    int _orders;

    /// <summary>The program.</summary>
    public OmsApp App { get; } = new()
    {
        IsEmpty = true,
        Settings = new() { ["Oms:Track:ShopName"] = "The Tea House", ["Oms:Track:ContactUrl"] = "mailto:help@example.com" },
    };

    /// <inheritdoc />
    public async ValueTask InitializeAsync()
    {
        await App.InitializeAsync();
        await Load();
        // Orders are sourced by what was heard of stock: until the last warehouse's has been heard of.
        await OmsApp.Until(
            () => App.Api.Get($"/api/v1/availability?sku={DemoCompany.Products[^1].Sku}"),
            a => a.Status == 200 && a.Json["items"]![0]!["warehouses"]!.AsArray()
                .Any(w => (string?)w!["warehouse"] == DemoCompany.Warehouses[^1].Code && (int)w["available"]! > 0));
    }

    /// <summary>Loads the company, as each start with it does.</summary>
    public Task Load() => DemoCompany.Load(
        App.Services.GetRequiredService<IGrainFactory>(), App.Services.GetRequiredService<KnownThings>());

    /// <inheritdoc />
    public ValueTask DisposeAsync() => App.DisposeAsync();

    /// <summary>An order of one of the customers at the company's prices.</summary>
    /// <param name="first">The customer's first name.</param>
    public JsonObject Order(string first, string channel, params (string Sku, int Quantity)[] lines)
    {
        var who = DemoCompany.People.Single(p => p.Name.StartsWith(first, StringComparison.Ordinal));
        var order = Api.Order(lines);
        order["channel"] = channel;
        order["externalId"] = $"{channel[..1].ToUpperInvariant()}-{20417 + 13 * _orders++}";
        order["customer"] = new JsonObject
        {
            ["name"] = who.Name, ["email"] = $"{first.ToLowerInvariant()}@example.com",
        };
        order["shipTo"] = new JsonObject
        {
            ["name"] = who.Name, ["line1"] = who.Street, ["city"] = who.City, ["postalCode"] = who.PostalCode,
            ["country"] = who.Country,
        };
        foreach (var line in order["lines"]!.AsArray())
            line!["unitPrice"] = DemoCompany.Products.First(p => p.Sku == (string?)line["sku"]).Price;
        return order;
    }

    /// <summary>Places such an order.</summary>
    public Task<JsonNode> Place(string first, string channel, params (string Sku, int Quantity)[] lines) =>
        App.Api.Place(Order(first, channel, lines));
}
