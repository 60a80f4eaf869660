using OrleansOms.Domain.Shared;

namespace OrleansOms.Postgres.Log;

/// <summary>
/// Which log a stream is in. It is chosen by the stream's key and the number of logs alone, the same in every process and
/// for ever: what is changed here is not found again.
/// </summary>
public static class LogOf
{
    /// <summary>
    /// The log of everything that takes claims or has births: claims are unique over the whole company, and what is stored
    /// together shares a transaction.
    /// </summary>
    public const int Claims = 0;

    /// <summary>
    /// The number of a stream's log. Stocks, which are many and take no claims, are spread over all logs but the first by
    /// a hash of their key; everything else is in the first.
    /// </summary>
    /// <param name="logs">How many there are.</param>
    public static int Stream(string stream, int logs)
    {
        if (logs == 1 || !stream.StartsWith(Keys.Stock, StringComparison.Ordinal)) return Claims;
        return 1 + (int)(Hash(stream) % (uint)(logs - 1));
    }

    // FNV-1a over the UTF-16 of the key, its bits then mixed: like keys differ in their last letters.
    static uint Hash(string key)
    {
        var hash = 2166136261u;
        foreach (var c in key)
        {
            hash = (hash ^ (byte)c) * 16777619;
            hash = (hash ^ (byte)(c >> 8)) * 16777619;
        }
        hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
        hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
        return hash ^ (hash >> 16);
    }
}
