using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using OrleansOms.Domain.Laws;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Chaos;

/// <summary>
/// Someone who watches the newest orders at one front end and lets older ones go. What they are shown, by an answer or by a
/// push, must be what was stored and must never go back; what they still watch must end as what is stored.
/// </summary>
sealed class Watcher : IAsyncDisposable
{
    const int AtMost = 10;

    readonly LiveClient _client;
    readonly ConcurrentDictionary<string, KeptWatch> _orders = new(StringComparer.Ordinal);
    readonly Queue<KeptWatch> _live = new();

    Watcher(LiveClient client)
    {
        _client = client;
        client.CameBack += () => Task.WhenAll(_orders.Values.Select(w => w.Begin()));
    }

    /// <summary>Connects to a front end.</summary>
    public static async Task<Watcher> At(Uri front) =>
        new(await LiveClient.Connect(front.ToString().TrimEnd('/'), OmsProcess.Key));

    /// <summary>Watches one order more, and the oldest no longer if these are too many.</summary>
    public async Task Add(string order)
    {
        var watch = new KeptWatch(_client, "Order", order, (what, value) => what == "orderChanged" && value.Id() == order);
        if (!_orders.TryAdd(order, watch)) return;
        await watch.Begin();
        _live.Enqueue(watch);
        if (_live.Count > AtMost) await _live.Dequeue().End();
    }

    /// <summary>What is wrong with what was seen, once everything has come to rest.</summary>
    /// <param name="stored">What is stored by then.</param>
    /// <param name="read">Reads an order as anybody does.</param>
    public async Task<IReadOnlyList<string>> Check(StoredEvents stored, Func<string, Task<JsonNode>> read)
    {
        var wrong = new List<string>();
        foreach (var (order, watch) in _orders)
        {
            if (!watch.IsOver) wrong.AddRange(await CheckEnd(order, watch, await read(order)));
            var shown = watch.Shown();
            wrong.AddRange(shown.Select(s => stored.Contradicts(s.Value)).OfType<string>());
            // A push is news; a new watch may find things as they were.
            wrong.AddRange(shown.Zip(shown.Skip(1), (before, next) =>
                LogLaws.NeverBack(order, before.Value.Version() + (next.IsAnswer ? 0 : 1), next.Value.Version())).OfType<Breach>()
                .Select(breach => $"{breach}, of {string.Join(", ", shown.Select(s => s.Value.Version()))}"));
        }
        return wrong;
    }

    static async Task<IEnumerable<string>> CheckEnd(string order, KeptWatch watch, JsonNode end)
    {
        try { await Silos.Until(() => Task.FromResult(Last()?.Version() ?? 0), last => last >= end.Version()); }
        catch (TimeoutException) { return [$"{order} was last seen at {Last()?.Version() ?? 0} and is at {end.Version()}"]; }
        return JsonNode.DeepEquals(Last(), end) ? [] : [$"{order} was seen as {Last()?.ToJsonString()} and is {end.ToJsonString()}"];

        JsonNode? Last() => watch.Shown() is [.., var last] ? last.Value : null;
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
