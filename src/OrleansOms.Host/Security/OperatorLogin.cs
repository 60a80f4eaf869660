using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using OrleansOms.Domain.Shared;
using OrleansOms.Host.Errors;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Security;

/// <summary>
/// Login and logout of people. The page is <c>/login</c>; it posts <c>name</c>, <c>password</c> and <c>returnUrl</c> with
/// its anti-forgery token to the same address, and is shown again with <c>?error=invalid</c>, <c>throttled</c> or
/// <c>expired</c> where that fails.
/// </summary>
public sealed class OperatorLogin(Operators operators, LoginRing logins, TimeProvider time) : IDisposable
{
    /// <summary>The authentication scheme of people.</summary>
    public const string Scheme = "operator";
    /// <summary>The name of its cookie.</summary>
    public const string Cookie = "oms.operator";
    /// <summary>The role that may do everything.</summary>
    public const string Admin = "admin";

    /// <summary>Rounds of PBKDF2-HMAC-SHA512.</summary>
    public const int Rounds = 220_000;

    /// <summary>Longest name that is looked for, and longest password that is tried, in characters.</summary>
    public const int LongestName = 200, LongestPassword = 1000;

    /// <summary>Longest form, in bytes: the longest name and password in any script, and an address to return to.</summary>
    public const int MaxFormBytes = 16 * 1024;

    const string WarehouseClaim = "warehouse";
    const string AllWarehouses = "*";

    static readonly PasswordHasher<string> Hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = Rounds }));
    static readonly string Nobody = HashOf("nobody", Guid.NewGuid().ToString());
    static readonly FrozenSet<string> Everything = new[] { Scopes.All }.ToFrozenSet(StringComparer.Ordinal);

    readonly LoginRing _logins = logins;

    // Five wrong tries at once, then one in ten seconds, for each address and name.
    readonly TokenBuckets _tries = new(time, 0.1, 5);

    // For each address, whatever the names: a whole shift behind one address may mistype its passwords at once.
    readonly TokenBuckets _addresses = new(time, 1, 60);

    // A password takes a processor for a tenth of a second or more: half of them have something else to do.
    readonly ConcurrencyLimiter _verifying =
        new(new() { PermitLimit = Math.Max(1, Environment.ProcessorCount / 2), QueueLimit = 50 });

    /// <summary>What is stored of a password.</summary>
    public static string HashOf(string name, string password) => Hasher.HashPassword(name, password);

    /// <summary>Whether the password is the one of the hash.</summary>
    public static bool IsRight(string name, string hash, string password) =>
        Hasher.VerifyHashedPassword(name, hash, password) != PasswordVerificationResult.Failed;

    /// <summary>The caller that a login stands for; null if it stands for nobody.</summary>
    public static ApiCaller? CallerOf(ClaimsPrincipal? principal)
    {
        if (principal?.Identity is not { IsAuthenticated: true, Name: { Length: > 0 } name }) return null;
        var warehouses = principal.FindAll(WarehouseClaim).Select(c => c.Value).ToFrozenSet(StringComparer.Ordinal);
        return new ApiCaller(
            $"operator:{name}", $"operator:{name}", Everything, warehouses.Contains(AllWarehouses) ? null : warehouses);
    }

    /// <summary>The cookie that a login of a request was read from; null if it was not.</summary>
    public static string? CookieOf(ClaimsPrincipal login) => (login.Identity as ClaimsIdentity)?.BootstrapContext as string;

    /// <summary>The cookie: only this site sends it, no script reads it, programs get 401 rather than a page.</summary>
    public static void Configure(CookieAuthenticationOptions o)
    {
        o.Cookie.Name = Cookie;
        o.Cookie.HttpOnly = true;
        o.Cookie.SameSite = SameSiteMode.Strict;
        o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        o.LoginPath = "/login";
        o.ReturnUrlParameter = "returnUrl";
        o.ExpireTimeSpan = TimeSpan.FromHours(12);
        o.SlidingExpiration = true;
        o.Events.OnValidatePrincipal = async context =>
        {
            var ring = context.HttpContext.RequestServices.GetRequiredService<LoginRing>();
            if (context.Principal is not { Identity: ClaimsIdentity who } login || !await ring.Holds(login))
            {
                context.RejectPrincipal();
                return;
            }
            who.BootstrapContext = context.Options.CookieManager.GetRequestCookie(context.HttpContext, Cookie);
        };
        var toLogin = o.Events.OnRedirectToLogin;
        o.Events.OnRedirectToLogin = context =>
        {
            if (!context.Request.Path.StartsWithSegments("/api") && !context.Request.Path.StartsWithSegments("/hubs"))
                return toLogin(context);
            context.Response.StatusCode = 401;
            return Task.CompletedTask;
        };
        // Another login would be needed, not one more.
        o.Events.OnRedirectToAccessDenied = _ => throw new ProblemException(Problem.OfStatus(403));
    }

    /// <summary>Maps <c>POST /login</c> and <c>POST /logout</c>.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        var limit = new RequestSizeLimitAttribute(MaxFormBytes);
        routes.MapPost("/login", LogIn).ExcludeFromDescription().DisableAntiforgery().WithMetadata(limit);
        routes.MapPost("/logout", LogOut).ExcludeFromDescription().DisableAntiforgery().WithMetadata(limit);
    }

    static async Task<IResult> LogIn(HttpContext http, OperatorLogin login, IAntiforgery antiforgery)
    {
        if (await FormOf(http, antiforgery) is not { } form) return Again("expired", null);
        var (name, password) = (form["name"].ToString().Trim(), form["password"].ToString());
        var returnUrl = form["returnUrl"].ToString();
        // These are nobody's: nothing is remembered of them and nothing is worked out.
        if (!Text.IsPrintable(name, LongestName) || password.Length > LongestPassword) return Again("invalid", returnUrl);
        var address = AddressOf(http.Connection.RemoteIpAddress);
        var tries = $"{address}/{name}";
        if (!login._addresses.TryTake(address, out _)) return Again("throttled", returnUrl);
        if (!login._tries.TryTake(tries, out _))
        {
            login._addresses.GiveBack(address);
            return Again("throttled", returnUrl);
        }
        var (isTried, person) = await login.Verify(name, password, http.RequestAborted);
        if (isTried && person is null) return Again("invalid", returnUrl);
        login._tries.GiveBack(tries);
        login._addresses.GiveBack(address);
        if (person is null) return Again("throttled", returnUrl);
        await http.SignInAsync(Scheme, PrincipalOf(person));
        return Results.Redirect(IsLocal(returnUrl) ? returnUrl : "/");
    }

    static async Task<IResult> LogOut(HttpContext http, OperatorLogin login, IAntiforgery antiforgery)
    {
        if (await FormOf(http, antiforgery) is null) return Results.Redirect("/");
        await login._logins.End(http.User);
        await http.SignOutAsync(Scheme);
        return Results.Redirect("/login");
    }

    /// <summary>What a page of ours has sent; null if it is of another site or of before.</summary>
    /// <exception cref="BadHttpRequestException">It is longer than <see cref="MaxFormBytes"/>, or no form.</exception>
    static async Task<IFormCollection?> FormOf(HttpContext http, IAntiforgery antiforgery)
    {
        if (!http.Request.HasFormContentType) return null;
        try
        {
            var form = await http.Request.ReadFormAsync(http.RequestAborted);
            return await antiforgery.IsRequestValidAsync(http) ? form : null;
        }
        catch (InvalidDataException e) { throw new BadHttpRequestException(e.Message, e); }
    }

    /// <summary>Who it is, or null for nobody; not tried if too many wait for that already.</summary>
    async Task<(bool IsTried, Operator? Person)> Verify(string name, string password, CancellationToken cancel)
    {
        using var turn = await _verifying.AcquireAsync(cancellationToken: cancel);
        if (!turn.IsAcquired) return (false, null);
        var person = await operators.Find(name);
        // An unknown name takes as long as a wrong password, so that nobody learns which names there are.
        var isRight = IsRight(name, person?.PasswordHash ?? Nobody, password);
        return (true, isRight && person?.DisabledAt is null ? person : null);
    }

    /// <summary>Who has one address of IPv6 has all that begin like it: 2^64 of them are one.</summary>
    static string AddressOf(IPAddress? address) => address switch
    {
        null => "",
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
        { AddressFamily: AddressFamily.InterNetworkV6 } => Convert.ToHexStringLower(address.GetAddressBytes().AsSpan(0, 8)),
        _ => address.ToString(),
    };

    /// <summary>A new login of a person.</summary>
    public static ClaimsPrincipal PrincipalOf(Operator person)
    {
        var claims = new List<Claim> { new(ClaimTypes.Name, person.Name), new(ClaimTypes.NameIdentifier, person.Name) };
        claims.AddRange(person.Roles.Select(r => new Claim(ClaimTypes.Role, r)));
        claims.AddRange(LoginRing.ClaimsOf(person));
        claims.AddRange((person.Warehouses ?? [AllWarehouses]).Select(w => new Claim(WarehouseClaim, w)));
        return new ClaimsPrincipal(new ClaimsIdentity(claims, Scheme));
    }

    static IResult Again(string error, string? returnUrl) => Results.Redirect(
        IsLocal(returnUrl) ? $"/login?error={error}&returnUrl={Uri.EscapeDataString(returnUrl!)}" : $"/login?error={error}");

    /// <summary>Whether an address stays on this host: one slash, not two, and no backslash.</summary>
    static bool IsLocal(string? url) =>
        url is ['/', ..] && (url.Length == 1 || url[1] is not ('/' or '\\')) && url.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0;

    /// <inheritdoc />
    public void Dispose() => _verifying.Dispose();
}
