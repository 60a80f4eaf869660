using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Tests.Simulation;

using Stock = Domain.Stock.Stock;

/// <summary>
/// The shell of an aggregate as the grains have it: facts are applied at once, one append is under way, what is decided
/// meanwhile goes with the next one, and when one fails everything after it is void and the activation is dropped.
/// </summary>
abstract class Activation<TState, TEvent>(World world, Process process, string key) where TEvent : DomainEvent
{
    sealed class Batch(int expectedVersion)
    {
        public int ExpectedVersion => expectedVersion;
        public List<(DomainEvent, string)> Events { get; } = [];
        public List<NewEvents> Births { get; } = [];
        public TState? After { get; set; }
        public TaskCompletionSource Done { get; } = new();
    }

    Batch? _next;
    Task _flushed = Task.CompletedTask;
    bool _isWriting;

    protected World World => world;
    protected string Key => key;

    /// <summary>Where it lives.</summary>
    public Process Process => process;
    /// <summary>Whether an append of it has failed.</summary>
    public bool IsBroken { get; private set; }

    protected TState State { get; set; } = default!;
    protected TState Durable { get; set; } = default!;

    protected abstract int VersionOf(TState state);
    protected abstract TState Apply(TState state, Stored e);

    /// <summary>Reads the stream.</summary>
    protected void Load(TState empty) =>
        State = Durable = world.Log.Read(key).Aggregate(empty, Apply);

    protected Task Flushed() => _flushed;

    /// <summary>Whether something was stored since; it is known then.</summary>
    /// <param name="takesIt">Whether it may be, when it has been read.</param>
    protected async Task<bool> IsBehind(Func<bool>? takesIt = null)
    {
        if (IsBroken) throw new LostException();
        await Flushed();
        if (IsBroken) throw new LostException();
        var version = VersionOf(State);
        var events = world.Log.Read(key, version);
        await world.Pause(process);
        if (IsBroken) throw new LostException();
        if (VersionOf(State) == version)
        {
            if (events.Count > 0 && takesIt?.Invoke() != false) State = Durable = events.Aggregate(State, Apply);
            return events.Count > 0;
        }
        await Flushed();
        return true;
    }

    protected Task Store(IReadOnlyList<(TEvent Data, string Command)> events, IEnumerable<NewEvents> births)
    {
        if (IsBroken) throw new LostException();
        var batch = _next ??= new Batch(VersionOf(State));
        foreach (var (data, command) in events)
        {
            State = Apply(State, new Stored(key, VersionOf(State) + 1, data, command, world.Now));
            batch.Events.Add((data, command));
        }
        batch.Births.AddRange(births);
        batch.After = State;
        _flushed = batch.Done.Task;
        if (!_isWriting) _ = Write();
        return batch.Done.Task;
    }

    protected Task Store(IReadOnlyList<TEvent> events, string command) => Store([.. events.Select(e => (e, command))], []);

    async Task Write()
    {
        _isWriting = true;
        while (_next is { } batch)
        {
            _next = null;
            var isStored = false;
            LostException fault = new BehindException();
            try
            {
                isStored = await world.Log.Append(
                    process, [new NewEvents(key, batch.ExpectedVersion, batch.Events), .. batch.Births]);
            }
            catch (LostException e) { fault = e; }
            if (isStored)
            {
                Durable = batch.After!;
                batch.Done.SetResult();
                continue;
            }
            if (world.Plant == Plant.AppliedBeforeAppendFails)
            {
                // The planted bug: the fault is told, the state stays.
                _flushed = Task.CompletedTask;
                Durable = State;
                Fail(batch, fault);
                continue;
            }
            IsBroken = true;
            world.Drop(key, this);
            Fail(batch, fault);
            if (_next is { } behind)
            {
                _next = null;
                Fail(behind, new BehindException());
            }
        }
        _isWriting = false;

        static void Fail(Batch batch, LostException fault)
        {
            batch.Done.SetException(fault);
            _ = batch.Done.Task.Exception;
        }
    }
}

/// <summary>One SKU in one warehouse.</summary>
sealed class StockActivation : Activation<Stock, StockEvent>
{
    public StockActivation(World world, Process process, string key) : base(world, process, key)
    {
        var (warehouse, sku) = Keys.ReadStock(key);
        Load(new Stock(warehouse, sku));
    }

    protected override int VersionOf(Stock state) => state.Version;
    protected override Stock Apply(Stock state, Stored e) => state.Apply((StockEvent)e.Data, e.Command, e.At);

    /// <summary>Whether it was done.</summary>
    public async Task<bool> Execute(StockCommand command)
    {
        if (IsBroken) throw new LostException();
        var decision = StockDecider.Decide(State, command);
        if (decision.Events.Count == 0 && await IsBehind()) decision = StockDecider.Decide(State, command);
        if (decision.Events.Count > 0 && command.IsLate(World.Now))
        {
            var isDone = World.Log.Read(Key).Any(e => e.Command == command.CommandId && e.At >= command.DecidedAt - World.ClockSkew);
            await World.Pause(Process);
            if (IsBroken) throw new LostException();
            if (isDone) return true;
            decision = StockDecider.Decide(State, command);
        }
        if (decision.Events.Count == 0) await Flushed();
        if (World.Plant == Plant.DoubleRelease && command is ReleaseStock { Undoes: null } release && decision.Events.Count == 0)
            decision = Decision<StockEvent>.Accept(new ReservationReleased(release.OrderId, release.Lines, "again"));
        if (decision.Rejection is not null) return false;
        if (decision.Events.Count > 0) await Store([.. decision.Events.Select(e => (e, command.CommandId)),
            .. World.Serve(State, decision.Events, command.CommandId).Select(s => ((StockEvent)s.Entry, s.Attempt))], []);
        return true;
    }

    /// <summary>Whether all that an attempt has reserved for a line is still held.</summary>
    public async Task<bool> Holds(string orderId, IReadOnlyList<LineUnits> lines, string attempt)
    {
        await IsBehind();
        return Durable.Holds(orderId, lines, attempt);
    }

    /// <summary>What lines of an order hold here, with the last command that changed each.</summary>
    public async Task<List<(int LineId, int Quantity, string Last)>> HeldBy(string orderId, int lines)
    {
        await IsBehind();
        var held = new List<(int, int, string)>();
        for (var line = 1; line <= lines; line++)
            if (Durable.Reservations.Of(orderId, line) is { } r)
                held.Add((line, r.Quantity, r.Commands[^1]));
        return held;
    }

    /// <summary>Whether units of the order were not found here since units came in.</summary>
    public async Task<bool> HasFailed(string orderId)
    {
        await IsBehind();
        return Durable.Failed.Contains(orderId);
    }
}

/// <summary>One shipment.</summary>
sealed class ShipmentActivation : Activation<Shipment, ShipmentEvent>
{
    public ShipmentActivation(World world, Process process, string key) : base(world, process, key) => Load(new Shipment(key));

    protected override int VersionOf(Shipment state) => state.Version;
    protected override Shipment Apply(Shipment state, Stored e) => state.Apply((ShipmentEvent)e.Data, e.Command, e.At);

    /// <summary>What it is after the command, or null if it refuses.</summary>
    public async Task<Shipment?> Execute(ShipmentCommand command, string id)
    {
        if (IsBroken) throw new LostException();
        if (!State.Exists) return null;
        var decision = Decide();
        if (decision.Events.Count == 0 && await IsBehind()) decision = Decide();
        if (decision.Events.Count == 0) await Flushed();
        if (decision.Rejection is not null) return null;
        if (decision.Events.Count > 0) await Store(decision.Events, id);
        return Durable;

        Decision<ShipmentEvent> Decide() => State.Remembered.Contains(id)
            ? Decision<ShipmentEvent>.AlreadyDone : ShipmentDecider.Decide(State, command, World.Now);
    }
}
