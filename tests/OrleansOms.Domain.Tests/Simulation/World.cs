using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;
using OrleansOms.Domain.Tests.Orders;

namespace OrleansOms.Domain.Tests.Simulation;

/// <summary>What was reserved, and under which command.</summary>
sealed record Reserved(IReadOnlyList<LineAllocation> Units, SourcingPlan Plan, string Attempt);

/// <summary>
/// A small company whose processes die, whose network loses calls and answers, and whose log may answer late, twice or
/// not at all. The deciders are the real ones; the shells around them do as the grains do.
/// </summary>
sealed partial class World
{
    /// <summary>Most lines of an order here.</summary>
    public const int MaxLines = 2;

    /// <summary>As the program has it.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    static readonly string[] Warehouses = ["LON", "MAN"], Skus = ["A", "B"];

    readonly Scheduler _scheduler;
    readonly Dictionary<string, object> _directory = new(StringComparer.Ordinal);
    readonly List<Process> _processes = [];
    int _next;

    public World(int seed, Plant plant = Plant.None)
    {
        (_scheduler, Plant) = (new Scheduler(seed), plant);
        Log = new SimulatedLog(_scheduler, () => Now, plant);
        for (var i = 0; i < 2; i++) _processes.Add(new Process(i));
    }

    /// <summary>The log.</summary>
    public SimulatedLog Log { get; }
    /// <summary>The bug that is planted.</summary>
    public Plant Plant { get; }
    /// <summary>The one clock, UTC.</summary>
    public DateTimeOffset Now { get; private set; } = Given.Now;

    /// <summary>A number that was not given before.</summary>
    public int Next() => ++_next;

    /// <summary>Lets anything else happen before a process goes on.</summary>
    public Task Pause(Process process) => _scheduler.Pause(process);

    /// <summary>A failed activation is used no more.</summary>
    public void Drop(string key, object activation)
    {
        if (_directory.TryGetValue(key, out var known) && known == activation) _directory.Remove(key);
    }

    /// <summary>
    /// Calls an aggregate. Rarely two activations of it live at once.
    /// </summary>
    async Task<T> On<TActivation, T>(
        Process? from, string key, Func<Process, TActivation> create, Func<TActivation, Process> placeOf, Func<TActivation, Task<T>> call)
        where TActivation : class
    {
        await _scheduler.Pause(from);
        var known = _directory.GetValueOrDefault(key) as TActivation;
        if (known is null || placeOf(known).IsDead || _scheduler.Chance(0.02))
            _directory[key] = known = create(_scheduler.Pick(_processes));
        return await Call(from, placeOf(known), () => call(known));
    }

    readonly List<(Process To, Action Lose)> _calls = [];

    /// <summary>
    /// Calls another process. The call or its answer may be lost, and a call may come twice; what the callee does goes on when
    /// the caller has died, and the caller hears nothing when the callee has.
    /// </summary>
    async Task<T> Call<T>(Process? from, Process to, Func<Task<T>> work)
    {
        if (_scheduler.Chance(0.02)) throw new LostException();
        var answer = new TaskCompletionSource<T>();
        (Process To, Action Lose) call = (to, () => _scheduler.Later(from, () => answer.TrySetException(new LostException())));
        _calls.Add(call);
        _ = Run();
        if (_scheduler.Chance(0.01)) _scheduler.Later(to, () => _ = Twin());
        try { return await answer.Task; }
        finally { _calls.Remove(call); }

        async Task Run()
        {
            try
            {
                var value = await work();
                await _scheduler.Linger(from);
                var isLost = _scheduler.Chance(0.02);
                _scheduler.Later(from, () =>
                {
                    if (isLost) answer.TrySetException(new LostException());
                    else answer.TrySetResult(value);
                });
            }
            catch (LostException) { call.Lose(); }
            catch (Exception e) { _broken ??= e; }
        }

        async Task Twin()
        {
            try { await work(); }
            catch (LostException) { return; }
            catch (Exception e) { _broken ??= e; }
        }
    }

    Exception? _broken;

    public Task<T> OnStock<T>(Process? from, string warehouse, string sku, Func<StockActivation, Task<T>> call)
    {
        var key = Keys.OfStock(warehouse, sku);
        return On(from, key, p => new StockActivation(this, p, key), a => a.Process, call);
    }

    public Task<T> OnOrder<T>(Process? from, string key, Func<OrderActivation, Task<T>> call) =>
        On(from, key, p => new OrderActivation(this, p, key), a => a.Process, call);

    public Task<T> OnShipment<T>(Process? from, string key, Func<ShipmentActivation, Task<T>> call) =>
        On(from, key, p => new ShipmentActivation(this, p, key), a => a.Process, call);

    /// <summary>As the program does it.</summary>
    const int MaxPlans = 5;

    /// <summary>Plans from what is known and reserves all of a plan or nothing.</summary>
    public async Task<Reserved> Reserve(
        Process? from, string orderId, string attempt, (int LineId, string Sku, int Quantity)[] wanted,
        IReadOnlySet<(string, string)> except)
    {
        var (refused, isFresh) = (new HashSet<(string, string)>(except), false);
        for (var n = 1; ; n++)
        {
            var plan = Sourcer.Plan(LineSplit.Demand(wanted), null, [.. Warehouses.Select(w => new Candidate(w, null,
                Skus.Where(s => !refused.Contains((w, s))).Select(s => (Sku: s, Units: Available(w, s, isFresh))).Where(a => a.Units > 0)
                    .ToDictionary(a => a.Sku, a => a.Units)))]);
            if (plan.Missing.Count > 0 && !isFresh)
            {
                isFresh = true;
                continue;
            }
            if (plan.Units.Count == 0) return new Reserved([], plan, attempt);
            var units = LineSplit.Assign(wanted, plan.Units);
            var command = $"{attempt}/{n}";
            var shares = units.GroupBy(u => (u.Warehouse, u.Sku)).ToList();
            var now = Now;
            var tries = shares.Select(g => OnStock(from, g.Key.Warehouse, g.Key.Sku, s => s.Execute(
                new ReserveStock(command, orderId, [.. g.Select(u => new LineUnits(u.LineId, u.Quantity))]) { DecidedAt = now }))).ToList();
            var (isLost, failed) = (false, new List<(string, string)>());
            for (var i = 0; i < tries.Count; i++)
                try
                {
                    if (!await tries[i]) failed.Add(shares[i].Key);
                }
                catch (LostException) { isLost = true; }
            if (!isLost && failed.Count == 0) return new Reserved(units, plan, command);
            var back = GiveBack(from, orderId, command, [.. units.Where(u => !failed.Contains((u.Warehouse, u.Sku)))]);
            if (isLost) throw new LostException(); // Nobody waits for who does not answer.
            await back;
            isFresh = true;
            if (n >= MaxPlans) refused.UnionWith(failed);
        }
    }

    /// <summary>Gives back what an attempt has reserved; what cannot be reached is found by the watch.</summary>
    public async Task GiveBack(Process? from, string orderId, string attempt, IReadOnlyList<LineAllocation> units)
    {
        try
        {
            foreach (var g in units.GroupBy(u => (u.Warehouse, u.Sku)))
                await OnStock(from, g.Key.Warehouse, g.Key.Sku, s => s.Execute(new ReleaseStock(
                    $"{attempt}/back", orderId, [.. g.Select(u => new LineUnits(u.LineId, u.Quantity))], "the plan failed", attempt)));
        }
        catch (LostException) { return; }
    }

    /// <summary>What was heard of a stock, which may be a while ago unless someone has asked for the newest.</summary>
    int Available(string warehouse, string sku, bool isFresh)
    {
        var key = Keys.OfStock(warehouse, sku);
        if (isFresh || !_scheduler.Chance(0.2)) return Log.Stock(key)?.Available ?? 0;
        return Log.Read(key).SkipLast(_scheduler.Random.Next(1, 4))
            .Aggregate(new Domain.Stock.Stock(warehouse, sku), (s, e) => s.Apply((StockEvent)e.Data, e.Command, e.At)).Available;
    }

    /// <summary>What releasing an order's shipments writes.</summary>
    public (IReadOnlyList<(OrderEvent, string)> Events, IReadOnlyList<NewEvents> Births) Release(Order order)
    {
        var decision = OrderDecider.Decide(order, new ReleaseToWarehouses(), Now);
        var command = $"{order.Id}/{order.Version}/release";
        return ([.. decision.Events.Select(e => (e, command))], [.. decision.Events.OfType<ShipmentReleased>().Select(e =>
            new NewEvents(e.ShipmentId, 0, [(new ShipmentCreated(order.Id, "1", e.Warehouse, "GB", "standard",
                [.. e.Lines.Select(l => new ShipmentUnit(l.LineId, order.Lines[l.LineId - 1].Placed.Sku, l.Quantity))], null),
                command)]))]);
    }

    /// <summary>What an order is told of a shipment's event.</summary>
    public static ReportShipment? ReportOf(Stored e) => e.Data switch
    {
        UnitsPicked p => new ReportShipment(e.Stream, e.Version, ShipmentStatus.Picking, e.At,
            Missing: [.. p.Lines.Where(l => l.Missing > 0).Select(l => new LineUnits(l.LineId, l.Missing))]),
        ShipmentPacked => new ReportShipment(e.Stream, e.Version, ShipmentStatus.Packed, e.At),
        ShipmentUnpacked => new ReportShipment(e.Stream, e.Version, ShipmentStatus.Picking, e.At),
        ShipmentShipped s => new ReportShipment(e.Stream, e.Version, ShipmentStatus.Shipped, e.At, Carrier: s.Carrier),
        TrackingRecorded t => new ReportShipment(e.Stream, e.Version, t.Status, t.OccurredAt, t.Description),
        _ => null,
    };

    /// <summary>The command, or what the planted bug makes of it.</summary>
    public StockCommand Planted(StockCommand command) =>
        Plant == Plant.RestockTwice && command is ReleaseStock release
            ? release with { CommandId = $"{release.CommandId}/{Next()}" } : command;
}
