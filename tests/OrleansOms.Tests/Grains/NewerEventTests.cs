using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Runtime.Placement;
using Orleans.Storage;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains.Followers;
using OrleansOms.Grains.Orders;
using OrleansOms.Grains.Stock;
using OrleansOms.Grains.Upgrades;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>
/// Silos of two versions in one cluster: what only the newer one knows is never passed over by the older one. Both are this
/// program; the first silo is kept from knowing two events.
/// </summary>
public sealed class NewerEventTests : IAsyncLifetime
{
    const string Newer = "order.hold-placed.v1", NewerOfStock = "stock.adjusted.v1";

    static readonly Caller Test = new("newer/test", "test");
    static readonly HoldPlaced Hold = new("look", "why", HoldStops.Release);

    readonly ConcurrentQueue<string> _said = new();
    Silos _silos = null!;
    SiloAddress _older = null!;
    SiloAddress? _newer;

    public async ValueTask InitializeAsync()
    {
        var isFirst = true;
        _silos = await Silos.Start(adjust: silo =>
        {
            silo.AddLogging(l => l.AddProvider(new Listener(_said)));
            if (isFirst) OlderLog.Make(silo, Newer, NewerOfStock);
            isFirst = false;
        });
        _older = _silos.Cluster.Silos[0].SiloAddress;
        await _silos.Receive("LON", "A", 10);
    }

    public ValueTask DisposeAsync() => _silos.DisposeAsync();

    async Task Upgrade()
    {
        _newer = (await _silos.Cluster.StartAdditionalSiloAsync()).SiloAddress;
        // Nothing is placed there before the others know what it can.
        foreach (var silo in _silos.Cluster.Silos)
            await Silos.Until(
                () => Task.FromResult(silo.ServiceProvider.GetRequiredService<IClusterManifestProvider>().Current.Silos.Count), n => n == 2);
    }

    /// <summary>Wakes a grain in the older silo.</summary>
    Task<T> InOlder<T>(Func<Task<T>> call) => In(_older, call);

    static async Task<T> In<T>(SiloAddress silo, Func<Task<T>> call)
    {
        RequestContext.Set(IPlacementDirector.PlacementHintKey, silo);
        try { return await call(); }
        finally { RequestContext.Clear(); }
    }

    async Task<SiloAddress?> Place(IAddressable grain) =>
        await _silos.Grains.GetGrain<IManagementGrain>(0).GetActivationAddress(grain);

    /// <summary>Stores what a newer silo stores.</summary>
    async Task Store(string stream, DomainEvent e) => Assert.IsType<AppendResult.Committed>(await _silos.Log.Append(new Append(
        new StreamEvents(stream, (await _silos.Log.ReadStream(stream))[^1].Version,
            [new NewEvent(e, Guid.NewGuid().ToString("N"), "other", DateTimeOffset.UtcNow)]))));

    [Fact]
    public async Task No_cart_is_taken_and_none_is_ordered_while_a_silo_is_older()
    {
        await Upgrade();
        var (cart, (id, order)) = (Keys.FromIdempotencyKey(Keys.Order, "test", "cart"), _silos.NewOrder(lines: ("A", 1)));
        foreach (var silo in _silos.Cluster.Silos)
        {
            var (carts, orders) = (silo.ServiceProvider.GetRequiredService<CartDesk>(), silo.ServiceProvider.GetRequiredService<OrderDesk>());
            await Assert.ThrowsAsync<UpgradeUnderWayException>(() => carts.Reserve(
                cart, new WantedCart([new CartLine(1, "A", 1)], true, DateTimeOffset.UtcNow.AddHours(1), null, null, "hash"), Test));
            await Assert.ThrowsAsync<UpgradeUnderWayException>(() => carts.Find(cart));
            await Assert.ThrowsAsync<UpgradeUnderWayException>(() => orders.Place(id, order with { Reservation = cart }, Test));
        }
        Assert.Equal(0, (await _silos.Stock("LON", "A").Get()).Reserved);
    }

    [Fact]
    public async Task Nobody_is_served_in_the_turn_in_which_units_become_free_while_a_silo_is_older()
    {
        await Upgrade();
        var first = (await _silos.Place(lines: ("B", 2))).Id;
        await Receive("r1");
        await _silos.UntilOrder(first, o => o.Lines[0].Allocated == 2);
        Assert.DoesNotContain(await Entries(), e => e.Data is StockServed);

        await _silos.Cluster.StopSiloAsync(_silos.Cluster.Silos.Single(s => s.SiloAddress.Equals(_older)));
        var newer = Assert.Single(_silos.Cluster.Silos).ServiceProvider;
        await Silos.Until(() => Task.FromResult(newer.GetRequiredService<IClusterManifestProvider>().Current.Silos.Count), n => n == 1);
        var second = (await _silos.Place(lines: ("B", 2))).Id;
        await Receive("r2");
        await _silos.UntilOrder(second, o => o.Lines[0].Allocated == 2);
        Assert.Equal(second, Assert.Single((await Entries()).Select(e => e.Data).OfType<StockServed>()).OrderId);

        async Task Receive(string id)
        {
            foreach (var silo in _silos.Cluster.Silos) await silo.ServiceProvider.GetRequiredService<LogTail>().CaughtUp();
            await In(_newer!, () => _silos.Stock("LON", "B").Execute(new ReceiveStock(id, 2, "test"), "test"));
        }

        Task<IReadOnlyList<LogEvent>> Entries() => _silos.Log.ReadStream(Keys.OfStock("LON", "B"));
    }

    [Fact]
    public async Task An_activation_that_cannot_read_its_stream_leaves_with_the_calls_that_wait()
    {
        await Upgrade();
        var order = _silos.Order((await _silos.Place(lines: ("A", 1))).Id);
        await Store(order.GetPrimaryKeyString(), Hold);
        var answers = await InOlder(() => Task.WhenAll(Enumerable.Range(0, 20).Select(_ => order.Get())));
        Assert.All(answers, o => Assert.Equal("look", Assert.Single(o!.Holds).Name));
        Assert.Equal(_newer, await Place(order));
    }

    [Fact]
    public async Task What_was_active_in_the_older_silo_says_so_and_leaves()
    {
        await Upgrade();
        var order = _silos.Order((await _silos.Place(lines: ("A", 1))).Id);
        Assert.Empty((await InOlder(order.Get))!.Holds);
        Assert.Equal(_older, await Place(order));
        await Store(order.GetPrimaryKeyString(), Hold);
        await Assert.ThrowsAsync<NewerEventException>(() => order.Execute(new LiftHold("look"), Test));
        await Silos.Until(() => Place(order), place => place == _newer);
        Assert.Null((await order.Execute(new LiftHold("look"), Test)).Rejection);
    }

    [Fact]
    public async Task An_older_process_plans_with_what_stocks_have_by_events_that_it_does_not_know()
    {
        await Upgrade();
        var stock = _silos.Stock("LON", "B");
        await In(_newer!, () => stock.Execute(new ReceiveStock("r1", 10, "test"), "test"));
        var index = _silos.Cluster.Silos[0].ServiceProvider.GetRequiredService<AvailabilityIndex>();
        await Silos.Until(() => Task.FromResult(index.Find("LON", "B")?.Available), n => n == 10);
        await stock.Execute(new AdjustStock("a1", -3, "broken"), "test");
        await stock.Execute(new ReceiveStock("r2", 1, "test"), "test");
        await Silos.Until(() => Task.FromResult(index.Find("LON", "B")), s => s is { Available: 8, Version: 3 });
        Assert.Equal(_newer, await Place(stock));
    }

    [Fact]
    public async Task Units_change_their_condition_when_every_silo_knows_how()
    {
        await Upgrade();
        var client = _silos.Cluster.Client.ServiceProvider.GetRequiredService<IClusterManifestProvider>();
        var desk = new MovementDesk(_silos.Grains, new Upgrade(client));
        var damaged = MoveStock.Of(
            MovementKind.ConditionChange, "LON", "dropped", [new MovementLine("A", 3, StockCondition.Sellable, StockCondition.Damaged)], "hash");
        var (key, late) = (Keys.FromIdempotencyKey(Keys.Movement, "test", "1"), Keys.FromIdempotencyKey(Keys.Movement, "test", "2"));
        await Silos.Until(() => Task.FromResult(client.Current.Silos.Keys.Count(s => !s.IsClient)), n => n == 2);
        await Assert.ThrowsAsync<UpgradeUnderWayException>(() => desk.Run(key, damaged, Test));
        Assert.Empty(await _silos.Log.ReadStream(key));
        // What the older one knows too goes on meanwhile.
        Assert.Null((await desk.Run(late, MoveStock.Of(MovementKind.Receipt, "LON", "r", [new MovementLine("A", 1)], "hash"), Test)).Rejection);

        await _silos.Cluster.StopSiloAsync(_silos.Cluster.Silos.Single(s => s.SiloAddress.Equals(_older)));
        await Silos.Until(() => Task.FromResult(client.Current.Silos.Keys.Count(s => !s.IsClient)), n => n == 1);
        Assert.Null((await desk.Run(key, damaged, Test)).Rejection);
        var stock = await _silos.Stock("LON", "A").Get();
        Assert.Equal((8, 3), (stock.OnHand, stock.Damaged));
    }

    [Fact]
    public async Task A_snapshot_of_a_newer_program_is_not_half_understood()
    {
        const int Events = 520;
        var stream = Keys.OfStock("LON", "C");
        await _silos.Log.Append(new Append(new StreamEvents(stream, 0, [.. Enumerable.Range(1, Events).Select(n =>
            new NewEvent(new StockReceived(1, "test"), $"c{n}", "test", DateTimeOffset.UtcNow))])));
        var storage = _silos.Cluster.Silos[0].ServiceProvider.GetRequiredKeyedService<IGrainStorage>(SnapshotStore.Name);
        var state = new StockSnapshot { Version = Events, OnHand = 7, KnownEvents = EventTypes.Count };
        await Write();
        Assert.Equal(7, (await _silos.Stock("LON", "C").Get()).OnHand); // It was believed.
        await _silos.Grains.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);
        await Silos.Until(() => Place(_silos.Stock("LON", "C")), place => place is null);
        state.KnownEvents++;
        await Write();
        Assert.Equal(Events, (await _silos.Stock("LON", "C").Get()).OnHand);

        async Task Write()
        {
            var row = new GrainState<StockSnapshot>(new StockSnapshot());
            var id = GrainId.Create("oms-stock", stream);
            await storage.ReadStateAsync("stock-snapshot", id, row);
            row.State = state;
            await storage.WriteStateAsync("stock-snapshot", id, row);
        }
    }

    [Fact]
    public async Task Where_nobody_knows_it_callers_are_told_and_followers_wait_until_somebody_does()
    {
        var first = await _silos.Place(lines: ("A", 1));
        await Store(first.Id, Hold);
        var order = _silos.Order(first.Id);
        var fault = await Assert.ThrowsAsync<NewerEventException>(() => order.Execute(new LiftHold("look"), Test));
        Assert.Contains(Newer, fault.Message);
        string[] followers = ["read-model", "fulfilment", "backorders", "reservation-watch", "law-watch"];
        foreach (var follower in followers)
            await Silos.Until(() => Task.FromResult(_said.Any(s => s.Contains($"Follower {follower} waits for a silo of a newer version", StringComparison.Ordinal))),
                isSaid => isSaid);
        var second = await _silos.Place(lines: ("A", 1));
        Assert.Equal(0, await _silos.Database.Ask<long>($"select count(*) from oms.orders where id = '{second.Id}'"));

        await Upgrade();
        await Silos.Until(() => _silos.Database.Ask<long>($"select count(*) from oms.orders where id = '{second.Id}'"), n => n == 1);
        Assert.Equal("onHold", await _silos.Database.Ask<string>($"select status from oms.orders where id = '{first.Id}'"));
        Assert.Equal("look", Assert.Single((await order.Get())!.Holds).Name);
        foreach (var follower in followers) await Silos.Until(() => Reached(follower), isThere => isThere);
    }

    Task<bool> Reached(string follower) => _silos.Database.Ask<bool>($"""
        select (c.transaction, c.position) >= (e.xid::text::bigint, e.position) from oms.checkpoint c,
          (select xid, position from oms.event order by xid desc, position desc limit 1) e where follower = '{follower}'
        """);

    sealed class Listener(ConcurrentQueue<string> said) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;
        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            said.Enqueue(formatter(state, exception));
        public void Dispose() { }
    }
}
