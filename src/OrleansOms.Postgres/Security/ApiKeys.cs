using Npgsql;
using NpgsqlTypes;

namespace OrleansOms.Postgres.Security;

/// <summary>An API key as stored: everything but the key.</summary>
/// <param name="Id">Names the key for ever; idempotency keys belong to it.</param>
/// <param name="Hash">SHA-256 of the key.</param>
/// <param name="Warehouses">Codes of those it may see; null for all.</param>
/// <param name="RequestsPerSecond">Null for no limit.</param>
public sealed record ApiKey(
    string Id, string Name, byte[] Hash, IReadOnlyList<string> Scopes, IReadOnlyList<string>? Warehouses,
    int? RequestsPerSecond, DateTimeOffset CreatedAt, DateTimeOffset? RevokedAt)
{
    /// <summary>Values that it had before, those that have ended too.</summary>
    public IReadOnlyList<FormerKey> Former { get; init; } = [];
}

/// <summary>A value that a key had before.</summary>
/// <param name="Hash">SHA-256 of it.</param>
/// <param name="EndsAt">Until when it works beside the present one.</param>
public sealed record FormerKey(byte[] Hash, DateTimeOffset EndsAt);

/// <summary>The keys of programs.</summary>
public sealed class ApiKeys(NpgsqlDataSource database)
{
    /// <summary>Every key, revoked ones too, oldest first.</summary>
    public async Task<IReadOnlyList<ApiKey>> List()
    {
        await using var command = database.CreateCommand(
            """
            select id, name, hash, scopes, warehouses, requests_per_second, created_at, revoked_at,
              array(select f.hash from oms.former_keys f where f.key_id = k.id order by f.ends_at, f.hash),
              array(select f.ends_at from oms.former_keys f where f.key_id = k.id order by f.ends_at, f.hash)
            from oms.api_keys k order by created_at, id
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var keys = new List<ApiKey>();
        while (await reader.ReadAsync())
            keys.Add(new ApiKey(
                reader.GetString(0), reader.GetString(1), reader.GetFieldValue<byte[]>(2),
                reader.GetFieldValue<string[]>(3), reader.IsDBNull(4) ? null : reader.GetFieldValue<string[]>(4),
                reader.IsDBNull(5) ? null : reader.GetInt32(5), reader.GetFieldValue<DateTimeOffset>(6),
                reader.IsDBNull(7) ? null : reader.GetFieldValue<DateTimeOffset>(7))
            {
                Former = [.. reader.GetFieldValue<byte[][]>(8)
                    .Zip(reader.GetFieldValue<DateTimeOffset[]>(9), (hash, end) => new FormerKey(hash, end))],
            });
        return keys;
    }

    /// <summary>Stores a new key; false if its name was given before.</summary>
    public async Task<bool> Add(ApiKey key)
    {
        await using var command = database.CreateCommand(
            """
            insert into oms.api_keys (id, name, hash, scopes, warehouses, requests_per_second)
            values ($1, $2, $3, $4, $5, $6) on conflict do nothing
            """);
        command.Parameters.Add(new() { Value = key.Id });
        command.Parameters.Add(new() { Value = key.Name });
        command.Parameters.Add(new() { Value = key.Hash });
        command.Parameters.Add(new() { Value = key.Scopes.ToArray() });
        command.Parameters.Add(new()
        {
            Value = (object?)key.Warehouses?.ToArray() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        });
        command.Parameters.Add(new()
        {
            Value = (object?)key.RequestsPerSecond ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer,
        });
        return await command.ExecuteNonQueryAsync() == 1;
    }

    /// <summary>
    /// Gives a key a new value; the one that it had works for a while more, and older ones no longer than that.
    /// </summary>
    /// <returns>When the former one ends; null if there is no key of this name that still holds.</returns>
    public async Task<DateTimeOffset?> Renew(string name, byte[] hash, TimeSpan keep)
    {
        await using var command = database.CreateCommand(
            """
            with old as (select id, hash from oms.api_keys where name = $1 and revoked_at is null for update),
            renewed as (update oms.api_keys k set hash = $2 from old where k.id = old.id),
            older as (
              update oms.former_keys f set ends_at = least(f.ends_at, now() + $3) from old
              where f.key_id = old.id and f.hash <> old.hash)
            insert into oms.former_keys (hash, key_id, ends_at) select hash, id, now() + $3 from old
            on conflict (hash) do update set ends_at = excluded.ends_at returning ends_at
            """);
        command.Parameters.Add(new() { Value = name });
        command.Parameters.Add(new() { Value = hash });
        command.Parameters.Add(new() { Value = keep });
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? reader.GetFieldValue<DateTimeOffset>(0) : null;
    }

    /// <summary>Ends the former values of a key that still work; false if there are none.</summary>
    public async Task<bool> Forget(string name)
    {
        await using var command = database.CreateCommand(
            """
            update oms.former_keys f set ends_at = now() from oms.api_keys k
            where k.id = f.key_id and k.name = $1 and f.ends_at > now()
            """);
        command.Parameters.Add(new() { Value = name });
        return await command.ExecuteNonQueryAsync() > 0;
    }

    /// <summary>Ends a key by its name; false if there is none that still holds.</summary>
    public async Task<bool> Revoke(string name)
    {
        await using var command = database.CreateCommand(
            "update oms.api_keys set revoked_at = now() where name = $1 and revoked_at is null");
        command.Parameters.Add(new() { Value = name });
        return await command.ExecuteNonQueryAsync() == 1;
    }
}
