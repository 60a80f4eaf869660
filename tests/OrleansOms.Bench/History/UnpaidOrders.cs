using System.Globalization;
using Npgsql;
using OrleansOms.Bench.Driving;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Sourcing;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Bench.History;

/// <summary>Orders that wait for their money and for stock, written through the log; nothing else of them is left to do.</summary>
public static class UnpaidOrders
{
    static int _made;

    /// <summary>Writes them, with times to be paid that are spread evenly.</summary>
    /// <param name="first">When the first one is due.</param>
    /// <param name="window">From the first one's time to the last one's.</param>
    /// <returns>Their ids, in the order of their times.</returns>
    public static async Task<string[]> Write(string connectionString, int count, DateTimeOffset first, TimeSpan window)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var log = new EventLog(source);
        var (feed, now, ids) = (new LogFeed(log), DateTimeOffset.UtcNow, new string[count]);
        for (var n = 0; n < count; n++)
        {
            var id = ids[n] = Keys.FromIdempotencyKey(Keys.Order, "unpaid", $"{Interlocked.Increment(ref _made)}");
            var terms = new PlacingTerms(first + window * n / count - now, TimeSpan.FromDays(14));
            var order = Order(id);
            var plan = Sourcer.Plan(LineSplit.Demand(order.Lines.Select(l => (l.LineId, l.Sku, l.Quantity))), null, []);
            var events = OrderDecider.Decide(new Order(id), new TakeOrder(order, [], plan, terms), now).Events;
            feed.Add(new Append(new StreamEvents(id, 0, [.. events.Select(e => new NewEvent(e, $"{id}/place", "key:bench", now))])));
            await feed.Room();
        }
        await feed.End();
        await HistoryLoader.Skip(source, log, ["read-model", .. HistoryLoader.Effects]);
        return ids;
    }

    static PlaceOrder Order(string id) => new(
        id[^8..], "web", null, new Customer("Jane Doe", "jane@example.com"),
        new Address("Jane Doe", "1 High Street", null, "Worthing", null, "BN9 1AA", "GB"), "GBP",
        [new PlacedLine(1, Requests.Sku(0), 1, 4.99m, 0.2m, 0)], new ShippingChoice("standard", 3.95m),
        new PaymentTerms(PaymentMethod.Prepaid, PaymentReport.Pending, "pi", null), StockPolicy.Backorder,
        string.Create(CultureInfo.InvariantCulture, $"{id.Length:x64}"));
}
