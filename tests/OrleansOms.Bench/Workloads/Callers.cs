using System.Diagnostics;
using OrleansOms.Bench.Driving;
using OrleansOms.Bench.Measuring;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Bench.Workloads;

/// <summary>Callers of one stock in this process; each waits for its durable answer before it asks again.</summary>
/// <param name="name">Of the SKU; the stock is the callers' own.</param>
public sealed class Callers(IGrainFactory grains, string name)
{
    readonly IStockGrain _stock = grains.GetGrain<IStockGrain>(Keys.OfStock("BENCH", name));
    readonly string _run = Guid.NewGuid().ToString("N")[..16];
    int _next;

    /// <summary>Receives enough for any run.</summary>
    public Task Receive() => Do(new ReceiveStock($"{_run}/receive", 500_000_000, "bench"));

    /// <summary>Reserves one unit, again and again.</summary>
    public Task<Outcome> Reserve(int callers, double seconds) => Run(callers, seconds, 1, async () => await Reserve());

    /// <summary>Reserves one unit and gives it back, again and again, so that as many are open at the end as before.</summary>
    public Task<Outcome> ReserveAndRelease(int callers, double seconds) => Run(callers, seconds, 2, async () =>
    {
        var order = await Reserve();
        await Do(new ReleaseStock($"{order}/back", order, [new LineUnits(1, 1)], "bench"));
    });

    /// <summary>Leaves so many reservations open.</summary>
    public async Task Open(int count)
    {
        for (var done = 0; done < count;)
        {
            var some = Math.Min(1000, count - done);
            await Task.WhenAll(Enumerable.Range(0, some).Select(_ => Reserve()));
            done += some;
        }
    }

    /// <summary>Lets so many callers work until the time is over; each asks again when it is answered.</summary>
    /// <param name="operations">What one piece of work counts as.</param>
    internal static async Task<Outcome> Run(int callers, double seconds, int operations, Func<Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        var end = start + (long)(seconds * Stopwatch.Frequency);
        var times = await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            var own = new List<double>();
            for (var now = Stopwatch.GetTimestamp(); now < end; now = Stopwatch.GetTimestamp())
            {
                await work();
                own.Add(Stopwatch.GetElapsedTime(now).TotalMilliseconds);
            }
            return own;
        })));
        var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var latency = Latency.Of(times.SelectMany(t => t));
        return new Outcome((long)latency.Count * operations, elapsed, latency.P50Ms, latency.P99Ms);
    }

    /// <summary>Lets so many callers share a number of pieces of work, from 0; each is done once.</summary>
    internal static async Task<Outcome> RunEach(int callers, int count, Func<int, Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        var next = -1;
        var times = await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            var own = new List<double>();
            while (Interlocked.Increment(ref next) is var n && n < count)
            {
                var now = Stopwatch.GetTimestamp();
                await work(n);
                own.Add(Stopwatch.GetElapsedTime(now).TotalMilliseconds);
            }
            return own;
        })));
        var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var latency = Latency.Of(times.SelectMany(t => t));
        return new Outcome(latency.Count, elapsed, latency.P50Ms, latency.P99Ms);
    }

    async Task<string> Reserve()
    {
        var order = $"{Keys.Order}{_run}{Interlocked.Increment(ref _next):D10}";
        await Do(new ReserveStock($"{order}/reserve", order, [new LineUnits(1, 1)]));
        return order;
    }

    async Task Do(StockCommand command)
    {
        var reply = await _stock.Execute(command, "system");
        if (reply.Rejection is { } no) throw new InvalidOperationException($"The stock refused: {no.Code}, {no.Detail}");
    }
}
