using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;
using OrleansOms.Bench.Database;
using OrleansOms.Bench.Driving;
using OrleansOms.Bench.History;
using OrleansOms.Bench.Running;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Postgres;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// A database with a million orders in its log. Making it takes many minutes, so it is kept with its server's data and
/// used again while the loader is the same. A newer schema comes to it as it comes to people's databases.
/// </summary>
public sealed class LongStore
{
    const int FullOrders = 1_000_000, QuickOrders = 4_000;

    /// <summary>Events that a program that starts reads within a second or two.</summary>
    const int SoonRead = 50_000;

    /// <summary>What a database says of itself: nothing but the log is complete, or everything is.</summary>
    const string Loaded = "loaded", Ready = "ready";

    /// <summary>Events that a stock has after its snapshot: a new one is due after 500.</summary>
    const int TailEvents = 250;

    readonly Session _session;

    LongStore(Session session) => _session = session;

    string Name => string.Create(CultureInfo.InvariantCulture, $"oms_bench_history_{Orders}");

    /// <summary>Connection of its database.</summary>
    public string Connection => _session.Postgres.ConnectionTo(Name);

    /// <summary>Orders in it.</summary>
    public int Orders => _session.Options.Orders ?? (_session.Options.IsQuick ? QuickOrders : FullOrders);

    /// <summary>The SKUs of which it has long streams.</summary>
    public IEnumerable<string> HotSkus => Enumerable.Range(0, HistoryLoader.HotSkusOf(Orders)).Select(Requests.Sku);

    /// <summary>The store with a complete log; its lists may be empty.</summary>
    public static async Task<LongStore> Load(Session session)
    {
        var store = new LongStore(session);
        if (await store.State() is not null)
        {
            await Migrator.Run(store.Connection);
            return store;
        }
        session.Say($"{store.Orders:N0} orders through the log; they are kept for the next time …");
        await session.Postgres.Create(store.Name, isKept: true);
        await Migrator.Run(store.Connection);
        var events = await new HistoryLoader(store.Connection, store.Orders, session.Say, session.Cancel).Run();
        session.Say($"{events:N0} events are there; tidying up …");
        await session.Postgres.RunScript(store.Name, "vacuum analyze");
        await store.Note(Loaded);
        return store;
    }

    /// <summary>The store with complete lists, with snapshots of its long stocks, and with some events after each.</summary>
    public static async Task<LongStore> Open(Session session)
    {
        var store = await Load(session);
        if (!await store.HasLists()) await store.Rebuild();
        if (await store.State() == Ready) return store;
        await store.MakeSnapshots();
        await store.MakeTails();
        await using (await store.Start()) await session.Postgres.AwaitFollowers(store.Name, session.Cancel);
        session.Say("tidying up …");
        await session.Postgres.RunScript(store.Name, "vacuum analyze");
        await store.Note(Ready);
        return store;
    }

    /// <summary>Starts the program on it.</summary>
    public Task<OmsProcess> Start() => OmsProcess.Start(_session, Connection);

    /// <summary>Events in its log.</summary>
    public Task<long> CountEvents() => _session.Postgres.Ask<long>(Name, "select count(*) from oms.event");

    /// <summary>Events of the hot stock that has the fewest.</summary>
    public Task<int> ShortestHotStock() => _session.Postgres.Ask<int>(Name, $"""
        select min(version) from oms.stock where sku = any('{string.Create(CultureInfo.InvariantCulture, $"{{{string.Join(',', HotSkus)}}}")}')
        """);

    /// <summary>Lets a running program fold the lists anew.</summary>
    async Task Rebuild()
    {
        await PutAtEnd();
        await using var oms = await Start();
        await Rebuild(oms);
    }

    /// <summary>Empties the lists while the program runs and waits until it has folded all events again.</summary>
    /// <returns>Seconds that it took.</returns>
    public async Task<double> Rebuild(OmsProcess oms)
    {
        var (events, last) = (await CountEvents(), await Last());
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(Connection) { MaxPoolSize = 2 }.ConnectionString);
        await using var log = new EventLog(source);
        using var model = new ReadModel(source, log);
        using var api = ApiOf(oms.Url);
        var (start, said) = (TimeProvider.System.GetTimestamp(), TimeSpan.Zero);
        await model.Rebuild();
        // Any event wakes the follower, which then finds that it stands at the beginning; what changes nothing is none.
        var product = $"products/{HistoryLoader.NeverThere}";
        using (var woken = await api.PutAsJsonAsync(product, new JsonObject
        {
            ["name"] = $"Never there, {Guid.NewGuid():N}", ["weightGrams"] = 250,
        }))
            woken.EnsureSuccessStatusCode();
        while (true)
        {
            var passed = TimeProvider.System.GetElapsedTime(start);
            var position = await model.Position();
            if (position[0] >= last) return passed.TotalSeconds;
            if ((passed - said).TotalSeconds >= 15)
            {
                said = passed;
                // Positions are nearly numbers of events: the log has no other writers than two.
                var done = Math.Min(events, position[0].Ordinal);
                _session.Say($"{done:N0} of {events:N0} events, {done / passed.TotalSeconds:N0} a second …");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), _session.Cancel);
        }
    }

    /// <summary>Whether the lists have everything but what was written last; a rebuild may have been cut short.</summary>
    Task<bool> HasLists() => _session.Postgres.Ask<bool>(Name, $"""
        select exists (select from oms.orders) and count(*) < {SoonRead}
        from (
          select from oms.event
          where (xid, position) > (
            select transaction::text::xid8, position from oms.checkpoint where follower = '{ReadModel.Follower}')
          limit {SoonRead}) as unread
        """);

    /// <summary>A program starts fast only where the read model is at the end, whatever is in it.</summary>
    public async Task PutAtEnd()
    {
        if (await HasLists()) return;
        await using var source = NpgsqlDataSource.Create(Connection + ";Pooling=false");
        await using var log = new EventLog(source);
        using var model = new ReadModel(source, log);
        await model.Rebuild();
        await new Checkpoints(source).Advance(ReadModel.Follower, Checkpoint.Start, await log.Now());
    }

    async Task<LogPosition> Last()
    {
        await using var source = NpgsqlDataSource.Create(Connection + ";Pooling=false");
        await using var command = source.CreateCommand(
            "select xid, position from oms.event order by xid desc, position desc limit 1");
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return new LogPosition((long)reader.GetFieldValue<ulong>(0), reader.GetInt64(1));
    }

    /// <summary>One more event for each long stock, through the program: it writes the snapshots that are due.</summary>
    async Task MakeSnapshots()
    {
        _session.Say("snapshots of the long stocks …");
        await using var oms = await Start();
        using var api = ApiOf(oms.Url);
        foreach (var sku in HotSkus)
        {
            using var receipt = new HttpRequestMessage(HttpMethod.Post, "stock/receipts")
            {
                Headers = { { "Idempotency-Key", $"{Guid.NewGuid()}" } },
                Content = JsonContent.Create(new JsonObject
                {
                    ["warehouse"] = Requests.Warehouse, ["reference"] = "delivery",
                    ["lines"] = new JsonArray(new JsonObject { ["sku"] = sku, ["quantity"] = 1 }),
                }),
            };
            using var answer = await api.SendAsync(receipt);
            answer.EnsureSuccessStatusCode();
        }
        await _session.Postgres.AwaitFollowers(Name, _session.Cancel);
    }

    async Task MakeTails()
    {
        await using var source = NpgsqlDataSource.Create(Connection + ";Pooling=false;Maximum Pool Size=4");
        await using var log = new EventLog(source);
        var feed = new LogFeed(log);
        foreach (var sku in HotSkus)
        {
            var shelves = new Shelves(Requests.Warehouse, feed);
            var stock = new Stock(Requests.Warehouse, sku);
            foreach (var e in await log.ReadStream(Keys.OfStock(Requests.Warehouse, sku)))
                stock = stock.Apply((StockEvent)e.Data!, e.CommandId, e.At);
            shelves.Put(stock);
            for (var n = 0; n < TailEvents; n++)
                shelves.Do(sku, new AdjustStock($"count/{n}", n % 2 == 0 ? 1 : -1, "counted"), DateTimeOffset.UtcNow);
            await feed.Room();
        }
        await feed.End();
        await HistoryLoader.Skip(source, log, HistoryLoader.Effects);
    }

    Task Note(string state) => _session.Postgres.RunScript(Name, $"comment on database \"{Name}\" is '{state} {Fingerprint()}'");

    /// <summary>How far the database is that is there; null if there is none of this size and loader.</summary>
    async Task<string?> State()
    {
        var noted = await _session.Postgres.Ask<string>("postgres",
            $"select coalesce((select shobj_description(oid, 'pg_database') from pg_database where datname = '{Name}'), '')");
        return new[] { Loaded, Ready }.FirstOrDefault(s => noted == $"{s} {Fingerprint()}");
    }

    string Fingerprint() => string.Create(CultureInfo.InvariantCulture, $"{Orders} orders, loader {HistoryLoader.Version}");

    /// <summary>A client of the API with the key that may do everything.</summary>
    public static HttpClient ApiOf(Uri server)
    {
        var http = new HttpClient { BaseAddress = new Uri(server, "/api/v1/") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", OmsProcess.ApiKey);
        return http;
    }
}
