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

/// <summary>One receipt or adjustment: the intent first, then its stocks, then the outcome.</summary>
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
        // Whoever runs it now goes on with it.
        if (_running.IsCompleted) await (_running = GoOn());
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
            var started = new MovementStarted(
                command.Kind, command.Warehouse, command.Note, command.Lines, command.RequestHash);
            await Store(HasRoom(command)
                ? [started] : [started, new MovementRefused(StockDecider.TooMuch.Code, StockDecider.TooMuch.Detail)], caller);
        }
        await Finish(caller.Actor, isFirst);
        return Answer();
    }

    async Task GoOn()
    {
        if (State.Started is null) await IsBehind();
        await Finish(Caller.System, isFirst: false);
    }

    /// <summary>
    /// Whether what comes in fits, as far as is known here. The stocks decide, but once others have taken theirs in, it may
    /// be promised and cannot be taken back.
    /// </summary>
    bool HasRoom(MoveStock command) => command.Lines.Where(l => l.Delta > 0).GroupBy(l => l.Sku, StringComparer.Ordinal).All(
        sku => (availability.Find(command.Warehouse, sku.Key)?.OnHand ?? 0) + sku.Sum(l => (long)l.Delta) <= Stock.MaxOnHand);

    async Task Finish(string actor, bool isFirst)
    {
        if (!State.IsOpen) return;
        // Stored before anything is taken back: a line that was refused may be accepted when it is asked again.
        if (State.TurnedBack is null && await Move(actor, isFirst) is { } no)
            await Store([new MovementTurnedBack(no.Code, no.Detail)], By("back"));
        await Store([State.TurnedBack is { } why ? await TakeBack(why, actor) : new MovementCompleted()], By("end"));
    }

    /// <summary>
    /// Lines that take away come first: what they took can be given back, while what has come in may be promised at once.
    /// </summary>
    async Task<Rejection?> Move(string actor, bool isFirst)
    {
        var lines = Enumerable.Range(0, Started.Lines.Count).ToLookup(i => Started.Lines[i].Delta < 0);
        foreach (var chunk in lines[true].Chunk(Parallel).Concat(lines[false].Chunk(Parallel)))
        {
            var refusals = await Task.WhenAll(chunk.Select(i => Move(i, actor, isFirst)));
            if (refusals.FirstOrDefault(r => r is not null) is { } refusal) return refusal;
        }
        return null;
    }

    async Task<Rejection?> Move(int i, string actor, bool isFirst)
    {
        var line = Started.Lines[i];
        if (!isFirst && await IsInLedger(i, "do")) return null;
        return await Ask(line, Started.Kind == MovementKind.Receipt
            ? new ReceiveStock(Id(i, "do"), line.Delta, Started.Note)
            : new AdjustStock(Id(i, "do"), line.Delta, Started.Note), actor);
    }

    /// <summary>Takes back the lines that were applied. What cannot be taken back is told whoever asked.</summary>
    async Task<MovementRefused> TakeBack(MovementTurnedBack why, string actor)
    {
        var kept = new List<string>();
        foreach (var chunk in Enumerable.Range(0, Started.Lines.Count).Chunk(Parallel))
            kept.AddRange((await Task.WhenAll(chunk.Select(i => TakeBack(i, actor)))).OfType<string>());
        return new MovementRefused(why.Code, kept.Count == 0
            ? why.Detail : $"{why.Detail} Lines that could not be taken back: {kept.Count}. The first is {kept[0]}");
    }

    async Task<string?> TakeBack(int i, string actor)
    {
        if (!await IsInLedger(i, "do") || await IsInLedger(i, "undo")) return null;
        var line = Started.Lines[i];
        if (await Ask(line, new AdjustStock(Id(i, "undo"), -line.Delta, $"taken back: {Started.Note}"), actor) is not { } no)
            return null;
        LogKept(logger, Key, line.Delta, line.Sku, Started.Warehouse, no.Detail);
        return $"{line.Delta} of {line.Sku}: {no.Detail}";
    }

    /// <summary>
    /// Whether a command has had its effect. A stock remembers for a while; its ledger, of which a command without an effect
    /// is no part, knows for ever.
    /// </summary>
    Task<bool> IsInLedger(int i, string step) => Log.IsStored(
        Keys.OfStock(Started.Warehouse, Started.Lines[i].Sku), Id(i, step), State.StartedAt - ClockSkew);

    async Task<Rejection?> Ask(MovementLine line, StockCommand command, string actor) =>
        (await stocks.Of(Started.Warehouse, line.Sku).Execute(command, actor)).Rejection;

    MovementStarted Started => State.Started!;

    string Id(int i, string step) => $"{Key}/{i}/{step}";

    Caller By(string step) => new($"{Key}/{step}", Caller.System);

    Reply<MovementView> Answer() => State.Refused is { } no
        ? Reply<MovementView>.Refused(Rejection.Conflict(no.Code, no.Detail))
        : Reply<MovementView>.Of(new MovementView(Key, Started.Kind, Started.Warehouse, Started.Note, Started.Lines));

    [LoggerMessage(LogLevel.Warning, "{Movement} was refused, but {Units} of {Sku} in {Warehouse} could not be taken back: {Reason}")]
    static partial void LogKept(ILogger logger, string movement, int units, string sku, string warehouse, string reason);
}
