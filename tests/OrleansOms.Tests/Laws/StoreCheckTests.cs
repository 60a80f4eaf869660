using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Stock;
using OrleansOms.Host.Commands;
using OrleansOms.Postgres.Laws;
using OrleansOms.Tests.ReadModel;

namespace OrleansOms.Tests.Laws;

/// <summary>A good store keeps every law; whatever is corrupted in it is found and named.</summary>
public sealed class StoreCheckTests : ReadModelTest
{
    // The last one comes after all others by code point and not by UTF-16.
    static readonly string[] Skus = ["85123A", "a1", "A1", "x/y", "\uFF21", "\U0001F375"];

    protected override async Task Prepare()
    {
        await Company.Open(Skus);
        await Company.Play(60, 1, Skus);
        await CatchUp();
    }

    async Task<CheckReport> Check(DateTimeOffset? now = null) =>
        await new StoreCheck(Database.Source).Run(now ?? Company.Monday, _ => { }, CancellationToken.None);

    async Task<Breach> Only(Law law, DateTimeOffset? now = null)
    {
        var broken = Assert.Single((await Check(now)).Broken);
        Assert.Equal(law, broken.Key);
        return broken.Value.First;
    }

    [Fact]
    public async Task A_good_store_keeps_every_law_and_all_of_it_was_read()
    {
        // What came after the lists' position is not held against them.
        await Company.Play(5, 2, Skus, first: 100);
        var report = await Check();
        Assert.Empty(report.Broken);
        Assert.Equal(await Database.Ask<long>("select count(*) from oms.event"), report.Events);
        Assert.Equal(65, report.Orders);
        Assert.Equal(
            await Database.Ask<long>("""
                select (select count(*) from oms.orders) + (select count(*) from oms.shipments) + (select count(*) from oms.stock)
                  + (select count(*) from oms.products) + (select count(*) from oms.warehouses)
                """),
            report.Rows);
    }

    [Theory]
    [InlineData("update oms.orders set status = 'delivered' where id = (select max(id) from oms.orders where status <> 'delivered')")]
    [InlineData("update oms.orders set total = total + 0.01 where id = (select min(id) from oms.orders)")]
    [InlineData("update oms.order_lines set shipped = shipped + 1 where order_id = (select min(id) from oms.orders) and line_id = 1")]
    [InlineData("delete from oms.orders where id = (select min(id) from oms.orders)")]
    [InlineData("update oms.orders set id = 'ord-zzz' where id = (select max(id) from oms.orders)")]
    [InlineData("update oms.shipments set version = version - 1 where id = (select min(id) from oms.shipments)")]
    [InlineData("update oms.stock set reserved = reserved + 1 where sku = 'x/y'")]
    [InlineData("update oms.stock set on_hand = on_hand - 1 where sku = '\U0001F375'")]
    [InlineData("update oms.stock set damaged = damaged + 1 where sku = 'a1'")]
    [InlineData("delete from oms.stock where sku = 'a1'")]
    [InlineData("update oms.stock_days set quarantine = quarantine + 1 where sku = 'a1'")]
    [InlineData("update oms.stock_days set on_hand = on_hand + 1 where sku = 'a1'")]
    [InlineData("update oms.stock_days set reserved = reserved + 1, version = 1 where sku = 'a1'")]
    [InlineData("update oms.stock_days set day = day + 1 where sku = 'a1'")]
    [InlineData("insert into oms.stock_days values ('LON', 'nothing', '2026-01-01', 7, 1, 0, 0, 0)")]
    [InlineData("update oms.order_counts set orders = orders + 1 where warehouse = '' and status = 'delivered' and channel = 'web'")]
    [InlineData("update oms.order_counts set orders = orders - 1 where warehouse = 'LON' and status = 'delivered' and channel = 'web'")]
    [InlineData("update oms.orders set placed_at = placed_at - interval '1 day' where id = (select min(id) from oms.orders)")]
    [InlineData("update oms.orders set customer_name = 'John Doe' where id = (select min(id) from oms.orders)")]
    [InlineData("update oms.orders set number = '7' where id = (select min(id) from oms.orders)")]
    [InlineData("update oms.order_lines set unit_price = unit_price + 1 where order_id = (select min(id) from oms.orders) and line_id = 1")]
    [InlineData("update oms.order_search set person = 'john doe' where order_id = (select min(id) from oms.orders)")]
    [InlineData("delete from oms.order_search where order_id = (select min(id) from oms.orders)")]
    [InlineData("update oms.shipments set view = jsonb_set(view::jsonb, '{orderNumber}', '\"7\"') where id = (select min(id) from oms.shipments)")]
    [InlineData("update oms.products set name = 'Another' where sku = 'a1'")]
    [InlineData("delete from oms.products where sku = 'x/y'")]
    [InlineData("update oms.warehouses set details = jsonb_set(details::jsonb, '{isActive}', 'false') where code = 'MAN'")]
    [InlineData("insert into oms.waiting (key, kind, since) values ('ord-nobody', 1, now())")]
    public async Task A_list_that_says_something_else_is_found(string corruption)
    {
        await Database.Execute(corruption);
        await Only(Law.ListsAreTheLog);
    }

    [Theory]
    [InlineData(2, 1_000_000, "1000000 on hand and 7 reserved at version 2, by its ledger ")]
    [InlineData(9_999, 1_000_000, "1000000 on hand and 7 reserved at version 9999, by its ledger ")]
    public async Task A_snapshot_that_is_not_what_its_ledger_says_is_found(int version, int onHand, string found)
    {
        await Database.Execute($$$$"""
            insert into oms.orleans_storage (grain_id_hash, n0, n1, type_hash, type, extension, service, version, payload)
            values (1, 0, 0, 1, 'stock-snapshot', 'stk-LON/a1', 'oms', 1, convert_to(
              '{"$id":"1","Version":{{{{version}}}},"OnHand":{{{{onHand}}}},"Reservations":{"$id":"2","$type":"x","ord-1/1":{"$id":"3","Quantity":7}}}', 'UTF8'))
            """);
        Assert.StartsWith(found, (await Only(Law.CountsAreTheirLedger)).Numbers, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_order_that_exists_twice_is_found()
    {
        var twins = new[] { 901, 902 }.Select(n => Company.Request(n, externalId: "one", lines: [("a1", 1)])).ToList();
        foreach (var (twin, n) in twins.Select((t, n) => (t, n))) await Company.Place(twin, Company.OrderId(901 + n));
        await CatchUp();
        Assert.Contains("web one exists 2 times", (await Check()).Broken[Law.NothingLost].First.Numbers, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_that_is_gone_is_found()
    {
        var stream = await Database.Ask<string>("select min(stream) from oms.event where stream like 'shp-%'");
        await Database.Execute($"delete from oms.event where stream = '{stream}' and version = 2");
        var report = await Check();
        Assert.Equal((Law.NoGap, stream), (report.Broken[Law.NoGap].First.Law, report.Broken[Law.NoGap].First.Aggregate));
    }

    [Fact]
    public async Task A_command_that_was_carried_out_twice_is_found()
    {
        await Database.Execute("update oms.event set command = 'twice' where stream = 'stk-LON/a1' and version in (2, 4)");
        Assert.Equal("event 4 is a second effect of twice", (await Only(Law.OneEffect)).Numbers);
    }

    [Fact]
    public async Task Units_that_left_twice_are_found()
    {
        var order = Company.Orders.Values.First(o => o.DeriveStatus() == OrderStatus.Shipped);
        var line = order.Lines[0];
        await Company.Append(
            Domain.Shared.Keys.OfStock("LON", line.Placed.Sku),
            new StockShipped(order.Id, order.Shipments[0].Id, [new LineUnits(1, line.Shipped)]));
        await CatchUp();
        var report = await Check();
        Assert.Contains(Law.EndsOnce, report.Broken.Keys);
    }

    [Fact]
    public async Task A_reservation_that_no_order_has_is_found_when_it_is_old()
    {
        await Company.Append("stk-LON/a1", new StockReserved("ord-nobody", [new LineUnits(1, 2)]));
        await CatchUp();
        Assert.DoesNotContain(Law.ReservationsAreAllocations, (await Check(Company.Now.AddMinutes(4))).Broken.Keys);
        var broken = (await Check(Company.Now.AddMinutes(6))).Broken[Law.ReservationsAreAllocations];
        Assert.Equal((1, "2 reserved, 0 allocated for ord-nobody line 1 since 6 minutes"), ((int)broken.Count, broken.First.Numbers));
    }

    [Fact]
    public async Task An_order_that_nobody_moves_is_found_and_not_when_it_has_an_alarm()
    {
        var unpaid = await Company.Place(Company.Request(900, payment: PaymentReport.Pending, lines: [("a1", 1)]), Company.OrderId(900));
        await CatchUp();
        var late = Company.Now.AddMinutes(36);
        var quiet = (await Check(late)).Broken[Law.NothingLost].Count;
        await Company.Append(LawBroken.StreamOf(Law.NothingLost, unpaid), new LawBroken(Law.NothingLost, unpaid, "told"));
        Assert.Equal(quiet - 1, (await Check(late)).Broken.TryGetValue(Law.NothingLost, out var left) ? left.Count : 0);
    }

    [Fact]
    public async Task The_command_names_the_law_the_aggregate_and_the_numbers()
    {
        // Everything must have moved within its limit, as of today.
        await Database.Execute("truncate oms.event, oms.orders, oms.order_search, oms.order_lines, oms.order_counts, oms.shipments, oms.stock, oms.stock_days, oms.waiting, oms.products, oms.warehouses");
        var (good, bad) = (new StringWriter(), new StringWriter());
        Assert.Equal(CheckCommand.Holds, await CheckCommand.Run(Database.Source, TimeProvider.System, good, TextWriter.Null));
        Assert.Contains("L12 ListsAreTheLog: holds", good.ToString(), StringComparison.Ordinal);
        await Database.Execute("insert into oms.stock (warehouse, sku, on_hand, reserved, safety_stock, version) values ('LON', 'A', 1, 0, 0, 1)");
        Assert.Equal(CheckCommand.Broken, await CheckCommand.Run(Database.Source, TimeProvider.System, bad, TextWriter.Null));
        Assert.Contains(
            "L12 ListsAreTheLog: BROKEN 1 times, first stk-LON/A: its row is there, by the log missing", bad.ToString(),
            StringComparison.Ordinal);
    }
}
