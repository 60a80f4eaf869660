using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Domain.Tests.Simulation;

/// <summary>An event as it is stored.</summary>
readonly record struct Stored(string Stream, int Version, DomainEvent Data, string Command, DateTimeOffset At);

/// <summary>New events of one stream.</summary>
readonly record struct NewEvents(string Stream, int ExpectedVersion, IReadOnlyList<(DomainEvent Data, string Command)> Events);

/// <summary>A law that a schedule has broken.</summary>
sealed class BrokenLawException(Breach breach) : Exception(breach.ToString())
{
    /// <summary>Which one.</summary>
    public Law Law => breach.Law;
}

/// <summary>
/// The event log: a version fence, appends that are all or nothing, and a commit that may come after its process died,
/// or whose answer may be lost. Every event is held against the laws when it is stored.
/// </summary>
sealed class SimulatedLog(Scheduler scheduler, Func<DateTimeOffset> now, Plant plant)
{
    readonly Dictionary<string, List<Stored>> _streams = new(StringComparer.Ordinal);
    readonly Dictionary<string, StreamAudit> _audits = new(StringComparer.Ordinal);

    /// <summary>Everything in commit order.</summary>
    public List<Stored> All { get; } = [];

    /// <summary>What stocks and orders say of each other.</summary>
    public Pairing Pairs { get; } = new();

    /// <summary>The audits of all streams.</summary>
    public IEnumerable<StreamAudit> Audits => _audits.Values;

    /// <summary>A stream from a version on.</summary>
    public IReadOnlyList<Stored> Read(string stream, int after = 0) =>
        _streams.TryGetValue(stream, out var events) ? events.GetRange(Math.Min(after, events.Count), Math.Max(0, events.Count - after)) : [];

    /// <summary>Stores all of them, or nothing if one does not follow its stream's head: false.</summary>
    /// <exception cref="LostException">Nobody knows.</exception>
    public async Task<bool> Append(Process owner, params NewEvents[] appends)
    {
        var isStored = await Ask(owner, appends);
        await scheduler.Linger(owner);
        return isStored;
    }

    Task<bool> Ask(Process owner, NewEvents[] appends)
    {
        var answer = new TaskCompletionSource<bool>();
        if (scheduler.Chance(0.03))
        {
            scheduler.Later(owner, () => answer.SetException(new LostException()));
            return answer.Task;
        }
        // The database goes on when the process that asked has died.
        scheduler.Later(null, () =>
        {
            if (owner.IsDead && scheduler.Random.Next(2) == 0) return;
            var isStored = Commit(appends);
            var isLost = scheduler.Chance(0.03);
            scheduler.Later(owner, () =>
            {
                if (isLost) answer.SetException(new LostException());
                else answer.SetResult(isStored);
            });
        });
        return answer.Task;
    }

    bool Commit(NewEvents[] appends)
    {
        foreach (var a in appends)
            if (a.ExpectedVersion != Read(a.Stream).Count) return false;
        foreach (var a in appends)
        {
            var version = a.ExpectedVersion + (plant == Plant.SkippedVersion && scheduler.Random.Next(20) == 0 ? 1 : 0);
            foreach (var (data, command) in a.Events) Store(new Stored(a.Stream, ++version, data, command, now()));
        }
        return true;
    }

    void Store(Stored e)
    {
        if (!_streams.TryGetValue(e.Stream, out var events)) _streams[e.Stream] = events = [];
        events.Add(e);
        All.Add(e);
        if (!_audits.TryGetValue(e.Stream, out var audit)) _audits[e.Stream] = audit = StreamAudit.Of(e.Stream);
        if (audit.Hear(e.Version, e.Data, e.Command, e.At) is [var breach, ..]) throw new BrokenLawException(breach);
        Pairs.Hear(e.Stream, e.Data, e.At);
        foreach (var (owner, grown) in _readers) scheduler.Later(owner, grown.SetResult);
        _readers.Clear();
    }

    readonly List<(Process Owner, TaskCompletionSource Grown)> _readers = [];

    /// <summary>Completes when there is something after a position.</summary>
    public Task WaitForMore(Process owner, int after)
    {
        if (All.Count > after) return Task.CompletedTask;
        var grown = new TaskCompletionSource();
        _readers.Add((owner, grown));
        return grown.Task;
    }

    /// <summary>The order of a stream.</summary>
    public Order Order(string id) => _audits.TryGetValue(id, out var audit) ? ((OrderAudit)audit).Order : new Order(id);

    /// <summary>The stock of a stream.</summary>
    public Domain.Stock.Stock? Stock(string key) => _audits.TryGetValue(key, out var audit) ? ((StockAudit)audit).Stock : null;
}

/// <summary>A bug that is planted to see that it is found.</summary>
public enum Plant
{
    /// <summary>None: the program as it is.</summary>
    None,
    /// <summary>A repeated release frees units again.</summary>
    DoubleRelease,
    /// <summary>State that could not be stored is served on.</summary>
    AppliedBeforeAppendFails,
    /// <summary>The log numbers an append as if one were between.</summary>
    SkippedVersion,
    /// <summary>What an order's cancellation gives back has a new name each time that it is told.</summary>
    RestockTwice,
    /// <summary>A late time-out does not look whether money has come.</summary>
    TimeoutAfterPayment,
    /// <summary>What a stock was seen to hold is held against what its order has stored since.</summary>
    TrustsAnOldLook,
}
