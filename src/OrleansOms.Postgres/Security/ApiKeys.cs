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
    int? RequestsPerSecond, DateTimeOffset CreatedAt, DateTimeOffset? RevokedAt);

/// <summary>The keys of programs.</summary>
public sealed class ApiKeys(NpgsqlDataSource database)
{
    /// <summary>Every key, revoked ones too, oldest first.</summary>
    public async Task<IReadOnlyList<ApiKey>> List()
    {
        await using var command = database.CreateCommand(
            """
            select id, name, hash, scopes, warehouses, requests_per_second, created_at, revoked_at
            from oms.api_keys order by created_at, id
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var keys = new List<ApiKey>();
        while (await reader.ReadAsync())
            keys.Add(new ApiKey(
                reader.GetString(0), reader.GetString(1), reader.GetFieldValue<byte[]>(2),
                reader.GetFieldValue<string[]>(3), reader.IsDBNull(4) ? null : reader.GetFieldValue<string[]>(4),
                reader.IsDBNull(5) ? null : reader.GetInt32(5), reader.GetFieldValue<DateTimeOffset>(6),
                reader.IsDBNull(7) ? null : reader.GetFieldValue<DateTimeOffset>(7)));
        return keys;
    }

    /// <summary>Stores a new key; false if its name was given before.</summary>
    public async Task<bool> Add(ApiKey key)
    {
        await using var command = Insert(key, "on conflict do nothing");
        return await command.ExecuteNonQueryAsync() == 1;
    }

    /// <summary>Stores the key of a name, in place of the one it had.</summary>
    public async Task Put(ApiKey key)
    {
        await using var command = Insert(key,
            """
            on conflict (name) do update set
              hash = excluded.hash, scopes = excluded.scopes, warehouses = excluded.warehouses,
              requests_per_second = excluded.requests_per_second, revoked_at = null
            """);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Ends a key by its name; false if there is none that still holds.</summary>
    public async Task<bool> Revoke(string name)
    {
        await using var command = database.CreateCommand(
            "update oms.api_keys set revoked_at = now() where name = $1 and revoked_at is null");
        command.Parameters.Add(new() { Value = name });
        return await command.ExecuteNonQueryAsync() == 1;
    }

    NpgsqlCommand Insert(ApiKey key, string onConflict)
    {
        var command = database.CreateCommand(
            $"""
            insert into oms.api_keys (id, name, hash, scopes, warehouses, requests_per_second)
            values ($1, $2, $3, $4, $5, $6) {onConflict}
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
        return command;
    }
}
