using Orleans.Concurrency;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Aggregates;

namespace OrleansOms.Grains.Stock;

/// <summary>One receipt or adjustment: the intent first, then its stocks, then the outcome.</summary>
[GrainType("oms-movement"), Reentrant]
public sealed class MovementGrain(IEventLog log, TimeProvider time, StockGrains stocks)
    : AggregateGrain<StockMovement, MovementEvent>(log, time), IMovementGrain
{
    /// <summary>Stocks that are asked at once.</summary>
    const int Parallel = 64;

    readonly SemaphoreSlim _gate = new(1, 1);

    /// <inheritdoc />
    protected override StockMovement Empty => new();
    /// <inheritdoc />
    protected override int VersionOf(StockMovement state) => state.Version;
    /// <inheritdoc />
    protected override StockMovement Apply(StockMovement state, MovementEvent @event, string commandId, DateTimeOffset at) =>
        state.Apply(@event);
    /// <inheritdoc />
    public async Task<Reply<MovementView>> Run(MoveStock command, Caller caller)
    {
        if (!await _gate.WaitAsync(0))
            return Reply<MovementView>.Refused(Rejection.Conflict(
                "request_in_progress", "The first request with this key is still running."));
        try
        {
            if (State.Started is { } started && started.RequestHash != command.RequestHash)
                return Reply<MovementView>.Refused(Rejection.Meaning(
                    "idempotency_key_reused", "This key was used with another body."));
            if (State.Started is null)
                await Store([new MovementStarted(
                    command.Kind, command.Warehouse, command.Note, command.Lines, command.RequestHash)], caller);
            await Finish(caller.Actor);
            return Answer();
        }
        finally { _gate.Release(); }
    }

    /// <inheritdoc />
    public async Task Continue()
    {
        await _gate.WaitAsync();
        try { if (State.IsOpen) await Finish(Caller.System); }
        finally { _gate.Release(); }
    }

    async Task Finish(string actor)
    {
        if (!State.IsOpen) return;
        var started = State.Started!;
        var refusal = await Move(started, (line, i) => Command(started, line, i, line.Delta, "do"), actor);
        if (refusal is null)
        {
            await Store([new MovementCompleted()], new Caller($"{Key}/end", Caller.System));
            return;
        }
        await TakeBack(started, actor);
        await Store([new MovementRefused(refusal.Code, refusal.Detail)], new Caller($"{Key}/end", Caller.System));
    }

    async Task<Rejection?> Move(MovementStarted started, Func<MovementLine, int, StockCommand> command, string actor)
    {
        Rejection? refusal = null;
        foreach (var chunk in started.Lines.Select((line, i) => (line, i)).Chunk(Parallel))
        {
            var replies = await Task.WhenAll(chunk.Select(x =>
                StockOf(started, x.line).Execute(command(x.line, x.i), actor)));
            refusal = replies.FirstOrDefault(r => r.Rejection is not null)?.Rejection;
            if (refusal is not null) break;
        }
        return refusal;
    }

    /// <summary>
    /// Takes back the lines that were applied: each stock's ledger says which ones, because a command that had no effect
    /// is not in it.
    /// </summary>
    async Task TakeBack(MovementStarted started, string actor)
    {
        for (var i = 0; i < started.Lines.Count; i++)
        {
            var line = started.Lines[i];
            var stock = Keys.OfStock(started.Warehouse, line.Sku);
            var done = $"{Key}/{i}/do";
            var entries = await Log.ReadStreamBackwards(stock, int.MaxValue, IdMemory.Capacity);
            if (!entries.Any(e => e.CommandId == done)) continue;
            await StockOf(started, line).Execute(
                new AdjustStock($"{Key}/{i}/undo", -line.Delta, $"taken back: {started.Note}"), actor);
        }
    }

    StockCommand Command(MovementStarted started, MovementLine line, int i, int delta, string step) =>
        started.Kind == MovementKind.Receipt
            ? new ReceiveStock($"{Key}/{i}/{step}", delta, started.Note)
            : new AdjustStock($"{Key}/{i}/{step}", delta, started.Note);

    IStockGrain StockOf(MovementStarted started, MovementLine line) =>
        stocks.Of(started.Warehouse, line.Sku);

    Reply<MovementView> Answer() => State.Refused is { } no
        ? Reply<MovementView>.Refused(Rejection.Conflict(no.Code, no.Detail))
        : Reply<MovementView>.Of(new MovementView(
            Key, State.Started!.Kind, State.Started.Warehouse, State.Started.Note, State.Started.Lines));
}
