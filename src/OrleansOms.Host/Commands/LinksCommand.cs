using System.Security.Cryptography;
using Npgsql;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Commands;

/// <summary>Renews the secret that signs customers' tracking links, beside running programs.</summary>
public static class LinksCommand
{
    /// <summary>From when on a new secret is used: every front end has heard of it by then.</summary>
    public static readonly TimeSpan Ahead = 2 * RenewedSecrets.Lifetime;

    /// <summary>Former secrets that are kept: each of them is tried for every link that opens nothing.</summary>
    public const int MaxFormer = 8;

    /// <summary>Runs <c>links renew</c> or <c>links forget</c>.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> Run(string[] args, NpgsqlDataSource database, TextWriter output)
    {
        var secrets = new Secrets(database);
        switch (args)
        {
            case ["renew"]:
                if ((await secrets.Find(RenewedSecrets.Links))?.Former.Count >= MaxFormer)
                    return await CommandLine.Fail($"{MaxFormer} former secrets are kept already: say links forget first.", 1);
                if (await secrets.Renew(RenewedSecrets.Links, RandomNumberGenerator.GetBytes(RenewedSecrets.LinkBytes), Ahead) is not { } from)
                    return await CommandLine.Fail("No link was ever made here.", 1);
                output.WriteLine($"Orders from {from.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC on have links of the new secret; those of before keep theirs.");
                return 0;
            case ["forget"]:
                if (await secrets.Forget(RenewedSecrets.Links) is 0)
                    return await CommandLine.Fail("No former secret is kept that is used no more.", 1);
                output.WriteLine(
                    $"Links of former secrets open nothing within {RenewedSecrets.Lifetime.TotalSeconds:0} seconds; their orders have new ones.");
                return 0;
            default:
                return await CommandLine.Fail("Say links renew or links forget.", 2);
        }
    }
}
