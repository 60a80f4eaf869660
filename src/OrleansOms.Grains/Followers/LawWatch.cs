using Microsoft.Extensions.Logging;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Waiting;
using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Stock;

namespace OrleansOms.Grains.Followers;

/// <summary>
/// Holds the laws of the domain over every event as it comes, the lists against some of what has moved, and orders that
/// stand still against their limits. A broken one is an alarm: an event of its own, told once, a count, and a line in the
/// journal. It stops nothing: what is stored is stored, and people decide.
/// </summary>
[GrainType("oms-law-watch")]
public sealed partial class LawWatch(
    IEventLog log, ICheckpoints checkpoints, IReadModel readModel, TimeProvider time, SnapshotStore snapshots,
    GrainMetrics metrics, ILogger<LawWatch> logger)
    : EffectFollower(log, checkpoints, metrics, logger), ILawWatch
{
    /// <summary>Streams whose state is kept; of twice as many at most. Others are read again when they go on.</summary>
    const int Kept = 2_000;

    /// <summary>Command ids that are known again, by stream: repeats come soon.</summary>
    const int Remembered = 1_000;

    /// <summary>Looks at all pairs that are open, within the time that they may be.</summary>
    const int Looks = 20;

    /// <summary>Streams whose rows are looked at together, at most.</summary>
    const int Compared = 500;

    /// <summary>Orders that stand still and are looked at together, at most.</summary>
    const int Quiet = 1_000;

    /// <summary>Events of a stream that are read at once: a stock may have millions.</summary>
    const int Page = 1_000;

    static readonly TimeSpan CompareEvery = TimeSpan.FromSeconds(5);

    DateTimeOffset _looksAt, _comparesAt, _quietAt;
    /// <summary>Streams that have moved since their rows were looked at.</summary>
    readonly HashSet<string> _moved = new(StringComparer.Ordinal);
    /// <summary>The last events: how far lists must have come. Where a batch ends says more than there are events for.</summary>
    Checkpoint _heard;
    /// <summary>Orders that are being cancelled, which no list tells.</summary>
    readonly HashSet<string> _cancelling = new(StringComparer.Ordinal);
    /// <summary>Orders that stood still beyond their limit a look ago, with their versions.</summary>
    Dictionary<string, int> _quiet = new(StringComparer.Ordinal);
    Dictionary<string, StreamAudit> _recent = new(StringComparer.Ordinal), _older = new(StringComparer.Ordinal);
    readonly HashSet<(Law Law, string Aggregate)> _told = [];
    Pairing _pairs = new();

    /// <inheritdoc />
    protected override int Place => 1;

    /// <summary>Pairs that are about to be whole are heard of there; one that stays alone would be forgotten.</summary>
    protected override bool MayMove =>
        _pairs.Open.Values.All(p => time.GetUtcNow() - p.At < StockLaws.OneSidedAtMost / Looks);

    /// <inheritdoc />
    protected override void Forget()
    {
        _recent = new(StringComparer.Ordinal);
        _older = new(StringComparer.Ordinal);
        _pairs = new Pairing();
        _moved.Clear();
        _heard = Checkpoint.Start;
        _cancelling.Clear();
        _quiet.Clear();
        _quietAt = time.GetUtcNow() + OrderLaws.ByItself;
    }

    /// <inheritdoc />
    protected override async Task Handle(LogBatch batch)
    {
        await Fetch(batch.Events);
        _heard = _heard.And(batch.Events);
        foreach (var e in batch.Events)
        {
            if (e.Data is LawBroken) continue;
            var audit = await AuditOf(e.Stream, e.Version - 1);
            if (audit.Version >= e.Version) continue; // heard before a fault, and read once more
            foreach (var breach in audit.Hear(e.Version, e.Data, e.CommandId, e.At)) await Raise(breach);
            _pairs.Hear(e.Stream, e.Data, e.At);
            if (_moved.Count < Compared) _moved.Add(e.Stream);
            if (audit is OrderAudit { Order.PendingCancellation: not null }) _cancelling.Add(e.Stream);
            else _cancelling.Remove(e.Stream);
        }
    }

    /// <inheritdoc />
    protected override async Task<bool> Tick()
    {
        var now = time.GetUtcNow();
        if (now >= _looksAt)
        {
            _looksAt = now + StockLaws.OneSidedAtMost / Looks;
            await LookAtPairs(now);
        }
        if (now >= _comparesAt && _moved.Count > 0) await CompareLists(now);
        if (now >= _quietAt)
        {
            _quietAt = now + OrderLaws.ByItself;
            await LookForQuiet(now);
        }
        return await base.Tick();
    }

    async Task LookAtPairs(DateTimeOffset now)
    {
        foreach (var (key, sides) in _pairs.Open.Where(p => now - p.Value.At >= StockLaws.OneSidedAtMost).ToList())
        {
            // This pair may have begun before this follower did: the streams themselves decide.
            var (stock, order) = (await Read(key.Stock, int.MaxValue), await Read(key.OrderId, int.MaxValue));
            var breach = StockLaws.ReservationsAreAllocations(
                key.Stock, key.OrderId, key.LineId, ((StockAudit)stock).Ledger.OpenOf(key.OrderId, key.LineId),
                ((OrderAudit)order).AllocatedIn(key.Stock, key.LineId), now - sides.At);
            if (breach is not null) await Raise(breach);
            _pairs.Forget(key);
        }
    }

    /// <summary>L12 of what has moved, as far as it is remembered. Lists that have not heard of all of it are looked at later.</summary>
    async Task CompareLists(DateTimeOffset now)
    {
        List<StreamAudit> moved = [.. _moved
            .Select(stream => _recent.GetValueOrDefault(stream) ?? _older.GetValueOrDefault(stream)).OfType<StreamAudit>()];
        if (await readModel.Compare(moved, _heard) is not { } breaches) return;
        foreach (var breach in breaches) await Raise(breach);
        _moved.Clear();
        _comparesAt = now + CompareEvery;
    }

    /// <summary>
    /// L6. An order that stands still beyond its limit in two looks in a row has the alarm that the law asks for: after the
    /// program itself stood still, the first look finds what is about to move.
    /// </summary>
    async Task LookForQuiet(DateTimeOffset now)
    {
        var told = _told.Where(t => t.Law == Law.NothingLost).Select(t => t.Aggregate).ToList();
        var suspects = await readModel.FindQuiet(now - OrderLaws.ByItself, now - OrderLaws.ByPeople, Quiet, told);
        var still = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var events in (await Log.ReadStreams([.. suspects.Union(_cancelling)])).GroupBy(e => e.Stream, StringComparer.Ordinal))
        {
            var audit = new OrderAudit(events.Key);
            foreach (var e in events.OrderBy(e => e.Version)) audit.Hear(e.Version, e.Known(), e.CommandId, e.At);
            if (OrderLaws.NothingLost(audit.Order, audit.MovedAt, hasAlarm: false, now) is not { } breach) continue;
            if (_quiet.GetValueOrDefault(events.Key) == audit.Version) await Raise(breach);
            else still[events.Key] = audit.Version;
        }
        _quiet = still;
        await LookForCarts(now);
    }

    /// <summary>L6 of carts, by the waits that the sweepers look at; each decides by itself whether it is over.</summary>
    async Task LookForCarts(DateTimeOffset now)
    {
        var late = new Dictionary<WaitKind, DateTimeOffset> { [WaitKind.Cart] = now - OrderLaws.ByItself };
        var told = _told.Where(t => t.Law == Law.NothingLost).Select(t => t.Aggregate).ToList();
        for (var shard = 0; shard < IReadModel.WaitShards; shard++)
            foreach (var wait in await readModel.FindWaits(shard, late, Quiet / IReadModel.WaitShards, told))
                if (OrderLaws.CartEnds(wait.Key, ((OrderAudit)await Read(wait.Key, int.MaxValue)).Order.CartUntil, now) is { } breach)
                    await Raise(breach);
    }

    /// <summary>Reads what the batch goes on with and nobody remembers, but for stocks, which are long: all at once.</summary>
    async Task Fetch(IReadOnlyList<LogEvent> batch)
    {
        var wanted = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var e in batch)
            if (!_recent.ContainsKey(e.Stream) && !_older.ContainsKey(e.Stream)
                && !e.Stream.StartsWith(Keys.Stock, StringComparison.Ordinal)) wanted.TryAdd(e.Stream, e.Version - 1);
        foreach (var (stream, version) in wanted.Where(w => w.Value == 0).ToList())
        {
            wanted.Remove(stream);
            Keep(StreamAudit.Of(stream, Remembered));
        }
        if (wanted.Count == 0) return;
        foreach (var events in (await Log.ReadStreams(wanted.Keys)).GroupBy(e => e.Stream, StringComparer.Ordinal))
        {
            var audit = StreamAudit.Of(events.Key, Remembered);
            foreach (var e in events.OrderBy(e => e.Version))
                if (e.Version <= wanted[e.Stream]) audit.Hear(e.Version, e.Known(), e.CommandId, e.At);
            Keep(audit);
        }
    }

    /// <summary>A stream up to a version, from memory or from the log.</summary>
    async Task<StreamAudit> AuditOf(string stream, int version)
    {
        if (_recent.TryGetValue(stream, out var audit)) return audit;
        if (!_older.Remove(stream, out audit))
            audit = version == 0 ? StreamAudit.Of(stream, Remembered) : await Read(stream, version);
        return Keep(audit);
    }

    StreamAudit Keep(StreamAudit audit)
    {
        if (_recent.Count >= Kept) (_older, _recent) = (_recent, new(StringComparer.Ordinal));
        return _recent[audit.Stream] = audit;
    }

    /// <summary>What breaks a law in there was told when it came.</summary>
    async Task<StreamAudit> Read(string stream, int through)
    {
        var audit = await Start(stream, through);
        while (audit.Version < through)
        {
            var max = Math.Min(Page, through - audit.Version);
            var page = await Log.ReadStream(stream, audit.Version, max);
            foreach (var e in page) audit.Hear(e.Version, e.Known(), e.CommandId, e.At);
            if (page.Count < max) break;
        }
        return audit;
    }

    /// <summary>Where reading begins: at a stock's snapshot, if it has one that is not too new.</summary>
    async Task<StreamAudit> Start(string stream, int through)
    {
        var nothing = StreamAudit.Of(stream, Remembered);
        if (nothing is not StockAudit stock || through < StockSnapshots.Interval) return nothing;
        var at = await new StockSnapshots(snapshots, GrainId.Create("oms-stock", stream), logger).Read(stock.Stock, time.GetUtcNow());
        return at.Version == 0 || at.Version > through ? nothing : StockAudit.From(stream, at, Remembered);
    }

    async Task Raise(Breach breach)
    {
        if (_told.Contains((breach.Law, breach.Aggregate))) return;
        var alarm = new NewEvent(
            new LawBroken(breach.Law, breach.Aggregate, breach.Numbers), $"{Follower}/{Guid.NewGuid():N}", Contracts.Caller.System,
            time.GetUtcNow());
        var result = await Log.Append(new Append(
            new StreamEvents(LawBroken.StreamOf(breach.Law, breach.Aggregate), 0, [alarm])));
        _told.Add((breach.Law, breach.Aggregate));
        if (result is not AppendResult.Committed) return; // It was told before this follower began.
        if (breach.Law == Law.NothingLost)
        {
            Metrics.StandsStill();
            LogStandsStill(logger, breach.Aggregate, breach.Numbers);
            return;
        }
        Metrics.Broken(breach.Law);
        LogBroken(logger, breach);
    }

    [LoggerMessage(LogLevel.Critical, "A law is broken: {Breach}")]
    static partial void LogBroken(ILogger logger, Breach breach);

    [LoggerMessage(LogLevel.Warning, "An order stands still: {Order} is {Numbers}")]
    static partial void LogStandsStill(ILogger logger, string order, string numbers);
}
