using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Npgsql;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Commands;

/// <summary>
/// Renews the keys of logins' cookies and of forms, beside running programs, which read keys once a day. ASP.NET itself
/// makes a new one every 90 days.
/// </summary>
public static class CookiesCommand
{
    /// <summary>From when on a new key may be used: every front end knows it by then.</summary>
    public static readonly TimeSpan Ahead = TimeSpan.FromDays(2);

    /// <summary>How long after that every front end uses it.</summary>
    static readonly TimeSpan Settled = TimeSpan.FromDays(1);

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
                keys.CreateNewKey(now + Ahead, now + Ahead + Lifetime);
                output.WriteLine($"Front ends use the new key from {now + Ahead:yyyy-MM-dd HH:mm} UTC on; cookies of former ones hold on.");
                return 0;
            case ["forget"]:
                var former = Former(keys.GetAllKeys(), now);
                if (former.Count == 0) return await CommandLine.Fail("No key is used any more that may be forgotten: a new one is used by everybody three days after it was made.", 1);
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

    /// <summary>What is older than a key that everybody uses.</summary>
    static List<IKey> Former(IEnumerable<IKey> keys, DateTimeOffset now)
    {
        var held = keys.Where(k => !k.IsRevoked).ToList();
        var used = held.Where(k => k.ActivationDate <= now - Settled && k.ExpirationDate > now).MaxBy(k => k.ActivationDate);
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
