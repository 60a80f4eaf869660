using System.Globalization;

namespace OrleansOms.Host.Commands;

/// <summary>
/// Tells how far one step of the import is: on a terminal a bar that moves, otherwise a line now and then and one at
/// the end.
/// </summary>
public sealed class ImportProgress : IAsyncDisposable
{
    static readonly TimeSpan BarEvery = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(5);
    const int BarWidth = 30;
    const int LongestLeftSeconds = 24 * 60 * 60 - 1;

    readonly TextWriter _output;
    readonly string _what;
    readonly int _total;
    readonly bool _isTerminal;
    readonly long _started = TimeProvider.System.GetTimestamp();
    readonly PeriodicTimer _timer;
    readonly Task _telling;
    int _done;

    /// <summary>Starts to tell.</summary>
    /// <param name="what">What is counted, such as "orders".</param>
    public ImportProgress(TextWriter output, string what, int total, bool isTerminal)
    {
        (_output, _what, _total, _isTerminal) = (output, what, total, isTerminal);
        _timer = new PeriodicTimer(isTerminal ? BarEvery : LineEvery);
        _telling = Tell();
    }

    /// <summary>Counts one more.</summary>
    public void Step() => Interlocked.Increment(ref _done);

    /// <summary>How many are done.</summary>
    public int Done => Volatile.Read(ref _done);

    /// <summary>How long it took, or has taken.</summary>
    public TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_started);

    async Task Tell()
    {
        while (await _timer.WaitForNextTickAsync())
            await _output.WriteAsync(_isTerminal ? $"\r{Describe(_what, Done, _total, Elapsed, true)}\u001b[K"
                : $"{Describe(_what, Done, _total, Elapsed, false)}{Environment.NewLine}");
    }

    /// <summary>One line: done of total, rate, time left.</summary>
    public static string Describe(string what, int done, int total, TimeSpan elapsed, bool withBar)
    {
        var rate = elapsed > TimeSpan.Zero ? done / elapsed.TotalSeconds : 0;
        var share = total == 0 ? 1 : (double)done / total;
        var bar = withBar ? $"[{new string('█', (int)(share * BarWidth)).PadRight(BarWidth, '·')}] " : "";
        var secondsLeft = Math.Ceiling(Math.Min(LongestLeftSeconds, (total - done) / rate));
        var left = done == 0 ? "?"
            : TimeSpan.FromSeconds(secondsLeft).ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture,
            $"  {what,-10} {bar}{done:N0} of {total:N0}, {share:P0}, {rate:N0}/s, {left} left");
    }

    /// <summary>Ends with one line that stays.</summary>
    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _telling;
        var seconds = Elapsed.TotalSeconds;
        var line = string.Create(CultureInfo.InvariantCulture,
            $"  {_what,-10} {Done:N0} of {_total:N0} in {seconds:N1} s ({(seconds > 0 ? Done / seconds : 0):N0}/s)");
        await _output.WriteLineAsync(_isTerminal ? $"\r{line}\u001b[K" : line);
    }
}
