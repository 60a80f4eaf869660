using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Tests.Stock;

/// <summary>What no order holds is found, wherever the watch begins again and however it reads the two sides.</summary>
public sealed class LoneReservationsTests
{
    static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    [Fact]
    public void Who_has_read_the_order_before_its_stock_does_not_take_a_dead_attempt_for_what_it_has_stored()
    {
        var alone = new LoneReservations<int>();
        Reserved("A", "ord-1", "dead").Tell(alone, 0);
        Allocated("ord-1", "next", "A").Tell(alone, 1);
        Assert.Equal([0, 1], alone.Places);
        Reserved("A", "ord-1", "next").Tell(alone, 2);
        Assert.Equal([0], alone.Places);
        Assert.Equal("dead", Assert.Single(alone.Since(Start)).Key.Attempt);
    }

    [Fact]
    public void What_is_held_for_a_cart_is_not_alone()
    {
        var alone = new LoneReservations<int>();
        Reserved("A", "ord-1", "attempt").Tell(alone, 0);
        Held("ord-1", "attempt", "A", "B").Tell(alone, 1);
        Assert.Equal([1], alone.Places);
        Reserved("B", "ord-1", "attempt").Tell(alone, 2);
        Assert.Empty(alone.Places);
    }

    [Fact]
    public void Whatever_is_read_first_and_wherever_it_begins_again_nothing_stays_reserved_that_no_order_holds()
    {
        for (var seed = 0; seed < 2_000; seed++) new Life(seed).Live();
    }

    /// <summary>Two logs, attempts that come to something and others that do not, and a watch that dies now and then.</summary>
    sealed class Life(int seed)
    {
        const int Orders = 6, Attempts = 3, MostDeaths = 50;

        readonly Random _random = new(seed);
        readonly List<Event> _stocks = [], _orders = [];
        /// <summary>What stocks hold for nobody.</summary>
        readonly HashSet<ReservationKey> _lost = [];
        LoneReservations<(int Stocks, int Orders)> _alone = new();
        (int Stocks, int Orders) _read, _saved;

        public void Live()
        {
            Write();
            for (var deaths = 0; _read != (_stocks.Count, _orders.Count);)
            {
                Read();
                if (_random.Next(3) == 0) _saved = _alone.Places.Append(_read).Min();
                if (_random.Next(4) == 0) Settle();
                if (_random.Next(8) == 0 && deaths++ < MostDeaths) (_alone, _read) = (new(), _saved);
            }
            Settle();
            Assert.True(_lost.Count == 0, $"seed {seed}: {string.Join(", ", _lost)}");
        }

        /// <summary>Each order is tried until one attempt is stored, or for good not.</summary>
        void Write()
        {
            for (var order = 0; order < Orders; order++)
                for (var (id, attempt) = ($"ord-{order}", 0); attempt < Attempts; attempt++)
                {
                    var name = $"{id}/attempt-{attempt}/1"; // no number, which an order's event would be
                    string[] skus = [.. ((string[])["A", "B", "C"]).Where(_ => _random.Next(2) == 0)];
                    _stocks.AddRange(skus.Select(sku => Reserved(sku, id, name)));
                    var outcome = _random.Next(3);
                    if (outcome == 0) _orders.Add(_random.Next(2) == 0 ? Allocated(id, name, skus) : Held(id, name, skus));
                    else if (outcome == 1) _stocks.AddRange(skus.Select(sku => GivenBack(sku, id, name)));
                    else _lost.UnionWith(skus.Select(sku => new ReservationKey(StockOf(sku), id, name)));
                    if (outcome == 0) break;
                }
        }

        /// <summary>A batch: some of each log, as far as each can be read at the moment.</summary>
        void Read()
        {
            var (stocks, orders) = (Further(_read.Stocks, _stocks.Count), Further(_read.Orders, _orders.Count));
            foreach (var e in _orders[_read.Orders..orders].Concat(_stocks[_read.Stocks..stocks])) e.Tell(_alone, _read);
            _read = (stocks, orders);

            int Further(int from, int end) => Math.Min(end, from + _random.Next(5));
        }

        /// <summary>Who is asked looks at all that the stock holds, by whatever attempt; nobody sees what is stored later.</summary>
        void Settle()
        {
            foreach (var (key, side) in _alone.Since(Start))
            {
                if (side.Lines.Count > 0)
                    _lost.RemoveWhere(k => k.Stock == key.Stock && k.OrderId == key.OrderId
                        && _stocks.FindIndex(e => e.Stream == key.Stock && e.Command == k.Attempt) < _read.Stocks);
                _alone.Remove(key);
            }
        }
    }

    /// <summary>As it is stored.</summary>
    sealed record Event(string Stream, DomainEvent Data, string Command)
    {
        public void Tell<T>(LoneReservations<T> alone, T from) => alone.Hear(Stream, Data, Command, Start, from);
    }

    static readonly LineUnits[] Units = [new(1, 1)];

    static string StockOf(string sku) => Keys.OfStock("LON", sku);

    static Event Reserved(string sku, string order, string attempt) => new(StockOf(sku), new StockReserved(order, Units), attempt);

    static Event GivenBack(string sku, string order, string attempt) =>
        new(StockOf(sku), new ReservationReleased(order, Units, "the plan failed"), ReleaseStock.BackOf(attempt));

    /// <summary>As a cart, which is what the order's stream begins with.</summary>
    static Event Held(string order, string attempt, params string[] skus) => new(order, new CartReserved(
        [new CartLine(1, "A", 1)], [.. skus.Select(s => new LineAllocation(1, s, "LON", 1))], Start, "hash", attempt), "reserve");

    static Event Allocated(string order, string attempt, params string[] skus) => new(order, new OrderAllocated(
        SourcingCause.Placing, [.. skus.Select(s => new LineAllocation(1, s, "LON", 1))], [],
        new SourcingPlan([], new Dictionary<string, int>(), "test", []), attempt), "place");
}
