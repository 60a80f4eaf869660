using System.Text.Json.Nodes;
using OrleansOms.Domain.Laws;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;

namespace OrleansOms.Tests.Chaos;

/// <summary>
/// Someone without a login who follows one order by its link, as long as the run lasts. What is shown must never go back, and
/// must end as what somebody is told who opens the link then.
/// </summary>
sealed class Customer : IAsyncDisposable
{
    readonly LiveClient _client;
    readonly Uri _front;
    readonly string _token;
    readonly bool _isPacked;
    readonly KeptWatch _watch;

    Customer(LiveClient client, Uri front, string token, bool isPacked)
    {
        (_client, _front, _token, _isPacked) = (client, front, token, isPacked);
        _watch = new KeptWatch(client, "Order", token, (what, _) => what == "orderChanged");
        client.CameBack += _watch.Begin;
    }

    /// <summary>Opens the link at a front end.</summary>
    /// <param name="order">As the shop was given it.</param>
    /// <param name="isPacked">Whether by MessagePack instead of JSON.</param>
    public static async Task<Customer> At(Uri front, JsonNode order, bool isPacked)
    {
        var token = order["trackingUrl"]!.GetValue<string>().Split('/')[^1];
        var customer = new Customer(await Open(front, isPacked), front, token, isPacked);
        await customer._watch.Begin();
        return customer;
    }

    /// <summary>What is wrong with what was seen, once everything has come to rest.</summary>
    public async Task<IReadOnlyList<string>> Check()
    {
        await using var newcomer = await Open(_front, _isPacked);
        var end = await newcomer.CallAgain("WatchOrder", _token);
        try { await Silos.Until(() => Task.FromResult(Last?.Version() ?? 0), last => last >= end.Version()); }
        catch (TimeoutException) { return [$"A customer last saw {end.Id()} at {Last?.Version() ?? 0}, and it is at {end.Version()}"]; }
        var shown = _watch.Shown();
        List<string> wrong =
        [
            .. shown.Zip(shown.Skip(1), (before, next) => LogLaws.NeverBack(end.Id(), before.Value.Version(), next.Value.Version()))
                .OfType<Breach>().Select(breach => $"By a link: {breach}"),
        ];
        if (!JsonNode.DeepEquals(Last, end)) wrong.Add($"A customer saw {Last?.ToJsonString()}, and it is {end.ToJsonString()}");
        return wrong;
    }

    JsonNode? Last => _watch.Shown() is [.., var last] ? last.Value : null;

    static Task<LiveClient> Open(Uri front, bool isPacked) => LiveClient.Connect(front.ToString().TrimEnd('/'), isPacked: isPacked);

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
