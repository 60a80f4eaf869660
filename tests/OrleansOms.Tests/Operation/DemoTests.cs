using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Operation;

/// <summary>A program that is started with the demo company again.</summary>
public sealed class DemoTests
{
    [Theory]
    [InlineData("warehouses/LON")]
    [InlineData("products/TEA-MINT")]
    public async Task It_leaves_what_people_have_changed_since(string path)
    {
        var shop = new DemoShop();
        await shop.InitializeAsync();
        await using var app = shop.App;
        var ours = new JsonObject { ["name"] = "Ours" };
        if (path.StartsWith("warehouses", StringComparison.Ordinal))
        {
            ours["active"] = true;
            ours["address"] = new JsonObject { ["line1"] = "1 Dock Road", ["city"] = "London", ["country"] = "GB" };
        }
        await app.Api.Must(200, HttpMethod.Put, $"/api/v1/{path}", ours);
        var before = await app.CountEvents();

        await shop.Load();
        Assert.Equal(before, await app.CountEvents());
    }
}
