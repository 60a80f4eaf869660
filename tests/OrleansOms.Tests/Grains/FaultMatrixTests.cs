using System.Text.Json;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Stock;
using OrleansOms.Grains;
using OrleansOms.Postgres.Laws;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Grains;

/// <summary>
/// What a crash may do, row by row, to each command: whatever happens to the append that it depends on, the same command
/// again is answered, its effect is there once, and the whole store keeps the laws.
/// </summary>
public sealed class FaultMatrixTests(FaultMatrixTests.Cluster cluster) : IClassFixture<FaultMatrixTests.Cluster>
{
    /// <summary>A command, and which of its appends is hit.</summary>
    public enum Step
    {
        Place, Reserve, Pay, Ship,
        Cancel, CancelInWarehouseIntent, CancelInWarehouseWithdrawal, CancelInWarehouseEnd,
    }

    /// <summary>What happens to it.</summary>
    public enum Trouble { BeforeCommit, AfterCommit, Delay, OtherActivation, NoDatabase }

    public static MatrixTheoryData<Step, Trouble> Rows => new(Enum.GetValues<Step>(), Enum.GetValues<Trouble>());

    /// <summary>One cluster for all rows; reservations that no order holds are freed soon.</summary>
    public sealed class Cluster : IAsyncLifetime
    {
        public Silos Silos { get; private set; } = null!;
        public async ValueTask InitializeAsync()
        {
            Silos = await Silos.Start(new OmsSettings { ReservationGrace = TimeSpan.FromMilliseconds(300) });
            await Silos.Place(PaymentReport.Pending, lines: ("A", 1));
            await Silos.Until(() => Silos.Database.Ask<long>("select count(*) from oms.waiting"), n => n == 1);
        }

        public ValueTask DisposeAsync() => Silos.DisposeAsync();
    }

    const int Units = 5, MostTries = 20;

    /// <summary>By then nothing may be known to one side only any more.</summary>
    static readonly TimeSpan LongAfter = TimeSpan.FromMinutes(6);

    /// <summary>Longer than any of these commands takes when nothing holds it.</summary>
    static readonly TimeSpan ForAnAnswer = TimeSpan.FromMilliseconds(300);

    readonly Silos _silos = cluster.Silos;
    readonly string _sku = $"S-{Guid.NewGuid():N}"[..12];
    int _onHand = Units;
    string? _fault;

    [Theory, MemberData(nameof(Rows))]
    public async Task The_same_command_again_is_answered_and_has_its_effect_once(Step step, Trouble trouble)
    {
        var row = await Prepare(step);
        var (hits, stored) = (0, 0);
        var isHeld = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goesOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _silos.Faults.OnAppendAsync = async append =>
        {
            if (!row.IsHit(append) || Interlocked.Increment(ref hits) > 1) return null;
            switch (trouble)
            {
                case Trouble.BeforeCommit: return FaultyLog.Fault.BeforeCommit;
                case Trouble.AfterCommit:
                    stored = append.Main.ExpectedVersion + append.Main.Events.Count(e => e.Data is not ShipmentReleased);
                    return FaultyLog.Fault.AfterCommit;
                case Trouble.Delay:
                    isHeld.SetResult();
                    await goesOn.Task;
                    return null;
                case Trouble.OtherActivation:
                    // Another desk has reserved for itself.
                    if (step == Step.Place) await Reserve(order: append.Main.Stream);
                    Assert.IsType<AppendResult.Committed>(await _silos.Log.Append(append));
                    return null;
                default:
                    await _silos.Database.TakeAway();
                    return null;
            }
        };

        string? answered;
        try
        {
            var first = First();
            if (trouble == Trouble.Delay)
            {
                await isHeld.Task.WaitAsync(TimeSpan.FromSeconds(60));
                // Whoever does not wait for the answer asks again: not before the first one is known is anything confirmed.
                var impatient = Answer(row.Do);
                // The desk says so at once; a grain lets the second one wait behind the first.
                if (step is Step.Place or Step.Reserve) Assert.Contains("request_in_progress", await impatient, StringComparison.Ordinal);
                else Assert.NotSame(impatient, await Task.WhenAny(impatient, Task.Delay(ForAnAnswer)));
                Assert.False(first.IsCompleted);
                goesOn.SetResult();
                await impatient;
            }
            answered = await first;
            // A fault is a fault for whoever asked: nobody is told that something is stored that is not known to be.
            if (trouble is Trouble.BeforeCommit or Trouble.AfterCommit or Trouble.NoDatabase) Assert.Null(answered);
            if (trouble == Trouble.NoDatabase)
            {
                Assert.Null(await Answer(row.Do));
                await _silos.Database.GiveBack();
            }
            Assert.True(hits > 0, $"Nothing was hit: {answered ?? _fault}");
        }
        finally
        {
            // The rows share a cluster: what one leaves behind must not hurt the next.
            _silos.Faults.OnAppendAsync = null;
            goesOn.TrySetResult();
            if (trouble == Trouble.NoDatabase) await _silos.Database.GiveBack();
        }

        var again = await Silos.Until(() => Answer(row.Do), a => a is not null && !a.Contains("request_in_progress"));
        Assert.DoesNotContain("\"Rejection\":{", again, StringComparison.Ordinal);
        if (answered is not null && step is Step.Place or Step.Reserve) Assert.Equal(answered, again);
        // What was stored with it is the first answer, however far the order has gone since.
        if (trouble == Trouble.AfterCommit && step == Step.Place) Assert.Contains($"\"Version\":{stored},", again, StringComparison.Ordinal);
        await row.UntilDone();
        Assert.Equal(1, await _silos.Database.Ask<long>(
            $"select count(*) from oms.event where type = '{row.Effect.Type}' and stream = '{row.Effect.Stream}'"));
        var report = await new StoreCheck(_silos.Database.Source).Run(DateTimeOffset.UtcNow + LongAfter, _ => { }, CancellationToken.None);
        Assert.True(report.Broken.Count == 0, string.Join('\n', report.Broken.Values.Select(b => b.First)));

        // A connection that the row before has cut may fail before anything is hit.
        async Task<string?> First()
        {
            for (var tries = 1; ; tries++)
                if (await Answer(row.Do) is var answer && (answer is not null || Volatile.Read(ref hits) > 0 || tries == MostTries))
                    return answer;
        }
    }

    /// <summary>What is asked for, what is hit of it, and what must be there once in the end.</summary>
    sealed record Row(
        Func<Task<object>> Do, Func<Append, bool> IsHit, (string Type, string Stream) Effect, Func<Task> UntilDone);

    async Task<Row> Prepare(Step step)
    {
        await Surely(() => _silos.Grains.GetGrain<IProductGrain>(Keys.Product + _sku)
            .Put(new ProductDetails(_sku, null, null), new Caller($"put/{_sku}", "test")));
        await Receive();
        if (step is Step.Place or Step.Reserve) return Placing(step);
        if (step is Step.Pay or Step.Cancel) return await Waiting(step);
        return await InWarehouse(step);
    }

    Row Placing(Step step)
    {
        var (id, command) = _silos.NewOrder(lines: (_sku, Units));
        return new Row(
            async () => await _silos.Desk.Place(id, command, Silos.By(id)),
            step == Step.Place ? a => Has<OrderPlaced>(a, id) : a => Has<StockReserved>(a, StockKey),
            ("order.placed.v1", id), async () =>
            {
                // It is on its way, what is reserved is its own, and what was reserved for it before is freed.
                await Silos.Until(() => Safely(() => _silos.Order(id).Get()), o => o is { Shipments.Count: > 0 } && o.Lines[0].Allocated == Units);
                await UntilStock(_onHand, reserved: Units);
            });
    }

    async Task<Row> Waiting(Step step)
    {
        var order = await Surely(() => _silos.Place(PaymentReport.Pending, lines: (_sku, Units)));
        return step == Step.Pay
            ? new Row(
                async () => await _silos.Order(order.Id).Execute(
                    new RecordPayment(PaymentReport.Paid, order.Totals.Grand, "pi"), Silos.By($"{order.Id}/pay")),
                a => Has<PaymentRecorded>(a, order.Id), ("order.payment-recorded.v1", order.Id),
                () => Silos.Until(() => Safely(() => _silos.Order(order.Id).Get()), o => o is { Shipments.Count: 1 }))
            : Cancelling<UnitsCancelled>(order.Id, order.Id);
    }

    async Task<Row> InWarehouse(Step step)
    {
        var order = await Surely(() => _silos.Place(lines: (_sku, Units)));
        var shipment = (await Silos.Until(() => Safely(() => _silos.Order(order.Id).Get()), o => o is { Shipments.Count: 1 }))!.Shipments[0].Id;
        if (step == Step.CancelInWarehouseIntent) return Cancelling<CancellationRequested>(order.Id, order.Id);
        if (step == Step.CancelInWarehouseWithdrawal) return Cancelling<UnitsWithdrawn>(order.Id, shipment);
        if (step == Step.CancelInWarehouseEnd) return Cancelling<UnitsCancelled>(order.Id, order.Id);
        SkuUnits[] units = [new(_sku, Units)];
        Assert.NotNull((await Surely(() => _silos.Shipment(shipment).Execute(new PickUnits(units), Silos.By($"{shipment}/pick")))).Value);
        Assert.NotNull((await Surely(() => _silos.Shipment(shipment).Execute(
            new PackShipment([new Package(1, units)]), Silos.By($"{shipment}/pack")))).Value);
        return new Row(
            async () => await _silos.Shipment(shipment).Execute(
                new ShipShipment("dhl", "parcel", "T1"), Silos.By($"{shipment}/ship")),
            a => Has<ShipmentShipped>(a, shipment), ("shipment.shipped.v1", shipment), () => UntilStock(0, reserved: 0));
    }

    Row Cancelling<THit>(string order, string hit) => new(
        async () => await _silos.Order(order).Execute(new CancelOrder("c1", "why", null), Silos.By($"{order}/c1")),
        a => Has<THit>(a, hit), ("order.units-cancelled.v1", order), () => UntilStock(_onHand, reserved: 0));

    Task Receive()
    {
        var receive = new ReceiveStock(Guid.NewGuid().ToString(), Units, "test");
        return Surely(() => _silos.Stock("LON", _sku).Execute(receive, "test"));
    }

    async Task Reserve(string order)
    {
        _onHand += Units;
        await Receive();
        await _silos.Stock("LON", _sku).Execute(new ReserveStock("other", order, [new LineUnits(1, Units)]), "test");
    }

    string StockKey => Keys.OfStock("LON", _sku);

    static bool Has<T>(Append append, string stream) => append.Main.Stream == stream && append.Main.Events.Any(e => e.Data is T);

    Task UntilStock(int onHand, int reserved) => Silos.Until(
        () => Safely(() => _silos.Stock("LON", _sku).Get()), s => s is not null && (s.OnHand, s.Reserved) == (onHand, reserved));

    /// <summary>Connections that a row before has cut may fail once.</summary>
    async Task<T> Surely<T>(Func<Task<T>> ask) where T : class => (await Silos.Until(() => Safely(ask), a => a is not null))!;

    /// <summary>The answer as text, or null for a fault.</summary>
    async Task<string?> Answer(Func<Task<object>> ask) => await Safely(ask) is { } answer ? JsonSerializer.Serialize(answer) : null;

    async Task<T?> Safely<T>(Func<Task<T>> ask) where T : class?
    {
        try { return await ask(); }
        catch (Exception e) when (e is OmsFaultException or TimeoutException or OrleansException)
        {
            _fault = e.Message;
            return null;
        }
    }
}
