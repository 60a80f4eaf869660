using System.Collections.Frozen;
using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using OrleansOms.Postgres.Security;

namespace OrleansOms.Host.Security;

/// <summary>
/// Knows every API key that holds, in memory, so that recognising a caller costs no query. A revoked key stops working
/// within <see cref="Lifetime"/>; a new one works at once, because an unknown key makes the ring look again.
/// </summary>
public sealed partial class KeyRing(ApiKeys keys, TimeProvider time, ILogger<KeyRing> logger)
{
    /// <summary>How old the ring may be.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);

    /// <summary>How often strangers can make it look again.</summary>
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>What every key starts with.</summary>
    public const string Prefix = "oms_";

    readonly SemaphoreSlim _loading = new(1, 1);
    Ring _ring = new(FrozenDictionary<string, HeldKey>.Empty, DateTimeOffset.MinValue);

    sealed record Ring(FrozenDictionary<string, HeldKey> ByHash, DateTimeOffset LoadedAt);

    /// <summary>A key that holds.</summary>
    /// <param name="Limit">Null if it is not limited.</param>
    public sealed record HeldKey(ApiKey Key, ApiCaller Caller, TokenBucket? Limit);

    /// <summary>A new random key: 256 bits.</summary>
    public static string NewKey() => Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>What is stored of a key.</summary>
    public static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>Recognises a key; null if it does not hold.</summary>
    public async ValueTask<HeldKey?> Find(string key)
    {
        if (!key.StartsWith(Prefix, StringComparison.Ordinal) || key.Length > 200) return null;
        var hash = HashOf(key);
        var now = time.GetUtcNow();
        if (now - _ring.LoadedAt > Lifetime) await Load(now - Lifetime);
        if (Find(hash) is { } held) return held;
        if (_ring.LoadedAt >= now) return null;
        // It may have been made since. Strangers wait here, so that they cannot keep the database busy.
        if (_ring.LoadedAt + Pause - now is { Ticks: > 0 } rest) await Task.Delay(rest, time);
        await Load(now);
        return Find(hash);
    }

    HeldKey? Find(byte[] hash) =>
        _ring.ByHash.TryGetValue(Convert.ToHexStringLower(hash), out var held)
        && CryptographicOperations.FixedTimeEquals(hash, held.Key.Hash) ? held : null;

    /// <summary>Reads the keys, unless that was done since a moment.</summary>
    async Task Load(DateTimeOffset since)
    {
        await _loading.WaitAsync();
        try
        {
            var now = time.GetUtcNow();
            if (_ring.LoadedAt >= since) return;
            var known = _ring.ByHash;
            var held = (await keys.List()).Where(k => k.RevokedAt is null)
                .Select(k => known.TryGetValue(Convert.ToHexStringLower(k.Hash), out var h) && IsSame(h.Key, k) ? h : Hold(k));
            _ring = new Ring(
                held.ToFrozenDictionary(h => Convert.ToHexStringLower(h.Key.Hash), StringComparer.Ordinal), now);
        }
        catch (Exception e) when (e is DbException or TimeoutException && _ring.ByHash.Count > 0)
        {
            // The database is away, so nothing can be changed by anyone; reads from memory go on with the keys of before.
            LogStale(logger, e.Message);
            _ring = _ring with { LoadedAt = time.GetUtcNow() };
        }
        finally { _loading.Release(); }
    }

    HeldKey Hold(ApiKey key) => new(
        key,
        new ApiCaller(
            $"key:{key.Id}", $"key:{key.Name}", key.Scopes.ToFrozenSet(StringComparer.Ordinal),
            key.Warehouses?.ToFrozenSet(StringComparer.Ordinal)),
        key.RequestsPerSecond is { } rate ? new TokenBucket(time, rate, rate) : null);

    static bool IsSame(ApiKey a, ApiKey b) =>
        a.Id == b.Id && a.RequestsPerSecond == b.RequestsPerSecond && a.Scopes.SequenceEqual(b.Scopes)
        && (a.Warehouses ?? []).SequenceEqual(b.Warehouses ?? []) && (a.Warehouses is null) == (b.Warehouses is null);

    [LoggerMessage(LogLevel.Warning, "The API keys could not be read again: {Reason}")]
    static partial void LogStale(ILogger logger, string reason);
}
