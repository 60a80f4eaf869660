using System.Globalization;
using OrleansOms.Domain.Shared;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Commands;

/// <summary>Makes, lists and ends API keys, also beside a running program.</summary>
public static class KeyCommand
{
    /// <summary>Requests a second of a key that is not given another rate.</summary>
    public const int UsualRate = 2000;

    /// <summary>Hours that a former value works on, unless something else is said.</summary>
    public const int UsualKeep = 24;

    /// <summary>Most hours that it can be given: a year.</summary>
    const int LongestKeep = 366 * 24;

    /// <summary>Runs <c>key add</c>, <c>key list</c>, <c>key renew</c>, <c>key forget</c> or <c>key revoke</c>.</summary>
    /// <returns>The exit code.</returns>
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
            case ["renew", var name]:
                return await Renew(name, UsualKeep, keys, output);
            case ["renew", var name, "--keep", var hours]:
                return int.TryParse(hours, NumberStyles.None, CultureInfo.InvariantCulture, out var keep) && keep <= LongestKeep
                    ? await Renew(name, keep, keys, output)
                    : await Fail($"--keep takes whole hours, 0 to {LongestKeep}.", 2);
            case ["forget", var name]:
                if (!await keys.Forget(name)) return await Fail($"No former value of a key {name} works.", 1);
                output.WriteLine($"Former values of {name} stop working within {KeyRing.Lifetime.TotalSeconds:0} seconds.");
                return 0;
            case ["add", var name, .. var options]:
                return await Add(name, options, keys, output);
            default:
                return await Fail(
                    "Say key add NAME --scopes A,B, key list, key renew NAME [--keep HOURS], key forget NAME or key revoke NAME.", 2);
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

    /// <summary>Prints the new value, and nothing else where a script reads.</summary>
    static async Task<int> Renew(string name, int hours, ApiKeys keys, TextWriter output)
    {
        var key = KeyRing.NewKey();
        if (await keys.Renew(name, KeyRing.HashOf(key), TimeSpan.FromHours(hours)) is not { } end)
            return await Fail($"No key {name} holds.", 1);
        output.WriteLine(key);
        await Console.Error.WriteLineAsync(hours == 0
            ? $"The former value of {name} stops working within {KeyRing.Lifetime.TotalSeconds:0} seconds."
            : $"The former value of {name} works until {end.UtcDateTime:yyyy-MM-dd HH:mm} UTC.");
        return 0;
    }

    static string Line(ApiKey k)
    {
        var rate = k.RequestsPerSecond is { } n ? $"{n}/s" : "unlimited";
        var where = k.Warehouses is null ? "all warehouses" : string.Join(",", k.Warehouses);
        var state = k.RevokedAt is { } at ? $"revoked {at:yyyy-MM-dd}"
            : k.Former is [.., { EndsAt: var end }] && end > DateTimeOffset.UtcNow
                ? $"holds, a former value until {end.UtcDateTime:yyyy-MM-dd HH:mm} UTC" : "holds";
        return $"{k.Name}\t{string.Join(",", k.Scopes)}\t{where}\t{rate}\tsince {k.CreatedAt:yyyy-MM-dd}\t{state}";
    }

    static string[] Split(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    static Task<int> Fail(string text, int code) => CommandLine.Fail(text, code);
}
