using System.Text.Json.Nodes;
using OrleansOms.Host.Security;

namespace OrleansOms.Host.OpenApi;

/// <summary>What a caller may send along with a request.</summary>
/// <param name="In">path, query or header.</param>
/// <param name="Schema">JSON schema, such as <c>{"type":"string"}</c>.</param>
public sealed record DescribedParameter(string Name, string In, bool IsRequired, string Description, string Schema)
{
    /// <summary>A text in the path.</summary>
    public static DescribedParameter Path(string name, string description) =>
        new(name, "path", true, description, """{"type":"string"}""");

    /// <summary>A member of the query that may be left out.</summary>
    public static DescribedParameter Query(string name, string description, string schema = """{"type":"string"}""") =>
        new(name, "query", false, description, schema);

    /// <summary>The header that makes a request safe to repeat.</summary>
    public static DescribedParameter IdempotencyKey(bool isRequired) => new(
        "Idempotency-Key", "header", isRequired,
        "1 to 255 printable ASCII characters, your own for each thing that is to happen once. "
        + "The same key with the same body has one effect, however often it is sent; with another body it is refused.",
        """{"type":"string","minLength":1,"maxLength":255}""");

    /// <summary>How many items a page has.</summary>
    public static DescribedParameter Limit => Query(
        "limit", "Items on a page.", """{"type":"integer","minimum":1,"maximum":200,"default":50}""");

    /// <summary>Where a page begins.</summary>
    public static DescribedParameter Cursor => Query("cursor", "The nextCursor of the page before.");
}

/// <summary>An endpoint as the OpenAPI document tells it.</summary>
/// <param name="Name">Operation id.</param>
/// <param name="Summary">A few words.</param>
/// <param name="Description">What it promises.</param>
/// <param name="Request">The body's type, if it takes one.</param>
/// <param name="Answer">The answer's type.</param>
public sealed record EndpointDescription(string Name, string Summary, string Description, Type? Request, Type Answer)
{
    /// <summary>What may be sent along.</summary>
    public IReadOnlyList<DescribedParameter> Parameters { get; init; } = [];
    /// <summary>Statuses of success.</summary>
    public IReadOnlyList<int> Successes { get; init; } = [200];
    /// <summary>Codes of refusals by status, besides those that every endpoint has.</summary>
    public IReadOnlyDictionary<int, string> Refusals { get; init; } = new Dictionary<int, string>();
    /// <summary>A body that works, as JSON.</summary>
    public string? RequestExample { get; init; }
    /// <summary>An answer, as JSON.</summary>
    public string? AnswerExample { get; init; }

    internal static JsonNode? Parse(string? json) => json is null ? null : JsonNode.Parse(json);
}

/// <summary>Says at the route what an endpoint needs and is.</summary>
public static class DescribedRoutes
{
    /// <summary>Lets only callers with this scope through.</summary>
    public static RouteHandlerBuilder Needs(this RouteHandlerBuilder route, string scope) =>
        route.WithMetadata(new NeedsScope(scope));

    /// <summary>Describes it.</summary>
    public static RouteHandlerBuilder Describe(this RouteHandlerBuilder route, EndpointDescription description)
    {
        route.WithName(description.Name).WithSummary(description.Summary).WithDescription(description.Description)
            .WithMetadata(description);
        if (description.Request is { } request) route.Accepts(request, "application/json");
        foreach (var status in description.Successes) route.Produces(status, description.Answer, "application/json");
        return route;
    }
}
