using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains;
using OrleansOms.Grains.Stock;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>Orders that are read because too little is known of them.</summary>
public sealed class WaitingOrdersTests
{
    readonly FakeTimeProvider _time = new();
    readonly WaitingIndex _index;
    readonly FewReads _log = new();
    readonly WaitingOrders _orders;

    public WaitingOrdersTests()
    {
        _index = new WaitingIndex(new OmsSettings(), _time);
        _orders = new WaitingOrders(_log, _index, _time, NullLogger<WaitingOrders>.Instance);
    }

    /// <summary>Whether it is known, or must be read, that so many begin to wait.</summary>
    bool Hear(string order, int version) => _index.Apply(new LogEvent(default, order, version, "", new OrderAllocated(
        SourcingCause.ShortPick, [], [new LineUnits(1, 1)], new SourcingPlan([], new Dictionary<string, int>(), "", [])), "test", "test", _time.GetUtcNow()));

    [Fact]
    public async Task No_more_are_read_at_once_than_may_be()
    {
        string[] all = [.. Enumerable.Range(1, 5 * WaitingOrders.AtOnce).Select(n => $"ord-{n}")];
        Assert.All(all, order => Assert.False(Hear(order, 3)));
        var asked = all.Select(_orders.Ask).ToList();
        await _log.Full;
        // Behind whoever else might read.
        foreach (var _ in all)
            await Task.Factory.StartNew(() => { }, CancellationToken.None, TaskCreationOptions.PreferFairness, TaskScheduler.Default);
        _log.GoesOn.SetResult();
        await Task.WhenAll(asked);
        Assert.Equal(WaitingOrders.AtOnce, _log.Most);
    }

    [Fact]
    public async Task One_that_cannot_be_read_is_read_when_it_begins_to_wait_for_more()
    {
        _log.GoesOn.SetException(new InvalidOperationException("It cannot be folded."));
        Assert.False(Hear("ord-1", 3));
        await _orders.Ask("ord-1");
        Assert.False(Hear("ord-1", 4));
    }

    /// <summary>Streams without an event, which are read when that is allowed.</summary>
    sealed class FewReads() : LogAround(null!)
    {
        readonly TaskCompletionSource _full = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int _now;

        public TaskCompletionSource GoesOn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        /// <summary>Completes when as many are read as may be.</summary>
        public Task Full => _full.Task;
        /// <summary>That were read at once.</summary>
        public int Most { get; private set; }

        public override async Task<IReadOnlyList<LogEvent>> ReadStream(string stream, int afterVersion = 0, int? max = null)
        {
            lock (_full)
                if ((Most = Math.Max(Most, ++_now)) == WaitingOrders.AtOnce) _full.TrySetResult();
            await GoesOn.Task;
            lock (_full) _now--;
            return [new LogEvent(default, stream, 9, "", null, "test", "test", default)];
        }
    }
}
