using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OrleansOms.Contracts;
using OrleansOms.Host.Errors;

namespace OrleansOms.Host.Http;

/// <summary>A JSON answer, written once as UTF-8.</summary>
/// <typeparam name="T">What is answered.</typeparam>
public sealed class JsonAnswer<T>(T value, JsonTypeInfo<T> type, int status, string? location) : IResult
{
    /// <inheritdoc />
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        var response = httpContext.Response;
        response.StatusCode = status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        response.Headers.CacheControl = "no-store";
        if (location is not null) response.Headers.Location = location;
        return response.Body.WriteAsync(body, httpContext.RequestAborted).AsTask();
    }
}

/// <summary>The answers of this API.</summary>
public static class Answers
{
    /// <summary>200 with a view.</summary>
    public static IResult Ok<T>(T value, JsonTypeInfo<T> type) => new JsonAnswer<T>(value, type, 200, null);

    /// <summary>201 with a view and where it is found.</summary>
    public static IResult Created<T>(T value, JsonTypeInfo<T> type, string? location) =>
        new JsonAnswer<T>(value, type, 201, location);

    /// <summary>200 with the state after a command, or its refusal.</summary>
    public static IResult Of<T>(Reply<T> reply, JsonTypeInfo<T> type) where T : class =>
        reply.Rejection is { } no ? Problem.Of(no) : Ok(reply.Value!, type);
}
