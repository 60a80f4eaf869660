using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Stock;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Http;
using OrleansOms.Host.Security;
using Scalar.AspNetCore;

namespace OrleansOms.Host.OpenApi;

/// <summary>The OpenAPI 3.1 document at <c>/openapi/v1.json</c> and its reader at <c>/docs</c>.</summary>
public static class ApiDocument
{
    const string SecurityScheme = "apiKey";
    const string ProblemSchema = "Problem";

    /// <summary>Registers the document.</summary>
    public static void Add(IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(o =>
        {
            o.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJson.Default);
            o.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
            o.SerializerOptions.Converters.Add(new CamelCaseWord<OrderStatus>());
            o.SerializerOptions.Converters.Add(new CamelCaseWord<PaymentStatus>());
            o.SerializerOptions.Converters.Add(new CamelCaseWord<ShipmentStatus>());
            o.SerializerOptions.Converters.Add(new CamelCaseWord<MovementKind>());
            o.SerializerOptions.Converters.Add(new CamelCaseWord<StockCondition>());
        });
        services.AddOpenApi("v1", o =>
        {
            o.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            o.ShouldInclude = d => d.ActionDescriptor.EndpointMetadata.OfType<EndpointDescription>().Any();
            o.AddDocumentTransformer(Introduce);
            o.AddOperationTransformer(Complete);
            o.AddSchemaTransformer(Sharpen);
        });
    }

    /// <summary>Maps the document and its reader. The reader asks no other host for anything.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapOpenApi("/openapi/{documentName}.json").ExcludeFromDescription();
        routes.MapScalarApiReference("/docs", o => o
            .WithTitle("OrleansOms API")
            .WithOpenApiRoutePattern("/openapi/{documentName}.json")
            .AddDocument("v1")
            .DisableDefaultFonts()
            .DisableTelemetry()
            .DisableAgent()
            .DisableMcp()
            .HideDeveloperTools()
            .HideClientButton()
            .AddPreferredSecuritySchemes([SecurityScheme]));
    }

    static Task Introduce(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancel)
    {
        document.Info = new OpenApiInfo
        {
            Title = "OrleansOms", Version = "v1",
            Description = "Place orders, follow them, keep stock, ship. Errors are always application/problem+json "
                + "with a stable code. A request that answers 503 or not at all may be sent again with the same "
                + "Idempotency-Key: it has one effect.",
        };
        document.Servers = [];
        document.AddComponent(SecurityScheme, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http, Scheme = "bearer", BearerFormat = "oms_…",
            Description = "An API key. Operators that are logged in may use their cookie from the same site.",
        });
        document.AddComponent(ProblemSchema, ProblemShape());
        return Task.CompletedTask;
    }

    static OpenApiSchema ProblemShape() => new()
    {
        Type = JsonSchemaType.Object,
        Description = "RFC 9457 problem details. Refusals may carry further members, such as orderId.",
        Required = new HashSet<string> { "type", "title", "status", "code", "detail", "traceId" },
        Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["type"] = new OpenApiSchema { Type = JsonSchemaType.String },
            ["title"] = new OpenApiSchema { Type = JsonSchemaType.String },
            ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer },
            ["code"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "Stable, for programs." },
            ["detail"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "A sentence for people." },
            ["traceId"] = new OpenApiSchema { Type = JsonSchemaType.String },
            ["errors"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description = "For a 400: what is wrong, by member, such as lines[0].quantity; $ is the body as a whole.",
                AdditionalProperties = new OpenApiSchema
                {
                    Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String },
                },
            },
        },
        AdditionalPropertiesAllowed = true,
    };

    static Task Complete(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancel)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        if (metadata.OfType<EndpointDescription>().FirstOrDefault() is not { } d) return Task.CompletedTask;
        operation.Parameters = [.. d.Parameters.Select(Parameter)];
        operation.Security =
            [new() { [new OpenApiSecuritySchemeReference(SecurityScheme, context.Document)] = [] }];
        if (metadata.OfType<NeedsScope>().FirstOrDefault() is { } needs)
            operation.Description = $"{d.Description}\n\nScope: `{needs.Scope}`.";
        if (operation.RequestBody?.Content?.TryGetValue("application/json", out var body) is true)
            body.Example = EndpointDescription.Parse(d.RequestExample);
        foreach (var status in d.Successes)
        {
            var answer = operation.Responses![$"{status}"];
            if (answer.Content?.TryGetValue("application/json", out var content) is true)
                content.Example = EndpointDescription.Parse(d.AnswerExample);
        }
        foreach (var (status, text) in Refusals(d).OrderBy(r => r.Key))
            operation.Responses![$"{status}"] = new OpenApiResponse
            {
                Description = text,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    [Problem.MediaType] = new() { Schema = new OpenApiSchemaReference(ProblemSchema, context.Document) },
                },
                Headers = status is 429 or 503 ? RetryAfter() : null,
            };
        return Task.CompletedTask;
    }

    static Dictionary<string, IOpenApiHeader> RetryAfter() => new()
    {
        ["Retry-After"] = new OpenApiHeader
        {
            Description = "Seconds.", Schema = new OpenApiSchema { Type = JsonSchemaType.Integer },
        },
    };

    static Dictionary<int, string> Refusals(EndpointDescription d)
    {
        var all = new Dictionary<int, string>
        {
            [400] = "Malformed: `invalid_request`, `malformed_json`",
            [401] = "`unauthenticated`", [403] = "`forbidden`",
            [429] = "`too_many_requests`", [503] = "`unavailable`: send the same request again",
        };
        if (d.Request is not null) (all[413], all[415]) = ("`body_too_large`", "`unsupported_media_type`");
        foreach (var (status, codes) in d.Refusals)
            all[status] = all.TryGetValue(status, out var usual) ? $"{usual}, {codes}" : codes;
        return all;
    }

    static OpenApiParameter Parameter(DescribedParameter p) => new()
    {
        Name = p.Name,
        In = p.In switch
        {
            "path" => ParameterLocation.Path, "header" => ParameterLocation.Header, _ => ParameterLocation.Query,
        },
        Required = p.IsRequired,
        Description = p.Description,
        Schema = Schema(JsonNode.Parse(p.Schema)!.AsObject()),
    };

    static OpenApiSchema Schema(JsonObject s) => new()
    {
        Type = s["type"]?.GetValue<string>() switch
        {
            "integer" => JsonSchemaType.Integer, "array" => JsonSchemaType.Array, _ => JsonSchemaType.String,
        },
        Format = s["format"]?.GetValue<string>(),
        MinLength = s["minLength"]?.GetValue<int>(), MaxLength = s["maxLength"]?.GetValue<int>(),
        Minimum = s["minimum"]?.ToJsonString(), Maximum = s["maximum"]?.ToJsonString(),
        Default = s["default"]?.DeepClone(),
        Enum = s["enum"]?.AsArray().Select(e => e!.DeepClone()).ToList(),
        Items = s["items"] is JsonObject items ? Schema(items) : null,
    };

    /// <summary>Says which members must be there, and that amounts are numbers.</summary>
    static Task Sharpen(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancel)
    {
        var type = context.JsonTypeInfo.Type;
        if (type == typeof(decimal) || type == typeof(decimal?)) (schema.Type, schema.Format) = (JsonSchemaType.Number, null);
        if (context.JsonPropertyInfo is not null && Attribute<AllowedValuesAttribute>(context.JsonPropertyInfo) is { } words)
            schema.Enum = [.. words.Values.Select(w => (JsonNode)JsonValue.Create((string)w!))];
        // Whether a member may be null is told where it is used.
        if (Nullable.GetUnderlyingType(type) is { IsEnum: true } && schema.Enum is { } members)
            schema.Enum = [.. members.Where(m => m is not null && m.GetValueKind() == System.Text.Json.JsonValueKind.String)];
        if (context.JsonTypeInfo.Kind != System.Text.Json.Serialization.Metadata.JsonTypeInfoKind.Object) return Task.CompletedTask;
        var isRequest = type.Name.EndsWith("Request", StringComparison.Ordinal);
        // Whatever a constructor takes would count as there, also what may be absent.
        schema.Required = null;
        foreach (var property in context.JsonTypeInfo.Properties)
            if (isRequest ? Attribute<RequiredAttribute>(property) is not null : !property.IsGetNullable)
                (schema.Required ??= new HashSet<string>()).Add(property.Name);
        if (isRequest) schema.AdditionalPropertiesAllowed = false;
        return Task.CompletedTask;
    }

    static T? Attribute<T>(System.Text.Json.Serialization.Metadata.JsonPropertyInfo property) where T : Attribute =>
        property.AttributeProvider?.GetCustomAttributes(typeof(T), true).OfType<T>().FirstOrDefault();
}
