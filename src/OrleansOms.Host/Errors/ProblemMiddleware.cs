using System.Data.Common;
using System.Diagnostics;
using Microsoft.AspNetCore.Connections;
using Orleans.Runtime;
using OrleansOms.Contracts.Log;
using OrleansOms.Host.Security;

namespace OrleansOms.Host.Errors;

/// <summary>
/// The outermost step: whatever goes wrong inside becomes problem details for programs and a plain page for people, and
/// nothing of the inside is told.
/// </summary>
public sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    /// <summary>Runs the request and turns what it left behind into an answer.</summary>
    public async Task InvokeAsync(HttpContext http)
    {
        SecurityHeaders.Set(http);
        try
        {
            await next(http);
        }
        catch (Exception e) when (IsAborted(http, e))
        {
            LogAborted(logger, http.Request.Path);
            return;
        }
        catch (Exception e) when (!http.Response.HasStarted)
        {
            var problem = Of(e);
            if (problem.Status >= 500 && problem.Code == "internal_error") LogFailed(logger, e, http.Request.Path);
            else if (problem.Status >= 500) LogFault(logger, e.Message);
            await Answer(http, problem);
            return;
        }
        var response = http.Response;
        if (response.StatusCode >= 400 && !response.HasStarted && response.ContentLength is null
            && response.ContentType is null && !IsForPeople(http))
            await Problem.OfStatus(response.StatusCode).ExecuteAsync(http);
    }

    /// <summary>What a caller is told about an exception, looked for through its causes.</summary>
    public static Problem Of(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
            switch (e)
            {
                case ProblemException p: return p.Problem;
                case OmsFaultException fault:
                    return Problem.OfStatus(503) with { RetryAfterSeconds = Math.Max(1, fault.RetryAfterSeconds) };
                case BadHttpRequestException bad: return Problem.OfStatus(bad.StatusCode);
                case ConnectionResetException: return Problem.OfStatus(400);
                // Given up by Orleans, not by the caller: a message has outlived its time on the way.
                case OperationCanceledException:
                case TimeoutException or OrleansException or DbException { IsTransient: true }:
                case DbException { SqlState: null }:
                    return Problem.OfStatus(503);
            }
        return Problem.OfStatus(500);
    }

    static Task Answer(HttpContext http, Problem problem)
    {
        http.Response.Clear();
        SecurityHeaders.Set(http);
        if (!IsForPeople(http)) return problem.ExecuteAsync(http);
        http.Response.StatusCode = problem.Status;
        http.Response.ContentType = "text/html; charset=utf-8";
        if (problem.RetryAfterSeconds is { } seconds) http.Response.Headers.RetryAfter = $"{seconds}";
        return http.Response.WriteAsync(
            ErrorPage.Of(problem.Status, Activity.Current?.Id ?? http.TraceIdentifier), http.RequestAborted);
    }

    static bool IsAborted(HttpContext http, Exception e) =>
        http.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException and not BadHttpRequestException;

    static bool IsForPeople(HttpContext http) =>
        !http.Request.Path.StartsWithSegments("/api") && !http.Request.Path.StartsWithSegments("/hubs")
        && http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    [LoggerMessage(LogLevel.Debug, "The caller of {Path} has gone.")]
    static partial void LogAborted(ILogger logger, string path);

    [LoggerMessage(LogLevel.Warning, "Answered 503: {Reason}")]
    static partial void LogFault(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Error, "{Path} failed.")]
    static partial void LogFailed(ILogger logger, Exception e, string path);
}
