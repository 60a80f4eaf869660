using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Security;

using HeldKeys = FrozenDictionary<string, KeyRing.HeldValue>;

/// <summary>
/// Knows every API key that holds, in memory, so that recognising a caller costs no query. A revoked key stops working
/// within <see cref="Lifetime"/>; a new one works at once, because an unknown key makes the ring look again. A key that was
/// renewed is one caller with two values, until the former one ends.
/// </summary>
public sealed class KeyRing
{
    /// <summary>How old the ring may be.</summary>
    public static readonly TimeSpan Lifetime = FreshCopy<HeldKeys>.Lifetime;

    /// <summary>What every key starts with.</summary>
    public const string Prefix = "oms_";

    readonly FreshCopy<HeldKeys> _byHash;
    readonly TimeProvider _time;

    /// <summary>Reads nothing yet.</summary>
    public KeyRing(ApiKeys keys, TimeProvider time, ILogger<KeyRing> logger)
    {
        _time = time;
        _byHash = new("API keys", async known => Hold(await keys.List(), known ?? HeldKeys.Empty), time, logger);
    }

    /// <summary>A key that holds.</summary>
    /// <param name="Limit">Null if it is not limited.</param>
    public sealed record HeldKey(ApiKey Key, ApiCaller Caller, TokenBucket? Limit);

    /// <summary>A value of a key that holds.</summary>
    /// <param name="EndsAt">When it ends; null for the present one.</param>
    internal sealed record HeldValue(byte[] Hash, DateTimeOffset? EndsAt, HeldKey Key);

    /// <summary>A new random key: 256 bits.</summary>
    public static string NewKey() => Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>What is stored of a key.</summary>
    public static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>Recognises a key; null if it does not hold.</summary>
    public async ValueTask<HeldKey?> Find(string key)
    {
        if (!key.StartsWith(Prefix, StringComparison.Ordinal) || key.Length > 200) return null;
        var hash = HashOf(key);
        var name = Convert.ToHexStringLower(hash);
        var found = await _byHash.Find(ring =>
            ring.TryGetValue(name, out var held) && CryptographicOperations.FixedTimeEquals(hash, held.Hash)
            && !(held.EndsAt <= _time.GetUtcNow()) ? held : null);
        return found?.Key;
    }

    /// <summary>A key that may do what it might before keeps its bucket, and so what is left of its rate.</summary>
    HeldKeys Hold(IEnumerable<ApiKey> keys, HeldKeys known)
    {
        var before = known.Values.Select(v => v.Key).DistinctBy(k => k.Key.Id).ToDictionary(k => k.Key.Id, StringComparer.Ordinal);
        var now = _time.GetUtcNow();
        var held = new Dictionary<string, HeldValue>(StringComparer.Ordinal);
        foreach (var key in keys.Where(k => k.RevokedAt is null))
        {
            var holder = before.TryGetValue(key.Id, out var h) && IsSame(h.Key, key) ? h : Hold(key);
            foreach (var former in key.Former.Where(f => f.EndsAt > now)) Add(former.Hash, former.EndsAt, holder);
            Add(key.Hash, null, holder);
        }
        return held.ToFrozenDictionary(StringComparer.Ordinal);

        void Add(byte[] hash, DateTimeOffset? end, HeldKey holder) =>
            held[Convert.ToHexStringLower(hash)] = new HeldValue(hash, end, holder);
    }

    HeldKey Hold(ApiKey key) => new(
        key,
        new ApiCaller(
            $"key:{key.Id}", $"key:{key.Name}", key.Scopes.ToFrozenSet(StringComparer.Ordinal),
            key.Warehouses?.ToFrozenSet(StringComparer.Ordinal)),
        key.RequestsPerSecond is { } rate ? new TokenBucket(_time, rate, rate) : null);

    static bool IsSame(ApiKey a, ApiKey b) =>
        a.Id == b.Id && a.RequestsPerSecond == b.RequestsPerSecond && a.Scopes.SequenceEqual(b.Scopes)
        && (a.Warehouses ?? []).SequenceEqual(b.Warehouses ?? []) && (a.Warehouses is null) == (b.Warehouses is null);
}
