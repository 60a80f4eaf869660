using Orleans.Concurrency;
using Orleans.Transactions;
using Orleans.Transactions.Abstractions;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;

namespace OrleansOms.Bench.Workloads;

/// <summary>A stock in Orleans' own transactions: its key is that of a SKU.</summary>
[Alias("bench.ITransactionalStockGrain")]
public interface ITransactionalStockGrain : IGrainWithStringKey
{
    /// <summary>Reserves one unit.</summary>
    [Alias("Reserve"), Transaction(TransactionOption.Join)]
    Task Reserve();
}

/// <summary>The order that the unit is for: its key is that of an order.</summary>
[Alias("bench.ITransactionalOrderGrain")]
public interface ITransactionalOrderGrain : IGrainWithStringKey
{
    /// <summary>Reserves a unit of a stock and notes it, both or neither. Begins a transaction.</summary>
    [Alias("Take"), Transaction(TransactionOption.Create)]
    Task Take(string stock);
}

/// <inheritdoc cref="ITransactionalStockGrain" />
[GrainType("bench-transactional-stock"), Reentrant]
public sealed class TransactionalStockGrain(
    [TransactionalState("bench-transactional-stock", OmsInProcess.PlainStorage)] ITransactionalState<TransactionalStock> stock)
    : Grain, ITransactionalStockGrain
{
    /// <inheritdoc />
    public Task Reserve() => stock.PerformUpdate(s =>
    {
        if (s.Reserved >= s.OnHand) throw new InvalidOperationException("Nothing is left.");
        s.Reserved++;
    });
}

/// <inheritdoc cref="ITransactionalOrderGrain" />
[GrainType("bench-transactional-order"), Reentrant]
public sealed class TransactionalOrderGrain(
    [TransactionalState("bench-transactional-order", OmsInProcess.PlainStorage)] ITransactionalState<TransactionalOrder> order)
    : Grain, ITransactionalOrderGrain
{
    /// <inheritdoc />
    public async Task Take(string stock)
    {
        await GrainFactory.GetGrain<ITransactionalStockGrain>(stock).Reserve();
        await order.PerformUpdate(o => o.Stock = stock);
    }
}

/// <summary>Counts alone: less than a stock of ours remembers.</summary>
[GenerateSerializer, Alias("bench.TransactionalStock")]
public sealed class TransactionalStock
{
    /// <summary>Units; enough for any run.</summary>
    [Id(0)] public int OnHand { get; set; } = 500_000_000;
    /// <summary>Units that orders have taken.</summary>
    [Id(1)] public int Reserved { get; set; }
}

/// <summary>Where an order's unit is from.</summary>
[GenerateSerializer, Alias("bench.TransactionalOrder")]
public sealed class TransactionalOrder
{
    /// <summary>The stock's key; empty before it is taken.</summary>
    [Id(0)] public string Stock { get; set; } = "";
}

/// <summary>Callers that take units in transactions; one that was aborted is begun again until it holds.</summary>
public sealed class TransactionCallers(IGrainFactory grains)
{
    readonly string _run = Guid.NewGuid().ToString("N")[..16];
    int _next, _aborted;

    /// <summary>Takes one unit of a stock for a new order, again and again.</summary>
    /// <param name="draw">Number of the next stock that is wanted.</param>
    public async Task<Outcome> Take(int callers, double seconds, Func<int> draw)
    {
        var before = _aborted;
        var outcome = await Callers.Run(callers, seconds, 1, () => Take($"bench-transactional-{draw():D5}"));
        return outcome with
        {
            Further = new Dictionary<string, double>
            {
                ["abortedPerOperation"] = (_aborted - before) / (double)Math.Max(1, outcome.Operations),
            },
        };
    }

    async Task Take(string stock)
    {
        while (true)
        {
            try
            {
                await grains.GetGrain<ITransactionalOrderGrain>($"ord-{_run}{Interlocked.Increment(ref _next):D10}").Take(stock);
                return;
            }
            catch (OrleansTransactionException) { Interlocked.Increment(ref _aborted); }
        }
    }
}
