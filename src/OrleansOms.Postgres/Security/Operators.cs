using Npgsql;
using NpgsqlTypes;

namespace OrleansOms.Postgres.Security;

/// <summary>A person who works with the screens.</summary>
/// <param name="PasswordHash">In ASP.NET's format, which names its own algorithm and rounds.</param>
/// <param name="Warehouses">Codes of those they may see; null for all.</param>
public sealed record Operator(
    string Name, string PasswordHash, IReadOnlyList<string> Roles, IReadOnlyList<string>? Warehouses);

/// <summary>The people of the screens.</summary>
public sealed class Operators(NpgsqlDataSource database)
{
    /// <summary>Finds a person by name; null if there is none.</summary>
    public async Task<Operator?> Find(string name)
    {
        await using var command = database.CreateCommand(
            "select name, password_hash, roles, warehouses from oms.operators where name = $1");
        command.Parameters.Add(new() { Value = name });
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync()
            ? new Operator(
                reader.GetString(0), reader.GetString(1), reader.GetFieldValue<string[]>(2),
                reader.IsDBNull(3) ? null : reader.GetFieldValue<string[]>(3))
            : null;
    }

    /// <summary>Stores a person, in place of the one of that name.</summary>
    public async Task Put(Operator person)
    {
        await using var command = database.CreateCommand(
            """
            insert into oms.operators (name, password_hash, roles, warehouses) values ($1, $2, $3, $4)
            on conflict (name) do update set
              password_hash = excluded.password_hash, roles = excluded.roles, warehouses = excluded.warehouses
            """);
        command.Parameters.Add(new() { Value = person.Name });
        command.Parameters.Add(new() { Value = person.PasswordHash });
        command.Parameters.Add(new() { Value = person.Roles.ToArray() });
        command.Parameters.Add(new()
        {
            Value = (object?)person.Warehouses?.ToArray() ?? DBNull.Value,
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        });
        await command.ExecuteNonQueryAsync();
    }
}
