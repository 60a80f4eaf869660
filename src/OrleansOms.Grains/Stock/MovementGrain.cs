using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Aggregates;

namespace OrleansOms.Grains.Stock;

using Stock = Domain.Stock.Stock;

/// <summary>One movement: the intent first, then its stocks, then the outcome.</summary>
[GrainType("oms-movement"), Reentrant]
public sealed partial class MovementGrain(
    IEventLog log, TimeProvider time, StockGrains stocks, AvailabilityIndex availability, ILogger<MovementGrain> logger)
    : AggregateGrain<StockMovement, MovementEvent>(log, time), IMovementGrain
{
    /// <summary>Stocks that are asked at once.</summary>
    const int Parallel = 64;

    /// <summary>How long a call waits: less than a front end does, which then knows that this silo lives.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    static readonly Reply<MovementView> StillRunning = Reply<MovementView>.Refused(Rejection.Conflict(
        Movements.StillRunning, "The movement is still running."));

    Task _running = Task.CompletedTask;

    /// <inheritdoc />
    protected override StockMovement Empty => new();
    /// <inheritdoc />
    protected override int VersionOf(StockMovement state) => state.Version;
    /// <inheritdoc />
    protected override StockMovement Apply(StockMovement state, MovementEvent @event, string commandId, DateTimeOffset at) =>
        state.Apply(@event, at);
    /// <inheritdoc />
    public async Task<Reply<MovementView>> Run(MoveStock command, Caller caller) => _running.IsCompleted
        ? await Begin(command, caller)
        : Reply<MovementView>.Refused(Rejection.Conflict(
            "request_in_progress", "The first request with this key is still running."));

    /// <inheritdoc />
    public async Task<Reply<MovementView>> Rejoin(MoveStock command, Caller caller)
    {
        while (!_running.IsCompleted)
            if (!await EndsSoon(_running)) return StillRunning;
        return await Begin(command, caller);
    }

    /// <inheritdoc />
    public async Task Continue()
    {
        // Whoever runs it now goes on with it; who only asks again for a refusal does not look what has come late.
        if (_running.IsCompleted || State.Refused is not null) await (_running = GoOn());
    }

    async Task<Reply<MovementView>> Begin(MoveStock command, Caller caller)
    {
        var run = Do(command, caller);
        _running = run;
        return await EndsSoon(run) ? await run : StillRunning;
    }

    static async Task<bool> EndsSoon(Task run) => await Task.WhenAny(run, Task.Delay(Patience)) == run;

    async Task<Reply<MovementView>> Do(MoveStock command, Caller caller)
    {
        if (State.Started is { } known && known.RequestHash != command.RequestHash)
            return Reply<MovementView>.Refused(Rejection.Meaning(
                "idempotency_key_reused", "This key was used with another body."));
        var isFirst = State.Started is null;
        if (isFirst)
        {
            var started = command.Started();
            await Store(HasRoom(command)
                ? [started] : [started, new MovementRefused(StockDecider.TooMuch.Code, StockDecider.TooMuch.Detail)], caller);
        }
        await Finish(caller.Actor, isFirst);
        return Answer();
    }

    async Task GoOn()
    {
        if (State.Started is null) await IsBehind();
        // A process that stood still may have asked a stock when another one had been refused already.
        if (State is { Refused: not null, Started: not null }) await TakeBack(Caller.System);
        else await Finish(Caller.System, isFirst: false);
    }

    /// <summary>
    /// Whether what comes in fits, as far as is known here. The stocks decide, but once others have taken theirs in, it may
    /// be promised and cannot be taken back.
    /// </summary>
    bool HasRoom(MoveStock command) => command.Steps().Where(s => s.Sellable > 0).GroupBy(s => s.Sku, StringComparer.Ordinal).All(
        sku => (availability.Find(command.Warehouse, sku.Key)?.OnHand ?? 0) + sku.Sum(s => (long)s.Sellable) <= Stock.MaxOnHand);

    async Task Finish(string actor, bool isFirst)
    {
        if (!State.IsOpen) return;
        // Stored before anything is taken back: a line that was refused may be accepted when it is asked again.
        if (State.TurnedBack is null && await Move(actor, isFirst) is { } no)
            await Store([new MovementTurnedBack(no.Code, no.Detail)], By("back"));
        await Store([State.TurnedBack is { } why ? await TakeBack(why, actor) : new MovementCompleted()], By("end"));
    }

    /// <summary>
    /// What makes nothing sellable comes first: it can be taken back, while what has come in may be promised at once. At one stock
    /// one thing comes after the other: it may be about the same units.
    /// </summary>
    async Task<Rejection?> Move(string actor, bool isFirst)
    {
        foreach (var chunk in ByStock(makesSellable: false).Concat(ByStock(makesSellable: true)))
        {
            var refusals = await Task.WhenAll(chunk.Select(steps => Move(steps, actor, isFirst)));
            if (refusals.FirstOrDefault(r => r is not null) is { } refusal) return refusal;
        }
        return null;
    }

    async Task<Rejection?> Move(IEnumerable<MovementStep> ofOne, string actor, bool isFirst)
    {
        foreach (var step in ofOne)
            if ((isFirst || !await IsInLedger(step, step.Name))
                && await Ask(step, step.Name, Started.Note, 1, actor) is { } refusal) return refusal;
        return null;
    }

    IEnumerable<IGrouping<string, MovementStep>[]> ByStock(bool makesSellable) => Started.Steps()
        .Where(s => s.Sellable > 0 == makesSellable).GroupBy(s => s.Sku, StringComparer.Ordinal).Chunk(Parallel);

    /// <summary>Takes back what was done, the last first. What cannot be taken back is told whoever asked.</summary>
    async Task<MovementRefused> TakeBack(MovementTurnedBack why, string actor)
    {
        var kept = await TakeBack(actor);
        return new MovementRefused(why.Code, kept.Count == 0
            ? why.Detail : $"{why.Detail} Lines that could not be taken back: {kept.Count}. The first is {kept[0]}");
    }

    async Task<List<string>> TakeBack(string actor)
    {
        var kept = new List<string>();
        foreach (var chunk in ByStock(makesSellable: true).Concat(ByStock(makesSellable: false)))
            kept.AddRange((await Task.WhenAll(chunk.Select(steps => TakeBack(steps.Reverse(), actor)))).SelectMany(k => k));
        return kept;
    }

    async Task<List<string>> TakeBack(IEnumerable<MovementStep> ofOne, string actor)
    {
        var kept = new List<string>();
        foreach (var step in ofOne)
        {
            if (!await IsInLedger(step, step.Name) || await IsInLedger(step, step.Undo)) continue;
            if (await Ask(step, step.Undo, $"taken back: {Started.Note}", -1, actor) is not { } no) continue;
            LogKept(logger, Key, step.Units, step.Sku, Started.Warehouse, no.Detail);
            kept.Add($"{step.Units} of {step.Sku}: {no.Detail}");
        }
        return kept;
    }

    /// <summary>
    /// Whether a command has had its effect. A stock remembers for a while; its ledger, of which a command without an effect
    /// is no part, knows for ever.
    /// </summary>
    Task<bool> IsInLedger(MovementStep step, string name) => Log.IsStored(
        Keys.OfStock(Started.Warehouse, step.Sku), Id(step, name), State.StartedAt - ClockSkew);

    async Task<Rejection?> Ask(MovementStep step, string name, string note, int times, string actor) =>
        (await stocks.Of(Started.Warehouse, step.Sku).Execute(
            step.Command(Id(step, name), Started.Kind, note, times), actor)).Rejection;

    MoveStock Started => State.Started!;

    string Id(MovementStep step, string name) => MovementStep.IdOf(Key, step.Line, name);

    Caller By(string step) => new($"{Key}/{step}", Caller.System);

    Reply<MovementView> Answer() => State.Refused is { } no
        ? Reply<MovementView>.Refused(Rejection.Conflict(no.Code, no.Detail))
        : Reply<MovementView>.Of(new MovementView(Key, Started.Kind, Started.Warehouse, Started.Note, Started.Lines));

    [LoggerMessage(LogLevel.Warning, "{Movement} was refused, but {Units} of {Sku} in {Warehouse} could not be taken back: {Reason}")]
    static partial void LogKept(ILogger logger, string movement, int units, string sku, string warehouse, string reason);
}
