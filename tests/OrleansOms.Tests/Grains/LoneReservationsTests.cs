using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Followers;

namespace OrleansOms.Tests.Grains;

/// <summary>What no order holds is found, wherever the watch begins again and however it reads the two sides.</summary>
public sealed class LoneReservationsTests
{
    static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    [Fact]
    public void A_reservation_of_a_dead_attempt_is_found_by_a_watch_that_has_read_it_and_begins_again_behind_it()
    {
        LogEvent[] stock = [Reserved(0, "stk-LON/A", "ord-1", "dead"), Reserved(1, "stk-LON/A", "ord-1", "next")];
        LogEvent[] order = [Allocated(0, "ord-1", "next", "A")];
        var before = new LoneReservations();
        before.Hear(stock[0], Checkpoint.Start);
        // Its own stock's side was not read yet: what is alone now is the dead one's, and holds the place.
        before.Hear(order[0], At(0, 1));
        Assert.Equal([Checkpoint.Start, At(0, 1)], before.Places);
        before.Hear(stock[1], At(1, 1));
        Assert.Equal([Checkpoint.Start], before.Places);
        Assert.Equal("dead", Assert.Single(before.Since(Start.AddYears(1))).Key.Attempt);
    }

    [Fact]
    public void Whatever_is_read_first_and_wherever_it_begins_again_nothing_stays_reserved_that_no_order_holds()
    {
        for (var seed = 0; seed < 2_000; seed++) new Life(seed).Live();
    }

    /// <summary>Two logs, attempts that come to something and others that do not, and a watch that dies now and then.</summary>
    sealed class Life(int seed)
    {
        const int Orders = 6, Attempts = 3;

        readonly Random _random = new(seed);
        readonly List<LogEvent> _stocks = [], _orders = [];
        /// <summary>What stocks hold for nobody.</summary>
        readonly HashSet<LoneReservations.Key> _lost = [];
        LoneReservations _watch = new();
        Checkpoint _handled = At(0, 0), _saved = At(0, 0);
        int _deaths;

        public void Live()
        {
            Write();
            while (_handled != At(_stocks.Count, _orders.Count))
            {
                Read();
                if (_random.Next(3) == 0) Save();
                if (_random.Next(4) == 0) Settle();
                if (_random.Next(8) != 0 || ++_deaths > 50) continue;
                (_watch, _handled) = (new LoneReservations(), _saved);
            }
            Settle();
            Assert.True(_lost.Count == 0, $"seed {seed}: {string.Join(", ", _lost)}");
        }

        /// <summary>Each order is tried until one attempt is stored, or for good not.</summary>
        void Write()
        {
            for (var order = 0; order < Orders; order++)
            {
                var id = $"ord-{order}";
                for (var attempt = 0; attempt < Attempts; attempt++)
                {
                    var (name, skus) = ($"{id}/{attempt}", Enumerable.Range(0, 3).Where(_ => _random.Next(2) == 0).Select(n => $"{n}").ToList());
                    foreach (var sku in skus)
                    {
                        _stocks.Add(Reserved(_stocks.Count, $"stk-LON/{sku}", id, name));
                        _lost.Add(new LoneReservations.Key($"stk-LON/{sku}", id, name));
                    }
                    switch (_random.Next(3))
                    {
                        case 0:
                            _orders.Add(Allocated(_orders.Count, id, name, [.. skus]));
                            _lost.RemoveWhere(k => k.Attempt == name);
                            attempt = Attempts;
                            break;
                        case 1:
                            foreach (var sku in skus)
                                _stocks.Add(Event(_stocks.Count, $"stk-LON/{sku}", new ReservationReleased(id, Units, "back"), ReleaseStock.BackOf(name)));
                            _lost.RemoveWhere(k => k.Attempt == name);
                            break;
                    }
                }
            }
        }

        /// <summary>A batch: some of each log, as far as each can be read at the moment.</summary>
        void Read()
        {
            var (stocks, orders) = ((int)_handled[1].Ordinal, (int)_handled[0].Ordinal);
            var (toStocks, toOrders) = (Further(stocks, _stocks.Count), Further(orders, _orders.Count));
            foreach (var e in _orders[orders..toOrders].Concat(_stocks[stocks..toStocks])) _watch.Hear(e, _handled);
            _handled = At(toStocks, toOrders);
        }

        int Further(int from, int end) => Math.Min(end, from + _random.Next(5));

        void Save() => _saved = _watch.Places.Aggregate(_handled, (first, place) => place.Covers(first) ? first : place);

        /// <summary>Whoever is asked looks at what its stock holds, by whatever attempt.</summary>
        void Settle()
        {
            foreach (var (key, side) in _watch.Since(Start.AddYears(1)))
            {
                if (side.Lines.Count > 0) _lost.RemoveWhere(k => k.Stock == key.Stock && k.OrderId == key.OrderId && IsStored(k));
                _watch.Remove(key);
            }
        }

        /// <summary>Nobody sees what is written later.</summary>
        bool IsStored(LoneReservations.Key key) => _stocks.FindIndex(e => e.Stream == key.Stock && e.CommandId == key.Attempt) < _handled[1].Ordinal;
    }

    static readonly LineUnits[] Units = [new(1, 1)];

    static Checkpoint At(int stocks, int orders) => Checkpoint.At(new LogPosition(1, orders), new LogPosition(1, stocks));

    static LogEvent Reserved(int n, string stock, string order, string attempt) => Event(n, stock, new StockReserved(order, Units), attempt);

    static LogEvent Allocated(int n, string order, string attempt, params string[] skus) => Event(n, order, new OrderAllocated(
        SourcingCause.Placing, [.. skus.Select(s => new LineAllocation(1, s, "LON", 1))], [],
        new SourcingPlan([], new Dictionary<string, int>(), "test", []), attempt), "place");

    static LogEvent Event(int n, string stream, DomainEvent data, string command) =>
        new(new LogPosition(1, n + 1), stream, 1, "test", data, command, "test", Start);
}
