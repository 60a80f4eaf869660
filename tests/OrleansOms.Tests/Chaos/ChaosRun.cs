using OrleansOms.Postgres.Laws;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Chaos;

/// <summary>A cluster under load in which things go wrong, and what must be true when it has come to rest.</summary>
sealed class ChaosRun(int seed, Action<string> say, string? olderProgram = null)
{
    static readonly TimeSpan Calm = TimeSpan.FromSeconds(3);

    /// <summary>From now on nothing may still be one-sided or on its way by itself.</summary>
    static readonly TimeSpan LongAfter = TimeSpan.FromMinutes(6);

    const int WatchersAtEach = 2;

    /// <summary>Runs with these faults, one after the other.</summary>
    /// <returns>What was wrong; empty if nothing was.</returns>
    public async Task<IReadOnlyList<string>> Live(IReadOnlyList<Fault> faults)
    {
        await using var cluster = await ChaosCluster.Start(olderProgram);
        List<string> wrong;
        try { wrong = await Live(cluster, faults); }
        catch (Exception e) { wrong = [e.ToString()]; }
        if (wrong.Count > 0)
        {
            var folder = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", $"chaos-{seed}")).FullName;
            foreach (var node in cluster.Nodes) await File.WriteAllLinesAsync(Path.Combine(folder, $"{node.Name}.txt"), node.Said);
            say($"What the processes said last is in {folder}:\n{string.Join('\n', wrong)}");
        }
        return wrong;
    }

    async Task<List<string>> Live(ChaosCluster cluster, IReadOnlyList<Fault> faults)
    {
        using var history = new History([.. cluster.Fronts.Select(f => f.Url)]);
        var traders = new Traders(history, seed);
        await traders.Open();
        var watchers = new List<Watcher>();
        try
        {
            for (var n = 0; n < WatchersAtEach; n++)
                foreach (var front in cluster.Fronts) watchers.Add(await Watcher.At(front.Url));
            traders.Begin();
            var random = new Random(seed);
            await Rest(traders, watchers);
            foreach (var fault in faults)
            {
                var start = history.Now;
                await fault.Strike(cluster, random);
                await Fault.AllIsBack(cluster);
                await Rest(traders, watchers);
                say($"{start.TotalSeconds,6:0.0} s  {fault.Name}: {history.LongestWait(start, history.Now)}");
            }
            await traders.End();
            await history.AskAgain(random);
            await ComeToRest(cluster);
            var stored = await StoredEvents.Read(cluster.Source);
            var wrong = await Check(cluster, history, stored);
            foreach (var watcher in watchers)
                wrong.AddRange(await watcher.Check(stored, id => history.Get(random, $"/api/v1/orders/{id}")));
            say($"{history.Now.TotalSeconds,6:0.0} s  seed {seed}: {history.All.Count} commands, {traders.Accepted.Count} orders, "
                + $"{history.All.Sum(a => a.Unknown)} outcomes unknown at first, {cluster.Nodes.Sum(n => n.Starts - 1)} restarts, {wrong.Count} wrong");
            return wrong;
        }
        finally
        {
            foreach (var watcher in watchers) await watcher.DisposeAsync();
        }
    }

    static async Task Rest(Traders traders, List<Watcher> watchers)
    {
        await Task.WhenAny(Task.Delay(Calm));
        foreach (var watcher in watchers)
            foreach (var order in traders.Accepted.Reverse().Take(2)) await watcher.Add(order);
    }

    /// <summary>Holds the store against what clients were told, and against the laws.</summary>
    static async Task<List<string>> Check(ChaosCluster cluster, History history, StoredEvents stored)
    {
        List<string> wrong = [.. history.Wrong];
        var caller = $"key:{await cluster.Ask<string>("select id from oms.api_keys where name = 'bootstrap'")}";
        wrong.AddRange(new Acknowledgements(history.All, stored, caller).Check());

        var report = await new StoreCheck(cluster.Source).Run(DateTimeOffset.UtcNow + LongAfter, _ => { }, CancellationToken.None);
        wrong.AddRange(report.Broken.Select(b => $"{b.Value.Count} times {b.Value.First}"));
        if (await cluster.Ask<long>("select count(*) from oms.event where type = 'law.broken.v1'") is > 0 and var alarms)
            wrong.Add($"{alarms} alarms that a law was broken");
        return wrong;
    }

    /// <summary>Waits until every follower has heard everything and nothing is reserved that no order holds.</summary>
    static async Task ComeToRest(ChaosCluster cluster)
    {
        await Fault.AllIsBack(cluster);
        const string isQuiet = """
            select (select bool_and((c.transaction, c.position) >= (e.xid::text::bigint, e.position))
                from oms.checkpoint c, (select xid, position from oms.event order by xid desc, position desc limit 1) e)
              and (select sum(reserved) from oms.stock) = (select sum(allocated) from oms.order_lines)
            """;
        const string restless = """
            select string_agg(c.follower || ' is behind by ' || (select count(*) from oms.event e
                where (e.xid::text::bigint, e.position) > (c.transaction, c.position)), ', ')
              || ', ' || (select sum(reserved) from oms.stock) || ' reserved, '
              || (select sum(allocated) from oms.order_lines) || ' allocated'
            from oms.checkpoint c
            """;
        var since = 0;
        // Quiet for a while: what has just been settled may be given to an order that waits.
        try { await Silos.Until(async () => since = await cluster.Ask<bool>(isQuiet) ? since + 1 : 0, n => n >= 25); }
        catch (TimeoutException)
        {
            throw new TimeoutException($"It did not come to rest: {await cluster.Ask<string>(restless)}");
        }
    }
}
