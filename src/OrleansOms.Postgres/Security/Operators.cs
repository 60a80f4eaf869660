using System.Security.Cryptography;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace OrleansOms.Postgres.Security;

/// <summary>A person who works with the screens.</summary>
/// <param name="PasswordHash">In ASP.NET's format, which names its own algorithm and rounds.</param>
/// <param name="Warehouses">Codes of those they may see; null for all.</param>
public sealed record Operator(
    string Name, string PasswordHash, IReadOnlyList<string> Roles, IReadOnlyList<string>? Warehouses)
{
    /// <summary>When they were shut out; null for who may log in.</summary>
    public DateTimeOffset? DisabledAt { get; init; }

    /// <summary>
    /// Changes with the password and with what they may do or see, so that a login from before is known as such. Tells
    /// nothing of the password.
    /// </summary>
    public string Stamp() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(
        '\n', [Name, PasswordHash, .. Roles, Warehouses is null ? "*" : "", .. Warehouses ?? []]))));
}

/// <summary>Which logins hold: those of a present stamp that were not ended.</summary>
/// <param name="Stamps">By the name of each person who may log in.</param>
/// <param name="Ended">Logins that were ended, as long as their cookie could live.</param>
public sealed record Logins(IReadOnlyDictionary<string, string> Stamps, IReadOnlySet<string> Ended);

/// <summary>The people of the screens.</summary>
public sealed class Operators(NpgsqlDataSource database)
{
    /// <summary>Longer than a cookie lives without being renewed.</summary>
    static readonly TimeSpan EndedKept = TimeSpan.FromDays(2);

    /// <summary>Finds a person by name; null if there is none.</summary>
    public async Task<Operator?> Find(string name)
    {
        await using var command = database.CreateCommand(
            "select name, password_hash, roles, warehouses, disabled_at from oms.operators where name = $1");
        command.Parameters.Add(new() { Value = name });
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? Read(reader) : null;
    }

    /// <summary>Stores a new person; false if there is one of that name.</summary>
    public Task<bool> Add(Operator person) => Store(person, "do nothing");

    /// <summary>Stores a person, in place of the one of that name. Who was shut out stays so.</summary>
    public Task Put(Operator person) => Store(person,
        "(name) do update set password_hash = excluded.password_hash, roles = excluded.roles, warehouses = excluded.warehouses");

    async Task<bool> Store(Operator person, string onConflict)
    {
        await using var command = database.CreateCommand(
            $"""
            insert into oms.operators (name, password_hash, roles, warehouses) values ($1, $2, $3, $4)
            on conflict {onConflict}
            """);
        command.Parameters.Add(new() { Value = person.Name });
        command.Parameters.Add(new() { Value = person.PasswordHash });
        command.Parameters.Add(new() { Value = person.Roles.ToArray() });
        command.Parameters.Add(new()
        {
            Value = (object?)person.Warehouses?.ToArray() ?? DBNull.Value,
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        });
        return await command.ExecuteNonQueryAsync() == 1;
    }

    /// <summary>Shuts a person out; false if there is nobody of that name who may log in.</summary>
    public async Task<bool> Disable(string name)
    {
        await using var command = database.CreateCommand(
            "update oms.operators set disabled_at = now() where name = $1 and disabled_at is null");
        command.Parameters.Add(new() { Value = name });
        return await command.ExecuteNonQueryAsync() == 1;
    }

    /// <summary>Ends one login, wherever its cookie is.</summary>
    public async Task EndLogin(string id)
    {
        await using var command = database.CreateCommand(
            """
            with old as (delete from oms.ended_logins where ended_at < now() - $2)
            insert into oms.ended_logins (id) values ($1) on conflict do nothing
            """);
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = EndedKept });
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Which logins hold now.</summary>
    public async Task<Logins> Logins()
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new(
            "select name, password_hash, roles, warehouses, disabled_at from oms.operators where disabled_at is null"));
        batch.BatchCommands.Add(new("select id from oms.ended_logins"));
        await using var reader = await batch.ExecuteReaderAsync();
        var stamps = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await reader.ReadAsync())
        {
            var person = Read(reader);
            stamps[person.Name] = person.Stamp();
        }
        await reader.NextResultAsync();
        var ended = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync()) ended.Add(reader.GetString(0));
        return new Logins(stamps, ended);
    }

    static Operator Read(NpgsqlDataReader reader) => new(
        reader.GetString(0), reader.GetString(1), reader.GetFieldValue<string[]>(2),
        reader.IsDBNull(3) ? null : reader.GetFieldValue<string[]>(3))
    {
        DisabledAt = reader.IsDBNull(4) ? null : reader.GetFieldValue<DateTimeOffset>(4),
    };
}
