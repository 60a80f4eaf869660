using System.Collections.Concurrent;

namespace OrleansOms.Host.Security;

/// <summary>Lets so many pass each second, and as many at once as it has saved up.</summary>
/// <param name="perSecond">Tokens that come back each second.</param>
/// <param name="atOnce">Most tokens that it can hold.</param>
public sealed class TokenBucket(TimeProvider time, double perSecond, double atOnce)
{
    readonly Lock _gate = new();
    double _taken;
    long _at;

    /// <summary>Whether it is full again, and so says nothing of the past.</summary>
    public bool IsFull
    {
        get
        {
            lock (_gate)
            {
                Refill();
                return _taken <= 0;
            }
        }
    }

    /// <summary>Takes a token; false if there is none.</summary>
    /// <param name="retryAfterSeconds">When there will be one, rounded up.</param>
    public bool TryTake(out int retryAfterSeconds)
    {
        lock (_gate)
        {
            Refill();
            retryAfterSeconds = 0;
            if (_taken + 1 <= atOnce)
            {
                _taken += 1;
                return true;
            }
            retryAfterSeconds = (int)Math.Ceiling(Math.Max(0.001, (_taken + 1 - atOnce) / perSecond));
            return false;
        }
    }

    /// <summary>Takes one token back.</summary>
    public void GiveBack()
    {
        lock (_gate) _taken = Math.Max(0, _taken - 1);
    }

    void Refill()
    {
        var now = time.GetTimestamp();
        _taken = Math.Max(0, _taken - time.GetElapsedTime(_at, now).TotalSeconds * perSecond);
        _at = now;
    }
}

/// <summary>One bucket for each name, such as an address; those that are full again are forgotten.</summary>
public sealed class TokenBuckets(TimeProvider time, double perSecond, double atOnce)
{
    static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(10);

    readonly ConcurrentDictionary<string, TokenBucket> _buckets = new(StringComparer.Ordinal);
    long _swept = time.GetTimestamp();

    /// <summary>Names that are remembered now.</summary>
    public int Count => _buckets.Count;

    /// <summary>Takes a token of a name; false if it has none.</summary>
    public bool TryTake(string name, out int retryAfterSeconds)
    {
        SweepNowAndThen();
        return _buckets.GetOrAdd(name, _ => new TokenBucket(time, perSecond, atOnce)).TryTake(out retryAfterSeconds);
    }

    /// <summary>Takes one token of a name back.</summary>
    public void GiveBack(string name)
    {
        if (_buckets.TryGetValue(name, out var bucket)) bucket.GiveBack();
    }

    void SweepNowAndThen()
    {
        var (swept, now) = (Volatile.Read(ref _swept), time.GetTimestamp());
        if (time.GetElapsedTime(swept, now) < SweepEvery) return;
        // One of those who come at once does it.
        if (Interlocked.CompareExchange(ref _swept, now, swept) != swept) return;
        foreach (var (name, bucket) in _buckets)
            if (bucket.IsFull) _buckets.TryRemove(name, out _);
    }
}
