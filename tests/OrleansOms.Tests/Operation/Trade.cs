using System.Text.Json.Nodes;
using Npgsql;
using OrleansOms.Postgres.Laws;
using OrleansOms.Tests.Chaos;
using OrleansOms.Tests.Fixtures;
using OrleansOms.Tests.Live;
using OrleansOms.Tests.Processes;

namespace OrleansOms.Tests.Operation;

/// <summary>A shop at work, and what must be true of it after an operator has brought it back.</summary>
sealed class Trade : IDisposable
{
    /// <summary>Answers hold it: it must be the same before and after.</summary>
    public static readonly (string, string) Address = ("Oms__PublicUrl", "https://shop.example");

    readonly History _history;
    readonly Traders _traders;

    Trade(Uri url)
    {
        _history = new History([url]);
        _traders = new Traders(_history, seed: 1);
    }

    /// <summary>Opens the shop, and waits until orders have been shipped.</summary>
    public static async Task<Trade> Begin(Uri url)
    {
        var trade = new Trade(url);
        await trade._traders.Open();
        trade._traders.Begin();
        await trade.Until(20);
        await Silos.Until(() => Task.FromResult(trade._history.All.Any(a => a is { Status: 200 } && a.Path.EndsWith("/ship", StringComparison.Ordinal))), s => s);
        return trade;
    }

    /// <summary>The time of its clock.</summary>
    public TimeSpan Now => _history.Now;

    /// <summary>Waits until so many more orders are accepted.</summary>
    public Task Until(int more)
    {
        var enough = _traders.Accepted.Count + more;
        return Silos.Until(() => Task.FromResult(_traders.Accepted.Count), n => n >= enough);
    }

    /// <summary>Everybody ends what they have begun.</summary>
    public async Task End()
    {
        await _traders.End();
        Assert.Empty(_history.Wrong);
    }

    /// <summary>Orders that were acknowledged before a moment.</summary>
    public IReadOnlyList<Asked> PlacedBefore(TimeSpan moment) =>
        [.. _history.All.Where(a => a.Path == "/api/v1/orders" && a.Status == 201 && a.Answered < moment)];

    /// <summary>Orders that were first asked for after a moment, and acknowledged; one that is only asked for again is older.</summary>
    public IReadOnlyList<Asked> PlacedAfter(TimeSpan moment) =>
        [.. _history.All.Where(a => a.Path == "/api/v1/orders" && a.Status == 201).DistinctBy(a => a.Key).Where(a => a.Invoked > moment)];

    /// <summary>
    /// Holds a program that was brought back against what was acknowledged: those orders are there, the same request has the
    /// same answer, the laws hold, new orders go on, and a live view hears of what happens to one.
    /// </summary>
    public static async Task Check(OmsProcess program, NpgsqlDataSource database, IReadOnlyList<Asked> acknowledged)
    {
        Assert.NotEmpty(acknowledged);
        using var again = new History([program.Url]);
        var random = new Random(1);
        foreach (var order in acknowledged)
            Assert.Equal(order.Answer, (await again.Do(random, order.Path, JsonNode.Parse(order.Body)!, order.Key)).Answer);

        var placed = await again.Do(random, "/api/v1/orders", Api.Order(("A", 1)));
        Assert.Equal(201, placed.Status);
        await using var live = await LiveClient.Connect(program.Url.ToString().TrimEnd('/'), OmsProcess.Key);
        await live.CallAgain("WatchOrder", placed.Json.Id());
        var cancelled = await again.Do(random, $"/api/v1/orders/{placed.Json.Id()}/cancel", new JsonObject { ["reason"] = "test" });
        Assert.Equal(200, cancelled.Status);
        await Silos.Until(() => Task.FromResult(live.Versions().DefaultIfEmpty().Max()), v => v >= cancelled.Json.Version());

        var (code, said) = await program.Run("check");
        Assert.True(code == 0, said);
        // As of later: by then nothing may be one-sided any more.
        await Silos.Until(() => BrokenLater(database), n => n == 0);
        Assert.Empty(again.Wrong);
    }

    static async Task<int> BrokenLater(NpgsqlDataSource database) =>
        (await new StoreCheck(database).Run(DateTimeOffset.UtcNow.AddMinutes(6), _ => { }, CancellationToken.None)).Broken.Count();

    /// <summary>The orders that a database holds.</summary>
    public static async Task<IReadOnlySet<string>> OrdersOf(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("select coalesce(array_agg(stream), '{}') from oms.event where type = 'order.placed.v1'");
        return ((string[])(await command.ExecuteScalarAsync())!).ToHashSet(StringComparer.Ordinal);
    }

    /// <inheritdoc />
    public void Dispose() => _history.Dispose();
}
