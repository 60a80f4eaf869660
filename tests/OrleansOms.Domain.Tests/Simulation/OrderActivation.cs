using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;
using OrleansOms.Domain.Tests.Orders;

namespace OrleansOms.Domain.Tests.Simulation;

/// <summary>One order: its commands run one after the other behind a gate.</summary>
sealed class OrderActivation(World world, Process process, string key) : Activation<Order, OrderEvent>(world, process, key)
{
    readonly Gate _gate = new();

    protected override int VersionOf(Order state) => state.Version;
    protected override Order Apply(Order state, Stored e) => state.Apply((OrderEvent)e.Data);

    async Task<T> Locked<T>(Func<Task<T>> work)
    {
        await _gate.Enter();
        try
        {
            if (IsBroken) throw new LostException();
            if (State is null || !State.Exists) Load(new Order(Key));
            return await work();
        }
        finally { _gate.Leave(); }
    }

    /// <summary>The order after the command, or null if it refuses.</summary>
    public Task<Order?> Execute(OrderCommand command, string id) => Locked<Order?>(async () =>
    {
        if (command is PlaceHold or LiftHold or RecordPayment { Status: PaymentReport.Failed }
            && World.Log.Read(Key).Any(e => e.Command == id)) return Durable;
        if (command is RecordPayment payment) command = payment with { Window = Given.Terms.PaymentWindow };
        if (command is CancelOrder) await HearShipments();
        var from = State.Version;
        var decision = OrderDecider.Decide(State, command, World.Now);
        if (decision.Events.Count == 0 && await IsBehind())
        {
            from = State.Version;
            decision = OrderDecider.Decide(State, command, World.Now);
        }
        if (decision.Rejection is not null) return null;
        if (decision.Events.Count > 0) await Store(decision.Events, id);
        if (command is not CancelOrder cancel) return Durable;
        var answer = await FinishCancellation(System("cancel"));
        await Consequences(from);
        return answer is { Units.Count: 0 } && answer.RequestId == cancel.RequestId ? null : Durable;
    });

    /// <summary>Its shipment says what happened to it.</summary>
    public Task<bool> Report(ReportShipment report) => Locked(async () =>
    {
        await FinishCancellation(System("report"));
        await Hear(report);
        return true;
    });

    async Task Hear(ReportShipment report)
    {
        var decision = OrderDecider.Decide(State, report, World.Now);
        if (decision.Events.Count == 0 && await IsBehind()) decision = OrderDecider.Decide(State, report, World.Now);
        // It would be told again and again, and nothing that comes after it would be heard.
        if (decision.Rejection is { } no)
            throw new BrokenLawException(new Breach(Law.NothingLost, Key, $"refused {report}: {no.Detail}"));
        if (decision.Events.Count > 0) await Store(decision.Events, $"{report.ShipmentId}/{report.Version}");
    }

    async Task HearShipments()
    {
        if (!State.Exists || State.PendingCancellation is not null) return;
        foreach (var shipment in State.Shipments.Where(s => s.IsInWarehouse).ToList())
            foreach (var e in World.Log.Read(shipment.Id, shipment.Version))
                if (World.ReportOf(e) is { } report) await Hear(report);
    }

    /// <summary>Does what is left to do after an event.</summary>
    public Task<bool> Settle() => Locked(async () =>
    {
        if (!State.Exists) return true;
        do
        {
            var before = State.Version;
            await FinishCancellation(System("settle"));
            if (State.IsSourced && !State.IsStopped(HoldStops.Allocate) && State.Lines.Any(l => l.Open > 0))
                await Allocate(SourcingCause.ShortPick, [.. State.Lines
                    .Where(l => l.Open > 0).Select(l => (l.Placed.LineId, l.Placed.Sku, l.Open))]);
            var (events, births) = World.Release(State);
            if (events.Count > 0) await Store(events, births);
            if (State.Version != before) break;
        }
        while (await IsBehind());
        return true;
    });

    /// <summary>Somebody asks what it is, beside whatever it does.</summary>
    public async Task<bool> Look() => State is { Exists: true } && await IsBehind(() => _gate.IsFree);

    /// <summary>Stock has arrived.</summary>
    public Task<bool> AllocateWaiting() => Locked(async () =>
    {
        if (!State.Exists || (Waiting().Length == 0 && !await IsBehind())) return true;
        if (Waiting() is { Length: > 0 } waiting) await Allocate(SourcingCause.Arrival, waiting);
        return true;

        (int, string, int)[] Waiting() => State.IsStopped(HoldStops.Allocate) || State.PendingCancellation is not null ? []
            : [.. State.Lines.Where(l => l.Backordered > 0).Select(l => (l.Placed.LineId, l.Placed.Sku, l.Backordered))];
    });

    /// <summary>A stock has served it.</summary>
    public Task<bool> Take(TakeServed served) => Locked(async () =>
    {
        await IsBehind();
        if (World.Log.Read(Key).Any(e => e.Command == served.Attempt)) return true;
        var isHeld = await World.OnStock(Process, served.Warehouse, served.Sku, s => s.Holds(Key, served.Lines, served.Attempt));
        var isLeft = World.Log.Read(Key, ReserveStock.AfterOf(Key, served.Attempt))
            .All(e => served.IsLeftBy(Key, e.Version, (OrderEvent)e.Data, e.At));
        var decision = OrderDecider.Decide(State, served, World.Now);
        if (!isHeld || !isLeft || decision.Events.Count == 0) return await Settle(served.Warehouse, served.Sku);
        await Store(decision.Events, served.Attempt);
        return true;
    });

    async Task Allocate(SourcingCause cause, (int LineId, string Sku, int Quantity)[] wanted)
    {
        await PassCart();
        var failed = new HashSet<(string, string)>();
        if (!State.NotFoundIn.IsEmpty)
        {
            if (State.Lines.Any(l => l.Open > 0))
                foreach (var e in World.Log.Read(Key).Reverse()
                    .TakeWhile(e => e.Data is not OrderAllocated { Cause: SourcingCause.ShortPick }))
                    if (e.Data is UnitsNotFound) await Consequences(e);
            foreach (var (warehouse, sku) in State.NotFoundIn)
                if (await World.OnStock(Process, warehouse, sku, s => s.HasFailed(Key))) failed.Add((warehouse, sku));
        }
        var reserved = await World.Reserve(
            Process, Key, ReserveStock.AttemptOf(Key, State.Version, $"a{World.Next()}"), wanted, failed);
        var decision = OrderDecider.Decide(State, new AllocateUnits(cause, reserved.Units, reserved.Plan, reserved.Attempt), World.Now);
        if (decision.Rejection is not null || decision.Events.Count == 0)
        {
            await World.GiveBack(Process, Key, reserved.Attempt, reserved.Units);
            return;
        }
        try { await Store(decision.Events, reserved.Attempt); }
        catch (BehindException)
        {
            await World.GiveBack(Process, Key, reserved.Attempt, reserved.Units);
            throw;
        }
    }

    async Task<UnitsCancelled?> FinishCancellation(string command)
    {
        if (State.PendingCancellation is not { } pending) return null;
        var withdrawn = new List<ShipmentUnits>();
        foreach (var ask in OrderCancellation.AskShipments(State))
        {
            var request = $"{Key}/{pending.RequestId}";
            var given = await World.OnShipment(Process, ask.ShipmentId, async s =>
                await s.Execute(new WithdrawUnits(request, ask.Lines), $"{request}/withdraw") is { } after
                && after.Withdrawals.TryGetValue(request, out var taken) ? taken.Lines : null);
            if (given is { Count: > 0 }) withdrawn.Add(new ShipmentUnits(ask.ShipmentId, given));
        }
        var decision = OrderDecider.Decide(State, new CompleteCancellation(withdrawn), World.Now);
        await Store(decision.Events, command);
        return (UnitsCancelled)decision.Events[0];
    }

    async Task Consequences(int after)
    {
        try
        {
            await PassCart();
            foreach (var e in World.Log.Read(Key, after)) await Consequences(e);
        }
        catch (LostException) { return; }
    }

    bool _isCartPassed;

    async Task PassCart()
    {
        if (_isCartPassed || State.Cart?.PassedBy is not { } version) return;
        await Consequences(World.Log.Read(Key, version - 1)[0]);
        _isCartPassed = true;
    }

    async Task Consequences(Stored e)
    {
        foreach (var c in StockConsequences.Of(Key, e.Version, (OrderEvent)e.Data, e.At))
            await World.OnStock(Process, c.Warehouse, c.Sku, s => s.Execute(World.Planted(c.Command)));
    }

    /// <summary>Frees what a stock holds for it beyond what it keeps; false if that has changed meanwhile.</summary>
    public Task<bool> SettleReservation(string warehouse, string sku) => Locked(() => Settle(warehouse, sku));

    async Task<bool> Settle(string warehouse, string sku)
    {
        var (before, fence) = (State.Exists || State.Cart is not null ? State.Version : 0, 0);
        var held = await World.OnStock(Process, warehouse, sku, s => s.HeldBy(Key, World.MaxLines));
        if (!State.Exists)
        {
            Load(new Order(Key));
            var abandoned = OrderDecider.Decide(State, new AbandonOrder(), World.Now);
            fence = abandoned.Events.Count;
            if (fence > 0) await Store(abandoned.Events, System("abandon"));
        }
        await IsBehind();
        var isBegun = State.Exists || State.Cart is not null;
        if (World.Plant != Plant.TrustsAnOldLook && isBegun && State.Version != before + fence) return false;
        if (isBegun && held.Count > 0)
        {
            await Repeat(warehouse, sku);
            if (World.Plant != Plant.TrustsAnOldLook
                && !held.SequenceEqual(await World.OnStock(Process, warehouse, sku, s => s.HeldBy(Key, World.MaxLines)))) return false;
        }
        SettledLine[] surplus = [.. held
            .Where(h => h.Quantity > State.HeldIn(warehouse, sku, h.LineId))
            .Select(h => new SettledLine(h.LineId, State.HeldIn(warehouse, sku, h.LineId), h.Last))];
        if (surplus.Length > 0 && State.Exists)
            await Store(OrderDecider.Decide(State, new SettleReservation(warehouse, sku, [.. surplus.Select(s =>
                new LineUnits(s.LineId, held.First(h => h.LineId == s.LineId).Quantity - s.Kept))]), World.Now).Events, System("settled"));
        return surplus.Length == 0 || await World.OnStock(Process, warehouse, sku, s => s.Execute(
            new SettleStock($"{Key}/settle/{World.Next()}", Key, surplus, "no order holds these units")));
    }

    async Task Repeat(string warehouse, string sku)
    {
        var stock = Keys.OfStock(warehouse, sku);
        foreach (var e in World.Log.Read(Key))
            foreach (var c in StockConsequences.Of(Key, e.Version, (OrderEvent)e.Data, e.At))
                if (c.Warehouse == warehouse && c.Sku == sku && World.Log.Read(stock).All(s => s.Command != c.Command.CommandId))
                    await World.OnStock(Process, warehouse, sku, s => s.Execute(World.Planted(c.Command)));
    }

    /// <summary>What is held for its cart is held longer, or given up; false if it refuses.</summary>
    public Task<bool> ChangeCart(OrderCommand command, string id) => Locked(async () =>
    {
        var from = State.Version;
        var decision = OrderDecider.Decide(State, command, World.Now);
        if (decision.Events.Count == 0 && await IsBehind())
        {
            from = State.Version;
            decision = OrderDecider.Decide(State, command, World.Now);
        }
        if (decision.Events.Count == 0) return decision.Rejection is null;
        await Store(decision.Events, id);
        await Consequences(from);
        return true;
    });

    /// <summary>A reminder ticks, on time, late, twice or long after.</summary>
    public Task<bool> Tick() => Locked(async () =>
    {
        var from = State.Version;
        if (!State.Exists)
        {
            var expired = OrderDecider.Decide(State, new ExpireCart(), World.Now);
            if (expired.Events.Count == 0) return true;
            await Store(expired.Events, System("expired"));
            await Consequences(from);
            return true;
        }
        var decision = OrderDecider.Decide(State, new ExpirePayment(), World.Now);
        if (World.Plant == Plant.TimeoutAfterPayment && State.Placed!.PaymentDueAt <= World.Now)
            decision = OrderDecider.Decide(State, new CancelOrder("payment-timeout", "not paid in time", null), World.Now);
        if (decision.Events.Count == 0) return true;
        await Store(decision.Events, System("payment-timeout"));
        await FinishCancellation(System("payment-timeout"));
        await Consequences(from);
        return true;
    });

    string System(string what) => $"{Key}/{State.Version}/{what}";
}
