using System.Threading.Channels;

namespace OrleansOms.Host.Live;

/// <summary>
/// What one subscriber has not taken yet: the latest letter of each sender, so that a slow subscriber costs a bounded
/// amount of memory and nobody waits for it. When there are too many senders, all letters are thrown away and the
/// subscriber is told so.
/// </summary>
/// <param name="capacity">Most senders that are kept.</param>
sealed class Mailbox<T>(int capacity, TimeProvider time)
{
    /// <summary>Traces that a delivery belongs to at most.</summary>
    const int MaxTraces = 16;

    readonly Lock _gate = new();
    readonly Channel<bool> _bell = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    Dictionary<string, T> _letters = new(StringComparer.Ordinal);
    List<string> _traces = [];
    bool _isOver;
    long? _takenAt;

    /// <summary>What was taken out.</summary>
    /// <param name="Letters">The latest of each sender, none if there were too many.</param>
    /// <param name="IsOver">Whether there were too many: what is known is worth nothing, ask anew.</param>
    /// <param name="Traces">Of all that were put in, also of those that were replaced.</param>
    public readonly record struct Delivery(IReadOnlyCollection<T> Letters, bool IsOver, IReadOnlyList<string> Traces);

    /// <summary>Puts a letter in; an older one of the same sender is replaced.</summary>
    /// <param name="trace">The span that its delivery belongs below; null for none.</param>
    public void Put(string sender, T letter, string? trace = null)
    {
        lock (_gate)
        {
            if (trace is not null && _traces.Count < MaxTraces) _traces.Add(trace);
            if (_letters.Count >= capacity && !_letters.ContainsKey(sender)) ThrowAway();
            if (!_isOver) _letters[sender] = letter;
        }
        Ring();
    }

    /// <summary>Throws all letters away, as if there were too many.</summary>
    public void Overflow()
    {
        lock (_gate) ThrowAway();
        Ring();
    }

    /// <summary>Makes the subscriber look, letters or not.</summary>
    public void Ring() => _bell.Writer.TryWrite(true);

    /// <summary>No more letters: a waiting subscriber is told that it is over.</summary>
    public void Close() => _bell.Writer.TryComplete();

    /// <summary>Waits until the bell rings; null when the mailbox was closed.</summary>
    /// <param name="pace">Least time between two deliveries; the first comes at once.</param>
    public async ValueTask<Delivery?> Take(TimeSpan pace, CancellationToken cancel)
    {
        if (!await _bell.Reader.WaitToReadAsync(cancel)) return null;
        if (_takenAt is { } before && pace - time.GetElapsedTime(before) is { } left && left > TimeSpan.Zero)
            await Task.Delay(left, time, cancel);
        _takenAt = time.GetTimestamp();
        _bell.Reader.TryRead(out _);
        lock (_gate)
        {
            var delivery = new Delivery(_letters.Values, _isOver, _traces);
            _letters = new(StringComparer.Ordinal);
            if (_traces.Count > 0) _traces = [];
            _isOver = false;
            return delivery;
        }
    }

    void ThrowAway()
    {
        _letters = new(StringComparer.Ordinal);
        _isOver = true;
    }
}
