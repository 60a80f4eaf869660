using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using OrleansOms.Domain.Laws;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Chaos;

/// <summary>One request, asked until its outcome is known.</summary>
/// <param name="Body">Empty for a read.</param>
/// <param name="Key">Empty for a read, and for what is put.</param>
/// <param name="Invoked">When it was first sent, of the run's clock.</param>
sealed partial record Asked(HttpMethod Method, string Path, string Body, string Key, TimeSpan Invoked)
{
    /// <summary>Times that it was sent and nobody knows what came of it.</summary>
    public int Unknown { get; set; }
    /// <summary>What came of each time that it was sent, with how long that took.</summary>
    public List<string> Tries { get; } = [];
    /// <summary>When it was answered.</summary>
    public TimeSpan? Answered { get; set; }
    public int Status { get; set; }
    public string Text { get; set; } = "";

    /// <summary>The answer, to all but a read.</summary>
    public JsonNode Json => JsonNode.Parse(Text)!;
    /// <summary>The request.</summary>
    public JsonNode Asks => JsonNode.Parse(Body)!;
    /// <summary>Whether it was done.</summary>
    public bool IsAccepted => Status is 200 or 201;
    /// <summary>The last part of its path: what it asks for.</summary>
    public string What => Path.Split('/')[^1];
    /// <summary>The order or the shipment that it asks it of; of a new order, the id that it was given.</summary>
    public string Of => What == "orders" ? Json["id"]!.GetValue<string>() : Path.Split('/')[^2];

    /// <summary>What must be the same whenever it is asked: all but the name that a refusal gives to this one request.</summary>
    public string Answer => $"{Status} {TraceId().Replace(Text, "")}";

    [GeneratedRegex("\"traceId\":\"[^\"]*\"")]
    private static partial Regex TraceId();
}

/// <summary>
/// What clients have asked for and heard, kept apart from the program. A client that does not know an outcome sends the same
/// request again, to whichever front end answers.
/// </summary>
sealed class History(IReadOnlyList<Uri> fronts) : IDisposable
{
    static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(15), KnownWithin = TimeSpan.FromMinutes(3);
    const int AtOnce = 8;
    static readonly TimeSpan BeforeAnother = TimeSpan.FromMilliseconds(100);

    readonly Stopwatch _clock = Stopwatch.StartNew();
    readonly HttpClient _http = new(new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(2) }) { Timeout = AnswerWithin };
    readonly ConcurrentQueue<Asked> _all = new(), _others = new();
    readonly ConcurrentDictionary<string, JsonNode> _views = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, int> _told = new(StringComparer.Ordinal);

    /// <summary>Everything that was asked for under a key.</summary>
    public IReadOnlyCollection<Asked> All => _all;

    /// <summary>Every view of an order or a shipment that was read, alone or in a list; each once.</summary>
    public IEnumerable<JsonNode> Views => _views.Values;

    /// <summary>What clients have found to be wrong.</summary>
    public ConcurrentBag<string> Wrong { get; } = [];

    /// <summary>Time since the run began.</summary>
    public TimeSpan Now => _clock.Elapsed;

    /// <summary>Sends a command until its outcome is known.</summary>
    /// <exception cref="TimeoutException">It never was.</exception>
    public async Task<Asked> Do(Random random, string path, JsonNode body, string? key = null)
    {
        var asked = new Asked(HttpMethod.Post, path, body.ToJsonString(), key ?? Guid.NewGuid().ToString("N"), Now);
        _all.Enqueue(asked);
        (asked.Status, asked.Text) = await Known(random, asked);
        if (asked.IsAccepted) Tell(asked.Json);
        return asked;
    }

    /// <summary>
    /// Asks again, under the same key, for everything that was done and whose outcome was unknown at first: it is done, and a
    /// new order or a receipt is answered as it was. Not for more time: it is counted from when it is asked for, and by then a
    /// cart may be over.
    /// </summary>
    public async Task AskAgain(Random random)
    {
        Asked[] unknown = [.. _all.Where(a => a is { Unknown: > 0, IsAccepted: true, What: not "extend" }).DistinctBy(a => a.Key)];
        var seeds = unknown.ToDictionary(a => a.Key, _ => random.Next());
        await Parallel.ForEachAsync(unknown, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (first, _) =>
        {
            var again = await Do(new Random(seeds[first.Key]), first.Path, first.Asks, first.Key);
            if (again.Status != first.Status || (first.Status == 201 && again.Answer != first.Answer))
                Wrong.Add($"{first.Path} had two answers:\n{first.Answer}\n{again.Answer}");
        });
    }

    /// <summary>
    /// Reads until there is an answer. A list may lag; one order is current: no older than what anybody had been told of it
    /// when it was asked for.
    /// </summary>
    public async Task<JsonNode> Get(Random random, string path)
    {
        var asked = new Asked(HttpMethod.Get, path, "", "", Now);
        _others.Enqueue(asked);
        var told = _told.GetValueOrDefault(asked.What);
        var answer = JsonNode.Parse((await Known(random, asked)).Text)!;
        if (told > 0 && LogLaws.NeverBack(asked.What, told, answer["version"]?.GetValue<int>() ?? 0) is { } breach)
            Wrong.Add($"{breach}, to who asked at {asked.Invoked.TotalSeconds:0.0} s: {string.Join(", ", asked.Tries)}");
        foreach (var view in answer["items"] is JsonArray items ? items.OfType<JsonNode>() : Tell(answer) ? [answer] : [])
            _views.TryAdd(view.ToJsonString(), view);
        return answer;
    }

    /// <summary>Puts something until it is there.</summary>
    public async Task Put(Random random, string path, JsonNode body)
    {
        var asked = new Asked(HttpMethod.Put, path, body.ToJsonString(), "", Now);
        _others.Enqueue(asked);
        await Known(random, asked);
    }

    /// <summary>Notes that a client knows an order or a shipment as this; false if it is neither.</summary>
    bool Tell(JsonNode answer)
    {
        if (answer is not JsonObject || answer["id"] is not { } id || answer["version"] is not { } number) return false;
        var version = number.GetValue<int>();
        _told.AddOrUpdate(id.GetValue<string>(), version, (_, told) => Math.Max(told, version));
        return true;
    }

    async Task<(int Status, string Text)> Known(Random random, Asked asked)
    {
        for (var start = Now; ; await Task.WhenAny(Task.Delay(BeforeAnother)))
        {
            using var request = new HttpRequestMessage(asked.Method, new Uri(fronts[random.Next(fronts.Count)], asked.Path));
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {OmsProcess.Key}");
            if (asked.Body.Length > 0) request.Content = new StringContent(asked.Body, Encoding.UTF8, "application/json");
            if (asked.Key.Length > 0) request.Headers.TryAddWithoutValidation("Idempotency-Key", asked.Key);
            var sent = Now;
            try
            {
                using var answer = await _http.SendAsync(request);
                var (status, text) = ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
                asked.Tries.Add($"{status} after {(Now - sent).TotalSeconds:0.0} s");
                if (status == 503) asked.Unknown++;
                if (status == 500) Wrong.Add($"{request.Method} {request.RequestUri}: {text}");
                if (answer.StatusCode is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests)
                    && !text.Contains("request_in_progress", StringComparison.Ordinal))
                {
                    asked.Answered = Now;
                    return (status, text);
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
            {
                asked.Unknown++;
                asked.Tries.Add($"{e.GetType().Name} after {(Now - sent).TotalSeconds:0.0} s");
            }
            if (Now - start > KnownWithin) throw new TimeoutException($"{request.Method} {request.RequestUri} never became definite.");
        }
    }

    /// <summary>The longest that a request waited of those that were under way or sent between two moments.</summary>
    public (TimeSpan Length, string Words) LongestWait(TimeSpan from, TimeSpan to)
    {
        var longest = _all.Concat(_others).Where(a => a.Invoked < to && (a.Answered ?? Now) > from).MaxBy(Wait);
        return longest is null ? (TimeSpan.Zero, "nobody waited") : (Wait(longest),
            $"{Wait(longest).TotalSeconds:0.0} s was the longest wait, for {longest.Path}: {string.Join(", ", longest.Tries.TakeLast(5))}");

        TimeSpan Wait(Asked a) => (a.Answered ?? Now) - (a.Invoked > from ? a.Invoked : from);
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();
}
