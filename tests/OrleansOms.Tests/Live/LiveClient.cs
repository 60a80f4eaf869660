using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using MessagePack;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;

namespace OrleansOms.Tests.Live;

/// <summary>A .NET client of the hub that keeps what it hears as JSON, whatever the protocol.</summary>
sealed class LiveClient : IAsyncDisposable
{
    const int MostTries = 300;

    readonly HubConnection _connection;
    readonly bool _isPacked;

    LiveClient(HubConnection connection, bool isPacked) => (_connection, _isPacked) = (connection, isPacked);

    /// <summary>Everything that was pushed, in order.</summary>
    public ConcurrentQueue<(string What, JsonNode Value)> Heard { get; } = new();

    /// <summary>Called before each watch after a lost connection has come back.</summary>
    public event Func<Task>? CameBack;

    /// <summary>Another one after each lost connection; null while there is none.</summary>
    public string? ConnectionId => _connection.ConnectionId;

    /// <summary>Connects.</summary>
    /// <param name="url">Of the host.</param>
    /// <param name="key">An API key, or null for nobody.</param>
    /// <param name="cookie">An operator's cookie.</param>
    public static async Task<LiveClient> Connect(
        string url, string? key = null, bool isPacked = false, string? cookie = null, string? origin = null)
    {
        var builder = new HubConnectionBuilder()
            .WithUrl($"{url}/hubs/live", o =>
            {
                if (key is not null) o.AccessTokenProvider = () => Task.FromResult<string?>(key);
                if (cookie is not null) o.Headers["Cookie"] = cookie;
                if (origin is not null) o.Headers["Origin"] = origin;
            })
            .WithAutomaticReconnect(new Patient());
        if (isPacked) builder.AddMessagePackProtocol(o => o.SerializerOptions = MessagePackSerializerOptions.Standard);
        var client = new LiveClient(builder.Build(), isPacked);
        foreach (var push in new[] { "orderChanged", "shipmentChanged", "stockChanged", "countsChanged", "resync", "snapshotCut", "watchEnded" })
            if (isPacked) client._connection.On<object>(push, v => client.Heard.Enqueue((push, ToJson(v))));
            else client._connection.On<JsonElement>(push, v => client.Heard.Enqueue((push, ToJson(v))));
        client._connection.Reconnected += _ => client.CameBack?.Invoke() ?? Task.CompletedTask;
        await client._connection.StartAsync();
        return client;
    }

    /// <summary>Calls the hub.</summary>
    public async Task<JsonNode> Call(string method, params object?[] arguments) => _isPacked
        ? ToJson(await _connection.InvokeCoreAsync<object>(method, arguments!))
        : ToJson(await _connection.InvokeCoreAsync<JsonElement>(method, arguments!));

    /// <summary>Calls the hub until it is not <c>unavailable</c>, as a storefront repeats what HTTP answers with 503.</summary>
    public async Task<JsonNode> CallAgain(string method, params object?[] arguments)
    {
        for (var tries = 0; ; tries++)
        {
            try { return await Call(method, arguments); }
            catch (Microsoft.AspNetCore.SignalR.HubException e)
                when (tries < MostTries && e.Message.EndsWith("unavailable", StringComparison.Ordinal))
            {
                await Task.WhenAny(Task.Delay(200));
            }
        }
    }

    /// <summary>Calls the hub for no answer.</summary>
    public Task Do(string method, params object?[] arguments) => _connection.InvokeCoreAsync(method, arguments!);

    /// <summary>The code with which a call is refused.</summary>
    public async Task<string> Refused(string method, params object?[] arguments)
    {
        var e = await Assert.ThrowsAsync<Microsoft.AspNetCore.SignalR.HubException>(() => Call(method, arguments));
        // The client puts words of its own around the server's.
        return e.Message.Split(' ')[^1];
    }

    /// <summary>The versions of one order in the order in which they were heard.</summary>
    public List<int> Versions(string what = "orderChanged") =>
        [.. Heard.Where(h => h.What == what).Select(h => h.Value["version"]!.GetValue<int>())];

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    static JsonNode ToJson(JsonElement value) => JsonNode.Parse(value.GetRawText())!;

    static JsonNode ToJson(object value) => JsonNode.Parse(MessagePackSerializer.SerializeToJson(value))!;

    sealed class Patient : IRetryPolicy
    {
        public TimeSpan? NextRetryDelay(RetryContext context) => TimeSpan.FromMilliseconds(50);
    }
}
