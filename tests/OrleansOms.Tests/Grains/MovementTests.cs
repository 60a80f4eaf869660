using OrleansOms.Contracts;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

using Stock = Domain.Stock.Stock;

/// <summary>Receipts and adjustments of several stocks: all of their lines or none, once, whatever dies meanwhile.</summary>
public sealed class MovementTests : IAsyncLifetime
{
    /// <summary>More ends of reservations than a stock remembers.</summary>
    const int Ends = IdMemory.Capacity / 2 + 1;

    static readonly string Key = Keys.FromIdempotencyKey(Keys.Movement, "test", "1");

    Silos _silos = null!;

    public async ValueTask InitializeAsync() => _silos = await Silos.Start();
    public ValueTask DisposeAsync() => _silos.DisposeAsync();

    [Fact]
    public async Task Nothing_comes_in_before_all_that_goes_out_has_gone()
    {
        Assert.Equal("insufficient_stock", (await Move(MovementKind.Adjustment, ("A", 10), ("B", -5))).Rejection?.Code);
        Assert.Empty(await LedgerOf("A"));
        Assert.Empty(await LedgerOf("B"));
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_before_any_of_it_comes_in()
    {
        await _silos.Receive("LON", "B", Stock.MaxOnHand);
        Assert.Equal("stock_too_large", (await Move(MovementKind.Receipt, ("A", 10), ("B", 1))).Rejection?.Code);
        Assert.Equal("stock_too_large", (await Move(MovementKind.Receipt, ("A", 10), ("B", 1))).Rejection?.Code);
        Assert.Empty(await LedgerOf("A"));
    }

    [Fact]
    public async Task What_cannot_be_taken_back_any_more_is_told()
    {
        await _silos.Receive("LON", "C", 1);
        _silos.Faults.OnAppendAsync = async append =>
        {
            // One fills up when it has been looked at already, and what has come into the other one is promised at once.
            if (append.Main.Events[0].CommandId == $"{Key}/0/do") await _silos.Receive("LON", "B", Stock.MaxOnHand);
            if (append.Main.Events[0].Data is MovementTurnedBack) await Reserve("A", 10);
            return null;
        };
        var refused = await Move(MovementKind.Adjustment, ("C", -1), ("A", 10), ("B", 1));
        Assert.Equal("stock_too_large", refused.Rejection?.Code);
        Assert.Contains(
            "could not be taken back: 1. The first is 10 of A: A in LON has 10 on hand, 10 of them promised.", refused.Rejection!.Detail, StringComparison.Ordinal);
        Assert.Equal(1, (await _silos.Stock("LON", "C").Get()).OnHand);
    }

    [Fact]
    public async Task What_was_refused_stays_refused_when_a_silo_dies_while_it_is_taken_back()
    {
        await _silos.Receive("LON", "B", 5);
        await _silos.Receive("LON", "C", 5);
        await Reserve("C", 5);
        FailOnce<MovementRefused>(() => Release("C", 5));
        Assert.Equal("insufficient_stock", (await Again(MovementKind.Adjustment, ("B", -5), ("C", -5))).Rejection?.Code);
        Assert.Equal(5, (await _silos.Stock("LON", "B").Get()).OnHand);
        Assert.Equal(5, (await _silos.Stock("LON", "C").Get()).OnHand);
    }

    [Fact]
    public async Task Units_come_in_once_however_much_their_stock_has_forgotten_since()
    {
        FailOnce<MovementCompleted>(() => Forget("A"));
        Assert.Null((await Again(MovementKind.Receipt, ("A", 10))).Rejection);
        Assert.Equal(10, (await _silos.Stock("LON", "A").Get()).OnHand);
    }

    [Fact]
    public async Task Units_are_taken_back_once_however_much_their_stock_has_forgotten_since()
    {
        await _silos.Receive("LON", "A", 10);
        FailOnce<MovementRefused>(() => Forget("A"));
        Assert.Equal("insufficient_stock", (await Again(MovementKind.Adjustment, ("A", -5), ("B", -5))).Rejection?.Code);
        Assert.Equal([-5, 5], (await LedgerOf("A")).Select(e => e.Data).OfType<StockAdjusted>().Select(e => e.Delta));
    }

    Task<Reply<MovementView>> Move(MovementKind kind, params (string Sku, int Delta)[] lines) =>
        _silos.Grains.GetGrain<IMovementGrain>(Key).Run(
            new MoveStock(kind, "LON", "test", [.. lines.Select(l => new MovementLine(l.Sku, l.Delta))], "hash"), new Caller(Key, "test"));

    /// <summary>The same request again until it is answered, as a client does.</summary>
    async Task<Reply<MovementView>> Again(MovementKind kind, params (string Sku, int Delta)[] lines)
    {
        await Assert.ThrowsAsync<LogUnavailableException>(() => Move(kind, lines));
        return (await Silos.Until(async () =>
        {
            try { return await Move(kind, lines); }
            catch (OmsFaultException) { return null; }
        }, reply => reply is not null && reply.Rejection?.Code != "request_in_progress"))!;
    }

    /// <summary>The silo dies, as it were, just before the first event of a type is stored, and something happens then.</summary>
    void FailOnce<T>(Func<Task> meanwhile)
    {
        var isFirst = 1;
        _silos.Faults.OnAppendAsync = async append =>
        {
            if (append.Main.Events[0].Data is not T || Interlocked.Exchange(ref isFirst, 0) == 0) return null;
            await meanwhile();
            return FaultyLog.Fault.BeforeCommit;
        };
    }

    Task Reserve(string sku, int units) => _silos.Stock("LON", sku).Execute(
        new ReserveStock("r", "ord-1", [new LineUnits(1, units)]), "test");

    Task Release(string sku, int units) => _silos.Stock("LON", sku).Execute(
        new ReleaseStock("x", "ord-1", [new LineUnits(1, units)], "test"), "test");

    /// <summary>Reservations of a stock come and go until it remembers nothing of before.</summary>
    async Task Forget(string sku)
    {
        LineUnits[] units = [new(1, 1)];
        var at = DateTimeOffset.UtcNow;
        var version = (await LedgerOf(sku))[^1].Version;
        Assert.IsType<AppendResult.Committed>(await _silos.Log.Append(new Append(new StreamEvents(
            Keys.OfStock("LON", sku), version,
            [.. Enumerable.Range(0, Ends).SelectMany(n => (NewEvent[])
            [
                new(new StockReserved($"ord-{n}", units), $"r{n}", "test", at),
                new(new ReservationReleased($"ord-{n}", units, "test"), $"x{n}", "test", at),
            ])]))));
    }

    Task<IReadOnlyList<LogEvent>> LedgerOf(string sku) => _silos.Log.ReadStream(Keys.OfStock("LON", sku));
}
