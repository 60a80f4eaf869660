using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Live;

/// <summary>What happens to watchers when wires are cut, hosts restart and readers stall.</summary>
public sealed class BrokenConnectionTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Wires_cut_in_the_middle_of_200_changes_lose_nothing_and_no_version_goes_back(bool isPacked)
    {
        await using var app = await OmsApp.Start();
        await using var relay = new Relay(app.Port);
        var order = await app.PlaceNew(units: 100);
        await app.Released(order);
        await using var client = await LiveClient.Connect(relay.Url, OmsApp.BootstrapKey, isPacked);
        var versions = new List<int>();
        var brokenCalls = 0;
        client.CameBack += Watch;
        await Watch();

        for (var i = 1; i <= 100; i++)
        {
            await app.CancelOne(order); // each one is a request and its fulfilment: two versions
            if (i % 25 == 0) relay.Cut();
        }

        var end = await OmsApp.Until(() => app.Read(order), o => o["status"]!.GetValue<string>() == "cancelled");
        await LiveApp.Until(() => Seen(client, versions).Max() == end.Version());
        Assert.True(relay.Connections >= 4, $"The wire was not cut in the middle; {brokenCalls} calls broke.");
        // Within each connection: the answer first, then only newer ones.
        foreach (var answer in versions.Zip(versions.Skip(1))) Assert.True(answer.Second >= answer.First);
        HubTests.AssertRising(client.Versions());

        async Task Watch()
        {
            try
            {
                var version = (await client.CallAgain("WatchOrder", order.Id())).Version();
                lock (versions) versions.Add(version);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or InvalidOperationException or WebSocketException)
            {
                Interlocked.Increment(ref brokenCalls); // Cut again during the call: the client comes back again.
            }
        }
    }

    [Fact]
    public async Task A_host_that_restarts_is_found_again_by_its_watchers()
    {
        var port = TestPort.Free();
        await using var app = await OmsApp.Start(("urls", $"http://127.0.0.1:{port}"));
        var order = await app.PlaceNew(units: 4);
        await app.Released(order);
        await using var client = await LiveClient.Connect(app.Url, OmsApp.BootstrapKey);
        var answers = new List<int>();
        client.CameBack += async () =>
        {
            var version = (await client.CallAgain("WatchOrder", order.Id())).Version();
            lock (answers) answers.Add(version);
        };
        answers.Add((await client.Call("WatchOrder", order.Id())).Version());
        await app.CancelOne(order);
        await app.Restart();
        await app.CancelOne(order);
        var end = await OmsApp.Until(() => app.Read(order), o => o["lines"]![0]!["cancelled"]!.GetValue<int>() == 2);
        await LiveApp.Until(() => Seen(client, answers).Max() == end.Version());
        HubTests.AssertRising(client.Versions());
    }

    const int Lines = 100;

    [Fact]
    public async Task A_reader_that_stalls_hurts_nobody()
    {
        await using var app = await OmsApp.Start();
        // A large order, so that what is not read soon fills every buffer on the way.
        var sku = await app.NewProduct(units: Lines);
        var order = await app.Api.Place(Api.Order([.. Enumerable.Range(0, Lines).Select(_ => (sku, 1))]));
        await app.Released(order);
        var stalled = new List<ClientWebSocket>();
        for (var i = 0; i < 20; i++) stalled.Add(await Ask(app.Url, "WatchOrder", order.Id()));
        await using var healthy = await LiveClient.Connect(app.Url, OmsApp.BootstrapKey);
        await healthy.Call("WatchOrder", order.Id());

        for (var i = 1; i <= Lines; i++) await app.CancelOne(order, lineId: i);
        var end = await OmsApp.Until(() => app.Read(order), o => o["status"]!.GetValue<string>() == "cancelled");
        await LiveApp.Until(() => healthy.Versions().LastOrDefault() == end.Version());
        HubTests.AssertRising(healthy.Versions());
        foreach (var socket in stalled) socket.Dispose();
    }

    /// <summary>A client that asks to watch and has not read a byte.</summary>
    internal static async Task<ClientWebSocket> Ask(string url, string method, string argument)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {OmsApp.BootstrapKey}");
        await socket.ConnectAsync(new Uri($"{url.Replace("http:", "ws:")}/hubs/live"), CancellationToken.None);
        await Say("""{"protocol":"json","version":1}""");
        await Say(new JsonObject
        {
            ["type"] = 1, ["invocationId"] = "1", ["target"] = method, ["arguments"] = new JsonArray(argument),
        }.ToJsonString());
        return socket;

        Task Say(string text) => socket.SendAsync(
            Encoding.UTF8.GetBytes(text + "\u001e"), WebSocketMessageType.Text, true, CancellationToken.None);
    }

    static List<int> Seen(LiveClient client, List<int> answers)
    {
        lock (answers) return [.. answers, .. client.Versions()];
    }
}
