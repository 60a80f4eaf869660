using System.Collections.Concurrent;
using System.Diagnostics;
using OrleansOms.Contracts.Log;
using OrleansOms.Postgres.Log;
using EventLog = OrleansOms.Postgres.Log.EventLog;

namespace OrleansOms.Tests.Log;

/// <summary>What is stored in a recorded request is a span of its trace, and takes the trace along in the log.</summary>
public sealed class AppendTraceTests : LogTest
{
    readonly ConcurrentQueue<Activity> _ended = new();

    protected override EventLogOptions Options => new() { Writers = 1 };

    [Fact]
    public async Task Appends_that_share_a_transaction_are_each_in_their_own_trace()
    {
        using var listener = Listen();
        var (first, one) = InRequest(() => new Append(Events("ord-1", count: 2), [Events("shp-1")], []));
        var (second, two) = InRequest(() => Of("ord-2"));
        await Together(one, two, Of("ord-3"));
        Assert.Equal(1, await Database.Ask<long>("select count(distinct xid) from oms.event where stream ~ '^(ord|shp)-[123]$'"));

        var (span, other) = (Assert.Single(Ended(first)), Assert.Single(Ended(second)));
        Assert.Equal(("append", "ord-1", first.SpanId), (span.DisplayName, span.GetTagItem("oms.stream"), span.ParentSpanId));
        Assert.Equal(("append", "ord-2", second.SpanId), (other.DisplayName, other.GetTagItem("oms.stream"), other.ParentSpanId));
        Assert.Equal(ActivityStatusCode.Unset, span.Status);

        // This process and any other one read the same.
        await using var elsewhere = new EventLog(Database.Source);
        string?[] traces = [span.Id, span.Id, span.Id, other.Id, null];
        string[] streams = ["ord-1", "shp-1", "ord-2", "ord-3"];
        Assert.Equal(traces, InOrder(await ReadUpTo(await Log.Now())));
        Assert.Equal(traces, InOrder(await elsewhere.ReadStreams(streams)));

        IEnumerable<string?> InOrder(IEnumerable<LogEvent> events) =>
            events.Where(e => streams.Contains(e.Stream)).OrderBy(e => e.Position).Select(e => e.Trace);
    }

    [Fact]
    public async Task What_a_grain_joins_is_in_the_trace_of_each_who_has_asked_for_it()
    {
        using var listener = Listen();
        var (first, one) = InRequest(() => Event(1));
        var (second, two) = InRequest(() => Event(2));
        await Store(new Append(new StreamEvents("stk-LON/A", 0, [one, Event(3), two])));
        Assert.Equal(
            [Assert.Single(Ended(first)).Id, null, Assert.Single(Ended(second)).Id],
            (await Log.ReadStream("stk-LON/A")).Select(e => e.Trace));
    }

    [Fact]
    public async Task What_could_not_be_stored_says_why()
    {
        using var listener = Listen();
        await Store(Of("ord-1"));
        var (late, append) = InRequest(() => Of("ord-1"));
        Assert.IsType<AppendResult.VersionConflict>(await Log.Append(append));
        var span = Assert.Single(Ended(late));
        Assert.Equal((ActivityStatusCode.Error, "VersionConflict"), (span.Status, span.StatusDescription));

        await Log.DisposeAsync();
        var (tooLate, other) = InRequest(() => Of("ord-2"));
        await Assert.ThrowsAsync<LogUnavailableException>(async () => await Log.Append(other));
        Assert.Equal("The event log is closed.", Assert.Single(Ended(tooLate)).StatusDescription);
    }

    ActivityListener Listen()
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Traces.Source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    /// <summary>What is decided within a request that is recorded.</summary>
    static (Activity Request, T Decided) InRequest<T>(Func<T> decide)
    {
        using var request = new Activity("request") { ActivityTraceFlags = ActivityTraceFlags.Recorded };
        request.Start();
        return (request, decide());
    }

    IEnumerable<Activity> Ended(Activity request) => _ended.Where(a => a.TraceId == request.TraceId);
}
