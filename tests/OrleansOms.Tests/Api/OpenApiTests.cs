using System.Text.Json.Nodes;
using OrleansOms.Host.Commands;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.ApiTests;

/// <summary>The description of the surface.</summary>
[Collection(ApiCollection.Name)]
public sealed class OpenApiTests(OmsApp app)
{
    static readonly string Snapshot = Path.Combine(Repository.Root, "docs", "openapi.v1.json");

    [Fact]
    public async Task The_surface_is_the_one_that_is_checked_in()
    {
        var actual = await OpenApiCommand.Document();
        var expected = File.Exists(Snapshot) ? await File.ReadAllTextAsync(Snapshot) : "";
        Assert.True(expected == actual,
            "The API's surface has changed. If that is meant, renew the snapshot and look at what changed: "
            + "dotnet run --project src/OrleansOms.Host -- openapi docs/openapi.v1.json");
    }

    [Fact]
    public async Task The_running_program_serves_the_same_document_and_its_reader_without_other_hosts()
    {
        var served = (await app.Caller(null).Get("/openapi/v1.json")).Text;
        Assert.Equal(await OpenApiCommand.Document(), served.ReplaceLineEndings("\n").TrimEnd() + "\n");
        var reader = await app.Caller(null).Get("/docs/");
        Assert.Equal(200, reader.Status);
        Assert.DoesNotContain("https://", reader.Text);
        Assert.Contains("default-src 'self'", reader.Http.Headers.GetValues("Content-Security-Policy").Single());
    }

    [Fact]
    public async Task Every_operation_names_its_answers_problems_and_key()
    {
        var document = JsonNode.Parse(await OpenApiCommand.Document())!;
        Assert.StartsWith("3.1", document["openapi"]!.GetValue<string>());
        Assert.Equal("bearer", document["components"]!["securitySchemes"]!["apiKey"]!["scheme"]!.GetValue<string>());
        var operations = document["paths"]!.AsObject().SelectMany(p => p.Value!.AsObject().Select(o => ($"{o.Key} {p.Key}", o.Value!))).ToList();
        Assert.Equal(24, operations.Count);
        foreach (var (name, operation) in operations)
        {
            var responses = operation["responses"]!.AsObject();
            Assert.True(responses.Any(r => r.Key.StartsWith('2') && r.Value!["content"]!["application/json"]!["schema"] is not null), name);
            foreach (var status in new[] { "400", "401", "403", "429", "503" })
                Assert.True(responses[status]?["content"]?["application/problem+json"]?["schema"] is not null, $"{name} {status}");
            Assert.True(operation["security"] is JsonArray { Count: 1 }, name);
            if (operation["requestBody"] is { } body)
                Assert.True(body["content"]!["application/json"]!["example"] is not null, name);
        }
    }
}
