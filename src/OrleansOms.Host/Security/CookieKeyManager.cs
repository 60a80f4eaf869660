using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;

namespace OrleansOms.Host.Security;

/// <summary>
/// ASP.NET's keys of cookies, which it reads once a day: here also when it is told to, so that a revoked one does not open
/// anything for the rest of the day.
/// </summary>
public sealed class CookieKeyManager(XmlKeyManager inner, IServiceProvider services) : IKeyManager
{
    CancellationTokenSource _old = new();

    /// <summary>Has this process read the keys again.</summary>
    public void ReadAgain()
    {
        Interlocked.Exchange(ref _old, new CancellationTokenSource()).Cancel();
        // The next use reads them, and is itself answered by what was known before: it must not be a person's.
        services.GetRequiredService<IDataProtectionProvider>().CreateProtector(nameof(CookieKeyManager)).Protect([0]);
    }

    /// <inheritdoc />
    public CancellationToken GetCacheExpirationToken() =>
        CancellationTokenSource.CreateLinkedTokenSource(Volatile.Read(ref _old).Token, inner.GetCacheExpirationToken()).Token;

    /// <inheritdoc />
    public IKey CreateNewKey(DateTimeOffset activationDate, DateTimeOffset expirationDate) =>
        inner.CreateNewKey(activationDate, expirationDate);

    /// <inheritdoc />
    public IReadOnlyCollection<IKey> GetAllKeys() => inner.GetAllKeys();

    /// <inheritdoc />
    public void RevokeKey(Guid keyId, string? reason = null) => inner.RevokeKey(keyId, reason);

    /// <inheritdoc />
    public void RevokeAllKeys(DateTimeOffset revocationDate, string? reason = null) => inner.RevokeAllKeys(revocationDate, reason);
}
