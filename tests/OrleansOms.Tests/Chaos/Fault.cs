using Npgsql;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Chaos;

/// <summary>Something that goes wrong in a cluster.</summary>
/// <param name="Name">What the report calls it.</param>
/// <param name="Strike">Does it, and completes when it is over; what it has broken may still be coming back.</param>
sealed record Fault(string Name, Func<ChaosCluster, Random, Task> Strike)
{
    /// <summary>How soon others answer for a silo that is gone, or silent for so long that it is taken for gone.</summary>
    static readonly TimeSpan SiloLoss = TimeSpan.FromSeconds(8);

    /// <summary>Seconds of silence after which a silo may be taken for gone.</summary>
    const int Silence = 4;

    /// <summary>The longest that any client may wait for an answer, its repetitions included; null for no limit.</summary>
    public TimeSpan? AnsweredWithin { get; init; }

    public static Fault KillSilo { get; } = new("kill -9 of a silo", (c, r) => Any(c.Silos, r).Kill()) { AnsweredWithin = SiloLoss };

    /// <summary>
    /// Each of the silos in turn, some of them before the one before is back: whatever the others know of where grains are is
    /// about silos that are gone.
    /// </summary>
    public static Fault KillSilos { get; } = new("kill -9 of one silo after the other", async (c, r) =>
    {
        foreach (var silo in c.Silos.OrderBy(_ => r.Next()).ToList())
        {
            await silo.Kill();
            await Task.WhenAny(Task.Delay(TimeSpan.FromMilliseconds(r.Next(1_000, 6_000))));
        }
    });

    public static Fault KillFront { get; } = new("kill -9 of a front end", (c, r) => Any(c.Fronts, r).Kill());
    public static Fault CrashDatabase { get; } = new("PostgreSQL ends at once", (c, _) => c.CrashDatabase());

    public static Fault CutConnections { get; } = new("all backends are terminated", (c, _) => c.Execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"));

    public static Fault RollingRestart { get; } = new("rolling restart", async (c, _) =>
    {
        foreach (var node in c.Nodes) await node.Restart();
    });

    /// <summary>The log can be read and not written.</summary>
    public static Fault SlowDisk { get; } = new("writes wait for a lock", async (c, r) =>
    {
        await using var connection = await c.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var block = new NpgsqlCommand("lock table oms.event in share row exclusive mode", connection, transaction))
            await block.ExecuteNonQueryAsync();
        await Task.WhenAny(Task.Delay(TimeSpan.FromSeconds(r.Next(2, 8))));
        await transaction.CommitAsync();
    });

    /// <summary>SIGSTOP for a while.</summary>
    public static Fault PauseSilo(int seconds) =>
        new($"a silo stands still for {seconds} s", (c, r) => Any(c.Silos, r).Pause(TimeSpan.FromSeconds(seconds)))
        {
            AnsweredWithin = seconds > Silence ? SiloLoss : null,
        };

    /// <summary>SIGSTOP for a while.</summary>
    public static Fault PauseFront(int seconds) =>
        new($"a front end stands still for {seconds} s", (c, r) => Any(c.Fronts, r).Pause(TimeSpan.FromSeconds(seconds)));

    /// <summary>All that a long run draws from.</summary>
    public static IReadOnlyList<Fault> All { get; } =
    [
        KillSilo, KillSilo, KillSilos, KillFront, CrashDatabase, CutConnections, RollingRestart, SlowDisk,
        PauseSilo(5), PauseSilo(25), PauseSilo(75), PauseFront(5), PauseFront(25),
    ];

    static ChaosNode Any(IReadOnlyList<ChaosNode> nodes, Random random) => nodes[random.Next(nodes.Count)];
}
