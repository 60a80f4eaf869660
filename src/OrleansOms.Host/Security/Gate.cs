using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Http;

namespace OrleansOms.Host.Security;

/// <summary>Marks an endpoint: what a caller must be allowed to do.</summary>
public sealed record NeedsScope(string Scope);

/// <summary>What a caller shows to be recognised: an API key or a login's cookie. It can be asked about again later.</summary>
public sealed class Proof(string? key, string? cookie)
{
    /// <summary>The API key, as it was sent.</summary>
    public string? Key => key;

    /// <summary>The cookie, as it was sent.</summary>
    public string? Cookie => cookie;

    /// <summary>What the cookie said when it was last read.</summary>
    internal ReadCookie? Read { get; set; }
}

/// <summary>A cookie that one of our keys has opened.</summary>
/// <param name="Caller">Who it is for.</param>
/// <param name="Until">When it has to be opened again.</param>
sealed record ReadCookie(ClaimsPrincipal Login, DateTimeOffset? Ends, ApiCaller Caller, DateTimeOffset Until);

/// <summary>
/// Recognises callers by API key or by an operator's cookie, holds them to their rate, and lets only those through to an
/// endpoint that <see cref="NeedsScope"/> allows.
/// </summary>
public sealed class Gate(
    KeyRing ring, LoginRing logins, IOptionsMonitor<CookieAuthenticationOptions> cookies, TimeProvider time)
{
    const string Scheme = "Bearer ";

    /// <summary>Requests that one address may make without being recognised, a second and at once.</summary>
    public const int StrangersPerSecond = 50, StrangersAtOnce = 200;

    readonly TokenBuckets _strangers = new(time, StrangersPerSecond, StrangersAtOnce);

    /// <summary>The step in the pipeline, after routing.</summary>
    public async Task Invoke(HttpContext http, RequestDelegate next)
    {
        if (http.GetEndpoint() is { } endpoint && endpoint.Metadata.GetMetadata<NeedsScope>() is { } needs)
        {
            var caller = await Recognise(http);
            if (!caller.May(needs.Scope))
                throw new ProblemException(Problem.OfStatus(403) with
                {
                    Detail = $"The caller lacks the scope {needs.Scope}.",
                    Members = new Dictionary<string, string> { ["scope"] = needs.Scope },
                });
            http.RefuseUnknownQuery(endpoint);
            http.Features.Set(caller);
            // What follows in the pipeline is for people at screens: logins and their forms.
            await endpoint.RequestDelegate!(http);
            return;
        }
        await next(http);
    }

    /// <summary>Who is calling.</summary>
    /// <exception cref="ProblemException">401: nobody we know. 403: a cookie from another site. 429: too fast.</exception>
    public async ValueTask<ApiCaller> Recognise(HttpContext http) =>
        await Find(http) ?? throw (TakeAsStranger(http) ?? new ProblemException(Problem.OfStatus(401)));

    /// <summary>Who is calling, or null for nobody we know.</summary>
    /// <exception cref="ProblemException">403: a cookie from another site. 429: too fast.</exception>
    public async ValueTask<ApiCaller?> Find(HttpContext http)
    {
        if (await ProofOf(http) is not { } proof) return null;
        if (proof.Cookie is not null && !IsSafe(http.Request.Method) && !IsOwnSite(http.Request))
            throw new ProblemException(Problem.OfStatus(403) with { Detail = "The request comes from another site." });
        return await Find(proof);
    }

    /// <summary>Who it is that shows this, or null for nobody we know. Counts as a request of a key.</summary>
    /// <exception cref="ProblemException">429: too fast.</exception>
    public async ValueTask<ApiCaller?> Find(Proof proof)
    {
        if (proof.Key is null) return await FindAgain(proof);
        var held = await ring.Find(proof.Key);
        return held?.Limit is { } limit && !limit.TryTake(out var seconds) ? throw TooFast(seconds) : held?.Caller;
    }

    /// <summary>Who it still is, or null if what was shown does not hold any more. Does not count as a request.</summary>
    public async ValueTask<ApiCaller?> FindAgain(Proof proof)
    {
        if (proof.Key is { } key) return (await ring.Find(key))?.Caller;
        // The cookie is read again now and then: its key may have been revoked.
        var read = proof.Read;
        if (read is null || logins.IsPast(read.Until)) proof.Read = read = Read(proof.Cookie);
        return read is { } cookie && !(cookie.Ends <= time.GetUtcNow()) && await logins.Holds(cookie.Login) ? cookie.Caller : null;
    }

    ReadCookie? Read(string? cookie) =>
        cookies.Get(OperatorLogin.Scheme).TicketDataFormat.Unprotect(cookie) is { } ticket
        && OperatorLogin.CallerOf(ticket.Principal) is { } caller
            ? new ReadCookie(ticket.Principal, ticket.Properties.ExpiresUtc, caller, logins.UntilReadAgain()) : null;

    /// <summary>What a request shows, or null if that is nothing.</summary>
    public static async ValueTask<Proof?> ProofOf(HttpContext http)
    {
        var authorization = http.Request.Headers.Authorization.ToString();
        if (authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return new Proof(authorization[Scheme.Length..].Trim(), null);
        if (authorization.Length > 0 || !http.Request.Cookies.ContainsKey(OperatorLogin.Cookie)) return null;
        var login = await http.AuthenticateAsync(OperatorLogin.Scheme);
        return login.Succeeded ? new Proof(null, OperatorLogin.CookieOf(login.Principal)) : null;
    }

    /// <summary>The refusal of an address that has asked too often without being recognised, or null.</summary>
    public ProblemException? TakeAsStranger(HttpContext http) =>
        _strangers.TryTake(http.Connection.RemoteIpAddress?.ToString() ?? "", out var seconds) ? null : TooFast(seconds);

    static ProblemException TooFast(int seconds) =>
        new(Problem.OfStatus(429) with { RetryAfterSeconds = seconds });

    static bool IsSafe(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method);

    /// <summary>Browsers name the origin of every request that changes something; other programs use keys.</summary>
    static bool IsOwnSite(HttpRequest request) =>
        request.Headers.Origin.ToString() is { Length: > 0 } origin
        && origin.Equals($"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase);
}

/// <summary>Reads who is calling from a request that has passed the <see cref="Gate"/>.</summary>
public static class CallerOfRequest
{
    /// <summary>Who is calling.</summary>
    public static ApiCaller Caller(this HttpContext http) => http.Features.Get<ApiCaller>()
        ?? throw new InvalidOperationException("This endpoint lets everyone in.");
}
