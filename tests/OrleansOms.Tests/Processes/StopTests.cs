using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Processes;

/// <summary>What is told to stop finishes what it has begun, and nobody notices.</summary>
[Collection(AloneCollection.Name)]
public sealed class StopTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Each_silo_and_each_front_end_is_stopped_and_started_again_and_no_request_fails()
    {
        await using var database = await TestDatabase.Create();
        await using var cluster = await ClusterProcess.Start(database.ConnectionString);
        var buyers = new Buyers(cluster.Url);
        await buyers.Begin();
        foreach (var member in (ClusterProcess.Member[])[.. cluster.Members("Silo"), .. cluster.Members("Web")])
        {
            var since = buyers.Now;
            await cluster.Restart(member);
            output.WriteLine($"{member.Role} {member.Url}: {(buyers.Now - since).TotalSeconds:0.0} s, longest {buyers.Longest(since)}");
        }
        // As with Ctrl-C at a terminal: everybody hears it, and one of them says who ends when.
        buyers.MayBeRefused();
        Assert.Equal(0, await cluster.Stop(asAtTerminal: true));
        await buyers.End();

        Assert.True(buyers.Failed.IsEmpty, $"{string.Join('\n', buyers.Failed)}\n\n{string.Join('\n', cluster.Said)}");
        Assert.Equal(
            buyers.Placed.Order(StringComparer.Ordinal),
            (await database.Ask<string[]>("select array_agg(stream) from oms.event where type = 'order.placed.v1'")).Order(StringComparer.Ordinal));
        Assert.Equal(0, await database.Ask<long>("select count(*) from oms.orleans_silo where status = 3"));
    }

    /// <summary>People who buy, look and change their minds, each asked for once: nothing is sent again.</summary>
    sealed class Buyers(Uri url)
    {
        const int Count = 8;

        readonly Api _api = new(url, OmsProcess.Key);
        readonly Stopwatch _clock = Stopwatch.StartNew();
        readonly CancellationTokenSource _stop = new();
        readonly ConcurrentQueue<(TimeSpan Since, TimeSpan Took, string What)> _asked = new();
        Task _lives = Task.CompletedTask;
        volatile bool _mayBeRefused;

        public ConcurrentQueue<string> Placed { get; } = new();
        public ConcurrentQueue<string> Failed { get; } = new();
        public TimeSpan Now => _clock.Elapsed;

        public async Task Begin()
        {
            await _api.Must(201, HttpMethod.Put, "/api/v1/warehouses/LON", JsonNode.Parse(
                """{"name":"London","active":true,"address":{"line1":"1 Dock Road","city":"London","country":"GB"}}"""));
            foreach (var sku in (string[])["A", "B", "C", "D"])
            {
                await _api.Must(201, HttpMethod.Put, $"/api/v1/products/{sku}", new JsonObject { ["name"] = sku });
                await _api.Must(201, HttpMethod.Post, "/api/v1/stock/receipts", JsonNode.Parse(
                    $$"""{"warehouse":"LON","reference":"r","lines":[{"sku":"{{sku}}","quantity":20}]}"""), Api.NewKey());
            }
            _lives = Task.WhenAll(Enumerable.Range(0, Count).Select(n => Task.Run(() => Live(new Random(n)))));
        }

        /// <summary>
        /// From now on nobody may be there: who cannot connect goes home, and so does whose idle connection was closed in the
        /// moment in which he spoke. If his order had been taken nevertheless, the store would have one more than was answered.
        /// </summary>
        public void MayBeRefused() => _mayBeRefused = true;

        public async Task End()
        {
            await _stop.CancelAsync();
            await _lives;
        }

        public string Longest(TimeSpan since)
        {
            var (at, took, what) = _asked.Where(a => a.Since + a.Took > since).MaxBy(a => a.Took);
            return $"{took.TotalSeconds:0.00} s at {(at - since).TotalSeconds:0.0} s for {what}";
        }

        async Task Live(Random random)
        {
            string[] skus = ["A", "B", "C", "D"];
            while (!_stop.IsCancellationRequested)
            {
                random.Shuffle(skus);
                var placed = await Ask(HttpMethod.Post, "/api/v1/orders", Api.Order([.. skus[..3].Select(s => (s, 1))]));
                if (placed is null) continue;
                var id = placed.Json.Id();
                Placed.Enqueue(id);
                await Ask(HttpMethod.Get, $"/api/v1/orders/{id}", null);
                if (random.Next(3) > 0) await Ask(HttpMethod.Post, $"/api/v1/orders/{id}/cancel", new JsonObject { ["reason"] = "test" });
            }
        }

        async Task<Answer?> Ask(HttpMethod method, string path, JsonNode? body)
        {
            var since = Now;
            try
            {
                var answer = await _api.Send(method, path, body?.ToJsonString(), body is null ? null : Api.NewKey());
                _asked.Enqueue((since, Now - since, $"{method} {path}"));
                if (answer.Status < 400) return answer;
                Failed.Enqueue($"{since.TotalSeconds:0.0} s + {(Now - since).TotalSeconds:0.00} s: {method} {path}: {answer}");
            }
            catch (HttpRequestException e) when (_mayBeRefused
                && (e.HttpRequestError == HttpRequestError.ConnectionError || e.InnerException is IOException))
            {
                await _stop.CancelAsync();
            }
            catch (HttpRequestException e)
            {
                Failed.Enqueue($"{since.TotalSeconds:0.0} s + {(Now - since).TotalSeconds:0.00} s: {method} {path}: {e.Message}");
            }
            return null;
        }
    }
}
