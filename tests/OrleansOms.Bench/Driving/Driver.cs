using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace OrleansOms.Bench.Driving;

/// <summary>
/// The process that makes the load: reads jobs line by line, does each, answers with a line, and ends with its input.
/// One driver does all jobs of a round, so that it is warm when its time is taken.
/// </summary>
/// <param name="skus">SKUs that the company has.</param>
public sealed class Driver(IReadOnlyList<Uri> servers, int skus, string apiKey, string adminPassword)
{
    const int ReceiptLines = 200;

    readonly Requests _requests = new(servers[0], apiKey, skus);
    readonly string _run = Guid.NewGuid().ToString("N")[..12];
    readonly ConcurrentBag<WireClient> _idle = [];
    int _jobs;
    HubCrowd? _crowd;

    /// <summary>Runs as the program <c>drive SKUS URL …</c>; the secrets are in the environment.</summary>
    public static async Task<int> Run(IReadOnlyList<string> args)
    {
        var driver = new Driver(
            [.. args.Skip(1).Select(a => new Uri(a))], int.Parse(args[0], CultureInfo.InvariantCulture),
            Environment.GetEnvironmentVariable("OMS_BENCH_KEY")!,
            Environment.GetEnvironmentVariable("OMS_BENCH_PASSWORD")!);
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var job = JsonSerializer.Deserialize<DriveJob>(line, DriveResult.Json)!;
            Console.Out.WriteLine(JsonSerializer.Serialize(await driver.Do(job), DriveResult.Json));
        }
        return 0;
    }

    async Task<DriveResult> Do(DriveJob job)
    {
        _jobs++;
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var result = job.Kind switch
        {
            DriveKind.Fill => await Fill(job),
            DriveKind.Touch => await Each(job, skus, _requests.GetStock, 200),
            DriveKind.Orders => await PlaceOrders(job, _requests.Order),
            DriveKind.Watched => await PlaceWatched(job),
            DriveKind.Singles => await PlaceOrders(job, (key, random) => _requests.Single(key, random.Next(job.Skus))),
            DriveKind.OpenCrowd => await OpenCrowd(job),
            DriveKind.Flood => await _crowd!.Flood(job.Seconds, PlaceOne),
            DriveKind.Pace => await _crowd!.Pace(job.Seconds, job.Rate, PlaceOne),
            DriveKind.Lives => await Live(job),
            _ => throw new ArgumentOutOfRangeException(nameof(job), job.Kind, "There is no such job."),
        };
        return result with { CpuSeconds = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalSeconds };
    }

    async Task<DriveResult> Fill(DriveJob job)
    {
        var warehouse = await Each(job with { Clients = 1 }, 1, _ => _requests.PutWarehouse(), 200, 201);
        if (warehouse.Failures > 0) return warehouse;
        var products = await Each(job, skus, _requests.PutProduct, 200, 201);
        if (products.Failures > 0) return products;
        return await Each(job with { Clients = 4 }, skus / ReceiptLines,
            n => _requests.Receive(n * ReceiptLines, ReceiptLines), 200, 201);
    }

    /// <summary>Sends so many requests, each once.</summary>
    Task<DriveResult> Each(DriveJob job, int count, Func<int, byte[]> request, params int[] expected)
    {
        var next = -1;
        return Clients(job.Clients, async (_, client, tally) =>
        {
            while (Interlocked.Increment(ref next) is var n && n < count) await tally.Ask(client, request(n), expected);
        });
    }

    Task<DriveResult> PlaceOrders(DriveJob job, Func<string, Random, byte[]> order)
    {
        var end = Stopwatch.GetTimestamp() + (long)(job.Seconds * Stopwatch.Frequency);
        return Clients(job.Clients, async (number, client, tally) =>
        {
            var random = new Random(_jobs * 1000 + number);
            for (var n = 0; Stopwatch.GetTimestamp() < end; n++)
                await tally.Ask(client, order($"{_run}-{_jobs}-{number}-{n}", random), 201);
        });
    }

    /// <summary>Places orders at their times, whatever the answers do, and waits for their pushes.</summary>
    async Task<DriveResult> PlaceWatched(DriveJob job)
    {
        await using var screen = await PushWatch.Open(servers[0], adminPassword);
        var start = Stopwatch.GetTimestamp();
        var result = await Clients(job.Clients, async (number, client, tally) =>
        {
            var random = new Random(_jobs * 1000 + number);
            for (var n = number; n < job.Rate * job.Seconds; n += job.Clients)
            {
                var wait = TimeSpan.FromSeconds(n / job.Rate) - Stopwatch.GetElapsedTime(start);
                if (wait > TimeSpan.Zero) await Task.Delay(wait);
                var answer = await tally.Ask(client, _requests.Order($"{_run}-{_jobs}-{n}", random), 201);
                if (answer is { } placed) screen.Answered(placed.Body.Span);
            }
        });
        return await screen.Complete(result);
    }

    /// <summary>Where no password is given, none is asked for.</summary>
    async Task<DriveResult> OpenCrowd(DriveJob job)
    {
        var start = Stopwatch.GetTimestamp();
        var cookie = adminPassword.Length == 0
            ? null : (await PushWatch.LogIn(servers[0], adminPassword)).GetCookieHeader(new Uri(servers[0], "/hubs/live"));
        _crowd = await HubCrowd.Open(servers[0], cookie, job.Clients, job.Stalled);
        return new DriveResult(job.Clients, Stopwatch.GetElapsedTime(start).TotalSeconds, Latency.Of([]), 0, null, 0);
    }

    /// <summary>Places an order over any connection that is free.</summary>
    /// <returns>Its id.</returns>
    async Task<string> PlaceOne(int n)
    {
        var client = _idle.TryTake(out var idle) ? idle : await WireClient.Connect(servers[0]);
        var answer = await client.Send(_requests.Order($"{_run}-{_jobs}-{n}", new Random(_jobs * 1000 + n)));
        if (answer.Status != 201) throw new IOException($"{answer.Status} {answer.Text}");
        var id = Requests.IdOf(answer.Body.Span);
        _idle.Add(client);
        return id;
    }

    /// <summary>Each client takes one order after the other to its customer.</summary>
    Task<DriveResult> Live(DriveJob job)
    {
        var start = Stopwatch.GetTimestamp();
        return Clients(job.Clients, async (number, client, tally) =>
        {
            var random = new Random(_jobs * 1000 + number);
            for (var n = number; Stopwatch.GetElapsedTime(start).TotalSeconds < job.Seconds; n += job.Clients)
            {
                var wait = job.Rate == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(n / job.Rate) - Stopwatch.GetElapsedTime(start);
                if (wait > TimeSpan.Zero) await Task.Delay(wait);
                var wanted = _requests.Three(random);
                if (await tally.Ask(client, _requests.Order($"{_run}-{_jobs}-{n}", wanted), 201) is not { } placed) continue;
                foreach (var step in _requests.Fulfil(Requests.IdOf(placed.Body.Span), wanted)) await tally.Ask(client, step, 200);
            }
        });
    }

    /// <summary>Lets so many clients work, each over a connection of its own, and sums up what they saw.</summary>
    async Task<DriveResult> Clients(int count, Func<int, WireClient, Tally, Task> work)
    {
        var tallies = Enumerable.Range(0, count).Select(_ => new Tally()).ToArray();
        var clients = await Task.WhenAll(tallies.Select((_, n) => WireClient.Connect(servers[n % servers.Count])));
        var start = Stopwatch.GetTimestamp();
        try
        {
            await Task.WhenAll(clients.Select((client, number) => work(number, client, tallies[number])));
        }
        finally
        {
            foreach (var client in clients) client.Dispose();
        }
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var answers = Latency.Of(tallies.SelectMany(t => t.Milliseconds));
        return new DriveResult(
            answers.Count, seconds, answers, tallies.Sum(t => t.Failures),
            tallies.Select(t => t.FirstFailure).FirstOrDefault(f => f is not null), 0);
    }
}
