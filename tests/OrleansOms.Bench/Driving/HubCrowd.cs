using System.Collections.Concurrent;
using System.Diagnostics;

namespace OrleansOms.Bench.Driving;

/// <summary>
/// Thousands of screens that watch all orders, some of which have stopped reading, and the orders that they are told of.
/// </summary>
public sealed class HubCrowd : IAsyncDisposable
{
    /// <summary>Connections that are made at once.</summary>
    const int OpenedAtOnce = 50;

    /// <summary>Messages under way when as many as possible are pushed, and the fewest orders that they are of.</summary>
    const int Window = 100_000, OrdersAtLeast = 10;

    /// <summary>One screen in so many takes the time of each message.</summary>
    const int TimedOneIn = 16;

    static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(10), Look = TimeSpan.FromMilliseconds(2);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly List<HubSocket> _stalled = [];
    readonly CancellationTokenSource _end = new();
    readonly ConcurrentDictionary<string, long> _sentAt = new(StringComparer.Ordinal);
    readonly ConcurrentQueue<double> _milliseconds = new();
    readonly List<Task> _running = [];
    Screen[] _screens = [];
    string? _fault;

    /// <summary>Opens so many, the last of which stop reading as soon as they watch.</summary>
    public static async Task<HubCrowd> Open(Uri server, string? cookie, int count, int stalled)
    {
        var crowd = new HubCrowd();
        var sockets = new HubSocket[count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = OpenedAtOnce },
            async (n, _) => sockets[n] = await HubSocket.Open(server, cookie, isStalled: n >= count - stalled));
        crowd._stalled.AddRange(sockets[(count - stalled)..]);
        crowd._screens = [.. sockets[..(count - stalled)].Select((s, n) => new Screen(crowd, s, n % TimedOneIn == 0))];
        crowd._running.AddRange(crowd._screens.Select(s => s.Run(crowd._end.Token)));
        crowd._running.Add(crowd.StayAlive());
        return crowd;
    }

    /// <summary>Places orders one after the other, as fast as everybody hears of them.</summary>
    /// <returns>Messages and how long they took.</returns>
    public Task<DriveResult> Flood(double seconds, Func<int, Task<string>> place) =>
        Push(seconds, place, (placed, told, _) => placed - told < Math.Max(Window / _screens.Length, OrdersAtLeast));

    /// <summary>Places so many orders a second.</summary>
    public Task<DriveResult> Pace(double seconds, double rate, Func<int, Task<string>> place) =>
        Push(seconds, place, (placed, _, elapsed) => placed < rate * elapsed);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        foreach (var screen in _screens) screen.Socket.Dispose();
        foreach (var socket in _stalled) socket.Dispose();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    async Task<DriveResult> Push(double seconds, Func<int, Task<string>> place, Func<int, long, double, bool> isNext)
    {
        _milliseconds.Clear();
        _sentAt.Clear();
        var before = _screens.Sum(s => s.Told);
        foreach (var screen in _screens) screen.Begin();
        var (start, placed) = (Stopwatch.GetTimestamp(), 0);
        var placing = new List<Task>();
        for (double now; (now = Stopwatch.GetElapsedTime(start).TotalSeconds) < seconds && _fault is null;)
        {
            var told = _screens.Min(s => s.ToldNow);
            while (isNext(placed, told, now)) placing.Add(Place(placed++));
            await Task.Delay(Look);
        }
        await Task.WhenAll(placing);
        // Those who are still to hear of the last ones count as well, and so does their time.
        while (_screens.Min(s => s.ToldNow) < placed && _fault is null)
        {
            if (Stopwatch.GetElapsedTime(start).TotalSeconds > seconds + Patience.TotalSeconds)
                _fault = $"A screen was told of {_screens.Min(s => s.ToldNow)} orders of {placed}.";
            await Task.Delay(Look);
        }
        var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new DriveResult(
            _screens.Sum(s => s.Told) - before, elapsed, Latency.Of([]), _fault is null ? 0 : 1, _fault, 0,
            PushAfterAnswer: Latency.Of(_milliseconds));

        async Task Place(int n)
        {
            var sent = Stopwatch.GetTimestamp();
            var id = await place(n);
            _sentAt[id] = sent;
        }
    }

    async Task StayAlive()
    {
        using var timer = new PeriodicTimer(KeepAlive);
        while (await timer.WaitForNextTickAsync(_end.Token))
            foreach (var socket in _screens.Select(s => s.Socket).Concat(_stalled)) await socket.KeepAlive();
    }

    sealed class Screen(HubCrowd crowd, HubSocket socket, bool isTimed)
    {
        long _told, _before;
        /// <summary>Told before the answer to whoever placed the order: their times wait for it.</summary>
        readonly List<(string Id, long At)> _early = [];

        public HubSocket Socket => socket;
        public long Told => Volatile.Read(ref _told);
        public long ToldNow => Told - _before;
        public void Begin()
        {
            _before = Told;
            lock (_early) _early.Clear();
        }

        public async Task Run(CancellationToken stop)
        {
            try { await socket.Read(See, stop); }
            catch (OperationCanceledException) when (stop.IsCancellationRequested) { }
            catch (Exception e) when (!stop.IsCancellationRequested) { crowd._fault ??= e.Message; }
        }

        void See(ReadOnlySpan<byte> message)
        {
            if (message.IndexOf("\"target\":\"resync\""u8) >= 0) crowd._fault ??= "A screen was too slow.";
            if (message.IndexOf("\"target\":\"orderChanged\""u8) < 0) return;
            if (isTimed) Time(message);
            Volatile.Write(ref _told, _told + 1);
        }

        void Time(ReadOnlySpan<byte> message)
        {
            var now = Stopwatch.GetTimestamp();
            lock (_early)
            {
                _early.Add((Requests.IdOf(message), now));
                _early.RemoveAll(e => crowd.Note(e.Id, e.At));
            }
        }
    }

    bool Note(string id, long at)
    {
        if (!_sentAt.TryGetValue(id, out var sent)) return false;
        _milliseconds.Enqueue(Stopwatch.GetElapsedTime(sent, at).TotalMilliseconds);
        return true;
    }
}
