using System.Security.Cryptography;
using Npgsql;

namespace OrleansOms.Postgres.Security;

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
