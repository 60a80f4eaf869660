using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Npgsql;
using OrleansOms.Connectors.Channels.OnlineRetail;
using OrleansOms.Connectors.Csv;
using OrleansOms.Domain.Shared;
using OrleansOms.Host.Commands;
using OrleansOms.Postgres.Orders;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Import;

/// <summary>The whole import against a server that fails as the real one may, and a real database.</summary>
public sealed class ImportCommandTests : IAsyncLifetime
{
    static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(300);

    readonly string _report = Directory.CreateTempSubdirectory("oms-report-").FullName;
    readonly StringWriter _output = new(CultureInfo.InvariantCulture);
    MisbehavingServer _server = null!;
    TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await MisbehavingServer.Start();
        _database = await TestDatabase.Create();
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        await _server.DisposeAsync();
        Directory.Delete(_report, recursive: true);
    }

    ImportOptions Options => new()
    {
        File = TestData.Sample, Key = MisbehavingServer.Key, Url = _server.Url, Report = _report, Parallel = 8,
        Database = _database.ConnectionString, CatchUpWithin = Moment,
    };

    Task<int> Run(ImportOptions options, CancellationToken cancellation = default) =>
        ImportCommand.Run(options, _output, cancellation);

    /// <summary>Plays the read model's part: writes the server's orders into its tables.</summary>
    async Task Project()
    {
        await _database.Execute("TRUNCATE oms.orders, oms.order_lines");
        foreach (var (invoice, order) in _server.Orders) await Insert(invoice, order);
    }

    async Task Insert(string invoice, JsonElement order, string? id = null, string channel = "web")
    {
        id ??= $"ord-{invoice}";
        await using var batch = _database.Source.CreateBatch();
        void Add(string sql, params object[] values)
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
            batch.BatchCommands.Add(command);
        }
        Add("""
            INSERT INTO oms.orders (id, number, external_id, channel, country, currency, status, payment_status,
                                    placed_at, promised_by, total, lines, units, warehouses, version)
            VALUES ($1, $2, $2, $3, $4, $5, 'allocated', 'paid', now(), now(), 0, 0, 0, '{}', 1)
            """,
            id, invoice, channel, order.GetProperty("shipTo").GetProperty("country").GetString()!,
            order.GetProperty("currency").GetString()!);
        var number = 0;
        foreach (var line in order.GetProperty("lines").EnumerateArray())
            Add("INSERT INTO oms.order_lines VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, 0, 0, 0)",
                id, ++number, line.GetProperty("sku").GetString()!, line.GetProperty("quantity").GetInt32(),
                line.GetProperty("unitPrice").GetDecimal(), line.GetProperty("discount").GetDecimal(),
                line.GetProperty("taxRate").GetDecimal());
        await batch.ExecuteNonQueryAsync();
    }

    void AssertEverythingIsThereOnce()
    {
        var file = TestData.ReadSample();
        Assert.Equal(file.Orders.Select(o => o.Invoice).Order(), _server.Orders.Keys.Order());
        foreach (var order in file.Orders)
            Assert.Equal(
                order.Lines.Select(l => (l.Sku, l.Quantity, l.UnitPrice)),
                _server.Orders[order.Invoice].GetProperty("lines").EnumerateArray().Select(l => (
                    l.GetProperty("sku").GetString()!, l.GetProperty("quantity").GetInt32(),
                    l.GetProperty("unitPrice").GetDecimal())));
        Assert.Equal(file.Products.ToDictionary(p => p.Sku, p => p.Name), _server.Products.ToDictionary());
        Assert.Equal(
            OpeningStock.Warehouses.SelectMany(w => OpeningStock.For(w.Code, file.Products), (w, l) => (w.Code, l.Sku, l.Quantity))
                .Order(),
            _server.Stock.Select(s => (s.Key.Warehouse, s.Key.Sku, s.Value)).Order());
    }

    [Fact]
    public async Task Nothing_doubles_and_nothing_is_lost_while_the_server_fails_in_every_way()
    {
        _server.Misbehaves = true;
        Assert.Equal(ImportCommand.NotEqual, await Run(Options with { Database = null }));
        AssertEverythingIsThereOnce();
        Assert.Equal(["busy", "lostAfter", "lostBefore", "running", "tooMany"], _server.Faults.Keys.Order());

        await Project();
        var requests = _server.Requests;
        Assert.Equal(ImportCommand.Equal, await Run(Options));
        AssertEverythingIsThereOnce();
        Assert.True(_server.Requests > requests);
        Assert.Contains("File and stored orders are equal.", _output.ToString());
    }

    [Fact]
    public async Task An_interrupted_import_goes_on_when_it_is_run_again()
    {
        _server.Misbehaves = true;
        using var stop = new CancellationTokenSource();
        var placed = 0;
        _server.OnOrder = _ => { if (Interlocked.Increment(ref placed) == 5) stop.Cancel(); };
        Assert.Equal(ImportCommand.Interrupted, await Run(Options with { Parallel = 2 }, stop.Token));
        Assert.InRange(_server.Orders.Count, 5, 10);
        Assert.Contains("run it again and it goes on", _output.ToString());

        await Run(Options with { Database = null });
        AssertEverythingIsThereOnce();
        await Project();
        Assert.Equal(ImportCommand.Equal, await Run(Options));
    }

    [Fact]
    public async Task The_reconciliation_waits_for_the_read_model()
    {
        await Run(Options with { Database = null });
        var import = Run(Options with { CatchUpWithin = TimeSpan.FromMinutes(1) });
        await Project();
        Assert.Equal(ImportCommand.Equal, await import);
    }

    [Fact]
    public async Task A_difference_of_a_penny_an_order_or_a_line_is_seen()
    {
        await Run(Options with { Database = null });
        string[] damages =
        [
            "UPDATE oms.order_lines SET unit_price = unit_price + 0.01 WHERE order_id = 'ord-700038'",
            "UPDATE oms.order_lines SET discount = 0.0001 WHERE order_id = 'ord-700038'",
            "DELETE FROM oms.order_lines WHERE order_id = 'ord-700001' AND line_id = 3",
            "DELETE FROM oms.orders WHERE id = 'ord-700006'",
            "UPDATE oms.orders SET country = 'IE' WHERE id = 'ord-700006'",
            """
            INSERT INTO oms.orders
            SELECT (jsonb_populate_record(o, '{"id": "ord-twice"}')).* FROM oms.orders AS o WHERE id = 'ord-700006'
            """,
        ];
        foreach (var damage in damages)
        {
            await Project();
            await _database.Execute(damage);
            Assert.Equal(ImportCommand.NotEqual, await Run(Options));
        }
        Assert.Equal(damages.Length, _output.ToString().Split("FILE AND STORED ORDERS DIFFER.").Length - 1);
    }

    [Fact]
    public async Task Only_the_orders_of_this_file_are_compared()
    {
        await Run(Options with { Database = null });
        await Project();
        var order = _server.Orders["700001"];
        await Insert("999999", order);
        await Insert("700001", order, id: "ord-store", channel: "store");
        Assert.Equal(ImportCommand.Equal, await Run(Options));
    }

    [Fact]
    public async Task A_refused_order_is_told_with_its_code_and_the_others_go_on()
    {
        _server.Refused.Add("700006");
        await Run(Options with { Database = null });
        await Project();
        Assert.Equal(ImportCommand.NotEqual, await Run(Options));
        Assert.Equal(16, _server.Orders.Count);
        Assert.Contains("order 700006: 422 unknown_sku A sentence about unknown_sku.", _output.ToString());
        Assert.Equal(
            ["Kind,Name,Status,Code,Detail", "order,700006,422,unknown_sku,A sentence about unknown_sku."],
            await File.ReadAllLinesAsync(Path.Combine(_report, ImportReport.RefusedFile)));
    }

    [Fact]
    public async Task A_refused_product_spoils_only_the_orders_that_need_it()
    {
        _server.Refused.Add("x/y");
        Assert.Equal(ImportCommand.NotEqual, await Run(Options with { Database = null }));
        Assert.Equal(TestData.ReadSample().Orders.Select(o => o.Invoice).Where(i => i != "700003").Order(),
            _server.Orders.Keys.Order());
        Assert.Contains("product x/y: 422 invalid_product", _output.ToString());
        Assert.Contains("order 700003: 422 unknown_sku", _output.ToString());
        Assert.NotEmpty(_server.Stock);
    }

    [Fact]
    public async Task An_order_that_another_caller_has_placed_is_no_refusal()
    {
        _server.TakenByOthers.Add("700006");
        await Run(Options with { Database = null });
        Assert.Equal(16, _server.Orders.Count);
        Assert.DoesNotContain("Refused", _output.ToString());
        Assert.Contains("Here already: 1 order with", _output.ToString());
    }

    [Fact]
    public async Task Orders_that_are_here_with_another_address_keep_it_and_are_no_refusals()
    {
        await Run(Options with { Database = null });
        Assert.DoesNotContain("Here already", _output.ToString());
        await Project();
        var postcodes = Directory.CreateDirectory(Path.Combine(_report, "postcodes")).FullName;
        await File.WriteAllTextAsync(Path.Combine(postcodes, "GB.csv"), """
            country_code,zipcode,place,latitude,longitude
            GB,M9,Manchester,53.5,-2.2
            """);
        Assert.Equal(ImportCommand.Equal, await Run(Options with { Postcodes = postcodes }));
        AssertEverythingIsThereOnce();
        Assert.DoesNotContain("Refused", _output.ToString());
        Assert.Contains(
            "Here already: 5 orders with another address or from another caller; "
            + "each is kept as it was first placed, its address too.",
            _output.ToString());
        Assert.DoesNotContain(
            _server.Orders.Values, o => o.GetProperty("shipTo").GetProperty("city").GetString() == "Manchester");
        Assert.Single(await File.ReadAllLinesAsync(Path.Combine(_report, ImportReport.RefusedFile)));
    }

    [Fact]
    public async Task Every_row_left_out_is_listed_with_its_line_and_reason()
    {
        await Run(Options with { Database = null });
        var file = TestData.ReadSample();
        using var text = new StreamReader(Path.Combine(_report, ImportReport.LeftOutFile));
        var csv = new CsvReader(text);
        var listed = new List<string[]>();
        while (csv.Read(out _)) listed.Add([.. csv.Fields]);
        Assert.Equal("Line,Reason,InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country",
            string.Join(',', listed[0]));
        Assert.Equal(
            file.LeftOut.Select(r => (string[])[$"{r.Line}", ImportReport.Words(r.Reason), .. r.Fields]), listed.Skip(1));
        Assert.Contains("34 + 25 = 59: every row is accounted for", _output.ToString());
    }

    [Fact]
    public async Task A_key_that_is_not_accepted_ends_the_import_at_once()
    {
        Assert.Equal(ImportCommand.NotEqual, await Run(Options with { Key = "oms_wrong" }));
        Assert.Contains("does not accept the API key (401 unauthorized)", _output.ToString());
        Assert.Empty(_server.Warehouses);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_told()
    {
        var url = new Uri($"http://127.0.0.1:{UnusedPort()}");
        Assert.Equal(ImportCommand.NotEqual, await Run(Options with { Url = url, GiveUpAfter = Moment }));
        Assert.Contains($"{url} does not answer", _output.ToString());
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_told_and_the_file_side_is_shown()
    {
        var nowhere = $"Host=127.0.0.1;Port={UnusedPort()};Username=oms;Timeout=2";
        Assert.Equal(ImportCommand.NotEqual, await Run(Options with { Database = nowhere }));
        Assert.Contains("the stored side is not shown", _output.ToString());
        Assert.Contains("863.26", _output.ToString());
    }

    [Fact]
    public async Task One_query_tells_orders_lines_units_and_value_by_country()
    {
        await Run(Options with { Database = null });
        await Project();
        var stored = await ImportReconciliation.Read(
            _database.Source, "web", "GBP", [.. _server.Orders.Keys], CancellationToken.None);
        Assert.Equal(12, stored.Count);
        Assert.Contains(new StoredCountry("GB", 5, 19, 66, 198.34m), stored);
        Assert.Equal(863.26m, stored.Sum(s => s.Value));
        Assert.Empty(await ImportReconciliation.Read(
            _database.Source, "web", "EUR", [.. _server.Orders.Keys], CancellationToken.None));
        Assert.Empty(await ImportReconciliation.Read(_database.Source, "web", "GBP", [], CancellationToken.None));
    }

    [Fact]
    public void Progress_tells_done_total_rate_and_time_left()
    {
        Assert.Equal("  orders     500 of 2,000, 25 %, 50/s, 0:00:30 left",
            ImportProgress.Describe("orders", 500, 2000, TimeSpan.FromSeconds(10), withBar: false));
        Assert.Equal($"  orders     [{new string('█', 15)}{new string('·', 15)}] 1 of 2, 50 %, 1/s, 0:00:01 left",
            ImportProgress.Describe("orders", 1, 2, TimeSpan.FromSeconds(1), withBar: true));
        Assert.Contains("? left", ImportProgress.Describe("orders", 0, 2, TimeSpan.Zero, withBar: true));
    }

    [Fact]
    public void The_customers_of_the_sample_get_addresses_that_the_API_takes()
    {
        var file = TestData.ReadSample();
        Assert.All(file.Orders, o =>
        {
            var address = RetailAddresses.CountriesOnly.Of(o);
            Assert.True(Countries.IsKnown(address.Country));
            Assert.True(Text.IsPrintable(address.City, 100) && Text.IsPrintable(address.Line1, 100));
        });
    }

    static int UnusedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
