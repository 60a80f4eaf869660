using System.Text.Json;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Orders;
using OrleansOms.Postgres.Log;
using OrleansOms.Postgres.Orders;
using OrleansOms.Postgres.Shipments;
using OrleansOms.Postgres.Stock;
using OrleansOms.Tests.Fixtures;
using Model = OrleansOms.Postgres.ReadModel;

namespace OrleansOms.Tests.ReadModel;

/// <summary>A database, a log, a company in it and a read model for each test.</summary>
public abstract class ReadModelTest : IAsyncLifetime
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Every table of the read model with its rows' order.</summary>
    protected static readonly (string Table, string Key)[] Tables =
    [
        ("orders", "id"), ("order_search", "order_id"), ("order_lines", "order_id, line_id"), ("shipments", "id"),
        ("stock", "warehouse, sku"), ("products", "sku"), ("warehouses", "code"),
        ("waiting", "key, kind"),
    ];

    protected TestDatabase Database { get; private set; } = null!;
    protected EventLog Log { get; private set; } = null!;
    protected Company Company { get; private set; } = null!;
    protected Model Rows { get; private set; } = null!;
    protected OrderQueries Orders { get; private set; } = null!;
    protected ShipmentQueries Shipments { get; private set; } = null!;
    protected StockQueries Stocks { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.Create();
        Log = new EventLog(Database.Source);
        Company = new Company(Log);
        Rows = new Model(Database.Source, Log);
        Orders = new OrderQueries(Database.Source);
        Shipments = new ShipmentQueries(Database.Source);
        Stocks = new StockQueries(Database.Source);
        await Prepare();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Rows.Dispose();
        await Log.DisposeAsync();
        await Database.DisposeAsync();
    }

    protected virtual Task Prepare() => Task.CompletedTask;

    /// <summary>Folds everything that is committed by now.</summary>
    /// <returns>How many events were folded.</returns>
    protected Task<int> CatchUp(int batch = 1000) => CatchUp(Rows, batch);

    protected async Task<int> CatchUp(IReadModel model, int batch = 1000)
    {
        var (end, at, folded) = (await Log.Now(), await model.Position(), 0);
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var read = await Log.ReadAll(at, batch);
            var isMine = await model.Apply(at, read);
            if (isMine) (at, folded) = (read.Through, folded + read.Events.Count);
            else at = await model.Position();
            if (isMine && read.Complete.Covers(end)) return folded;
            if (read.Events.Count == 0) await Task.Delay(5, patience.Token);
        }
    }

    /// <summary>All pages of a list.</summary>
    protected async Task<List<OrderSummary>> All(OrderFilter filter)
    {
        var all = new List<OrderSummary>();
        for (var cursor = filter.Cursor; ;)
        {
            var page = await Orders.List(filter with { Cursor = cursor });
            Assert.True(page.Items.Count <= filter.Limit);
            all.AddRange(page.Items);
            if ((cursor = page.NextCursor) is null) return all;
            Assert.Equal(filter.Limit, page.Items.Count);
        }
    }

    /// <summary>Numbers of the listed orders, without the 100000 that they begin at, as the list has them.</summary>
    protected async Task<int[]> Numbers(OrderFilter filter) =>
        [.. (await All(filter)).Select(o => int.Parse(o.Number) - 100000)];

    /// <summary>The rows of all tables as text; counts that are zero are as good as none.</summary>
    protected async Task<string> Everything()
    {
        var tables = Tables.Select(t => Database.Ask<string>(
            $"select coalesce(json_agg(r)::text, '') from (select * from oms.{t.Table} order by {t.Key}) r"));
        var counts = Database.Ask<string>("""
            select coalesce(json_agg(r)::text, '')
            from (select * from oms.order_counts where orders <> 0 order by channel, warehouse, status) r
            """);
        return string.Join('\n', await Task.WhenAll([.. tables, counts]));
    }

    /// <summary>Compares by what is in them: lists inside of records are compared by reference otherwise.</summary>
    protected static void AssertSame<T>(IEnumerable<T> expected, IEnumerable<T> actual) => Assert.Equal(
        expected.Select(e => JsonSerializer.Serialize(e)), actual.Select(a => JsonSerializer.Serialize(a)));
}
