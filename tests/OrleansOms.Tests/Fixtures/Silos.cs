using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Storage;
using Orleans.TestingHost;
using OrleansOms.Connectors.Places;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains;
using OrleansOms.Grains.Orders;
using OrleansOms.Grains.Stock;
using OrleansOms.Postgres;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Tests.Fixtures;

/// <summary>A cluster of the real grains on a real database, with reminders and snapshots in AdoNet.</summary>
public sealed class Silos : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    int _orders;

    Silos(TestDatabase database, EventLog log, FaultyLog faults, InProcessTestCluster cluster) =>
        (Database, Log, Faults, Cluster) = (database, log, faults, cluster);

    public TestDatabase Database { get; }
    public EventLog Log { get; }
    public FaultyLog Faults { get; }
    public InProcessTestCluster Cluster { get; }
    public IGrainFactory Grains => Cluster.Client;

    /// <summary>Starts silos on a fresh database, with warehouses LON and MAN and products A, B and C.</summary>
    /// <param name="adjust">What a test adds to each silo.</param>
    /// <param name="adjustClient">What it adds to the client.</param>
    public static async Task<Silos> Start(
        OmsSettings? settings = null, short silos = 1, Action<IServiceCollection>? adjust = null,
        Action<IServiceCollection>? adjustClient = null)
    {
        var database = await TestDatabase.Create(maxPoolSize: 60);
        var log = new EventLog(database.Source, new EventLogOptions());
        var faults = new FaultyLog(log);
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((_, silo) =>
        {
            var connection = OrleansSchema.ConnectionString(database.ConnectionString);
            silo.Services.AddSingleton<IEventLog>(faults);
            silo.Services.AddSingleton<ICheckpoints>(new Checkpoints(database.Source));
            silo.Services.AddSingleton<IReadModel>(new OrleansOms.Postgres.ReadModel(database.Source, log));
            silo.Services.AddSingleton<IPlaces>(PostcodePlaces.CentresOnly);
            silo.Services.AddOmsDesk(settings ?? new OmsSettings()).AddOmsGrains();
            silo.AddAdoNetGrainStorage(SnapshotStore.Name, o =>
                (o.Invariant, o.ConnectionString) = (OrleansSchema.Invariant, connection));
            silo.UseAdoNetReminderService(o => (o.Invariant, o.ConnectionString) = (OrleansSchema.Invariant, connection));
            silo.Configure<ClusterOptions>(o => o.ServiceId = "oms");
            adjust?.Invoke(silo.Services);
        });
        if (adjustClient is not null) builder.ConfigureClient(client => adjustClient(client.Services));
        var cluster = builder.Build();
        await cluster.DeployAsync();
        var result = new Silos(database, log, faults, cluster);
        await result.Stage();
        return result;
    }

    /// <summary>The desk of the first silo that is up.</summary>
    public OrderDesk Desk => Cluster.Silos[0].ServiceProvider.GetRequiredService<OrderDesk>();

    public IOrderGrain Order(string id) => Grains.GetGrain<IOrderGrain>(id);
    public IShipmentGrain Shipment(string id) => Grains.GetGrain<IShipmentGrain>(id);
    public IStockGrain Stock(string warehouse, string sku) => Grains.GetGrain<IStockGrain>(Keys.OfStock(warehouse, sku));

    public Task Receive(string warehouse, string sku, int units) =>
        Stock(warehouse, sku).Execute(new ReceiveStock(Guid.NewGuid().ToString(), units, "test"), "test");

    /// <summary>An id and the order to place under it.</summary>
    public (string Id, PlaceOrder Command) NewOrder(
        PaymentReport payment = PaymentReport.Paid, StockPolicy policy = StockPolicy.Backorder,
        params (string Sku, int Quantity)[] lines)
    {
        var n = Interlocked.Increment(ref _orders);
        return (Keys.FromIdempotencyKey(Keys.Order, "test", $"{n}"), new PlaceOrder(
            $"{n}", "web", $"ext-{n}", new Customer("Jane Doe", "jane@example.com"),
            new Address("Jane Doe", "1 High Street", null, "Worthing", null, "BN9 1AA", "GB"), "GBP",
            [.. lines.Select((l, i) => new PlacedLine(i + 1, l.Sku, l.Quantity, 10m, 0.2m, 0))],
            new ShippingChoice("standard", 0), new PaymentTerms(PaymentMethod.Prepaid, payment, "pi", null), policy, "hash"));
    }

    public async Task<OrderView> Place(
        PaymentReport payment = PaymentReport.Paid, StockPolicy policy = StockPolicy.Backorder,
        params (string Sku, int Quantity)[] lines)
    {
        var (id, command) = NewOrder(payment, policy, lines);
        var reply = await Desk.Place(id, command, By(id));
        return reply.Value ?? throw new InvalidOperationException(reply.Rejection!.Detail);
    }

    public static Caller By(string what) => new($"{what}/test", "test");

    /// <summary>Asks again until the answer is what it must become.</summary>
    public static async Task<T> Until<T>(Func<Task<T>> ask, Func<T, bool> isSo, TimeSpan? patience = null)
    {
        using var limit = new CancellationTokenSource(patience ?? Patience);
        while (true)
        {
            var answer = await ask();
            if (isSo(answer)) return answer;
            if (limit.IsCancellationRequested) throw new TimeoutException($"It stayed at {answer}.");
            await Task.Yield();
            await Task.WhenAny(Task.Delay(20));
        }
    }

    public Task<OrderView> UntilOrder(string id, Func<OrderView, bool> isSo) =>
        Until(async () => (await Order(id).Get())!, isSo);

    public Task<StockView> UntilStock(string warehouse, string sku, Func<StockView, bool> isSo) =>
        Until(() => Stock(warehouse, sku).Get(), isSo);

    /// <summary>Waits until a follower has handled all that is stored by now.</summary>
    public async Task UntilHandled(string follower)
    {
        var last = await Database.Ask<string>("select xid::text || ',' || position from oms.event order by xid desc, position desc limit 1");
        await Until(() => Database.Ask<bool>(
            $"select exists (select from oms.checkpoint where follower = '{follower}' and (transaction, position) >= ({last}))"), isSo => isSo);
    }

    /// <summary>
    /// Reservations of a stock come and go behind its grain's back until it remembers nothing of before, and it is read again.
    /// </summary>
    public async Task Forget(string warehouse, string sku)
    {
        const int ends = IdMemory.Capacity / 2 + 1;
        LineUnits[] units = [new(1, 1)];
        var (stream, at) = (Keys.OfStock(warehouse, sku), DateTimeOffset.UtcNow);
        var version = (await Log.ReadStream(stream))[^1].Version;
        if (await Log.Append(new Append(new StreamEvents(stream, version,
            [.. Enumerable.Range(0, ends).SelectMany(n => (NewEvent[])
            [
                new(new StockReserved($"ord-{n}", units), $"r{n}", "test", at),
                new(new ReservationReleased($"ord-{n}", units, "test"), $"x{n}", "test", at),
            ])]))) is not AppendResult.Committed)
            throw new InvalidOperationException($"{stream} went on meanwhile.");
        // Nothing is held, and so nothing is decided before it was read again.
        await Stock(warehouse, sku).ReservedFor("ord-0", [1]);
    }

    async Task Stage()
    {
        var caller = new Caller("stage", "test");
        foreach (var (code, latitude) in new[] { ("LON", 51.5), ("MAN", 53.5) })
            await Grains.GetGrain<IWarehouseGrain>(Keys.Warehouse + code).Put(
                new WarehouseDetails(
                    code, new Address(code, "1 Dock Road", null, code, null, null, "GB"), new GeoPoint(latitude, -1), true),
                caller);
        foreach (var sku in new[] { "A", "B", "C" })
            await Grains.GetGrain<IProductGrain>(Keys.Product + sku).Put(new ProductDetails(sku, null, null), caller);
    }

    public async ValueTask DisposeAsync()
    {
        await Cluster.DisposeAsync();
        await Log.DisposeAsync();
        await Database.DisposeAsync();
    }
}

/// <summary>The real log behind faults: an append that is never stored, or stored while its answer is lost.</summary>
public sealed class FaultyLog(IEventLog log) : LogAround(log)
{
    /// <summary>What happens to an append of a stream; null lets it pass.</summary>
    public Func<Append, Fault?>? OnAppend { set => OnAppendAsync = value is null ? null : a => Task.FromResult(value(a)); }

    /// <summary>The same, with time to do something before it passes.</summary>
    public Func<Append, Task<Fault?>>? OnAppendAsync { get; set; }

    /// <summary>What an append that is stored waits for before it says so.</summary>
    public Func<Append, Task>? OnStored { get; set; }

    /// <summary>What whoever follows the log waits for before each read.</summary>
    public Task Reads { get; set; } = Task.CompletedTask;

    public override async Task<LogBatch> ReadAll(Checkpoint after, int max)
    {
        await Reads;
        return await base.ReadAll(after, max);
    }

    /// <summary>Told of each read of a stream: after which version, and how many events at most.</summary>
    public Action<string, int, int?>? OnReadStream { get; set; }

    public enum Fault { BeforeCommit, AfterCommit }

    /// <summary>What each read of a stream waits for before it reads.</summary>
    public Task StreamReads { get; set; } = Task.CompletedTask;

    public override async Task<IReadOnlyList<LogEvent>> ReadStream(string stream, int afterVersion = 0, int? max = null)
    {
        OnReadStream?.Invoke(stream, afterVersion, max);
        await StreamReads;
        return await base.ReadStream(stream, afterVersion, max);
    }

    public override async ValueTask<AppendResult> Append(Append append)
    {
        var fault = OnAppendAsync is { } ask ? await ask(append) : null;
        if (fault == Fault.BeforeCommit) throw new LogUnavailableException("lost before the commit");
        var result = await base.Append(append);
        if (OnStored is { } wait) await wait(append);
        return fault == Fault.AfterCommit ? throw new LogUnavailableException("lost after the commit") : result;
    }
}
