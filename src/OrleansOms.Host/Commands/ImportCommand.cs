using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Npgsql;
using OrleansOms.Connectors.Channels.OnlineRetail;
using OrleansOms.Postgres.Orders;

namespace OrleansOms.Host.Commands;

/// <summary>
/// Brings a real shop's rows into a running system over its HTTP API, many requests at once, and proves with figures
/// that nothing was lost or doubled. It can be interrupted and run again: every request carries a key that is fixed by
/// the file.
/// </summary>
public static class ImportCommand
{
    /// <summary>Done, and file and stored orders are equal.</summary>
    public const int Equal = 0;
    /// <summary>Not done, not equal, or not proven.</summary>
    public const int NotEqual = 1;
    /// <summary>Called in a way that makes no sense.</summary>
    public const int Misused = 2;
    /// <summary>Stopped by the user.</summary>
    public const int Interrupted = 130;

    static readonly TimeSpan AskReadModelEvery = TimeSpan.FromMilliseconds(250);
    /// <summary>A read model that shows some of the orders and has not moved for so long has no more to show.</summary>
    static readonly TimeSpan StandsStillFor = TimeSpan.FromSeconds(10);

    /// <summary>The command line. Ctrl-C and SIGTERM stop it between requests.</summary>
    /// <param name="args">What follows the word <c>import</c>.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunFromCommandLine(IReadOnlyList<string> args)
    {
        var options = ImportOptions.Parse(args, Environment.GetEnvironmentVariable, out var fault);
        if (options is null)
        {
            await Console.Error.WriteLineAsync($"{fault}\n\n{ImportOptions.Usage}");
            return Misused;
        }
        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext context) { context.Cancel = true; stop.Cancel(); }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return await Run(options with { IsTerminal = !Console.IsOutputRedirected }, Console.Out, stop.Token);
    }

    /// <summary>Imports and reconciles. Never throws for what the file, the server or the database do.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> Run(ImportOptions options, TextWriter output, CancellationToken cancellation)
    {
        output = TextWriter.Synchronized(output);
        try
        {
            if (ReadFile(options, output) is not { } file) return NotEqual;
            var (refused, here) = await Send(options, file, output, cancellation);
            ImportReport.WriteLists(options.Report, file, refused);
            ImportReport.WriteRows(output, file, options.Report);
            ImportReport.WriteHere(output, here);
            ImportReport.WriteRefused(output, refused, options.Report);
            return await Reconcile(options, file, output, cancellation) ? Equal : NotEqual;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await output.WriteLineAsync("Stopped. What is placed stays placed; run it again and it goes on.");
            return Interrupted;
        }
        catch (ImportStoppedException e)
        {
            await output.WriteLineAsync($"{e.Message}\nThe import is not complete; run it again and it goes on.");
            return NotEqual;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await output.WriteLineAsync(e.Message);
            return NotEqual;
        }
    }

    static RetailFile? ReadFile(ImportOptions options, TextWriter output)
    {
        using var text = new StreamReader(options.File, Encoding.UTF8);
        var file = RetailFile.Read(text, out var fault);
        output.WriteLine(file is null
            ? $"{options.File}: {fault}"
            : string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(options.File)}: {file.Rows:N0} rows, "
                + $"{file.Orders.Count:N0} orders, {file.Products.Count:N0} products"));
        return file;
    }

    /// <summary>Sends everything; tells what was refused, and how many orders were here already.</summary>
    static async Task<(IReadOnlyList<Refused> Refused, int Here)> Send(
        ImportOptions options, RetailFile file, TextWriter output, CancellationToken cancellation)
    {
        var countries = file.Orders.Select(o => o.Country).ToHashSet(StringComparer.Ordinal);
        var addresses = RetailAddresses.Load(options.Postcodes, countries);
        using var client = new ImportClient(options);
        var here = 0;
        await Prepare("warehouses", HttpMethod.Put, OpeningStock.Warehouses.Select(RetailRequests.Warehouse));
        var refused = new ConcurrentBag<Refused>();
        await Each("products", HttpMethod.Put, file.Products.Select(RetailRequests.Product), file.Products.Count,
            (request, answer) => refused.Add(new Refused("product", request.Name, answer)));
        // A receipt is taken whole or not at all: what the catalogue has not taken must not spoil the rest.
        var unknown = refused.Select(r => r.Name).ToHashSet(StringComparer.Ordinal);
        await Prepare("receipts", HttpMethod.Post,
            RetailRequests.Receipts([.. file.Products.Where(p => !unknown.Contains(p.Sku))]));

        var orders = file.Orders.Select(o => RetailRequests.Order(o, addresses));
        await Each("orders", HttpMethod.Post, orders, file.Orders.Count,
            (request, answer) => refused.Add(new Refused("order", request.Name, answer)));
        if (client.Retries > 0) await output.WriteLineAsync($"  sent again {client.Retries:N0} times");
        return
        (
            [
                .. refused.OrderByDescending(r => r.Kind, StringComparer.Ordinal)
                    .ThenBy(r => r.Name, StringComparer.Ordinal),
            ],
            here
        );

        // Without warehouses and stock no order means anything: a refusal here ends the import.
        Task Prepare(string what, HttpMethod method, IEnumerable<RetailRequest> requests)
        {
            var all = requests.ToList();
            return Each(what, method, all, all.Count, (request, answer) => throw new ImportStoppedException(
                $"The server refused {what} {request.Name}: {answer.Status} {answer.Code} {answer.Detail}"));
        }

        async Task Each(string what, HttpMethod method, IEnumerable<RetailRequest> requests, int count,
            Action<RetailRequest, ImportAnswer> onRefusal)
        {
            await using var progress = new ImportProgress(output, what, count, options.IsTerminal);
            var together = new ParallelOptions
            {
                MaxDegreeOfParallelism = options.Parallel, CancellationToken = cancellation,
            };
            await Parallel.ForEachAsync(requests, together, async (request, token) =>
            {
                var answer = await client.Send(method, request, token);
                if (!answer.IsDone) onRefusal(request, answer);
                if (answer.IsDuplicate) Interlocked.Increment(ref here);
                progress.Step();
            });
        }
    }

    /// <summary>Asks the read model until it shows what the file says, or has had time enough; shows both.</summary>
    static async Task<bool> Reconcile(
        ImportOptions options, RetailFile file, TextWriter output, CancellationToken cancellation)
    {
        var totals = file.TotalsByCountry();
        if (options.Database is null)
        {
            ImportReport.WriteFileSide(output, totals);
            await output.WriteLineAsync(
                "\nNo database is known (ConnectionStrings__Oms): the stored side is not shown.");
            return false;
        }
        try
        {
            await using var database = NpgsqlDataSource.Create(options.Database);
            var stored = await Stored(database, options, file, totals, cancellation);
            return ImportReport.WriteSideBySide(output, totals, stored);
        }
        catch (Exception e) when (e is NpgsqlException or ArgumentException or TimeoutException)
        {
            ImportReport.WriteFileSide(output, totals);
            await output.WriteLineAsync($"\nThe database cannot be asked, the stored side is not shown: {e.Message}");
            return false;
        }
    }

    static async Task<IReadOnlyList<StoredCountry>> Stored(
        NpgsqlDataSource database, ImportOptions options, RetailFile file, IReadOnlyList<CountryTotal> totals,
        CancellationToken cancellation)
    {
        var invoices = file.Orders.Select(o => o.Invoice).ToArray();
        var (started, moved) = (TimeProvider.System.GetTimestamp(), TimeProvider.System.GetTimestamp());
        IReadOnlyList<StoredCountry> before = [];
        while (true)
        {
            var stored = await ImportReconciliation.Read(
                database, RetailRequests.Channel, RetailFile.Currency, invoices, cancellation);
            if (!stored.SequenceEqual(before)) (before, moved) = (stored, TimeProvider.System.GetTimestamp());
            if (ImportReport.AreEqual(totals, stored)
                || (stored.Count > 0 && TimeProvider.System.GetElapsedTime(moved) > StandsStillFor)
                || TimeProvider.System.GetElapsedTime(started) > options.CatchUpWithin) return stored;
            await Task.Delay(AskReadModelEvery, cancellation);
        }
    }
}
