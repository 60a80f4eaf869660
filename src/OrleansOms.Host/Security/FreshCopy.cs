using System.Data.Common;

namespace OrleansOms.Host.Security;

/// <summary>
/// Something of the database in memory, never older than <see cref="Lifetime"/> while the database answers. When it does
/// not, nobody can change anything there either, and what was read last goes on.
/// </summary>
/// <typeparam name="T">What is kept.</typeparam>
/// <param name="what">Its name in a warning.</param>
/// <param name="read">Reads it; it is given what was read before.</param>
public sealed partial class FreshCopy<T>(string what, Func<T?, Task<T>> read, TimeProvider time, ILogger logger)
    where T : class
{
    /// <summary>How old it may be.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);

    /// <summary>How often strangers can make it look again.</summary>
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    readonly SemaphoreSlim _loading = new(1, 1);
    Copy? _copy;

    sealed record Copy(T Value, DateTimeOffset LoadedAt);

    /// <summary>
    /// The first answer that a copy gives; one that is null may be out of date and is asked for again, from a copy that
    /// was read since the call.
    /// </summary>
    public async ValueTask<TFound?> Find<TFound>(Func<T, TFound?> find) where TFound : class
    {
        var now = time.GetUtcNow();
        var copy = _copy;
        if (copy is null || now - copy.LoadedAt > Lifetime) copy = await Load(now - Lifetime);
        if (find(copy.Value) is { } found) return found;
        if (copy.LoadedAt >= now) return null;
        // Strangers wait here, so that they cannot keep the database busy.
        if (copy.LoadedAt + Pause - now is { Ticks: > 0 } rest) await Task.Delay(rest, time);
        return find((await Load(now)).Value);
    }

    /// <summary>Reads it, unless that was done since a moment.</summary>
    async Task<Copy> Load(DateTimeOffset since)
    {
        await _loading.WaitAsync();
        try
        {
            var now = time.GetUtcNow();
            if (_copy is { } other && other.LoadedAt >= since) return other;
            return _copy = new Copy(await read(_copy?.Value), now);
        }
        catch (Exception e) when (e is DbException or TimeoutException && _copy is not null)
        {
            LogStale(logger, what, e.Message);
            return _copy = _copy with { LoadedAt = time.GetUtcNow() };
        }
        finally { _loading.Release(); }
    }

    [LoggerMessage(LogLevel.Warning, "The {What} could not be read again: {Reason}")]
    static partial void LogStale(ILogger logger, string what, string reason);
}
