using System.Globalization;
using Npgsql;
using OrleansOms.Domain.Shared;
using OrleansOms.Host.Security;
using OrleansOms.Postgres;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Commands;

/// <summary>Makes, lists and ends API keys, also beside a running program.</summary>
public static class KeyCommand
{
    /// <summary>Requests a second of a key that is not given another rate.</summary>
    public const int UsualRate = 2000;

    /// <summary>Runs <c>key add</c>, <c>key list</c> or <c>key revoke</c>.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> Run(string[] args)
    {
        if (await UpCommand.FindConnection() is not { } connection)
            return await Fail("There is no database: start OrleansOms, or set ConnectionStrings__Oms.", 1);
        await Migrator.Run(connection);
        await using var database = NpgsqlDataSource.Create(connection);
        return await Run(args, new ApiKeys(database), Console.Out);
    }

    /// <summary>The same on given keys.</summary>
    public static async Task<int> Run(string[] args, ApiKeys keys, TextWriter output)
    {
        switch (args)
        {
            case ["list"]:
                foreach (var k in await keys.List()) output.WriteLine(Line(k));
                return 0;
            case ["revoke", var name]:
                if (!await keys.Revoke(name)) return await Fail($"No key {name} holds.", 1);
                output.WriteLine($"{name} is revoked. It stops working within {KeyRing.Lifetime.TotalSeconds:0} seconds.");
                return 0;
            case ["add", var name, .. var options]:
                return await Add(name, options, keys, output);
            default:
                return await Fail("Say key add NAME --scopes A,B, key list or key revoke NAME.", 2);
        }
    }

    static async Task<int> Add(string name, string[] options, ApiKeys keys, TextWriter output)
    {
        if (!Text.IsPrintable(name, 100)) return await Fail("The name must be 1 to 100 printable characters.", 2);
        string[]? scopes = null, warehouses = null;
        int? rate = UsualRate;
        for (var i = 0; i < options.Length; i += 2)
        {
            if (i + 1 == options.Length) return await Fail($"{options[i]} needs a value.", 2);
            var value = options[i + 1];
            switch (options[i])
            {
                case "--scopes": scopes = Split(value); break;
                case "--warehouses": warehouses = Split(value); break;
                case "--rate" when value == "unlimited": rate = null; break;
                case "--rate" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0:
                    rate = n;
                    break;
                default: return await Fail($"What is {options[i]} {value}?", 2);
            }
        }
        if (scopes is not { Length: > 0 } || scopes.Except(Scopes.Known).Any())
            return await Fail($"--scopes takes some of: {string.Join(", ", Scopes.Known)}.", 2);
        if (warehouses?.FirstOrDefault(w => !Text.IsWarehouseCode(w)) is { } bad)
            return await Fail($"{bad} is not a warehouse code.", 2);
        var key = KeyRing.NewKey();
        var isAdded = await keys.Add(new ApiKey(
            Guid.NewGuid().ToString("N"), name, KeyRing.HashOf(key), scopes, warehouses, rate, default, null));
        if (!isAdded) return await Fail($"The name {name} was given before; histories name it.", 1);
        output.WriteLine(key);
        return 0;
    }

    static string Line(ApiKey k)
    {
        var rate = k.RequestsPerSecond is { } n ? $"{n}/s" : "unlimited";
        var where = k.Warehouses is null ? "all warehouses" : string.Join(",", k.Warehouses);
        var state = k.RevokedAt is { } at ? $"revoked {at:yyyy-MM-dd}" : "holds";
        return $"{k.Name}\t{string.Join(",", k.Scopes)}\t{where}\t{rate}\tsince {k.CreatedAt:yyyy-MM-dd}\t{state}";
    }

    static string[] Split(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    static async Task<int> Fail(string text, int code)
    {
        await Console.Error.WriteLineAsync(text);
        return code;
    }
}
