using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Tests.Orders;

/// <summary>
/// Walks orders at random through the real deciders, with stocks and shipments beside them and every message delivered
/// late or twice, and holds the laws after each step. A failure names its seed: run the walk with it again.
/// </summary>
public sealed class OrderWalkTests
{
    const int Walks = 4000;
    /// <summary>When a rare move has not been seen yet.</summary>
    const int MostWalks = 40_000;
    const int Steps = 60;

    [Fact]
    public void Every_walk_keeps_the_laws_and_moves_as_the_table_says()
    {
        var seen = new HashSet<(OrderStatus From, OrderStatus To)>();
        var table = OrderTransitions.Table.SelectMany(row => row.Value.Select(to => (From: row.Key, To: to))).ToHashSet();
        var unpacked = 0;
        for (var seed = 1; seed <= Walks || (seed <= MostWalks && !table.IsSubsetOf(seen)); seed++)
        {
            var world = new World(seed);
            for (var step = 0; step < Steps; step++)
            {
                var before = world.Order.Exists ? world.Order.DeriveStatus() : OrderStatus.Pending;
                world.Step();
                var after = world.Order.DeriveStatus();
                if (before != after) seen.Add((before, after));
                world.Check();
            }
            world.Quiesce();
            unpacked += world.Unpacked;
        }
        Assert.True(unpacked > 50, $"Only {unpacked} packed shipments were opened again.");
        Assert.True(table.SetEquals(seen), $"""
            Moves that the table does not know: {string.Join(", ", seen.Except(table).Order())}
            Moves that never happened: {string.Join(", ", table.Except(seen).Order())}
            """);
    }

    [Fact]
    public void Every_status_can_be_reached_and_left_unless_it_is_final()
    {
        var reached = new HashSet<OrderStatus> { OrderStatus.Pending };
        var open = new Queue<OrderStatus>(reached);
        while (open.TryDequeue(out var status))
            foreach (var next in OrderTransitions.Table.GetValueOrDefault(status, []))
                if (reached.Add(next)) open.Enqueue(next);
        Assert.Equal(Enum.GetValues<OrderStatus>(), reached.Order());
        Assert.Equal(
            [OrderStatus.Closed, OrderStatus.Cancelled], Enum.GetValues<OrderStatus>().Where(OrderTransitions.IsFinal));
    }

    /// <summary>After a change of the table, put its new diagram into the page.</summary>
    [Fact]
    public void The_page_shows_the_diagram_of_the_table()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "OrleansOms.sln"))) folder = folder.Parent;
        var page = File.ReadAllText(Path.Combine(folder.FullName, "docs", "order-status.md"));
        Assert.Contains(OrderTransitions.Diagram(), page.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    sealed class World
    {
        static readonly string[] Warehouses = ["LON", "MAN"];
        static readonly string[] Skus = ["A", "B"];

        readonly Random _random;
        readonly int _seed;
        readonly Dictionary<(string Warehouse, string Sku), Domain.Stock.Stock> _stocks = [];
        readonly Dictionary<string, StreamAudit> _audits = new(StringComparer.Ordinal);
        readonly Pairing _pairs = new();
        readonly Dictionary<string, Shipment> _shipments = [];
        readonly List<StockConsequence> _stockMail = [];
        readonly List<ReportShipment> _reports = [];
        DateTimeOffset _now = Given.Now;
        int _n, _commands;

        public World(int seed)
        {
            (_seed, _random) = (seed, new Random(seed));
            foreach (var w in Warehouses)
                foreach (var s in Skus) _stocks[(w, s)] = new Domain.Stock.Stock(w, s);
            foreach (var stock in _stocks.Keys) Receive(stock, _random.Next(0, 5));
            Order = new Order(Given.Id);
        }

        public Order Order { get; private set; }

        /// <summary>Packed shipments that were opened again.</summary>
        public int Unpacked { get; private set; }

        public void Step()
        {
            if (!Order.Exists) { Place(); return; }
            switch (_random.Next(16))
            {
                case 0: Pay(); break;
                case 1: _now += TimeSpan.FromMinutes(_random.Next(20)); Execute(new ExpirePayment()); break;
                case 2: Execute(new PlaceHold("look", "why", (HoldStops)_random.Next(4))); break;
                case 3: case 4: Execute(new LiftHold("look")); break;
                case 5: Execute(new CloseOrder()); break;
                case 6: if (_random.Next(3) == 0) Execute(new CancelOrder($"c{_n++}", "x", SomeLines())); break;
                case 7: FinishCancellation(); break;
                case 8: Receive((Pick(Warehouses), Pick(Skus)), _random.Next(0, 4)); Allocate(SourcingCause.Arrival); break;
                case 9: if (Order.Lines.Any(l => l.Open > 0)) Allocate(SourcingCause.ShortPick); break;
                case 10: Release(); break;
                case 11: case 12: case 13: WorkOnAShipment(); break;
                default: Deliver(); break;
            }
        }

        void Place()
        {
            (string, int)[] lines = [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => (Pick(Skus), _random.Next(1, 4)))];
            var request = Given.Request((PaymentReport)_random.Next(0, 3), (PaymentMethod)(_random.Next(5) / 4), lines: lines);
            var reserved = Reserve([.. request.Lines.Select(l => (l.LineId, l.Sku, l.Quantity))], "place", out var plan);
            var decision = OrderDecider.Decide(Order, new TakeOrder(request, reserved, plan, Given.Terms), _now);
            Apply(decision.Events);
        }

        List<LineAllocation> Reserve((int LineId, string Sku, int Quantity)[] wanted, string attempt, out SourcingPlan plan)
        {
            plan = Sourcer.Plan(LineSplit.Demand(wanted), null, [.. Warehouses.Select(w => new Candidate(
                w, null, Skus.ToDictionary(s => s, s => _stocks[(w, s)].Available)))]);
            var units = LineSplit.Assign(wanted, plan.Units);
            foreach (var g in units.GroupBy(u => (u.Warehouse, u.Sku)))
                ToStock(g.Key, new ReserveStock(
                    attempt, Given.Id, [.. g.Select(u => new LineUnits(u.LineId, u.Quantity))]));
            return units;
        }

        void Allocate(SourcingCause cause)
        {
            (int, string, int)[] wanted = [.. Order.Lines
                .Select(l => (l.Placed.LineId, l.Placed.Sku, cause == SourcingCause.Arrival ? l.Backordered : l.Open))
                .Where(l => l.Item3 > 0)];
            if (wanted.Length == 0) return;
            var reserved = Reserve(wanted, ReserveStock.AttemptOf(Given.Id, Order.Version, $"a{_n++}"), out var plan);
            if (reserved.Count > 0 || cause != SourcingCause.Arrival) Execute(new AllocateUnits(cause, reserved, plan));
        }

        /// <summary>Reports on a payment; a failure is one of the last payment that was reported.</summary>
        void Pay()
        {
            var report = (PaymentReport)_random.Next(1, 4);
            var amount = Math.Max(0.01m, _random.Next(2) == 0 ? Order.Due() : 5);
            Execute(new RecordPayment(report, amount, report == PaymentReport.Failed && !Order.Payments.IsEmpty
                ? Order.Payments[^1].Reference : $"p{_n++}", Given.Terms.PaymentWindow));
        }

        void Release()
        {
            foreach (var e in Execute(new ReleaseToWarehouses()).OfType<ShipmentReleased>())
            {
                var created = new ShipmentCreated(
                    Order.Id, "1", e.Warehouse, "GB", "standard",
                    [.. e.Lines.Select(l => new ShipmentUnit(l.LineId, Order.Lines[l.LineId - 1].Placed.Sku, l.Quantity))],
                    null);
                _shipments[e.ShipmentId] = new Shipment(e.ShipmentId).Apply(created, _now);
                Stored(e.ShipmentId, created, e.ShipmentId);
            }
        }

        void FinishCancellation()
        {
            var withdrawn = new List<ShipmentUnits>();
            foreach (var ask in OrderCancellation.AskShipments(Order))
            {
                var id = Order.PendingCancellation!.RequestId;
                OnShipment(ask.ShipmentId, new WithdrawUnits(id, ask.Lines));
                if (_shipments[ask.ShipmentId].Withdrawals.TryGetValue(id, out var given))
                    withdrawn.Add(new ShipmentUnits(ask.ShipmentId, given.Lines));
            }
            Law(Order.PendingCancellation is not { } pending || !OrderPayments.IsTimeout(pending.RequestId) || Order.Covered == 0
                || withdrawn.All(w => w.Lines.Count == 0), "a time-out takes units although money has come");
            Execute(new CompleteCancellation(withdrawn));
        }

        void WorkOnAShipment()
        {
            if (_shipments.Count == 0) return;
            var s = Pick([.. _shipments.Values]);
            switch (s.Status)
            {
                case ShipmentStatus.Released or ShipmentStatus.Picking when s.Lines.Any(l => l.Picked is null):
                    var sku = s.Lines.First(l => l.Picked is null).Sku;
                    var all = s.Lines.Where(l => l.Sku == sku).Sum(l => l.Quantity);
                    OnShipment(s.Id, new PickUnits([new SkuUnits(sku, _random.Next(4) == 0 ? _random.Next(all) : all)]));
                    break;
                case ShipmentStatus.Picking:
                    OnShipment(s.Id, new PackShipment([new Package(
                        500, [.. s.Lines.GroupBy(l => l.Sku).Select(g => new SkuUnits(g.Key, g.Sum(l => l.Quantity)))])]));
                    break;
                case ShipmentStatus.Packed: OnShipment(s.Id, new ShipShipment("dhl", "parcel", "T")); break;
                default:
                    OnShipment(s.Id, new RecordTracking(
                        _random.Next(3) == 0 ? ShipmentStatus.Delivered : ShipmentStatus.InTransit, "scan", null,
                        _now.AddMinutes(_random.Next(-5, 5)), $"t{_n++}"));
                    break;
            }
        }

        void OnShipment(string id, ShipmentCommand command)
        {
            var s = _shipments[id];
            _commands++;
            foreach (var e in ShipmentDecider.Decide(s, command, _now).Events)
            {
                s = s.Apply(e, _now);
                Stored(id, e, $"{id}/{_commands}");
                var report = new ReportShipment(id, s.Version, s.Status, _now);
                if (e is UnitsPicked p)
                    report = report with
                    {
                        Status = ShipmentStatus.Picking,
                        Missing = [.. p.Lines.Where(l => l.Missing > 0).Select(l => new LineUnits(l.LineId, l.Missing))],
                    };
                if (e is ShipmentUnpacked) Unpacked++;
                if (e is not UnitsWithdrawn) _reports.Add(report);
            }
            _shipments[id] = s;
        }

        /// <summary>Delivers a waiting message; sometimes an old one comes again.</summary>
        void Deliver()
        {
            if (_reports.Count > 0)
            {
                FinishCancellation();
                Execute(_reports[0]);
                if (_random.Next(3) > 0) _reports.RemoveAt(0);
            }
            if (_stockMail.Count == 0) return;
            var at = _random.Next(_stockMail.Count);
            var c = _stockMail[at];
            ToStock((c.Warehouse, c.Sku), c.Command);
            if (_random.Next(3) > 0) _stockMail.RemoveAt(at);
        }

        IReadOnlyList<OrderEvent> Execute(OrderCommand command)
        {
            var decision = OrderDecider.Decide(Order, command, _now);
            Apply(decision.Events);
            return decision.Events;
        }

        void Apply(IReadOnlyList<OrderEvent> events)
        {
            _commands++;
            foreach (var e in events)
            {
                Order = Order.Apply(e);
                Stored(Order.Id, e, $"{Order.Id}/{_commands}");
                _stockMail.AddRange(StockConsequences.Of(Order.Id, Order.Version, e, _now));
            }
        }

        void Receive((string, string) stock, int units)
        {
            if (units == 0) return;
            ToStock(stock, new ReceiveStock($"in{_n++}", units, "po"));
        }

        void ToStock((string, string) key, StockCommand command)
        {
            var decision = StockDecider.Decide(_stocks[key], command);
            Assert.True(decision.Rejection is null, $"seed {_seed}: {decision.Rejection?.Detail}");
            foreach (var e in decision.Events)
            {
                _stocks[key] = _stocks[key].Apply(e, command.CommandId, _now);
                Stored(Keys.OfStock(key.Item1, key.Item2), e, command.CommandId);
            }
        }

        /// <summary>Every event is held against the laws as it is stored.</summary>
        void Stored(string stream, DomainEvent e, string command)
        {
            var audit = _audits.TryGetValue(stream, out var known) ? known : _audits[stream] = StreamAudit.Of(stream);
            foreach (var breach in audit.Hear(audit.Version + 1, e, command, _now)) Law(breach);
            _pairs.Hear(stream, e, _now);
        }

        IEnumerable<StockAudit> Stocks => _audits.Values.OfType<StockAudit>();

        public void Check()
        {
            foreach (var stock in _stocks.Values)
                Law(stock.Reserved == stock.Reservations.Sum(r => r.Value.Quantity), $"counts {stock}");
            foreach (var stocks in Stocks.GroupBy(s => s.Stock.Sku))
                Law(StockLaws.Conservation(
                    stocks.Key, _stocks.Values.Where(s => s.Sku == stocks.Key).Sum(s => StockCounts.Of(s).All),
                    [.. stocks.Select(s => s.Ledger)]));
            foreach (var s in _shipments.Values.Where(s => !s.Packages.IsEmpty && s.Status != ShipmentStatus.Cancelled))
                foreach (var sku in Skus)
                    Law(s.Packages.Sum(p => p.Lines.Where(l => l.Sku == sku).Sum(l => l.Quantity))
                        == s.Lines.Where(l => l.Sku == sku).Sum(l => l.Quantity), $"boxes {s}");
        }

        /// <summary>Delivers everything that waits; then stocks and order must agree (L4).</summary>
        public void Quiesce()
        {
            while (_reports.Count > 0 || _stockMail.Count > 0) Deliver();
            Check();
            foreach (var (key, sides) in _pairs.Open)
                Law(StockLaws.ReservationsAreAllocations(
                    key.Stock, key.OrderId, key.LineId, sides.Surplus, 0, StockLaws.OneSidedAtMost));
            Law(Stocks.Sum(s => s.Ledger.Shipped) == Order.Lines.Sum(l => l.Shipped), "shipped units");
        }

        void Law(Breach? breach) => Law(breach is null, $"{breach}");

        void Law(bool holds, string what) => Assert.True(holds, $"seed {_seed}: {what}");

        LineUnits[]? SomeLines() => _random.Next(2) == 0
            ? null : [new LineUnits(_random.Next(1, Order.Lines.Length + 1), _random.Next(1, 3))];

        T Pick<T>(T[] from) => from[_random.Next(from.Length)];
    }
}
