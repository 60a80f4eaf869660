using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Host.Errors;

/// <summary>A refusal or a failure as RFC 9457 problem details. The only shape of an error of this API.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">Stable, snake_case, for programs.</param>
/// <param name="Detail">One sentence for people. Never a stack trace, SQL or the name of a type.</param>
public sealed record Problem(int Status, string Code, string Detail) : IResult
{
    /// <summary>Media type of every error.</summary>
    public const string MediaType = "application/problem+json";

    static readonly HashSet<string> Reserved = new(StringComparer.Ordinal)
    {
        "type", "title", "status", "detail", "instance", "code", "traceId", "errors",
    };

    /// <summary>What is wrong, by member in camelCase such as <c>lines[0].quantity</c>; on every 400.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Errors { get; init; }

    /// <summary>Further members for programs, such as the id of the order that came first.</summary>
    public IReadOnlyDictionary<string, string>? Members { get; init; }

    /// <summary>Seconds after which the same request makes sense again; becomes <c>Retry-After</c>.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>There is nothing here, or nothing that the caller may see.</summary>
    public static Problem NotFound(string what = "It") => new(404, "not_found", $"{what} does not exist.");

    /// <summary>The HTTP answer of a domain refusal.</summary>
    public static Problem Of(Rejection rejection) => new(
        rejection.Kind switch
        {
            RejectionKind.Meaning => 422,
            RejectionKind.NotFound => 404,
            _ => 409,
        },
        rejection.Code, rejection.Detail) { Members = rejection.Data };

    /// <summary>The general answer of a status that came without a body.</summary>
    public static Problem OfStatus(int status) => status switch
    {
        400 => Findings.Of(Findings.WholeBody, "The request is not well formed.", "malformed_request").Problem,
        401 => new(401, "unauthenticated", "Send an API key as a bearer token."),
        403 => new(403, "forbidden", "The caller may not do this."),
        404 => NotFound("What was asked for"),
        405 => new(405, "method_not_allowed", "This address does not take this method."),
        413 => new(413, "body_too_large", "The body is larger than this server takes."),
        415 => new(415, "unsupported_media_type", "Send the body as application/json, without a content encoding."),
        429 => new(429, "too_many_requests", "Slow down."),
        503 => new(503, "unavailable", "The service cannot answer now; send the same request again.")
            { RetryAfterSeconds = 1 },
        >= 500 => new(status, "internal_error", "Something went wrong on our side; the trace id finds it in the logs."),
        _ => new(status, "malformed_request", "The request is not well formed."),
    };

    /// <inheritdoc />
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.RequestServices.GetService<RefusalMetrics>()?.Refused(Code);
        var response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = MediaType;
        response.Headers.CacheControl = "no-store";
        if (RetryAfterSeconds is { } seconds) response.Headers.RetryAfter = seconds.ToString("0");
        if (Status == 401) response.Headers.WWWAuthenticate = "Bearer";
        var body = Write(Activity.Current?.Id ?? httpContext.TraceIdentifier);
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(httpContext.Request.Method)
            ? Task.CompletedTask : response.Body.WriteAsync(body, httpContext.RequestAborted).AsTask();
    }

    ReadOnlyMemory<byte> Write(string traceId)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("type", $"urn:oms:problem:{Code}");
        json.WriteString("title", TitleOf(Status));
        json.WriteNumber("status", Status);
        json.WriteString("code", Code);
        json.WriteString("detail", Detail);
        json.WriteString("traceId", traceId);
        if (Errors is not null)
        {
            json.WriteStartObject("errors");
            foreach (var (member, texts) in Errors)
            {
                json.WriteStartArray(member);
                foreach (var text in texts) json.WriteStringValue(text);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        foreach (var (name, value) in Members ?? new Dictionary<string, string>())
            if (!Reserved.Contains(name)) json.WriteString(name, value);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    static string TitleOf(int status) => status switch
    {
        400 => "The request is malformed",
        401 => "Who is calling?",
        403 => "Not allowed",
        404 => "Not found",
        405 => "Method not allowed",
        409 => "Refused in the present state",
        413 => "Too large",
        415 => "Unsupported media type",
        422 => "Not meaningful here",
        429 => "Too many requests",
        503 => "Temporarily unavailable",
        _ => status >= 500 ? "Internal error" : "Refused",
    };
}

/// <summary>Ends a request with a problem from wherever it was found. Caught by <see cref="ProblemMiddleware"/>.</summary>
public sealed class ProblemException(Problem problem) : Exception(problem.Detail)
{
    /// <summary>What the caller is told.</summary>
    public Problem Problem { get; } = problem;
}
