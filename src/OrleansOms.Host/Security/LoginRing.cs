using System.Security.Claims;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Security;

/// <summary>
/// Knows which logins hold, in memory. A cookie says who has logged in; here it ends with a logout, with the person, and
/// with a change of the password or of what they may see, within <see cref="Lifetime"/> on every front end.
/// </summary>
public sealed class LoginRing(Operators operators, TimeProvider time, ILogger<LoginRing> logger)
{
    /// <summary>How old the ring may be.</summary>
    public static readonly TimeSpan Lifetime = FreshCopy<Logins>.Lifetime;

    /// <summary>
    /// How long a cookie that one of our keys has opened need not be opened again: before each push to each screen that would be
    /// two fifths of the work. With what it takes until a key is known to be revoked, it is less than <see cref="Lifetime"/>.
    /// </summary>
    static readonly TimeSpan Opened = TimeSpan.FromSeconds(1);

    const string StampClaim = "stamp", LoginClaim = "login";

    readonly FreshCopy<Logins> _logins = new("logins", _ => operators.Logins(), time, logger);

    /// <summary>What a new login carries, to be recognised here.</summary>
    public static IEnumerable<Claim> ClaimsOf(Operator person) =>
        [new(StampClaim, person.Stamp()), new(LoginClaim, Guid.NewGuid().ToString("N"))];

    /// <summary>Whether a login still holds.</summary>
    public async ValueTask<bool> Holds(ClaimsPrincipal login)
    {
        if (login.Identity?.Name is not { } name || login.FindFirstValue(StampClaim) is not { } stamp
            || login.FindFirstValue(LoginClaim) is not { } id) return false;
        return await _logins.Find(l => l.Stamps.GetValueOrDefault(name) == stamp && !l.Ended.Contains(id) ? login : null)
            is not null;
    }

    /// <summary>Until when a cookie that is opened now need not be opened again.</summary>
    public DateTimeOffset UntilReadAgain() => time.GetUtcNow() + Opened;

    /// <summary>Whether such a moment has passed.</summary>
    public bool IsPast(DateTimeOffset moment) => time.GetUtcNow() > moment;

    /// <summary>Ends a login.</summary>
    public Task End(ClaimsPrincipal login) =>
        login.FindFirstValue(LoginClaim) is { } id ? operators.EndLogin(id) : Task.CompletedTask;
}
