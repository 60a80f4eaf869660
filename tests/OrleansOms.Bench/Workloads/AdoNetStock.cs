using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Workloads;

/// <summary>A stock as the plain way of Orleans keeps one: its whole state is a row that each call writes anew.</summary>
[Alias("bench.IAdoNetStockGrain")]
public interface IAdoNetStockGrain : IGrainWithStringKey
{
    /// <summary>Starts with so many open reservations, and units for many more.</summary>
    [Alias("Open")]
    Task Open(int reservations);

    /// <summary>Reserves one unit; the same order again changes nothing.</summary>
    [Alias("Reserve")]
    Task Reserve(string order);

    /// <summary>Gives it back.</summary>
    [Alias("Release")]
    Task Release(string order);

    /// <summary>Units that may still be reserved; none if nothing was ever written.</summary>
    [Alias("Available")]
    Task<int> Available();
}

/// <inheritdoc cref="IAdoNetStockGrain" />
[GrainType("bench-adonet-stock")]
public sealed class AdoNetStockGrain([PersistentState("bench-stock", OmsInProcess.PlainStorage)] IPersistentState<AdoNetStock> stock)
    : Grain, IAdoNetStockGrain
{
    /// <inheritdoc />
    public Task Open(int reservations)
    {
        stock.State = new AdoNetStock { OnHand = 500_000_000 };
        for (var n = 0; n < reservations; n++) stock.State.Open.Add($"ord-open-{n:D10}", 1);
        return stock.WriteStateAsync();
    }

    /// <inheritdoc />
    public Task Reserve(string order)
    {
        if (stock.State.Open.Count >= stock.State.OnHand) throw new InvalidOperationException("Nothing is left.");
        return stock.State.Open.TryAdd(order, 1) ? stock.WriteStateAsync() : Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task Release(string order) => stock.State.Open.Remove(order) ? stock.WriteStateAsync() : Task.CompletedTask;

    /// <inheritdoc />
    public Task<int> Available() => Task.FromResult(stock.State.OnHand - stock.State.Open.Values.Sum());
}

/// <summary>What is on hand, and which orders have reserved how much of it.</summary>
[GenerateSerializer, Alias("bench.AdoNetStock")]
public sealed class AdoNetStock
{
    /// <summary>Units.</summary>
    [Id(0)] public int OnHand { get; set; }
    /// <summary>Units by order.</summary>
    [Id(1)] public Dictionary<string, int> Open { get; set; } = [];
}

/// <summary>Callers of one such stock.</summary>
public sealed class AdoNetCallers(IGrainFactory grains, string name)
{
    readonly IAdoNetStockGrain _stock = grains.GetGrain<IAdoNetStockGrain>($"bench-{name}");
    readonly string _run = Guid.NewGuid().ToString("N")[..16];
    int _next;

    /// <summary>Starts with so many open reservations.</summary>
    public Task Open(int reservations) => _stock.Open(reservations);

    /// <summary>Reserves one unit, again and again.</summary>
    public Task<Outcome> Reserve(int callers, double seconds) => Callers.Run(callers, seconds, 1, () => _stock.Reserve(Next()));

    /// <summary>Reserves one unit and gives it back, again and again.</summary>
    public Task<Outcome> ReserveAndRelease(int callers, double seconds) => Callers.Run(callers, seconds, 2, async () =>
    {
        var order = Next();
        await _stock.Reserve(order);
        await _stock.Release(order);
    });

    string Next() => $"ord-{_run}{Interlocked.Increment(ref _next):D10}";
}
