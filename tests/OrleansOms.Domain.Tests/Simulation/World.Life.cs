using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Stock;
using OrleansOms.Domain.Tests.Orders;

namespace OrleansOms.Domain.Tests.Simulation;

// Who lives in this world: customers, people in warehouses, suppliers, followers, and what kills processes.
sealed partial class World
{
    const int MostOrders = 3, MostSteps = 20_000;
    static readonly TimeSpan Grace = TimeSpan.FromMinutes(2);

    static readonly TimeSpan CartTime = TimeSpan.FromMinutes(15);

    /// <summary>Carts that may be held.</summary>
    readonly HashSet<string> _carts = new(StringComparer.Ordinal);
    readonly Dictionary<string, bool> _answered = new(StringComparer.Ordinal);
    readonly Dictionary<string, (Process? At, int Position)> _followers = new(StringComparer.Ordinal)
    {
        ["fulfilment"] = default, ["backorders"] = default,
    };
    int _busy;

    /// <summary>Lives through everything and holds the laws; the steps that were drawn.</summary>
    /// <exception cref="BrokenLawException">One did not hold.</exception>
    public int Run()
    {
        foreach (var warehouse in Warehouses)
            foreach (var sku in Skus) Live(() => Supply(warehouse, sku));
        var orders = _scheduler.Random.Next(1, MostOrders + 1);
        for (var i = 1; i <= orders; i++)
        {
            var id = $"{Keys.Order}{i:D26}";
            // Some put into a cart first what they then order, or do not.
            Live(() => _scheduler.Random.Next(3) == 0 ? Shopper(id) : Customer(id, id));
        }
        Live(Warehouse);
        var steps = 0;
        for (; _busy > 0 && steps < MostSteps; steps++)
        {
            KeepFollowers();
            Step();
            if (_scheduler.Random.Next(60) == 0) Happen();
        }
        // Now nothing goes wrong any more, and all must come to rest.
        _scheduler.IsHostile = false;
        for (var day = 0; day < 4; day++)
        {
            Now += TimeSpan.FromMinutes(20);
            foreach (var id in _answered.Keys.Concat(_carts)) Live(() => Until(() => OnOrder(null, id, o => o.Tick())));
            WatchAll();
            do KeepFollowers(); while (Step() && ++steps < 2 * MostSteps);
        }
        Check();
        return steps;
    }

    bool Step()
    {
        var isDone = _scheduler.Step();
        if (_broken is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_broken);
        return isDone;
    }

    void Live(Func<Task> life)
    {
        _busy++;
        _scheduler.Run(() => _ = Run());

        async Task Run()
        {
            try { await life(); }
            catch (Exception e) { _broken ??= e; }
            _busy--;
        }
    }

    /// <summary>Time goes on, a reminder ticks, a process dies, an old reservation is looked at.</summary>
    void Happen()
    {
        switch (_scheduler.Random.Next(6))
        {
            case 0: Now += TimeSpan.FromMinutes(_scheduler.Random.Next(1, 25)); break;
            case 1 when _answered.Count + _carts.Count > 0:
                var id = _scheduler.Pick(_answered.Keys.Concat(_carts).ToList());
                Live(() => Once(() => OnOrder(null, id, o => o.Tick())));
                break;
            case 2:
                var at = _scheduler.Random.Next(_processes.Count);
                var dead = _processes[at];
                dead.IsDead = true;
                _processes[at] = new Process(Next());
                foreach (var call in _calls.Where(c => c.To == dead).ToList()) call.Lose();
                break;
            case 3 when _answered.Count > 0:
                var asked = _scheduler.Pick(_answered.Keys.ToList());
                Live(() => Once(() => OnOrder(null, asked, o => o.Look())));
                break;
            case 4 when Held() is { Count: > 0 } held:
                // As by whoever finds an attempt of its own in its way, however young it is.
                var (stock, holder) = _scheduler.Pick(held);
                Live(() => Once(() => OnOrder(null, holder, o => o.SettleReservation(stock.Warehouse, stock.Sku))));
                break;
            default: Watch(); break;
        }

        List<(Domain.Stock.Stock, string)> Held() => [.. Log.Audits.OfType<StockAudit>()
            .SelectMany(a => a.Stock.Reservations.Select(r => r.Key.OrderId).Distinct().Select(o => (a.Stock, o)))];
    }

    /// <summary>Asks again, in the same words, until there is an answer.</summary>
    async Task<T> Until<T>(Func<Task<T>> call)
    {
        while (true)
        {
            try { return await call(); }
            catch (LostException) { await _scheduler.Pause(null); }
            // Who repeats it minutes later does so beside the watch, which looks at what the first time has left.
            if (!_scheduler.Chance(0.5)) continue;
            Now += Grace;
            Watch();
        }
    }

    static async Task Once<T>(Func<Task<T>> call)
    {
        try { await call(); }
        catch (LostException) { return; }
    }

    async Task Supply(string warehouse, string sku)
    {
        for (var n = _scheduler.Random.Next(0, 3); n > 0; n--)
        {
            var receive = new ReceiveStock($"in-{Next()}", _scheduler.Random.Next(1, 5), "po");
            await Until(() => OnStock(null, warehouse, sku, s => s.Execute(receive)));
            await _scheduler.Pause(null);
            if (_scheduler.Random.Next(3) != 0) continue;
            // Somebody looks at a unit and finds it odd, broken or sound; what may not be, or is not there, is refused.
            var (from, to) = (_scheduler.Random.Next(-1, 3), _scheduler.Random.Next(-1, 3));
            if (from == to || (from, to) is (0, -1) or (-1, 0)) continue;
            var change = new ChangeCondition($"look-{Next()}", Condition(from), Condition(to), 1, "looked at");
            await Until(() => OnStock(null, warehouse, sku, s => s.Execute(change)));
            await _scheduler.Pause(null);
        }
    }

    static StockCondition? Condition(int n) => n < 0 ? null : (StockCondition)n;

    (string Sku, int Quantity)[] Wanted() =>
        [.. Enumerable.Range(0, _scheduler.Random.Next(1, MaxLines + 1)).Select(_ => (_scheduler.Pick(Skus), _scheduler.Random.Next(1, 4)))];

    /// <summary>Has something held, for longer or not, and orders with it, or lets it be.</summary>
    async Task Shopper(string id)
    {
        var random = _scheduler.Random;
        _carts.Add(id);
        var (lines, isAllOrNothing) = (Wanted(), random.Next(2) == 0);
        if (!await Until(Ask)) return;
        Assert.True(await Until(Ask));
        for (var n = random.Next(3); n > 0; n--)
        {
            OrderCommand command = random.Next(3) == 0 ? new ReleaseCart() : new ExtendCart(Now + CartTime);
            var key = $"key-{Next()}";
            await Until(() => OnOrder(null, id, o => o.ChangeCart(command, key)));
        }
        // An order has the id of its cart; the key by which it is placed has one that nothing else has.
        if (random.Next(4) > 0) await Customer(id, $"{Keys.Order}9{id[(Keys.Order.Length + 1)..]}");

        Task<bool> Ask()
        {
            var desk = _scheduler.Pick(_processes);
            return Call(null, desk, () => ReserveCart(desk, id, lines, isAllOrNothing));
        }
    }

    /// <param name="key">The id that its idempotency key stands for: its own, or another one if it has a cart.</param>
    async Task Customer(string id, string key)
    {
        var random = _scheduler.Random;
        var lines = Wanted();
        var request = Given.Request(
            (PaymentReport)random.Next(0, 3), random.Next(6) == 0 ? PaymentMethod.Terms : PaymentMethod.Prepaid,
            (StockPolicy)random.Next(2), lines);
        // Whoever has a cart knows the order's id before it is placed, and may be of two minds.
        if (id != key && random.Next(3) == 0) Live(ChangeMind);
        // Some do not wait for the answer before they ask again.
        if (random.Next(4) == 0) Live(() => Once(Ask));
        var isAccepted = await Until(Ask);
        _answered[id] = isAccepted;
        _carts.Remove(id);
        // Whoever asks once more gets the same answer.
        Assert.Equal(isAccepted, await Until(Ask));
        for (var n = isAccepted ? random.Next(5) : 0; n > 0; n--)
        {
            OrderCommand command = random.Next(7) switch
            {
                0 or 1 => new RecordPayment(
                    (PaymentReport)random.Next(1, 4), random.Next(2) == 0 ? Log.Order(id).Due() : 3,
                    _scheduler.Pick((string[])[request.Payment.Reference!, "p1", "p2"])),
                2 => new CancelOrder($"c{Next()}", "why", null),
                3 => new CancelOrder($"c{Next()}", "why", [new LineUnits(random.Next(1, lines.Length + 1), random.Next(1, 3))]),
                4 => new PlaceHold("look", "why", (HoldStops)random.Next(4)),
                _ => new LiftHold("look"),
            };
            var commandId = $"key-{Next()}";
            await Until(() => OnOrder(null, id, o => o.Execute(command, commandId)));
        }
        await Until(() => OnOrder(null, id, o => o.Execute(new LiftHold("look"), $"key-{Next()}")));

        async Task ChangeMind()
        {
            for (var n = random.Next(30); n > 0; n--) await _scheduler.Pause(null);
            await Once(() => OnOrder(null, id, o => o.Execute(new CancelOrder($"c{Next()}", "of two minds", null), $"key-{Next()}")));
        }

        Task<bool> Ask()
        {
            var desk = _scheduler.Pick(_processes);
            return Call(null, desk, () => id == key ? Place(desk, id, request) : PlaceFromCart(desk, key, id, request));
        }
    }

    /// <summary>The desk: reserves, decides and stores the first events, with those of its shipments.</summary>
    async Task<bool> Place(Process from, string id, PlaceOrder request)
    {
        while (true)
        {
            // What is not remembered is taken as new, without a look.
            var start = _scheduler.Random.Next(2) == 0 ? new Order(id) : Log.Order(id);
            if (start.Exists || start.Refused is not null) return start.Exists;
            var reserved = await Reserve(from, id, $"{id}/p{Next()}",
                [.. request.Lines.Select(l => (l.LineId, l.Sku, l.Quantity))], new HashSet<(string, string)>());
            var taken = OrderDecider.Decide(start, new TakeOrder(request, reserved.Units, reserved.Plan, Given.Terms, reserved.Attempt), Now).Events;
            var order = start.Apply(taken);
            IReadOnlyList<NewEvents> births = [];
            List<(DomainEvent, string)> events = [.. taken.Select(e => ((DomainEvent)e, $"{id}/place"))];
            if (order.Exists)
            {
                var release = Release(order);
                events.AddRange(release.Events.Select(e => ((DomainEvent)e.Item1, e.Item2)));
                births = release.Births;
            }
            if (await Log.Append(from, [new NewEvents(id, start.Version, events), .. births]))
            {
                if (!order.Exists) await GiveBack(from, id, reserved.Attempt, reserved.Units);
                return order.Exists;
            }
            await GiveBack(from, id, reserved.Attempt, reserved.Units);
        }
    }

    /// <summary>Picks, packs, ships and hears of carriers, now and then short.</summary>
    async Task Warehouse()
    {
        var random = _scheduler.Random;
        for (var n = 0; n < 25; n++)
        {
            await _scheduler.Pause(null);
            var all = Log.Audits.OfType<ShipmentAudit>().Select(a => a.Shipment).Where(s => !s.IsFinal).ToList();
            if (all.Count == 0) continue;
            var s = _scheduler.Pick(all);
            ShipmentCommand command;
            if (s.Status is ShipmentStatus.Released or ShipmentStatus.Picking && s.Lines.FirstOrDefault(l => l.Picked is null) is { } line)
            {
                var wanted = s.Lines.Where(l => l.Sku == line.Sku).Sum(l => l.Quantity);
                command = new PickUnits([new SkuUnits(line.Sku, random.Next(4) == 0 ? random.Next(wanted) : wanted)]);
            }
            else
                command = s.Status switch
                {
                    ShipmentStatus.Picking => new PackShipment([new Package(
                        500, [.. s.Lines.GroupBy(l => l.Sku).Select(g => new SkuUnits(g.Key, g.Sum(l => l.Quantity)))])]),
                    ShipmentStatus.Packed => new ShipShipment("dhl", "parcel", "T"),
                    _ => new RecordTracking(ShipmentStatus.Delivered, "there", null, Now, $"t{Next()}"),
                };
            var id = $"key-{Next()}";
            await Until(() => OnShipment(null, s.Id, a => a.Execute(command, id)));
        }
    }

    /// <summary>A follower that was lost with its process goes on elsewhere, from where it had saved.</summary>
    void KeepFollowers()
    {
        foreach (var (name, (at, position)) in _followers.ToList())
        {
            if (at is { IsDead: false }) continue;
            var process = _scheduler.Pick(_processes);
            _followers[name] = (process, position);
            _scheduler.Run(() => _ = Follow(name, process, position));
        }
    }

    async Task Follow(string name, Process process, int at)
    {
        try
        {
            while (true)
            {
                await Log.WaitForMore(process, at);
                try { await (name == "fulfilment" ? Fulfil(process, Log.All[at]) : GiveArrivals(process, Log.All[at])); }
                catch (LostException)
                {
                    await _scheduler.Pause(process);
                    continue;
                }
                at++;
                if (_scheduler.Random.Next(3) == 0 && _followers[name].At == process) _followers[name] = (process, at);
            }
        }
        catch (Exception e) { _broken ??= e; }
    }

    async Task Fulfil(Process process, Stored e)
    {
        if (e.Data is OrderEvent order)
        {
            foreach (var c in StockConsequences.Of(e.Stream, e.Version, order, e.At))
                await OnStock(process, c.Warehouse, c.Sku, s => s.Execute(Planted(c.Command)));
            if (order is HoldLifted or UnitsCancelled) await OnOrder(process, e.Stream, o => o.AllocateWaiting());
            if (order is OrderAllocated or PaymentRecorded or HoldLifted or CancellationRequested or UnitsCancelled or UnitsNotFound)
                await OnOrder(process, e.Stream, o => o.Settle());
        }
        else if (ReportOf(e) is { } report)
            await OnOrder(process, Keys.OrderOfShipment(e.Stream), o => o.Report(report));
    }

    async Task GiveArrivals(Process process, Stored e)
    {
        if (e.Data is StockServed served)
            await OnOrder(process, served.OrderId, o => o.Take(TakeServed.Of(e.Stream, served, e.Command, e.At)));
        var skus = e.Data switch
        {
            StockReceived or ConditionChanged { To: StockCondition.Sellable } or ReservationReleased => [Keys.ReadStock(e.Stream).Sku],
            OrderAllocated { Backordered.Count: > 0 } a => a.Sourcing.Missing.Keys.ToList(),
            _ => new List<string>(),
        };
        foreach (var waiting in Log.Audits.OfType<OrderAudit>().Select(a => a.Order)
            .Where(o => o.Exists && o.Lines.Any(l => l.Backordered > 0 && skus.Contains(l.Placed.Sku))).ToList())
            await OnOrder(process, waiting.Id, o => o.AllocateWaiting());
    }

    void Check()
    {
        if (_busy > 0) throw new BrokenLawException(new Breach(Law.NothingLost, "world", $"{_busy} still wait for an answer"));
        foreach (var (key, sides) in Log.Pairs.Open)
            Hold(StockLaws.ReservationsAreAllocations(
                key.Stock, key.OrderId, key.LineId, sides.Surplus, 0, StockLaws.OneSidedAtMost));
        foreach (var (id, isAccepted) in _answered)
        {
            var order = Log.Order(id);
            if (order.Exists != isAccepted)
                Hold(new Breach(Law.NothingLost, id, $"was {(isAccepted ? "accepted" : "refused")} and {(order.Exists ? "exists" : "does not exist")}"));
        }
        foreach (var audit in Log.Audits.OfType<OrderAudit>())
        {
            if (audit.Order.CartUntil is { } until)
                Hold(new Breach(Law.EndsOnce, audit.Stream, $"holds a cart whose time was up at {until:u}"));
            Hold(OrderLaws.NothingLost(audit.Order, audit.MovedAt, false, Now));
            // Every time is up by now.
            if (audit.Order is { Exists: true, IsPayable: false } unpaid && unpaid.Lines.Any(l => l.Kept > l.Shipped)
                && unpaid.Holds.All(h => h.Name != OrderPayments.PartPaidHold))
                Hold(new Breach(Law.NothingLost, unpaid.Id, "keeps its units without money, and its time is up"));
        }
        // What has left a stock, or was not found there, has left the order's line that had it, and no other.
        var left = new Dictionary<(string Order, string Stock, int Line), int>();
        foreach (var e in Log.All)
            foreach (var (key, units) in Gone(e)) left[key] = left.GetValueOrDefault(key) + units;
        foreach (var (key, units) in left.Where(l => l.Value != 0))
            Hold(new Breach(Law.ReservationsAreAllocations, key.Stock, $"{units} more of line {key.Line} of {key.Order} have left it than the order"));
        var waiting = Log.Audits.OfType<OrderAudit>().Select(a => a.Order)
            .Where(o => o is { Exists: true, PendingCancellation: null } && !o.IsStopped(HoldStops.Allocate)).ToList();
        foreach (var stock in Log.Audits.OfType<StockAudit>().Select(a => a.Stock).Where(s => s.OnHand > s.Reserved))
            if (waiting.Find(o => !stock.Failed.Contains(o.Id)
                && o.Lines.Any(l => l.Placed.Sku == stock.Sku && l.Backordered + l.Open > 0)) is { } order)
                Hold(new Breach(Law.NothingLost, order.Id,
                    $"waits for {stock.Sku}, {stock.OnHand - stock.Reserved} of which are free in {stock.Warehouse}"));
        foreach (var stocks in Log.Audits.OfType<StockAudit>().GroupBy(s => s.Stock.Sku))
            Hold(StockLaws.Conservation(stocks.Key, stocks.Sum(s => StockCounts.Of(s.Stock).All), [.. stocks.Select(s => s.Ledger)]));
    }

    static IEnumerable<((string, string, int), int)> Gone(Stored e) => e.Data switch
    {
        StockShipped s => s.Lines.Select(l => ((s.OrderId, e.Stream, l.LineId), l.Quantity)),
        StockNotFound s => s.Lines.Select(l => ((s.OrderId, e.Stream, l.LineId), l.Quantity)),
        UnitsShipped o => o.Lines.Select(l => ((e.Stream, Keys.OfStock(l.Warehouse, l.Sku), l.LineId), -l.Quantity)),
        UnitsNotFound o => o.Lines.Select(l => ((e.Stream, Keys.OfStock(l.Warehouse, l.Sku), l.LineId), -l.Quantity)),
        _ => [],
    };

    static void Hold(Breach? breach)
    {
        if (breach is not null) throw new BrokenLawException(breach);
    }
}
