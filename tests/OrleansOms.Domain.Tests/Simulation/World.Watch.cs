using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Tests.Simulation;

// The watch over reservations. Stocks are in one log and all else in another: it reads each as far as it can be read.
sealed partial class World
{
    LoneReservations<(int Stocks, int Others)> _alone = new();
    (int Stocks, int Others) _read, _saved;

    /// <summary>It reads on, saves how far it has come, or has died and begins from there, and has what is alone looked at.</summary>
    void Watch()
    {
        if (_scheduler.Random.Next(4) == 0) (_alone, _read) = (new(), _saved);
        ReadOn(most: 12);
        if (_scheduler.Random.Next(2) == 0) _saved = _alone.Places.Append(_read).Min();
        SettleAllSince(Now - Grace);
    }

    /// <summary>Nothing goes wrong any more: all is read, and what is still alone is looked at.</summary>
    void WatchAll()
    {
        ReadOn(most: null);
        SettleAllSince(Now);
    }

    void ReadOn(int? most)
    {
        var from = _read;
        List<Stored> stocks = [.. Log.All.Where(IsOfStock).Skip(from.Stocks).Take(More())], others = [.. Log.All.Where(e => !IsOfStock(e)).Skip(from.Others).Take(More())];
        foreach (var e in others.Concat(stocks)) _alone.Hear(e.Stream, e.Data, e.Command, e.At, from);
        _read = (from.Stocks + stocks.Count, from.Others + others.Count);

        int More() => most is { } some ? _scheduler.Random.Next(some) : int.MaxValue;
    }

    static bool IsOfStock(Stored e) => e.Stream.StartsWith(Keys.Stock, StringComparison.Ordinal);

    void SettleAllSince(DateTimeOffset time)
    {
        var alone = _alone;
        foreach (var (key, side) in alone.Since(time))
        {
            if (side.Lines.Count == 0) alone.Remove(key);
            else Live(() => Once(async () =>
            {
                var (warehouse, sku) = Keys.ReadStock(key.Stock);
                var isSettled = await OnOrder(null, key.OrderId, o => o.SettleReservation(warehouse, sku));
                // What changed under its hands is looked at again.
                if (isSettled) alone.Remove(key);
                return isSettled;
            }));
        }
    }
}
