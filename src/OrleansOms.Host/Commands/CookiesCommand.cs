using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Npgsql;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Commands;

/// <summary>
/// Renews the keys of logins' cookies and of forms, beside running programs. ASP.NET makes a new one itself every 90 days;
/// it uses one that is <see cref="Spread"/> old, so that every front end knows it by then.
/// </summary>
public static class CookiesCommand
{
    /// <summary>ASP.NET's own: how old a key is before it is used beside an older one.</summary>
    public static readonly TimeSpan Spread = TimeSpan.FromDays(2);

    static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);

    /// <summary>Runs <c>cookies renew</c> or <c>cookies forget</c>.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> Run(string[] args, NpgsqlDataSource database, TextWriter output)
    {
        await using var services = Services(new Secrets(database));
        var keys = services.GetRequiredService<IKeyManager>();
        var now = DateTimeOffset.UtcNow;
        switch (args)
        {
            case ["renew"]:
                keys.CreateNewKey(now, now + Lifetime);
                output.WriteLine($"Front ends use the new key from {now + Spread:yyyy-MM-dd HH:mm} UTC on; cookies of former ones hold on.");
                return 0;
            case ["forget"]:
                var former = Former(keys.GetAllKeys(), now);
                if (former.Count == 0) return await CommandLine.Fail("No former key is left: a new one is used two days after it was made.", 1);
                return End(former);
            case ["forget", "--all"]:
                var all = keys.GetAllKeys().Where(k => !k.IsRevoked).ToList();
                keys.CreateNewKey(now, now + Lifetime);
                return End(all);
            default:
                return await CommandLine.Fail("Say cookies renew, cookies forget or cookies forget --all.", 2);
        }

        int End(IReadOnlyList<IKey> ended)
        {
            foreach (var key in ended) keys.RevokeKey(key.KeyId, "forgotten");
            output.WriteLine($"Cookies of {ended.Count} keys hold no more within {RenewedSecrets.Lifetime.TotalSeconds:0} seconds.");
            return 0;
        }
    }

    /// <summary>What is older than the key that is used now.</summary>
    static List<IKey> Former(IEnumerable<IKey> keys, DateTimeOffset now)
    {
        var held = keys.Where(k => !k.IsRevoked && k.ActivationDate <= now).ToList();
        var used = held.Where(k => k.CreationDate <= now - Spread && k.ExpirationDate > now).MaxBy(k => k.ActivationDate);
        return [.. held.Where(k => k.ActivationDate < used?.ActivationDate)];
    }

    static ServiceProvider Services(Secrets secrets)
    {
        var services = new ServiceCollection();
        services.AddDataProtection();
        services.Configure<KeyManagementOptions>(o => o.XmlRepository = new CookieKeys(secrets));
        return services.BuildServiceProvider();
    }
}
