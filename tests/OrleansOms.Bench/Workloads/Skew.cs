using System.Globalization;
using Microsoft.Extensions.Hosting;
using OrleansOms.Bench.Measuring;
using OrleansOms.Bench.Running;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Bench.Workloads;

/// <summary>
/// Reservations of one unit over 10,000 SKUs, in this process: all of them wanted alike, or by Zipf's law, where the n-th
/// is wanted 1/n^s as often as the first. With s = 1.5 the first one has 38 % of all. Beside it, both ends of that with
/// Orleans' own transactions: the same unit taken from a stock and noted in its order, two grains, in the AdoNet storage.
/// </summary>
public sealed record Skew() : Workload("skew", "reservations")
{
    const int Skus = 10_000, QuickSkus = 1_000, CallersAtOnce = 256, FillAtOnce = 500;
    const double LeastOfUniform = 0.9;

    static readonly double[] Exponents = [0, 0.9, 1.0, 1.25, 1.5];

    static string NameOf(double exponent) => string.Create(CultureInfo.InvariantCulture, $"zipf {exponent}");

    static string TransactionsNameOf(double exponent) => $"Orleans Transactions, {NameOf(exponent)}";

    /// <inheritdoc />
    public override int Rounds(BenchOptions options) => options.RoundsOf(full: 5, quick: 1);

    /// <inheritdoc />
    public override async Task<Stage> SetUp(Session session, int round)
    {
        var (skus, seconds) = (session.Options.IsQuick ? QuickSkus : Skus, session.Options.Seconds(full: 3, quick: 0.4));
        var database = await session.Postgres.Create($"oms_bench_skew_{round}");
        var oms = await OmsInProcess.Start(
            session, session.Postgres.ConnectionTo(database), builder => builder.UseOrleans(silo => silo.UseTransactions()));
        var transactions = new TransactionCallers(oms.Grains);
        var stocks = Enumerable.Range(0, skus)
            .Select(n => oms.Grains.GetGrain<IStockGrain>(Keys.OfStock("BENCH", $"skew-{n:D5}"))).ToArray();
        var (run, next) = (Guid.NewGuid().ToString("N")[..16], 0);
        foreach (var some in stocks.Chunk(FillAtOnce))
            await Task.WhenAll(some.Select(s => Do(s, new ReceiveStock($"{run}/receive", 1_000_000, "bench"))));
        await Reserve(1, session.Options.Seconds(full: 3, quick: 0.4));
        await Take(0, session.Options.Seconds(full: 3, quick: 0.4));
        await session.Postgres.AwaitFollowers(database, session.Cancel);
        return new Stage(
            [
                .. (session.Options.IsQuick ? [Exponents[0], Exponents[^1]] : Exponents).Select(s => new Arm(NameOf(s), async () =>
                {
                    var outcome = await Reserve(s, seconds);
                    await session.Postgres.AwaitFollowers(database, session.Cancel);
                    return outcome;
                })
                {
                    ProgramCpu = () => Cpu.Of(Environment.ProcessId), Against = NameOf(0),
                    Goal = s == Exponents[^1] ? Goal.Ratio(LeastOfUniform) : null,
                }),
                // Longer, because one of theirs may take seconds.
                .. new[] { Exponents[0], Exponents[^1] }.Select(s => new Arm(TransactionsNameOf(s), () => Take(s, 3 * seconds))
                {
                    ProgramCpu = () => Cpu.Of(Environment.ProcessId), Against = TransactionsNameOf(0),
                }),
            ],
            async () =>
            {
                await oms.DisposeAsync();
                await session.Postgres.Drop(database);
            });

        Task<Outcome> Reserve(double exponent, double forSeconds)
        {
            var wanted = Cumulative(exponent, skus);
            return Callers.Run(CallersAtOnce, forSeconds, 1, async () =>
            {
                var order = $"{Keys.Order}{run}{Interlocked.Increment(ref next):D10}";
                await Do(stocks[Draw(wanted)], new ReserveStock($"{order}/reserve", order, [new LineUnits(1, 1)]));
            });
        }

        Task<Outcome> Take(double exponent, double forSeconds)
        {
            var wanted = Cumulative(exponent, skus);
            return transactions.Take(CallersAtOnce, forSeconds, () => Draw(wanted));
        }
    }

    static async Task Do(IStockGrain stock, StockCommand command)
    {
        var reply = await stock.Execute(command, "system");
        if (reply.Rejection is { } no) throw new InvalidOperationException($"The stock refused: {no.Code}, {no.Detail}");
    }

    /// <summary>Shares of the first n SKUs together, for each n.</summary>
    static double[] Cumulative(double exponent, int skus)
    {
        var shares = new double[skus];
        var sum = 0.0;
        for (var n = 0; n < skus; n++) shares[n] = sum += Math.Pow(n + 1, -exponent);
        for (var n = 0; n < skus; n++) shares[n] /= sum;
        return shares;
    }

    static int Draw(double[] cumulative)
    {
        var at = Array.BinarySearch(cumulative, Random.Shared.NextDouble());
        return Math.Min(at < 0 ? ~at : at, cumulative.Length - 1);
    }
}
