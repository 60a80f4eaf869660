using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.SignalR;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Chaos;

/// <summary>
/// Someone who watches a handful of orders at one front end: after each lost connection they watch again, as the surface
/// says, and what they are shown, by an answer or by a push, must be what was stored, must never go back and must end as
/// what is stored.
/// </summary>
sealed class Watcher : IAsyncDisposable
{
    const int AtMost = 10;

    readonly LiveClient _client;
    readonly ConcurrentDictionary<string, Watched> _orders = new(StringComparer.Ordinal);

    /// <summary>One order that is watched, on one connection after the other.</summary>
    sealed class Watched
    {
        public SemaphoreSlim Turn { get; } = new(1);
        public string? Connection { get; set; }
        public List<Answer> Answers { get; } = [];
    }

    /// <summary>What a watch was answered with.</summary>
    /// <param name="Heard">Pushes of the order that had been heard when it was asked for: those that follow are its own.</param>
    sealed record Answer(int Heard, JsonNode Order);

    Watcher(LiveClient client)
    {
        _client = client;
        client.CameBack += () => Task.WhenAll(_orders.Keys.Select(Watch));
    }

    /// <summary>Connects to a front end.</summary>
    public static async Task<Watcher> At(Uri front) =>
        new(await LiveClient.Connect(front.ToString().TrimEnd('/'), OmsProcess.Key));

    /// <summary>Watches one order more, if there is room.</summary>
    public Task Add(string order) => _orders.Count < AtMost ? Watch(order) : Task.CompletedTask;

    async Task Watch(string order)
    {
        var watched = _orders.GetOrAdd(order, _ => new Watched());
        await watched.Turn.WaitAsync();
        var connection = _client.ConnectionId;
        try
        {
            if (connection is null || connection == watched.Connection) return;
            var heard = Heard(order).Count;
            watched.Answers.Add(new Answer(heard, await _client.CallAgain("WatchOrder", order)));
            watched.Connection = connection;
        }
        catch (Exception e) when (e is not HubException || _client.ConnectionId != connection)
        {
            // Cut during the call: all are watched again when the connection is back.
        }
        finally { watched.Turn.Release(); }
    }

    /// <summary>What is wrong with what was seen, once everything has come to rest.</summary>
    /// <param name="stored">What is stored by then.</param>
    /// <param name="read">Reads an order as anybody does.</param>
    public async Task<IReadOnlyList<string>> Check(StoredEvents stored, Func<string, Task<JsonNode>> read)
    {
        var wrong = new List<string>();
        foreach (var (order, watched) in _orders)
        {
            var end = await read(order);
            try { await Silos.Until(() => Task.FromResult(Last()), last => last >= end.Version()); }
            catch (TimeoutException) { wrong.Add($"{order} was last seen at {Last()} and is at {end.Version()}"); }
            await watched.Turn.WaitAsync();
            var shown = Shown(watched.Answers, Heard(order));
            wrong.AddRange(shown.Select(s => s.Order).Append(end).Select(stored.Contradicts).OfType<string>());
            if (shown.Count > 0 && shown[^1].Order is var seen && !JsonNode.DeepEquals(seen, end))
                wrong.Add($"{order} was seen as {seen.ToJsonString()} and is {end.ToJsonString()}");
            if (shown.Zip(shown.Skip(1)).Any(s => s.Second.GoesBackFrom(s.First)))
                wrong.Add($"{order} went back: {string.Join(", ", shown)}");

            int Last() => Shown([.. watched.Answers], Heard(order)) is { Count: > 0 } all ? all[^1].Order.Version() : 0;
        }
        return wrong;
    }

    /// <summary>What a screen shows that believes whatever comes: each answer, and then the pushes of its watch.</summary>
    static List<Seen> Shown(IReadOnlyList<Answer> answers, IReadOnlyList<JsonNode> pushes) =>
        [.. answers.SelectMany((answer, n) => pushes
            .Take(n + 1 < answers.Count ? answers[n + 1].Heard : pushes.Count).Skip(answer.Heard)
            .Select(push => new Seen(false, push)).Prepend(new Seen(true, answer.Order)))];

    sealed record Seen(bool IsAnswer, JsonNode Order)
    {
        /// <summary>A push is news; a new watch may find things as they were.</summary>
        public bool GoesBackFrom(Seen before) =>
            Order.Version() < before.Order.Version() || (!IsAnswer && Order.Version() == before.Order.Version());

        public override string ToString() => $"{(IsAnswer ? "answered with " : "")}{Order.Version()}";
    }

    IReadOnlyList<JsonNode> Heard(string order) =>
        [.. _client.Heard.Where(h => h.What == "orderChanged" && h.Value.Id() == order).Select(h => h.Value)];

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
