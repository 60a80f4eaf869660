using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Upgrades;

namespace OrleansOms.Grains.Aggregates;

/// <summary>
/// The shell around a decider: it keeps the fold of one stream and appends what was decided. Facts are applied at once,
/// so that the next command is decided on them; callers are answered when they are durable. At most one append is under
/// way, what is decided meanwhile goes with the next one. When an append fails everything after it is void: every
/// waiting caller gets a fault and the activation is dropped. A stream with events of a newer program is not served here:
/// the activation leaves for a silo that knows them, with the calls that wait for it.
/// </summary>
/// <typeparam name="TState">Immutable state.</typeparam>
/// <typeparam name="TEvent">Its event family.</typeparam>
public abstract class AggregateGrain<TState, TEvent>(IEventLog log, TimeProvider time) : Grain
    where TState : class
    where TEvent : DomainEvent
{
    /// <summary>Most callers that may wait for one aggregate; past it a command is refused with 503.</summary>
    const int MaxWaiting = 20_000;

    /// <summary>No two clocks of the cluster are further apart.</summary>
    protected static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    string? _key;
    TState? _state;
    TState? _durable;
    Pending? _next;
    Task<AppendResult> _flushed = Task.FromResult<AppendResult>(AppendResult.Committed.Instance);
    bool _isWriting, _isBroken, _isActive;
    NewerEventException? _newer;
    int _waiting;
    Task<TState> _look = Task.FromResult<TState>(null!);
    Task<TState>? _nextLook;

    /// <summary>The stream: the grain's key.</summary>
    protected string Key => _key ??= this.GetPrimaryKeyString();

    /// <summary>The event log.</summary>
    protected IEventLog Log => log;

    /// <summary>Now, UTC.</summary>
    protected DateTimeOffset Now => time.GetUtcNow();

    /// <summary>What the next decision is made on; may hold facts that are not durable yet.</summary>
    protected TState State => _isBroken
        ? throw new AggregateReloadedException(Key)
        : _state ?? throw (_newer is { } newer ? Leave(newer)
            : new InvalidOperationException($"{Key} was used before it was read."));

    /// <summary>What is stored.</summary>
    protected TState Durable => _durable ?? State;

    /// <summary>Whether the stream has been read.</summary>
    protected bool IsLoaded => _state is not null;

    /// <summary>The state before the first event.</summary>
    protected abstract TState Empty { get; }

    /// <summary>Version of a state.</summary>
    protected abstract int VersionOf(TState state);

    /// <summary>The state after one more event.</summary>
    protected abstract TState Apply(TState state, TEvent @event, string commandId, DateTimeOffset at);

    /// <inheritdoc />
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        try { await Load(); }
        // It leaves with the calls that wait; if there is nowhere to go, each of them is told so.
        catch (NewerEventException e) { _newer = e; }
        _isActive = true;
    }

    /// <summary>Reads the stream into the state.</summary>
    protected virtual async Task Load()
    {
        Adopt(Fold(Empty, await log.ReadStream(Key)));
    }

    /// <summary>Takes a state as what is stored, also after an append that failed; one that is older than what is known is left.</summary>
    protected void Adopt(TState state)
    {
        if (!_isBroken && _state is not null && VersionOf(state) < VersionOf(_state)) return;
        _state = _durable = state;
        _isBroken = false;
        _newer = null;
    }

    /// <summary>The state after stored events.</summary>
    protected TState Fold(TState state, IEnumerable<LogEvent> events) =>
        events.Aggregate(state, (s, e) => Apply(s, Known<TEvent>(e), e.CommandId, e.At));

    /// <summary>
    /// Applies facts and stores them. Completes when they are durable; nothing is awaited before they are applied.
    /// </summary>
    /// <exception cref="AggregateReloadedException">They could not be stored.</exception>
    /// <exception cref="LogBusyException">Too many callers wait.</exception>
    protected Task Store(IReadOnlyList<TEvent> events, Caller caller)
    {
        var at = Now;
        return Store([.. events.Select(e => new NewEvent(e, caller.CommandId, caller.Actor, at))], []);
    }

    /// <summary>The same with the first events of further streams, stored with them or not at all.</summary>
    protected async Task Store(IReadOnlyList<NewEvent> events, IReadOnlyList<StreamEvents> births)
    {
        if (await Enqueue(events, births).Task is not AppendResult.Committed) throw new AggregateReloadedException(Key);
    }

    /// <summary>Completes when everything that has been decided is durable.</summary>
    protected async Task Flushed()
    {
        if (await _flushed is not AppendResult.Committed) throw new AggregateReloadedException(Key);
    }

    /// <summary>
    /// What is shown of it: durable, and no older than the call. Another activation may have gone on with
    /// the stream: one whose process stood still, or died with an append on its way. A command meets that at its append; who
    /// only looks would be shown the former state. So the log is asked each time, once for all that came before the question.
    /// </summary>
    protected Task<TState> Shown() => _look.IsCompleted ? _look = Look() : _nextLook ??= LookAfter(_look);

    async Task<TState> LookAfter(Task look)
    {
        await look.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        _nextLook = null;
        return await (_look = Look());
    }

    async Task<TState> Look()
    {
        var news = await News();
        if (news.Count == 0) return Durable;
        var seen = Fold(State, news);
        if (TakesWhatIsSeen) Adopt(seen);
        return seen;
    }

    /// <summary>
    /// Whether what somebody is shown may be what the next command goes on with. Where commands wait for others on their way, it may
    /// not while one does: what it has found out by then was true of the state that it began with.
    /// </summary>
    protected virtual bool TakesWhatIsSeen => true;

    /// <summary>
    /// Whether something was stored since it was decided, by another activation or by this one; it is known now, and what was
    /// decided must be decided again. Asked before anybody is told that a command is refused or was done before: an append is held
    /// against the log by its version, an answer without one is not. If the second decision has no events either, and
    /// commands run beside each other, it is answered when what it was made of is durable: <see cref="Flushed"/>.
    /// </summary>
    protected async Task<bool> IsBehind()
    {
        await Flushed();
        var version = VersionOf(State);
        var news = await News();
        // Who asked beside this may have been told a part of it.
        if (news.Count > 0) Adopt(Fold(State, news));
        return VersionOf(State) != version;
    }

    /// <summary>What is stored beyond the state: when it is told there is something, nothing of the state is on its way.</summary>
    async Task<IReadOnlyList<LogEvent>> News()
    {
        await Flushed();
        var events = await log.ReadStream(Key, VersionOf(Durable));
        var newest = events is [.., var last] ? last.Version : 0;
        // What it has under way itself is among them, or is not stored.
        while (VersionOf(Durable) < newest && !ReferenceEquals(_state, _durable)) await Flushed();
        return [.. events.Where(e => e.Version > VersionOf(State))];
    }

    Pending Enqueue(IReadOnlyList<NewEvent> events, IReadOnlyList<StreamEvents> births)
    {
        var state = State;
        if (_waiting >= MaxWaiting) throw new LogBusyException();
        var batch = _next ??= new Pending(VersionOf(state));
        // Nothing of a command is kept of which an event cannot be folded.
        foreach (var e in events) state = Apply(state, (TEvent)e.Data, e.CommandId, e.At);
        batch.Events.AddRange(events);
        batch.Births.AddRange(births);
        batch.After = _state = state;
        _waiting++;
        batch.Callers++;
        _flushed = batch.Task;
        if (!_isWriting) _ = Write();
        return batch;
    }

    /// <summary>
    /// Appends what waits until nothing does. The next append is under way before the callers of this one go on, which
    /// they do here and now, without a turn of their own.
    /// </summary>
    async Task Write()
    {
        for (var append = Begin(); ;)
        {
            var (batch, stored) = append;
            AppendResult? result = null;
            Exception? fault = null;
            try
            {
                result = await stored;
                if (result is AppendResult.Committed)
                {
                    _durable = batch.After;
                    OnDurable(_durable!);
                }
            }
            catch (Exception e) { fault = e; }
            if (fault is not null || result is not AppendResult.Committed) Drop();
            _waiting -= batch.Callers;
            var goesOn = _isWriting = _next is not null;
            if (goesOn) append = Begin();
            batch.Answer(result, fault);
            if (!goesOn) return;
        }
    }

    (Pending Batch, Task<AppendResult> Stored) Begin()
    {
        var batch = _next!;
        (_next, _isWriting) = (null, true);
        try
        {
            return (batch, log.Append(new Append(
                new StreamEvents(Key, batch.ExpectedVersion, batch.Events), batch.Births, [])).AsTask());
        }
        catch (Exception e) { return (batch, Task.FromException<AppendResult>(e)); }
    }

    /// <summary>Told after each append what is stored now. It must be quick.</summary>
    protected virtual void OnDurable(TState durable) { }

    void Drop()
    {
        _isBroken = true;
        var next = _next;
        _next = null;
        next?.Answer(null, new AggregateReloadedException(Key));
        DeactivateOnIdle();
    }

    /// <summary>What a stored event says, of this stream or of one that this grain asks.</summary>
    /// <exception cref="NewerEventException">It is not known here. The grain goes where it is, if there is such a silo.</exception>
    protected T Known<T>(LogEvent e) where T : DomainEvent
    {
        if (e.Data is null) throw Leave(new NewerEventException(e.Stream, e.Type));
        return e.Data as T ?? throw new InvalidOperationException($"{e.Stream} holds {e.Type}, which is no {typeof(T).Name}.");
    }

    /// <summary>Goes to a silo that knows more; without one, the next call reads again, wherever it is placed.</summary>
    NewerEventException Leave(NewerEventException newer)
    {
        if (!Leaves() && _isActive) DeactivateOnIdle();
        return newer;
    }

    /// <summary>Whether there is a silo that knows more events than this one; it goes there.</summary>
    protected bool Leaves() => ServiceProvider.GetRequiredService<SilosByVersion>().TakeToNewer(GrainContext);

    sealed class Pending(int expectedVersion)
    {
        public int ExpectedVersion => expectedVersion;
        public List<NewEvent> Events { get; } = [];
        public List<StreamEvents> Births { get; } = [];
        public TState? After { get; set; }
        public int Callers { get; set; }
        public Task<AppendResult> Task => _done.Task;

        readonly TaskCompletionSource<AppendResult> _done = new();

        public void Answer(AppendResult? result, Exception? fault)
        {
            if (fault is null)
            {
                _done.TrySetResult(result!);
                return;
            }
            _done.TrySetException(fault);
            // A batch nobody waits for any more must not end the process as an unobserved exception.
            _ = _done.Task.Exception;
        }
    }
}
