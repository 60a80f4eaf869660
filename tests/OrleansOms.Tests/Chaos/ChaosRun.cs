using OrleansOms.Postgres.Laws;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Chaos;

/// <summary>A cluster under load in which things go wrong, and what must be true when it has come to rest.</summary>
sealed class ChaosRun(int seed, Action<string> say, Builds? builds = null)
{
    static readonly TimeSpan Calm = TimeSpan.FromSeconds(3);

    /// <summary>From now on nothing may still be one-sided or on its way by itself.</summary>
    static readonly TimeSpan LongAfter = TimeSpan.FromMinutes(6);

    const int WatchersAtEach = 2, WatchedAnew = 4, CustomersAtEach = 3;

    readonly Builds _builds = builds ?? new Builds(Builds.This, Builds.This);

    /// <summary>Runs with these faults, one after the other.</summary>
    /// <returns>What was wrong; empty if nothing was.</returns>
    public async Task<IReadOnlyList<string>> Live(IReadOnlyList<Fault> faults)
    {
        await using var cluster = await ChaosCluster.Start(_builds);
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
        var boards = new List<Board>();
        var customers = new List<Customer>();
        try
        {
            for (var n = 0; n < WatchersAtEach; n++)
                foreach (var front in cluster.Fronts) watchers.Add(await Watcher.At(front.Url));
            foreach (var front in cluster.Fronts) boards.Add(await Board.At(front.Url));
            traders.Begin();
            var random = new Random(seed);
            var tooLong = new List<string>();
            await Rest(traders, watchers);
            foreach (var (n, front) in cluster.Fronts.Index())
                foreach (var order in traders.Accepted.Reverse().Take(CustomersAtEach))
                    customers.Add(await Customer.At(front.Url, await history.Get(random, $"/api/v1/orders/{order}"), isPacked: n % 2 == 1));
            foreach (var fault in faults)
            {
                var start = history.Now;
                await fault.Strike(cluster, random);
                await cluster.AllIsBack();
                await Rest(traders, watchers);
                var (wait, words) = history.LongestWait(start, history.Now);
                say($"{start.TotalSeconds,6:0.0} s  {fault.Name}: {words}");
                if (wait > fault.AnsweredWithin) tooLong.Add($"After {fault.Name} at {start.TotalSeconds:0.0} s, {words}");
            }
            await traders.End();
            await history.AskAgain(random);
            await cluster.ComeToRest();
            var stored = await StoredEvents.Read(cluster.Source, _builds.NameHere);
            List<string> wrong = [.. tooLong, .. await Check(cluster, history, stored)];
            foreach (var watcher in watchers)
                wrong.AddRange(await watcher.Check(stored, id => history.Get(random, $"/api/v1/orders/{id}")));
            foreach (var board in boards)
                wrong.AddRange(await board.Check(stored, path => history.Get(random, path)));
            foreach (var customer in customers) wrong.AddRange(await customer.Check());
            say($"{history.Now.TotalSeconds,6:0.0} s  seed {seed}: {history.All.Count} commands, {traders.Accepted.Count} orders, "
                + $"{history.All.Sum(a => a.Unknown)} outcomes unknown at first, {cluster.Nodes.Sum(n => n.Starts - 1)} restarts, {wrong.Count} wrong");
            return wrong;
        }
        finally
        {
            foreach (var watcher in watchers) await watcher.DisposeAsync();
            foreach (var board in boards) await board.DisposeAsync();
            foreach (var customer in customers) await customer.DisposeAsync();
        }
    }

    static async Task Rest(Traders traders, List<Watcher> watchers)
    {
        await Task.WhenAny(Task.Delay(Calm));
        foreach (var watcher in watchers)
            foreach (var order in traders.Accepted.Reverse().Take(WatchedAnew)) await watcher.Add(order);
    }

    /// <summary>Holds the store against what clients were told, and against the laws.</summary>
    async Task<List<string>> Check(ChaosCluster cluster, History history, StoredEvents stored)
    {
        List<string> wrong = [.. history.Wrong];
        var caller = $"key:{await cluster.Ask<string>("select id from oms.api_keys where name = 'bootstrap'")}";
        wrong.AddRange(new Acknowledgements(history.All, stored, caller).Check());
        wrong.AddRange(history.Views.Select(stored.Contradicts).OfType<string>());

        if (_builds.Then != Builds.This) wrong.AddRange(await cluster.Check(_builds.Then) is { } broken ? [broken] : []);
        else
        {
            var report = await new StoreCheck(cluster.Source).Run(DateTimeOffset.UtcNow + LongAfter, _ => { }, CancellationToken.None);
            wrong.AddRange(report.Broken.Select(b => $"{b.Value.Count} times {b.Value.First}"));
        }
        if (await cluster.Ask<long>("select count(*) from oms.event where type = 'law.broken.v1'") is > 0 and var alarms)
            wrong.Add($"{alarms} alarms that a law was broken");
        return wrong;
    }
}
