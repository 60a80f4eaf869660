using System.Collections.Frozen;
using System.Security.Claims;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using OrleansOms.Host.Errors;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Security;

/// <summary>
/// Login and logout of people. The page is <c>/login</c>; it posts <c>name</c>, <c>password</c> and <c>returnUrl</c> with
/// its anti-forgery token to the same address, and is shown again with <c>?error=invalid</c>, <c>throttled</c> or
/// <c>expired</c> where that fails.
/// </summary>
public sealed class OperatorLogin(Operators operators, LoginRing logins, TimeProvider time)
{
    /// <summary>The authentication scheme of people.</summary>
    public const string Scheme = "operator";
    /// <summary>The name of its cookie.</summary>
    public const string Cookie = "oms.operator";
    /// <summary>The role that may do everything.</summary>
    public const string Admin = "admin";

    /// <summary>Rounds of PBKDF2-HMAC-SHA512.</summary>
    public const int Rounds = 220_000;

    const string WarehouseClaim = "warehouse";
    const string AllWarehouses = "*";

    static readonly PasswordHasher<string> Hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = Rounds }));
    static readonly string Nobody = HashOf("nobody", Guid.NewGuid().ToString());
    static readonly FrozenSet<string> Everything = new[] { Scopes.All }.ToFrozenSet(StringComparer.Ordinal);

    readonly LoginRing _logins = logins;

    // Five wrong tries at once, then one in ten seconds, for each address and name.
    readonly TokenBuckets _tries = new(time, 0.1, 5);

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
            if (context.Principal is { } login && !await ring.Holds(login)) context.RejectPrincipal();
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
        routes.MapPost("/login", LogIn).ExcludeFromDescription().DisableAntiforgery();
        routes.MapPost("/logout", LogOut).ExcludeFromDescription().DisableAntiforgery();
    }

    static async Task<IResult> LogIn(HttpContext http, OperatorLogin login, IAntiforgery antiforgery)
    {
        if (!await antiforgery.IsRequestValidAsync(http)) return Again("expired", null);
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var (name, password) = (form["name"].ToString().Trim(), form["password"].ToString());
        var returnUrl = form["returnUrl"].ToString();
        var tries = $"{http.Connection.RemoteIpAddress}/{name}";
        if (!login._tries.TryTake(tries, out _)) return Again("throttled", returnUrl);
        if (await login.Verify(name, password) is not { } person) return Again("invalid", returnUrl);
        login._tries.GiveBack(tries);
        await http.SignInAsync(Scheme, PrincipalOf(person));
        return Results.Redirect(IsLocal(returnUrl) ? returnUrl : "/");
    }

    static async Task<IResult> LogOut(HttpContext http, OperatorLogin login, IAntiforgery antiforgery)
    {
        if (!await antiforgery.IsRequestValidAsync(http)) return Results.Redirect("/");
        await login._logins.End(http.User);
        await http.SignOutAsync(Scheme);
        return Results.Redirect("/login");
    }

    async Task<Operator?> Verify(string name, string password)
    {
        var person = name.Length is > 0 and <= 200 ? await operators.Find(name) : null;
        // An unknown name takes as long as a wrong password, so that nobody learns which names there are.
        var isRight = password.Length <= 1000 && IsRight(name, person?.PasswordHash ?? Nobody, password);
        return isRight && person?.DisabledAt is null ? person : null;
    }

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
}
