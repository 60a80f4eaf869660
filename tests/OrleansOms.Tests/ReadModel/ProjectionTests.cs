using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Waiting;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using Npgsql;
using Model = OrleansOms.Postgres.ReadModel;

namespace OrleansOms.Tests.ReadModel;

public sealed class ProjectionTests : ReadModelTest
{
    static readonly string[] Skus = ["85123A", "a1", "A1", "x/y", "BANK CHARGES"];

    protected override Task Prepare() => Company.Open(Skus);

    [Theory, InlineData(1000, 1), InlineData(7, 2), InlineData(1, 3)]
    public async Task Every_row_is_the_fold_of_its_events(int batch, int seed)
    {
        await Company.Play(40, seed, Skus);
        await CatchUp(batch);
        await AssertTruth();
    }

    [Fact]
    public async Task Rows_follow_an_order_through_its_whole_life()
    {
        var id = await Company.Place(Company.Request(1, payment: PaymentReport.Pending, lines: [("a1", 3), ("A1", 2)]),
            Company.OrderId(1));
        await Expect(OrderStatus.AwaitingPayment);
        await Company.Do(id, new RecordPayment(PaymentReport.Paid, Company.Orders[id].Due(), "pi_1"));
        await Expect(OrderStatus.Allocated);
        await Company.Do(id, new ReleaseToWarehouses());
        await Expect(OrderStatus.InFulfilment);
        await Company.Ship(id);
        await Expect(OrderStatus.Shipped);

        async Task Expect(OrderStatus status)
        {
            await CatchUp();
            Assert.Equal(status, Assert.Single(await All(new OrderFilter())).Status);
            await AssertTruth();
        }
    }

    [Fact]
    public async Task A_batch_that_was_applied_before_changes_nothing()
    {
        await Company.Play(10, 4, Skus);
        var batch = await ReadEverything();
        Assert.True(await Rows.Apply(Checkpoint.Start, batch));
        var rows = await Everything();

        Assert.False(await Rows.Apply(Checkpoint.Start, batch));
        Assert.Equal(rows, await Everything());
        Assert.Equal(batch.Through, await Rows.Position());
    }

    [Fact]
    public async Task Followers_that_race_write_each_batch_once()
    {
        await Company.Play(60, 5, Skus);
        using var second = new Model(Database.Source, Log);
        using var third = new Model(Database.Source, Log);

        var folded = await Task.WhenAll(CatchUp(Rows, 20), CatchUp(second, 20), CatchUp(third, 20));

        Assert.Equal(await Database.Ask<long>("select count(*) from oms.event"), folded.Sum());
        await AssertTruth();
    }

    [Fact]
    public async Task A_follower_that_was_overtaken_goes_on_with_what_is_stored()
    {
        using var second = new Model(Database.Source, Log);
        var id = await Company.Place(Company.Request(1, lines: ("a1", 3)), Company.OrderId(1));
        await CatchUp(Rows);
        await Company.Do(id, new ReleaseToWarehouses());
        await CatchUp(second);
        await Company.Ship(id, deliver: true);
        await CatchUp(Rows); // remembers the order as it was before the second one's batch
        await AssertTruth();
    }

    [Fact]
    public async Task A_rebuild_gives_the_same_rows()
    {
        await Company.Play(60, 6, Skus);
        await CatchUp(50);
        var rows = await Everything();

        await Rows.Rebuild();
        Assert.Equal(Checkpoint.Start, await Rows.Position());
        Assert.Empty(await All(new OrderFilter()));

        await CatchUp(33);
        Assert.Equal(rows, await Everything());
        await AssertTruth();
    }

    [Fact]
    public async Task A_follower_that_is_overtaken_by_a_rebuild_is_told_so()
    {
        await Company.Play(5, 7, Skus);
        await CatchUp();
        var at = await Rows.Position();
        using var other = new Model(Database.Source, Log);
        await other.Rebuild();

        await Company.Play(1, 8, Skus[..1]);
        Assert.False(await Rows.Apply(at, await Log.ReadAll(at, 1000)));
        Assert.Equal("", (await Everything()).Trim());
    }

    [Fact]
    public async Task After_a_fault_nothing_is_written_and_nothing_is_remembered()
    {
        var log = new CountingLog(Log);
        using var rows = new Model(Database.Source, log);
        var id = await Company.Place(Company.Request(1, lines: ("a1", 3)), Company.OrderId(1));
        await CatchUp(rows);
        await Company.Do(id, new PlaceHold("address", "to be checked", HoldStops.Release));
        await CatchUp(rows);
        Assert.Equal(1, log.StreamReads); // what has only begun is not kept
        await Company.Do(id, new LiftHold("address"));
        await Company.Do(id, new ReleaseToWarehouses());
        await CatchUp(rows);
        Assert.Equal(1, log.StreamReads); // what goes on is in memory

        await Company.Ship(id);
        var (before, at) = (await Everything(), await rows.Position());
        await Database.Execute("alter table oms.shipments rename to elsewhere");
        await Assert.ThrowsAsync<PostgresException>(() => CatchUp(rows));
        await Database.Execute("alter table oms.elsewhere rename to shipments");
        Assert.Equal(before, await Everything());
        Assert.Equal(at, await rows.Position());

        await CatchUp(rows);
        Assert.True(log.StreamReads > 0);
        await AssertTruth();
    }

    [Fact]
    public async Task On_a_long_way_what_has_begun_is_remembered_until_it_is_over()
    {
        var log = new CountingLog(Log);
        using var rows = new Model(Database.Source, log);
        var id = await Company.Place(Company.Request(1, lines: ("a1", 3)), Company.OrderId(1));
        var begun = await ReadEverything();
        var other = begun.Events[0] with { Stream = $"{Keys.Movement}1", Data = null };
        Assert.True(await rows.Apply(
            Checkpoint.Start, begun with { Events = [.. begun.Events, .. Enumerable.Repeat(other, 5_000)] }));

        await Company.Do(id, new ReleaseToWarehouses());
        await CatchUp(rows);
        await Company.Ship(id, deliver: true);
        await CatchUp(rows);
        await Company.Do(id, new CloseOrder());
        await CatchUp(rows);
        Assert.Equal(1, log.StreamReads); // the shipment, which has begun in a short batch
        await AssertTruth();

        await Append(id, Company.Orders[id].Version + 1, "order.closed.v1", "{}");
        await CatchUp(rows);
        Assert.Equal(2, log.StreamReads);
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_a_fault_and_no_bug()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Database=x;Username=x");
        using var rows = new Model(nowhere, Log);
        await Assert.ThrowsAsync<LogUnavailableException>(() => rows.Position());
        await Assert.ThrowsAsync<LogUnavailableException>(() =>
            rows.Apply(Checkpoint.Start, new LogBatch([], Checkpoint.At(new LogPosition(1, 1)))));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_newer_program_has_written_is_not_passed_over(bool isOfOrder)
    {
        var id = await Company.Place(Company.Request(1, lines: ("a1", 3)), Company.OrderId(1));
        var stock = Keys.OfStock("LON", "a1");
        await CatchUp();
        var stream = isOfOrder ? (Id: id, Version: 4) : (Id: stock, Version: 3);
        await Append(stream.Id, stream.Version, "from.the-future.v9", """{"x":1}""");
        await Append(id, isOfOrder ? 5 : 4, "order.closed.v1", "{}");
        var thrown = await Assert.ThrowsAsync<NewerEventException>(() => CatchUp());
        Assert.Contains("from.the-future.v9", thrown.Message);

        // Transactions of others without any event may have been passed meanwhile.
        var newer = (await Log.ReadStream(stream.Id)).Single(e => e.Data is null);
        Assert.False((await Rows.Position()).Covers(newer));
        AssertSame([OrderSummary.Of(Company.Orders[id])], await All(new OrderFilter()));
        var snapshot = await Rows.LoadIndexes();
        AssertSame([StockView.Of(Company.Stocks[stock])], snapshot.Stocks.Where(s => s.Sku == "a1"));
    }

    [Fact]
    public async Task A_refused_order_has_no_row()
    {
        await Company.Place(
            Company.Request(1, policy: StockPolicy.Reject, lines: ("a1", 3)), Company.OrderId(1), reserve: 0);
        await CatchUp();
        Assert.Empty(await All(new OrderFilter()));
        Assert.All(await Orders.CountByStatus(), c => Assert.Equal(0, c.Value));
    }

    [Fact]
    public async Task An_order_whose_personal_data_is_gone_has_a_row_without_it()
    {
        await Company.Place(Company.Request(1, lines: ("a1", 3)), Company.OrderId(1));
        var placed = Company.Orders[Company.OrderId(1)].Placed!;
        await Company.Append(Company.OrderId(2), placed with { Number = "100002", Personal = null });
        await CatchUp();
        var row = Assert.Single(await All(new OrderFilter { Q = "100002" }));
        Assert.Equal((null, null), (row.CustomerName, row.CustomerEmail));
        await AssertTruth();
    }

    [Fact]
    public async Task Hostile_text_in_an_event_does_not_stop_the_follower()
    {
        await Company.Place(Company.Request(1, externalId: "x\0y", name: "Nu\0l \\ ' \" % _", lines: ("a1", 3)),
            Company.OrderId(1));
        await CatchUp();
        Assert.Equal("Nu\uFFFDl \\ ' \" % _", Assert.Single(await All(new OrderFilter())).CustomerName);
    }

    [Fact]
    public async Task A_batch_that_does_not_follow_the_stocks_is_refused_as_a_whole()
    {
        await CatchUp();
        var (at, rows) = (await Rows.Position(), await Everything());
        var late = new LogEvent(new(at[0].Transaction + 1, 1), Keys.OfStock("LON", "a1"), 3, "stock.received.v1",
            new StockReceived(5, "x"), "c", "system", Company.Now);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Rows.Apply(at, new LogBatch([late], Checkpoint.At(late.Position))));
        Assert.Equal(rows, await Everything());
        Assert.Equal(at, await Rows.Position());
    }

    [Fact]
    public async Task Indexes_tell_what_waits_and_where_they_stand()
    {
        await Company.Place(Company.Request(1, lines: [("a1", 5), ("A1", 2)]), Company.OrderId(1), reserve: 2);
        await Company.Place(Company.Request(2, lines: ("a1", 4)), Company.OrderId(2), reserve: 0);
        await CatchUp();
        var snapshot = await Rows.LoadIndexes();
        Assert.Equal(await Rows.Position(), snapshot.Position);
        Assert.Equal(
            [(Company.OrderId(1), 1, "a1", 3), (Company.OrderId(2), 1, "a1", 4)],
            snapshot.Waiting.OrderBy(w => w.Line.Units).Select(w => (w.Line.OrderId, w.Line.LineId, w.Line.Sku, w.Line.Units)));
        Assert.All(snapshot.Waiting, w => Assert.Equal(
            ("web", Company.Orders[w.Line.OrderId].Version, false), (w.Line.Channel, w.OrderVersion, w.IsHeld)));
        await Company.Do(Company.OrderId(1), new PlaceHold("fraud", "look", HoldStops.Allocate));
        await CatchUp();
        Assert.Equal([Company.OrderId(1)], (await Rows.LoadIndexes()).Waiting.Where(w => w.IsHeld).Select(w => w.Line.OrderId));
        Assert.Equal(["a1"], await Rows.FindWaitingSkus());
        Assert.Empty(await Rows.FindWaitingSkus(["ord-other"]));
        Assert.Equal(Skus.ToHashSet(), snapshot.Products.Select(p => p.Sku).ToHashSet());
        Assert.Equal(Company.Warehouses.Order(), snapshot.Warehouses.Select(w => w.Code).Order());
        Assert.Equal("1 Quay", snapshot.Warehouses[0].Details.Address.Line1);
    }

    [Fact]
    public async Task More_units_may_wait_than_one_number_of_a_line_can_tell()
    {
        for (var n = 1; n <= 2; n++)
            await Company.Place(Company.Request(n, lines: ("a1", 2_000_000_000)), Company.OrderId(n), reserve: 0);
        await CatchUp();
        Assert.Equal(4_000_000_000, (await Rows.LoadIndexes()).Waiting.Sum(w => (long)w.Line.Units));
    }

    [Fact]
    public async Task Who_waits_is_found_by_time_and_what_an_older_version_has_left_out_is_mended()
    {
        await Company.Play(orders: 200, seed: 11, [.. Skus]);
        await CatchUp();
        var all = await Waits(Company.Monday.AddYears(1));
        Assert.Contains(all, w => w.Kind == WaitKind.Payment);
        Assert.Contains(all, w => w.Kind == WaitKind.Carrier);
        Assert.Equal(
            Company.Orders.Values.Where(o => o.WaitsForPaymentUntil is not null).Select(o => o.Id)
                .Concat(Company.Shipments.Values.Where(s => s.WaitsForCarrierSince is not null).Select(s => s.Id)).Order(StringComparer.Ordinal),
            all.Select(w => w.Key));
        var median = all.Select(w => w.Since).Order().ElementAt(all.Count / 2);
        Assert.Equal(all.Where(w => w.Since <= median), await Waits(median));
        Assert.Equal(all[1..], await Waits(Company.Monday.AddYears(1), all[0].Key));

        var before = await Everything();
        await Database.Execute("delete from oms.waiting where hashtext(key) % 2 = 0");
        Assert.NotEqual(before, await Everything());
        Assert.Equal(await Rows.Position(), await Rows.Begin());
        Assert.Equal(before, await Everything());

        async Task<List<Wait>> Waits(DateTimeOffset until, params string[] except)
        {
            var found = new List<Wait>();
            for (var shard = 0; shard < IReadModel.WaitShards; shard++)
                found.AddRange(await Rows.FindWaits(shard, new Dictionary<WaitKind, DateTimeOffset>
                {
                    [WaitKind.Payment] = until, [WaitKind.Carrier] = until,
                }, 1000, except));
            return [.. found.OrderBy(w => w.Key, StringComparer.Ordinal)];
        }
    }

    [Fact]
    public async Task An_order_whose_money_fails_waits_also_when_a_part_of_it_has_left()
    {
        var window = TimeSpan.FromMinutes(30);
        var (whole, part) = (Company.OrderId(1), Company.OrderId(2));
        foreach (var (id, n) in new[] { (whole, 1), (part, 2) })
            await Company.Place(Company.Request(n, payment: PaymentReport.Authorized, lines: ("a1", 3)), id, reserve: n == 2 ? 2 : null);
        await Company.Ship(part);
        await CatchUp();
        Assert.Equal(0, await Database.Ask<long>("select count(*) from oms.waiting where kind = 1"));
        Company.Now += TimeSpan.FromHours(1);
        foreach (var (id, n) in new[] { (whole, 1), (part, 2) })
            await Company.Do(id, new RecordPayment(PaymentReport.Failed, 0, $"pi_{n}", window));
        Assert.Equal(
            [OrderStatus.AwaitingPayment, OrderStatus.PartiallyShipped], new[] { whole, part }.Select(o => Company.Orders[o].DeriveStatus()));
        await CatchUp();
        var before = await Everything();
        Assert.Equal(2, await Database.Ask<long>($"""
            select count(*) from oms.waiting where key in ('{whole}', '{part}') and since = timestamptz '{Company.Now + window:O}'
            """));
        Assert.Equal(new[] { whole, part }.Order(StringComparer.Ordinal), (await Rows.FindQuiet(
            Company.Now + window + TimeSpan.FromMinutes(1), Company.Monday, 10, [])).Order(StringComparer.Ordinal));
        // As an older version has left them.
        await Database.Execute($"delete from oms.waiting where key in ('{whole}', '{part}')");
        await Rows.Begin();
        Assert.Equal(before, await Everything());
    }

    [Fact]
    public async Task Orders_that_wait_come_by_promise_and_then_by_age()
    {
        for (var n = 1; n <= 4; n++)
        {
            Company.Now = Company.Monday.AddHours(-n);
            await Company.Place(
                Company.Request(n, lines: [("a1", 2), (n == 4 ? "A1" : "x/y", 1)]), Company.OrderId(n), reserve: 0);
        }
        await Company.Cancel(Company.OrderId(3));
        await CatchUp();
        string[] expected = [Company.OrderId(4), Company.OrderId(2), Company.OrderId(1)];
        Assert.Equal(expected, await Rows.FindWaitingOrders(["a1"], 10));
        Assert.Equal(expected[..2], await Rows.FindWaitingOrders(["a1", "A1"], 2));
        Assert.Equal(expected[2..], await Rows.FindWaitingOrders(["a1", "A1"], 2, after: expected[1]));
        Assert.Empty(await Rows.FindWaitingOrders(["a1"], 10, after: expected[2]));
        Assert.Equal(expected[1..], await Rows.FindWaitingOrders(["a1"], 10, after: Company.OrderId(4)));
        Assert.Equal(expected[..1], await Rows.FindWaitingOrders(["A1"], 10));
        Assert.Empty(await Rows.FindWaitingOrders(["85123A"], 10));
        Assert.Empty(await Rows.FindWaitingOrders([], 10));
    }

    [Fact]
    public async Task A_product_shows_its_last_details()
    {
        await Company.Append(Keys.Product + "a1", new Domain.Catalogue.ProductPut("a1", new("First", null, null)));
        await Company.Append(Keys.Product + "a1", new Domain.Catalogue.ProductPut("a1", new("Second", 7, "501")));
        await CatchUp();
        var product = (await Rows.LoadIndexes()).Products.Single(p => p.Sku == "a1");
        Assert.Equal((3, new Domain.Catalogue.ProductDetails("Second", 7, "501")), (product.Version, product.Details));
    }

    async Task AssertTruth()
    {
        List<Order> orders = [.. Company.Orders.Values.Where(o => o.Exists)];
        AssertSame(
            orders.Select(OrderSummary.Of)
                .OrderByDescending(o => o.PlacedAt).ThenByDescending(o => o.Id, StringComparer.Ordinal),
            await All(new OrderFilter { Limit = 7 }));
        var counts = await Orders.CountByStatus();
        Assert.Equal(Enum.GetValues<OrderStatus>().Select(s => (s, orders.LongCount(o => o.DeriveStatus() == s))),
            counts.OrderBy(c => c.Key).Select(c => (c.Key, c.Value)));
        Assert.Equal(
            orders.SelectMany(o => o.Lines.Select(l =>
                $"{o.Id}/{l.Placed.LineId} {l.Placed.Sku} {l.Placed.Quantity} {l.Allocated} {l.Backordered} {l.Shipped} "
                + $"{l.Delivered} {l.Cancelled}")),
            await Lines());
        var shipments = (await Shipments.List(new ShipmentFilter { Limit = 200 })).Items;
        AssertSame(
            Company.Shipments.Values.Select(ShipmentView.Of)
                .OrderBy(s => s.CreatedAt).ThenBy(s => s.Id, StringComparer.Ordinal),
            shipments);
        AssertSame(
            Company.Stocks.Values.Select(StockView.Of), (await Stocks.List(new(), 200, null)).Items);
    }

    async Task<string[]> Lines() => await Database.Ask<string[]>("""
        select coalesce(array_agg(concat(order_id, '/', line_id, ' ', sku, ' ', quantity, ' ', allocated, ' ',
          backordered, ' ', shipped, ' ', delivered, ' ', cancelled) order by order_id, line_id), '{}')
        from oms.order_lines
        """);

    async Task<LogBatch> ReadEverything()
    {
        var (end, events, at) = (await Log.Now(), new List<LogEvent>(), Checkpoint.Start);
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var read = await Log.ReadAll(at, 1000);
            events.AddRange(read.Events);
            at = read.Through;
            if (read.Complete.Covers(end)) return new LogBatch(events, at);
            if (read.Events.Count == 0) await Task.Delay(5, patience.Token);
        }
    }

    Task Append(string stream, int version, string type, string data) => Database.Execute($"""
        insert into oms.event (stream, version, type, data, command, actor, at)
        values ('{stream}', {version}, '{type}', '{data}', 'c', 'system', now())
        """);

    /// <summary>The real log; it counts how often streams are read.</summary>
    sealed class CountingLog(IEventLog log) : IEventLog
    {
        public int StreamReads { get; private set; }

        public Task<IReadOnlyList<LogEvent>> ReadStreams(IReadOnlyCollection<string> streams)
        {
            StreamReads += streams.Count;
            return log.ReadStreams(streams);
        }

        public ValueTask<AppendResult> Append(Append append) => log.Append(append);
        public Task<IReadOnlyList<LogEvent>> ReadStream(string stream, int afterVersion, int? max) =>
            log.ReadStream(stream, afterVersion, max);
        public Task<IReadOnlyList<LogEvent>> ReadStreamBackwards(string stream, int beforeVersion, int max) =>
            log.ReadStreamBackwards(stream, beforeVersion, max);
        public Task<LogBatch> ReadAll(Checkpoint after, int max) => log.ReadAll(after, max);
        public Task<bool> IsStored(string stream, string commandId, DateTimeOffset since) =>
            log.IsStored(stream, commandId, since);
        public Task WaitForMore(Checkpoint after, TimeSpan atMost, CancellationToken cancel) =>
            log.WaitForMore(after, atMost, cancel);
        public Task<Checkpoint> Now() => log.Now();
    }
}
