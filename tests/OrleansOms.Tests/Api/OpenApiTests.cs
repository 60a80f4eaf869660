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

    /// <summary>Members that must be there only beside others, which the document can say in words only.</summary>
    static readonly string[] Conditional =
    [
        "/api/v1/orders shipTo.name", "/api/v1/orders payment.status", "/api/v1/warehouses/{code} latitude",
        "/api/v1/warehouses/{code} longitude",
    ];

    [Fact]
    public async Task What_it_calls_required_is_required_and_nothing_else_is()
    {
        var document = JsonNode.Parse(await OpenApiCommand.Document())!;
        var order = (await app.Api.Place(Api.Order(("A", 1))))["id"]!.GetValue<string>();
        var conditional = new List<string>();
        foreach (var (path, item) in document["paths"]!.AsObject())
            foreach (var (verb, operation) in item!.AsObject())
            {
                if (operation!["requestBody"]?["content"]!["application/json"] is not { } body) continue;
                var example = body["example"]!;
                var target = path.Replace("{sku}", "A").Replace("{code}", "LON")
                    .Replace("{id}", path.Contains("shipments") ? $"shp-{order[4..]}-1" : order);
                foreach (var (member, isRequired) in Members(document, example, body["schema"]!, ""))
                {
                    var without = example.DeepClone();
                    Remove(without, member);
                    var answer = await app.Api.Send(new HttpMethod(verb.ToUpperInvariant()), target, without.ToJsonString(), Api.NewKey());
                    if (answer.Status == 400 && !isRequired) conditional.Add($"{path} {member}");
                    if (isRequired) Assert.True(answer.Status == 400 && answer.Json["errors"]![member] is not null, $"{path} without {member}: {answer}");
                }
            }
        Assert.Equal(Conditional.Order(), conditional.Distinct().Order());
    }

    /// <summary>Each member of an example, as errors name it, and whether its schema requires it.</summary>
    static IEnumerable<(string Member, bool IsRequired)> Members(JsonNode document, JsonNode example, JsonNode schema, string at)
    {
        schema = Resolved(document, schema);
        if (example is JsonArray { Count: > 0 } items)
            foreach (var member in Members(document, items[0]!, schema["items"]!, $"{at}[0]")) yield return member;
        if (example is not JsonObject members) yield break;
        var required = schema["required"]?.AsArray().Select(r => r!.GetValue<string>()).ToHashSet() ?? [];
        foreach (var (name, value) in members)
        {
            var path = at == "" ? name : $"{at}.{name}";
            yield return (path, required.Contains(name));
            foreach (var member in Members(document, value!, schema["properties"]![name]!, path)) yield return member;
        }
    }

    static JsonNode Resolved(JsonNode document, JsonNode schema)
    {
        if (schema["oneOf"] is JsonArray either) schema = either.First(s => s!["$ref"] is not null)!;
        return schema["$ref"] is { } reference
            ? document["components"]!["schemas"]![reference.GetValue<string>().Split('/')[^1]]! : schema;
    }

    static void Remove(JsonNode body, string member)
    {
        var steps = member.Split('.');
        foreach (var step in steps[..^1])
            body = step.EndsWith("[0]", StringComparison.Ordinal) ? body[step[..^3]]![0]! : body[step]!;
        body.AsObject().Remove(steps[^1]);
    }
}
