using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Host.Live;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Live;

/// <summary>A process that is not upgraded yet, among newer ones that write what it does not know.</summary>
public sealed class NewerLiveTests
{
    const string Newer = "order.hold-placed.v1";

    [Fact]
    public async Task A_live_view_is_rather_behind_than_wrong_and_says_so()
    {
        await using var app = new OmsApp { Adjust = services => OlderLog.Replace(services, Newer) };
        await app.InitializeAsync();
        var (held, other) = (await app.PlaceNew(), await app.PlaceNew());
        await app.Released(held);
        await app.Released(other);
        await using var client = await LiveClient.Connect(app.Url, OmsApp.BootstrapKey);
        var shown = await client.Call("WatchOrder", held.Id());
        await client.Call("WatchOrder", other.Id());
        var feed = app.Services.GetRequiredService<LiveFeed>();
        Assert.Null(feed.CutOffSince);

        await Store(app, held.Id(), new HoldPlaced("look", "why", HoldStops.Release));
        await Store(app, held.Id(), new HoldLifted("look"));
        await Store(app, other.Id(), new HoldLifted("look"));
        await LiveApp.Until(() => client.Heard.Any(h => h.Value["id"]!.GetValue<string>() == other.Id()));
        Assert.All(client.Heard.Where(h => h.Value["id"]!.GetValue<string>() == held.Id()), h => Assert.True(h.Value.Version() <= shown.Version()));
        Assert.NotNull(feed.CutOffSince);
        Assert.Equal("unavailable", await client.Refused("WatchOrder", held.Id()));
    }

    [Fact]
    public async Task A_retry_is_answered_as_at_first_whatever_a_newer_program_has_written_since()
    {
        await using var app = new OmsApp { Adjust = services => OlderLog.Replace(services, Newer) };
        await app.InitializeAsync();
        var order = Api.Order((await app.NewProduct(1), 1)).ToJsonString();
        var first = await app.Api.Send(HttpMethod.Post, "/api/v1/orders", order, "a key");
        await Store(app, first.Json.Id(), new HoldPlaced("look", "why", HoldStops.Release));
        var again = await app.Api.Send(HttpMethod.Post, "/api/v1/orders", order, "a key");
        Assert.Equal((201, first.Text), (again.Status, again.Text));
    }

    static async Task Store(OmsApp app, string stream, DomainEvent e)
    {
        var log = app.Services.GetRequiredService<IEventLog>();
        Assert.IsType<AppendResult.Committed>(await log.Append(new Append(new StreamEvents(
            stream, (await log.ReadStream(stream))[^1].Version,
            [new NewEvent(e, Guid.NewGuid().ToString("N"), "other", DateTimeOffset.UtcNow)]))));
    }
}
