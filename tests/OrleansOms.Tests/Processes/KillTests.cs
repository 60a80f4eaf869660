using System.Globalization;
using System.Text;
using OrleansOms.Host.Commands;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Processes;

/// <summary>The plug is pulled in the middle of work, and everything is still there.</summary>
[Collection(AloneCollection.Name)]
public sealed class KillTests
{
    const int Invoices = 1000;

    [Theory, InlineData(false), InlineData(true)]
    public async Task An_import_survives_the_program_being_killed_and_its_figures_stay_exact(bool hasTwoLogs)
    {
        await using var database = await TestDatabase.Create();
        await using var second = await TestDatabase.Create();
        TestDatabase[] logs = hasTwoLogs ? [database, second] : [database];
        await using var program = new OmsProcess(
            database.ConnectionString, ("Oms__Logs", string.Join('|', logs.Select(l => l.ConnectionString))));
        var file = Path.Combine(program.Data, "shop.csv");
        await File.WriteAllTextAsync(file, Shop(seed: 7));
        await program.Start();

        var output = new StringWriter(CultureInfo.InvariantCulture);
        var import = ImportCommand.Run(Options(file), output, CancellationToken.None);
        for (var kills = 1; kills <= 2; kills++)
        {
            var enough = Invoices * kills / 3;
            await Silos.Until(() => Orders(database), n => n >= enough || import.IsCompleted);
            Assert.False(import.IsCompleted, $"It was over before it could be killed.\n{output}");
            await program.Kill();
            await program.Start();
        }
        Assert.True(await import == 0, output.ToString());
        Assert.Equal(Invoices, await Orders(database));

        var again = new StringWriter(CultureInfo.InvariantCulture);
        Assert.True(await ImportCommand.Run(Options(file), again, CancellationToken.None) == 0, again.ToString());
        Assert.Equal(Invoices, await Orders(database));
        await NothingIsReservedTwice(database, program);
        var stocks = await logs[^1].Ask<long>("select count(*) from oms.event where stream like 'stk-%'");
        Assert.True(stocks > Invoices);
        if (hasTwoLogs)
        {
            Assert.Equal(stocks, await second.Ask<long>("select count(*) from oms.event"));
            Assert.Equal(0, await database.Ask<long>("select count(*) from oms.event where stream like 'stk-%'"));
        }
        var (code, report) = await program.Run("check");
        Assert.True(code == CheckCommand.Holds, report);

        ImportOptions Options(string path) => new()
        {
            File = path, Key = OmsProcess.Key, Url = program.Url, Report = program.Data,
            Database = database.ConnectionString,
        };
    }

    static Task<long> Orders(TestDatabase database) =>
        database.Ask<long>("select count(*) from oms.event where type = 'order.placed.v1'");

    /// <summary>
    /// Law L4, in SQL: what stocks have reserved is what orders have allocated, once orphans are settled. What they held is
    /// then given to orders that wait, so both sums move until all is done.
    /// </summary>
    static async Task NothingIsReservedTwice(TestDatabase database, OmsProcess program)
    {
        try
        {
            await Silos.Until(
                async () => (
                    Reserved: await database.Ask<long>("select sum(reserved)::bigint from oms.stock"),
                    Allocated: await database.Ask<long>("select sum(allocated)::bigint from oms.order_lines")),
                sums => sums.Reserved == sums.Allocated);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}\n{(await program.Run("check")).Output}\n{string.Join('\n', program.Said)}", late);
        }
    }

    static string Shop(int seed)
    {
        var random = new Random(seed);
        var text = new StringBuilder("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n");
        for (var invoice = 0; invoice < Invoices; invoice++)
            for (var line = random.Next(1, 12); line > 0; line--)
                text.Append(CultureInfo.InvariantCulture, $"{600000 + invoice},S{random.Next(60):D3},\"Thing, nice\",")
                    .Append(CultureInfo.InvariantCulture, $"{random.Next(1, 9)},2026-01-05 10:00:00,{random.Next(1, 900) / 100m},")
                    .Append(CultureInfo.InvariantCulture, $"{17000 + random.Next(40)}.0,{(random.Next(4) == 0 ? "France" : "United Kingdom")}\n");
        return text.ToString();
    }
}
