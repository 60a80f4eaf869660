using OrleansOms.Bench.Measuring;

namespace OrleansOms.Bench.Workloads;

/// <summary>Something that is measured, by one or more arms. A new one is a class and a line in <see cref="All"/>.</summary>
/// <param name="Name">As it is named on the command line.</param>
/// <param name="Unit">What one operation is.</param>
public abstract record Workload(string Name, string Unit)
{
    /// <summary>Every workload, in the order in which they run.</summary>
    public static IReadOnlyList<Workload> All { get; } =
    [
        new PlaceOrder(), new HotSku(), new HotOrders(), new Skew(), new Growth(), new Cold(), new TwoProcesses(),
        new Push(), new PushMany(), new WaitingGrains(), new Idle(), new Rebuild(), new BigHistory(), new FirstView(),
        new Soak(),
    ];

    /// <summary>Whether it runs on the long history.</summary>
    public virtual bool HasHistory => false;

    /// <summary>Whether a quick look at everything leaves it out: small, it takes as long as many others, or tells nothing.</summary>
    public virtual bool IsLong => HasHistory;

    /// <summary>How often the arms take turns.</summary>
    public abstract int Rounds(BenchOptions options);

    /// <summary>Makes fresh data for one round and warms everything up.</summary>
    public abstract Task<Stage> SetUp(Session session, int round);
}

/// <summary>What a round runs on.</summary>
/// <param name="Arms">The same ones in each round.</param>
/// <param name="CleanUp">Run when the round is over.</param>
public sealed record Stage(IReadOnlyList<Arm> Arms, Func<ValueTask> CleanUp) : IAsyncDisposable
{
    /// <inheritdoc />
    public ValueTask DisposeAsync() => CleanUp();
}
