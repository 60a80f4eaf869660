using System.Globalization;
using Npgsql;
using OrleansOms.Bench.Driving;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Orders;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Bench.History;

/// <summary>
/// Two years of a company's business, written through the log: real events of real decisions, thousands of appends under
/// way at once. What happens to one order lies in the log as far apart as it does in life, between the events of others.
/// </summary>
/// <param name="orders">How many.</param>
/// <param name="say">Told now and then how far it is.</param>
public sealed class HistoryLoader(string connectionString, int orders, Action<string> say, CancellationToken cancel)
{
    /// <summary>Changes whenever another history comes out of this.</summary>
    public const int Version = 1;

    /// <summary>SKUs of the company; the last one is never in stock.</summary>
    public const int Skus = 10_000;

    /// <summary>A SKU that is never in stock.</summary>
    public static readonly string NeverThere = Requests.Sku(Skus - 1);

    /// <summary>What sells often gets about so many events.</summary>
    const int EventsOfHotStock = 10_000;

    const int Days = 700, UnitsOfEach = 1_000_000, SayEverySeconds = 15;
    const double HotShare = 2.0 / 3, LinesOfOrder = 1.5, CancelledShare = 0.02, BackorderedShare = 0.001;

    static readonly string[] Channels = ["web", "store", "mobile", "marketplace", "phone", "b2b"];
    static readonly string[] FirstNames =
        ["Jane", "Amir", "Chidi", "Mei", "Olga", "Pedro", "Ruth", "Sven", "Tala", "Uma"];
    static readonly string[] LastNames = ["Doe", "Okafor", "Lindqvist", "Haddad", "Novak", "Silva", "Tanaka"];

    readonly Random _random = new(1);

    readonly int _hotSkus = HotSkusOf(orders);

    /// <summary>SKUs that are in most of so many orders; the first ones.</summary>
    public static int HotSkusOf(int orders) => Math.Clamp(
        (int)(orders * LinesOfOrder * HotShare * 2 / EventsOfHotStock), 4, Skus / 10);

    /// <summary>Id of the n-th order, from 0.</summary>
    public static string IdOf(int n) => Keys.FromIdempotencyKey(Keys.Order, "history", $"{n}");

    /// <summary>Writes everything and puts the followers behind it.</summary>
    /// <returns>Events written.</returns>
    public async Task<long> Run()
    {
        // A crash would lose the database anyway: it is not waited for that the disk has each transaction.
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(connectionString) { Options = "-c synchronous_commit=off" }.ConnectionString);
        await using var log = new EventLog(source);
        var feed = new LogFeed(log);
        var end = DateTimeOffset.UtcNow;
        var begin = end - TimeSpan.FromDays(Days);
        var shelves = new Shelves(Requests.Warehouse, feed);
        await Open(feed, shelves, begin);
        await Trade(feed, shelves, begin, end);
        await feed.End();
        await Skip(source, log, ["read-model", .. Effects]);
        return feed.Events;
    }

    /// <summary>Who would do again what is done.</summary>
    public static readonly string[] Effects = ["fulfilment", "backorders", "reservation-watch", "law-watch"];

    /// <summary>Puts followers behind everything that is stored: nothing of it is left to do.</summary>
    public static async Task Skip(NpgsqlDataSource source, IEventLog log, IEnumerable<string> followers)
    {
        var checkpoints = new Checkpoints(source);
        var now = await log.Now();
        foreach (var follower in followers) await checkpoints.Advance(follower, await checkpoints.Load(follower), now);
    }

    async Task Open(LogFeed feed, Shelves shelves, DateTimeOffset at)
    {
        var address = new Address("Bench", "1 Dock Road", null, "London", null, "E16 1AA", "GB");
        Put(Keys.Warehouse + Requests.Warehouse, new WarehousePut(
            Requests.Warehouse, new WarehouseDetails("Bench", address, new GeoPoint(51.5, 0), true)));
        for (var n = 0; n < Skus; n++)
        {
            var sku = Requests.Sku(n);
            Put(Keys.Product + sku, new ProductPut(sku, new ProductDetails($"Product {n}", 250, null)));
            if (sku != NeverThere) shelves.Do(sku, new ReceiveStock($"opening/{n}", UnitsOfEach, "opening"), at);
            await feed.Room();
        }

        void Put(string stream, CatalogueEvent data) => feed.Add(new Append(
            new StreamEvents(stream, 0, [new NewEvent(data, $"{stream}/put", "operator:admin", at)])));
    }

    async Task Trade(LogFeed feed, Shelves shelves, DateTimeOffset begin, DateTimeOffset end)
    {
        var due = new PriorityQueue<(OrderLife Life, IEnumerator<DateTimeOffset> Steps), DateTimeOffset>();
        var (start, said) = (TimeProvider.System.GetTimestamp(), TimeSpan.Zero);
        for (var n = 0; n < orders; n++)
        {
            cancel.ThrowIfCancellationRequested();
            var now = begin + (end - begin) * ((n + 1.0) / (orders + 1));
            while (due.TryPeek(out _, out var next) && next <= now)
            {
                var (life, steps) = due.Dequeue();
                Step(life, steps, next);
            }
            var order = Born(n, now, end, shelves, feed);
            Step(order, order.Live().GetEnumerator(), now);
            await feed.Room();
            var passed = TimeProvider.System.GetElapsedTime(start);
            if ((passed - said).TotalSeconds < SayEverySeconds) continue;
            said = passed;
            say(string.Create(CultureInfo.InvariantCulture,
                $"{n + 1:N0} of {orders:N0} orders, {feed.Events:N0} events, {feed.Events / passed.TotalSeconds:N0} a second …"));
        }
        while (due.TryPeek(out _, out var next) && next <= end)
        {
            var (life, steps) = due.Dequeue();
            Step(life, steps, next);
        }

        void Step(OrderLife life, IEnumerator<DateTimeOffset> steps, DateTimeOffset now)
        {
            life.Now = now;
            if (steps.MoveNext()) due.Enqueue((life, steps), steps.Current);
        }
    }

    OrderLife Born(int n, DateTimeOffset now, DateTimeOffset end, Shelves shelves, LogFeed feed)
    {
        var number = (2_000_001 + n).ToString(CultureInfo.InvariantCulture);
        var waits = now > end - TimeSpan.FromDays(10) && _random.NextDouble() < BackorderedShare;
        var lines = (waits ? [NeverThere] : Wanted()).Select((sku, i) => new PlacedLine(
            i + 1, sku, _random.Next(1, 3), 4.99m + _random.Next(0, 200), 0.2m, 0)).ToArray();
        var name = $"{Any(FirstNames)} {Any(LastNames)}{_random.Next(997)}";
        var command = new PlaceOrder(
            number, Any(Channels), $"ext-{number}",
            new Customer(name, $"{name.ToLowerInvariant().Replace(' ', '.')}@example.com"),
            new Address(name, $"{_random.Next(1, 200)} High Street", null, "Worthing", null, "BN9 1AA", "GB"), "GBP", lines,
            new ShippingChoice("standard", 3.95m), new PaymentTerms(PaymentMethod.Prepaid, PaymentReport.Paid, $"pi_{n}", null),
            StockPolicy.Backorder, Convert.ToHexStringLower(Bytes(32)));
        return new OrderLife(
            IdOf(n), command, _random.NextDouble() < CancelledShare, shelves, feed, _random, OrderDesk.ExternalIdScope);
    }

    /// <summary>One to three different ones, two thirds of them from those that sell often.</summary>
    IEnumerable<string> Wanted()
    {
        var count = _random.NextDouble() switch { < 0.6 => 1, < 0.9 => 2, _ => 3 };
        var skus = new HashSet<string>(count, StringComparer.Ordinal);
        while (skus.Count < count)
            skus.Add(Requests.Sku(_random.NextDouble() < HotShare ? _random.Next(_hotSkus) : _random.Next(Skus - 1)));
        return skus;
    }

    string Any(string[] words) => words[_random.Next(words.Length)];

    byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }
}
