using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.SignalR.Client;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Chaos;

/// <summary>
/// Someone who watches a handful of orders at one front end: after each lost connection they watch again, as the surface
/// says, and what they see must never go back and must end as what is stored.
/// </summary>
sealed class Watcher : IAsyncDisposable
{
    const int AtMost = 10;

    readonly LiveClient _client;
    readonly ConcurrentDictionary<string, JsonNode> _answers = new(StringComparer.Ordinal);
    readonly ConcurrentBag<string> _wrong = [];

    Watcher(LiveClient client)
    {
        _client = client;
        client.CameBack += () => Task.WhenAll(_answers.Keys.Select(Watch));
    }

    /// <summary>Connects to a front end.</summary>
    public static async Task<Watcher> At(Uri front) =>
        new(await LiveClient.Connect(front.ToString().TrimEnd('/'), OmsProcess.Key));

    /// <summary>Watches one order more, if there is room.</summary>
    public Task Add(string order) => _answers.Count < AtMost ? Watch(order) : Task.CompletedTask;

    async Task Watch(string order)
    {
        try
        {
            var now = await _client.CallAgain("WatchOrder", order);
            if (_answers.TryGetValue(order, out var before) && before.Version() > now.Version())
                _wrong.Add($"{order} was watched at {before.Version()} and then at {now.Version()}");
            _answers[order] = now;
        }
        catch (Exception) when (_client.State != HubConnectionState.Connected)
        {
            // Cut during the call: all are watched again when the connection is back.
            _answers.TryAdd(order, new JsonObject { ["version"] = 0 });
        }
    }

    /// <summary>What is wrong with what was seen, once everything has come to rest.</summary>
    /// <param name="stored">Reads an order.</param>
    public async Task<IReadOnlyList<string>> Check(Func<string, Task<JsonNode>> stored)
    {
        foreach (var order in _answers.Keys)
        {
            var end = await stored(order);
            try { await Silos.Until(() => Task.FromResult(Newest(order)), n => n.Version() >= end.Version()); }
            catch (TimeoutException) { _wrong.Add($"{order} was last seen at {Newest(order).Version()} and is at {end.Version()}"); }
            if (Newest(order) is var seen && seen.Version() == end.Version() && !JsonNode.DeepEquals(seen, end))
                _wrong.Add($"{order} was seen as {seen} and is {end}");
            var heard = Heard(order).Select(o => o.Version()).ToList();
            if (heard.Zip(heard.Skip(1)).Any(v => v.Second < v.First))
                _wrong.Add($"{order} went back: {string.Join(", ", heard)}");
        }
        return [.. _wrong];
    }

    JsonNode Newest(string order) => Heard(order).Append(_answers[order]).MaxBy(o => o.Version())!;

    IEnumerable<JsonNode> Heard(string order) =>
        _client.Heard.Where(h => h.What == "orderChanged" && h.Value.Id() == order).Select(h => h.Value);

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
