using Microsoft.Extensions.DependencyInjection;
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
    static readonly string Key = Keys.FromIdempotencyKey(Keys.Movement, "test", "1");

    Silos _silos = null!;

    readonly TaskCompletionSource _isLookedAfter = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async ValueTask InitializeAsync() => _silos = await Silos.Start(
        adjust: services => services.AddSingleton<IIncomingGrainCallFilter>(new Listener(_isLookedAfter)));

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

    /// <summary>A silo stood still with the question to a stock on its way; meanwhile another one asked it, and the stock had too few.</summary>
    [Fact]
    public async Task What_a_stock_does_for_a_movement_that_was_refused_is_taken_back()
    {
        Assert.Equal("insufficient_stock", (await Move(MovementKind.Adjustment, ("A", -5))).Rejection?.Code);
        await _silos.Receive("LON", "A", 9);
        await _silos.UntilHandled("fulfilment");
        Assert.Null((await _silos.Stock("LON", "A").Execute(new AdjustStock($"{Key}/0/do", -5, "late"), "test")).Rejection);
        await _silos.UntilStock("LON", "A", s => s.OnHand == 9);
        Assert.Equal([9, -5, 5], (await LedgerOf("A")).Select(e => StockDelta.Of((StockEvent)e.Data!).OnHand));
        // Once, whoever hears of it again.
        await _silos.Database.Execute("update oms.checkpoint set transaction = 0, position = 0 where follower = 'fulfilment'");
        await _silos.Receive("LON", "B", 1);
        await _silos.UntilHandled("fulfilment");
        Assert.Equal(3, (await LedgerOf("A")).Count);
    }

    [Fact]
    public async Task Units_come_in_once_however_much_their_stock_has_forgotten_since()
    {
        FailOnce<MovementCompleted>(() => _silos.Forget("LON", "A"));
        Assert.Null((await Again(MovementKind.Receipt, ("A", 10))).Rejection);
        Assert.Equal(10, (await _silos.Stock("LON", "A").Get()).OnHand);
    }

    [Fact]
    public async Task Units_are_taken_back_once_however_much_their_stock_has_forgotten_since()
    {
        await _silos.Receive("LON", "A", 10);
        FailOnce<MovementRefused>(() => _silos.Forget("LON", "A"));
        Assert.Equal("insufficient_stock", (await Again(MovementKind.Adjustment, ("A", -5), ("B", -5))).Rejection?.Code);
        Assert.Equal([-5, 5], (await LedgerOf("A")).Select(e => e.Data).OfType<StockAdjusted>().Select(e => e.Delta));
    }

    [Fact]
    public async Task Nobody_waits_for_a_movement_that_takes_long()
    {
        await _silos.Receive("LON", "A", 1);
        var order = await _silos.Place(PaymentReport.Pending, lines: ("A", 1));
        var (isHeld, goesOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        _silos.Faults.OnAppendAsync = async append =>
        {
            if (append.Main.Events[0].CommandId != $"{Key}/0/do") return null;
            isHeld.TrySetResult();
            await goesOn.Task;
            return null;
        };
        var receipt = Move(MovementKind.Receipt, ("B", 5));
        try
        {
            await isHeld.Task;
            // Its follower has come by and gone on.
            await _isLookedAfter.Task.WaitAsync(TimeSpan.FromSeconds(60));
            await _silos.Order(order.Id).Execute(new RecordPayment(PaymentReport.Paid, order.Totals.Grand, "pi"), Silos.By("pay"));
            await _silos.UntilOrder(order.Id, o => o.Shipments.Count == 1);
            Assert.False(receipt.IsCompleted);
        }
        finally { goesOn.SetResult(); }
        Assert.Null((await receipt).Rejection);
        await _silos.UntilHandled("fulfilment");
        Assert.Equal(5, (await _silos.Stock("LON", "B").Get()).OnHand);
    }

    [Fact]
    public async Task A_movement_that_nobody_asks_for_again_is_continued_also_when_its_follower_begins_anew()
    {
        _silos.Faults.OnAppend = a => a.Main.Events[0].Data is MovementCompleted ? FaultyLog.Fault.BeforeCommit : null;
        await Assert.ThrowsAsync<LogUnavailableException>(() => Move(MovementKind.Receipt, ("A", 5)));
        // Much has happened since, of which the follower has saved that it is done.
        await _silos.Receive("LON", "B", 1);
        var order = await _silos.Place(PaymentReport.Pending, lines: ("B", 1));
        await _silos.Order(order.Id).Execute(new RecordPayment(PaymentReport.Paid, order.Totals.Grand, "pi"), Silos.By("pay"));
        await _silos.UntilOrder(order.Id, o => o.Shipments.Count == 1);
        await _silos.Cluster.RestartSiloAsync(_silos.Cluster.Silos[0]);
        _silos.Faults.OnAppend = null;
        await Silos.Until(() => _silos.Log.ReadStream(Key), events => events[^1].Data is MovementCompleted);
        Assert.Single(await LedgerOf("A"));
        await _silos.UntilHandled("fulfilment");
    }

    [Fact]
    public async Task Who_asked_for_a_movement_that_takes_long_hears_of_it_by_short_calls()
    {
        var ends = Hold($"{Key}/0/do");
        var receipt = Of(MovementKind.Receipt, ("A", 5));
        Assert.Equal(Movements.StillRunning, (await Movement.Run(receipt, Me)).Rejection?.Code);
        Assert.Equal("request_in_progress", (await Movement.Run(receipt, Me)).Rejection?.Code);
        Assert.Equal(Movements.StillRunning, (await Movement.Rejoin(receipt, Me)).Rejection?.Code);
        var all = Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Movement.Rejoin(receipt, Me)));
        ends.SetResult(null);
        Assert.All(await all, reply => Assert.Equal(5, reply.Value?.Lines[0].Delta));
        Assert.Single(await LedgerOf("A"));
    }

    [Fact]
    public async Task Who_waits_for_a_movement_that_fails_meanwhile_goes_on_with_it()
    {
        var ends = Hold($"{Key}/0/do");
        var receipt = Of(MovementKind.Receipt, ("A", 5));
        Assert.Equal(Movements.StillRunning, (await Movement.Run(receipt, Me)).Rejection?.Code);
        var waiting = Movement.Rejoin(receipt, Me);
        ends.SetResult(FaultyLog.Fault.BeforeCommit);
        Assert.Null((await waiting).Rejection);
        Assert.Single(await LedgerOf("A"));
    }

    [Fact]
    public async Task What_comes_in_damaged_waits_for_nobody_until_it_is_found_sellable()
    {
        var order = await _silos.Place(lines: ("A", 2));
        Assert.Null((await Do(MovementKind.Receipt, new MovementLine("A", 5, StockCondition.Damaged))).Rejection);
        await _silos.UntilHandled("backorders");
        var stock = await _silos.Stock("LON", "A").Get();
        Assert.Equal((0, 0, 0, 5, 0), (stock.OnHand, stock.Available, stock.Reserved, stock.Damaged, stock.Quarantine));
        Assert.Null((await Do(
            MovementKind.ConditionChange, new MovementLine("A", 3, StockCondition.Damaged, StockCondition.Sellable), key: "2")).Rejection);
        await _silos.UntilOrder(order.Id, o => o.Lines[0].Allocated == 2);
        stock = await _silos.Stock("LON", "A").Get();
        Assert.Equal((3, 1, 2, 2, 0), (stock.OnHand, stock.Available, stock.Reserved, stock.Damaged, stock.Quarantine));
        Assert.Null((await Do(MovementKind.Adjustment, new MovementLine("A", -2, StockCondition.Damaged), key: "3")).Rejection);
        Assert.Equal(0, (await _silos.Stock("LON", "A").Get()).Damaged);
    }

    [Fact]
    public async Task A_change_of_condition_that_one_stock_refuses_is_taken_back_in_the_others()
    {
        await _silos.Receive("LON", "A", 5);
        await _silos.Receive("LON", "B", 5);
        await Reserve("B", 4);
        var refused = await Do(MovementKind.ConditionChange,
            [new("A", 5, StockCondition.Sellable, StockCondition.Quarantine), new("B", 2, StockCondition.Sellable, StockCondition.Quarantine)]);
        Assert.Equal("insufficient_stock", refused.Rejection?.Code);
        Assert.Contains("4 of them promised", refused.Rejection!.Detail, StringComparison.Ordinal);
        var stock = await _silos.Stock("LON", "A").Get();
        Assert.Equal((5, 0), (stock.OnHand, stock.Quarantine));
    }

    [Fact]
    public async Task Nothing_is_put_on_sale_before_all_of_it_can_be()
    {
        var order = await _silos.Place(lines: ("A", 2));
        await Do(MovementKind.Receipt, [new("A", 5, StockCondition.Quarantine), new("B", 2, StockCondition.Quarantine)], "before");
        MovementLine[] lines =
            [new("A", 5, StockCondition.Quarantine, StockCondition.Sellable), new("B", 3, StockCondition.Quarantine, StockCondition.Sellable)];
        var refused = await Do(MovementKind.ConditionChange, lines);
        Assert.Equal(("insufficient_stock", "B in LON has 2 in quarantine."), (refused.Rejection?.Code, refused.Rejection?.Detail));
        await _silos.UntilHandled("backorders");
        var stock = await _silos.Stock("LON", "A").Get();
        Assert.Equal((0, 0, 5), (stock.OnHand, stock.Reserved, stock.Quarantine));
        Assert.Equal(0, (await _silos.Order(order.Id).Get())!.Lines[0].Allocated);

        lines[1] = lines[1] with { Delta = 2 };
        Assert.Null((await Do(MovementKind.ConditionChange, lines, "2")).Rejection);
        await _silos.UntilOrder(order.Id, o => o.Lines[0].Allocated == 2);
        stock = await _silos.Stock("LON", "A").Get();
        Assert.Equal((5, 2, 0), (stock.OnHand, stock.Reserved, stock.Quarantine));
    }

    [Fact]
    public async Task Lines_about_the_same_units_are_done_one_after_the_other_and_taken_back_the_last_first()
    {
        await _silos.Receive("LON", "A", 5);
        MovementLine[] lines =
        [
            new("A", 5, StockCondition.Sellable, StockCondition.Quarantine), new("A", 5, StockCondition.Quarantine, StockCondition.Damaged),
            new("B", 1, StockCondition.Damaged, StockCondition.Quarantine),
        ];
        for (var round = 0; round < 5; round++)
        {
            Assert.Equal("B in LON has 0 damaged.", (await Do(MovementKind.ConditionChange, lines, $"{round}")).Rejection?.Detail);
            var back = await _silos.Stock("LON", "A").Get();
            Assert.Equal((5, 0, 0), (back.OnHand, back.Quarantine, back.Damaged));
        }
        Assert.Null((await Do(MovementKind.ConditionChange, lines[..2], "good")).Rejection);
        Assert.Equal(5, (await _silos.Stock("LON", "A").Get()).Damaged);
    }

    [Fact]
    public async Task A_change_of_condition_is_made_once_whatever_dies_and_however_much_its_stock_has_forgotten_since()
    {
        await _silos.Receive("LON", "A", 5);
        MovementLine line = new("A", 2, StockCondition.Sellable, StockCondition.Damaged);
        FailOnce<MovementCompleted>(() => _silos.Forget("LON", "A"));
        await Assert.ThrowsAsync<LogUnavailableException>(() => Do(MovementKind.ConditionChange, line));
        await Silos.Until(() => Calmly(() => Do(MovementKind.ConditionChange, line)), reply => reply is { Rejection: null });
        var stock = await _silos.Stock("LON", "A").Get();
        Assert.Equal((3, 2), (stock.OnHand, stock.Damaged));
    }

    [Fact]
    public async Task What_knows_of_conditions_is_stored_under_names_that_programs_of_before_do_not_know_and_nothing_else_is()
    {
        Assert.Null((await Move(MovementKind.Receipt, ("A", 5))).Rejection);
        Assert.Null((await Do(MovementKind.Adjustment, new MovementLine("A", -1, StockCondition.Sellable), key: "2")).Rejection);
        Assert.Null((await Do(MovementKind.Receipt, new MovementLine("A", 1, StockCondition.Quarantine), key: "3")).Rejection);
        Assert.Equal(["stock.received.v1", "stock.adjusted.v1", "stock.condition-changed.v1"], (await LedgerOf("A")).Select(e => e.Type));
        string[] started = ["movement.started.v1", "movement.started.v1", "movement.started.v2"];
        for (var n = 0; n < started.Length; n++)
            Assert.Equal(started[n], (await _silos.Log.ReadStream(Keys.FromIdempotencyKey(Keys.Movement, "test", $"{n + 1}")))[0].Type);
    }

    Task<Reply<MovementView>> Do(MovementKind kind, MovementLine line, string key = "1") => Do(kind, [line], key);

    Task<Reply<MovementView>> Do(MovementKind kind, MovementLine[] lines, string key = "1")
    {
        var id = Keys.FromIdempotencyKey(Keys.Movement, "test", key);
        return _silos.Grains.GetGrain<IMovementGrain>(id).RunToEnd(MoveStock.Of(kind, "LON", "test", lines, "hash"), new Caller(id, "test"));
    }

    static async Task<T?> Calmly<T>(Func<Task<T>> ask) where T : class
    {
        try { return await ask(); }
        catch (OmsFaultException) { return null; }
    }

    /// <summary>Holds the first append of a command until it is told how that ends.</summary>
    TaskCompletionSource<FaultyLog.Fault?> Hold(string commandId)
    {
        var ends = new TaskCompletionSource<FaultyLog.Fault?>();
        var isFirst = 1;
        _silos.Faults.OnAppendAsync = async append =>
            append.Main.Events[0].CommandId == commandId && Interlocked.Exchange(ref isFirst, 0) == 1 ? await ends.Task : null;
        return ends;
    }

    static Caller Me => new(Key, "test");

    IMovementGrain Movement => _silos.Grains.GetGrain<IMovementGrain>(Key);

    static MoveStock Of(MovementKind kind, params (string Sku, int Delta)[] lines) =>
        new(kind, "LON", "test", [.. lines.Select(l => new MovementLine(l.Sku, l.Delta))], "hash");

    Task<Reply<MovementView>> Move(MovementKind kind, params (string Sku, int Delta)[] lines) =>
        Movement.RunToEnd(Of(kind, lines), Me);

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

    /// <summary>Hears that a movement has answered its follower.</summary>
    sealed class Listener(TaskCompletionSource isLookedAfter) : IIncomingGrainCallFilter
    {
        public async Task Invoke(IIncomingGrainCallContext context)
        {
            await context.Invoke();
            if (context.MethodName == nameof(IMovementGrain.Continue)) isLookedAfter.TrySetResult();
        }
    }

    Task<IReadOnlyList<LogEvent>> LedgerOf(string sku) => _silos.Log.ReadStream(Keys.OfStock("LON", sku));
}
