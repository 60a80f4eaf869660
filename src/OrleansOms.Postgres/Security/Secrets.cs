using System.Security.Cryptography;
using Npgsql;

namespace OrleansOms.Postgres.Security;

/// <summary>A secret with the values that it had before.</summary>
/// <param name="Former">Oldest first; each was used until a moment, from when the one before it was not.</param>
public sealed record RenewedSecret(byte[] Value, IReadOnlyList<FormerSecret> Former);

/// <summary>A value that a secret had before.</summary>
public sealed record FormerSecret(byte[] Value, DateTimeOffset UsedUntil);

/// <summary>Random bytes that every process of the cluster agrees on, and the keys of its cookies.</summary>
public sealed class Secrets(NpgsqlDataSource database)
{
    /// <summary>The secret of a name; the first process that asks makes it.</summary>
    /// <param name="length">Bytes, if it has to be made.</param>
    public async Task<byte[]> GetOrCreate(string name, int length)
    {
        await using var command = database.CreateCommand(
            """
            with made as (
              insert into oms.secrets (name, value) values ($1, $2) on conflict do nothing returning value)
            select value from made union all select value from oms.secrets where name = $1 limit 1
            """);
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = RandomNumberGenerator.GetBytes(length) });
        // A process that lost the race by a hair sees neither row in its first snapshot, and the winner's in its next.
        return (byte[]?)await command.ExecuteScalarAsync() ?? (byte[])(await command.ExecuteScalarAsync())!;
    }

    /// <summary>A secret and its former values; null if it was never made.</summary>
    public async Task<RenewedSecret?> Find(string name)
    {
        await using var command = database.CreateCommand(
            """
            select value, null::timestamptz as used_until from oms.secrets where name = $1
            union all select value, used_until from oms.former_secrets where name = $1 order by used_until nulls first
            """);
        command.Parameters.Add(new() { Value = name });
        await using var reader = await command.ExecuteReaderAsync();
        if (!await reader.ReadAsync()) return null;
        var value = reader.GetFieldValue<byte[]>(0);
        var former = new List<FormerSecret>();
        while (await reader.ReadAsync())
            former.Add(new FormerSecret(reader.GetFieldValue<byte[]>(0), reader.GetFieldValue<DateTimeOffset>(1)));
        return new RenewedSecret(value, former);
    }

    /// <summary>Makes a new value, which is used from a moment on that every process hears of before it comes.</summary>
    /// <param name="value">Random bytes.</param>
    /// <param name="ahead">How far ahead that moment is.</param>
    /// <returns>The moment; null if the secret was never made.</returns>
    public async Task<DateTimeOffset?> Renew(string name, byte[] value, TimeSpan ahead)
    {
        await using var command = database.CreateCommand(
            """
            with old as (select name, value from oms.secrets where name = $1 for update),
            renewed as (update oms.secrets s set value = $2 from old where s.name = old.name)
            insert into oms.former_secrets (name, used_until, value) select name, now() + $3, value from old
            returning used_until
            """);
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = value });
        command.Parameters.Add(new() { Value = ahead });
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? reader.GetFieldValue<DateTimeOffset>(0) : null;
    }

    /// <summary>Drops the former values that are used no more.</summary>
    /// <returns>How many there were.</returns>
    public async Task<int> Forget(string name)
    {
        await using var command = database.CreateCommand(
            "delete from oms.former_secrets where name = $1 and used_until <= now()");
        command.Parameters.Add(new() { Value = name });
        return await command.ExecuteNonQueryAsync();
    }

    /// <summary>How often cookie keys were revoked: what was said of it is never removed.</summary>
    public async Task<long> CountRevocations()
    {
        await using var command = database.CreateCommand("select count(*) from oms.cookie_keys where name like 'revocation-%'");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Every cookie key, as ASP.NET has written it.</summary>
    public IReadOnlyList<string> CookieKeys()
    {
        using var command = database.CreateCommand("select xml from oms.cookie_keys order by name");
        using var reader = command.ExecuteReader();
        var keys = new List<string>();
        while (reader.Read()) keys.Add(reader.GetString(0));
        return keys;
    }

    /// <summary>Keeps a cookie key.</summary>
    public void AddCookieKey(string name, string xml)
    {
        using var command = database.CreateCommand(
            "insert into oms.cookie_keys (name, xml) values ($1, $2) on conflict (name) do nothing");
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = xml });
        command.ExecuteNonQuery();
    }
}
