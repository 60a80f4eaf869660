using System.Security.Cryptography;
using Npgsql;
using OrleansOms.Host.Database;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Security;

/// <summary>
/// The API key and the admin's password of the first start: given by the settings, kept in the data folder from an earlier
/// start, or made now.
/// </summary>
/// <param name="ApiKey">Null if it is not known here: the database has one that was made elsewhere.</param>
/// <param name="AdminPassword">Null if it is not known here.</param>
/// <param name="AreNew">Whether one of them was made by this start.</param>
/// <param name="Folder">Where they are kept, readable by the owner only.</param>
/// <param name="IsFormerKey">Whether the key that is set or kept here was renewed since: it is not brought back.</param>
public sealed record FirstSecrets(string? ApiKey, string? AdminPassword, bool AreNew, string Folder, bool IsFormerKey)
{
    /// <summary>Name of the first key.</summary>
    public const string KeyName = "bootstrap";
    /// <summary>Name of the first operator.</summary>
    public const string AdminName = "admin";

    // One number that all versions of this program share, as the migrator's.
    const long LockKey = 0x6F6D_735F_6669_7273; // "oms_firs"

    /// <summary>
    /// Finds or makes them and sees to it that the database knows them. Of processes that begin a store at once, one makes
    /// what is missing.
    /// </summary>
    /// <exception cref="InvalidOperationException">A secret that was given cannot be used.</exception>
    public static async Task<FirstSecrets> Prepare(HostSettings settings, NpgsqlDataSource database)
    {
        // Else one could make the key and another the password, and nobody would be told both.
        await using var connection = await database.OpenConnectionAsync();
        await using var turn = await connection.BeginTransactionAsync();
        await using (var wait = new NpgsqlCommand($"select pg_advisory_xact_lock({LockKey})", connection))
            await wait.ExecuteNonQueryAsync();
        var folder = Path.Combine(settings.Data, "secrets");
        var (key, isNewKey, isFormer) =
            await PrepareKey(settings.Bootstrap.ApiKey, Path.Combine(folder, "api-key"), new(database));
        var (password, isNewPassword) = await PreparePassword(
            settings.Bootstrap.AdminPassword, Path.Combine(folder, "admin-password"), new(database));
        return new FirstSecrets(key, password, isNewKey || isNewPassword, folder, isFormer);
    }

    static async Task<(string? Key, bool IsNew, bool IsFormer)> PrepareKey(string? given, string file, ApiKeys keys)
    {
        given = NotEmpty(given);
        if (given is not null && (!given.StartsWith(KeyRing.Prefix, StringComparison.Ordinal) || given.Length is < 20 or > 200))
            throw new InvalidOperationException($"Oms:Bootstrap:ApiKey must start with {KeyRing.Prefix} and have 20 to 200 characters.");
        var known = given ?? Read(file);
        var key = known ?? KeyRing.NewKey();
        var hash = KeyRing.HashOf(key);
        if (await keys.Add(new ApiKey(KeyName, KeyName, hash, [Scopes.All], null, null, default, null)))
        {
            if (known is null) Write(file, key);
            return (key, known is null, false);
        }
        if (known is null) return (null, false, false);
        var stored = (await keys.List()).FirstOrDefault(k => k.Name == KeyName)
            ?? throw new InvalidOperationException("The first API key is the key of another name: set Oms:Bootstrap:ApiKey to one of its own.");
        // Processes start again at any time, also with settings of before: what was renewed stays so.
        if (stored.Former.Any(f => f.Hash.AsSpan().SequenceEqual(hash))) return (null, false, true);
        if (stored.Hash.AsSpan().SequenceEqual(hash)) return (key, false, false);
        // A key that is set is the one that holds; one that was only kept may be of another store.
        if (given is null) return (null, false, false);
        if (stored.RevokedAt is null) await keys.Renew(KeyName, hash, TimeSpan.Zero);
        return (key, false, false);
    }

    static async Task<(string?, bool)> PreparePassword(string? given, string file, Operators operators)
    {
        given = NotEmpty(given);
        var known = given ?? Read(file);
        if (await operators.Find(AdminName) is not { } stored)
        {
            var password = known ?? RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 20);
            if (await operators.Add(Admin(password)))
            {
                if (known is null) Write(file, password);
                return (password, known is null);
            }
            stored = (await operators.Find(AdminName))!;
        }
        if (known is null) return (null, false);
        if (OperatorLogin.IsRight(AdminName, stored.PasswordHash, known)) return (known, false);
        // A password that is set is the one that holds; one that was only kept may have been changed since.
        if (given is null) return (null, false);
        await operators.Put(Admin(given));
        return (given, false);
    }

    static Operator Admin(string password) =>
        new(AdminName, OperatorLogin.HashOf(AdminName, password), [OperatorLogin.Admin], null);

    static string? NotEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    static string? Read(string file) => File.Exists(file) ? NotEmpty(File.ReadAllText(file)) : null;

    static void Write(string file, string secret) => OwnerOnly.Write(file, secret + "\n");
}
