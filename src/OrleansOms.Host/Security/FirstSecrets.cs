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

    /// <summary>Finds or makes them and sees to it that the database knows them.</summary>
    /// <exception cref="InvalidOperationException">A secret that was given cannot be used.</exception>
    public static async Task<FirstSecrets> Prepare(HostSettings settings, NpgsqlDataSource database)
    {
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
        var stored = (await keys.List()).FirstOrDefault(k => k.Name == KeyName);
        var known = given ?? Read(file);
        if (known is null && stored is not null) return (null, false, false);
        var key = known ?? KeyRing.NewKey();
        var hash = KeyRing.HashOf(key);
        // Processes start again at any time, also with settings of before: what was renewed stays so.
        if (stored?.Former.Any(f => f.Hash.AsSpan().SequenceEqual(hash)) == true) return (null, false, true);
        if (stored is null)
            await keys.Put(new ApiKey(KeyName, KeyName, hash, [Scopes.All], null, null, default, null));
        else if (stored.RevokedAt is null && !stored.Hash.AsSpan().SequenceEqual(hash))
            await keys.Renew(KeyName, hash, TimeSpan.Zero);
        if (known is null) Write(file, key);
        return (key, known is null, false);
    }

    static async Task<(string?, bool)> PreparePassword(string? given, string file, Operators operators)
    {
        given = NotEmpty(given);
        var stored = await operators.Find(AdminName);
        var known = given ?? Read(file);
        if (known is null && stored is not null) return (null, false);
        var password = known ?? RandomNumberGenerator.GetString("abcdefghjkmnpqrstuvwxyz23456789", 20);
        // A password that is set in the settings is the one that holds; one that was only kept may have been changed since.
        var isMissing = stored is null || given is not null && !OperatorLogin.IsRight(AdminName, stored.PasswordHash, given);
        if (isMissing)
            await operators.Put(new Operator(
                AdminName, OperatorLogin.HashOf(AdminName, password), [OperatorLogin.Admin], null));
        if (known is null) Write(file, password);
        return (password, known is null);
    }

    static string? NotEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    static string? Read(string file) => File.Exists(file) ? NotEmpty(File.ReadAllText(file)) : null;

    static void Write(string file, string secret) => OwnerOnly.Write(file, secret + "\n");
}
