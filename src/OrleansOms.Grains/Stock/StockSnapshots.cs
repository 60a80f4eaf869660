using System.Globalization;
using Microsoft.Extensions.Logging;
using Orleans.Storage;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Grains.Stock;

using Stock = Domain.Stock.Stock;

/// <summary>The AdoNet storage of snapshots.</summary>
public sealed class SnapshotStore(IGrainStorage storage)
{
    /// <summary>Name under which the storage is registered.</summary>
    public const string Name = "snapshots";

    internal IGrainStorage Storage => storage;
}

/// <summary>A stock as it is kept between activations.</summary>
[GenerateSerializer, Alias("oms.StockSnapshot")]
public sealed class StockSnapshot
{
    /// <summary>Version of the stream that is folded in.</summary>
    [Id(0)] public int Version { get; set; }
    /// <summary>Sellable units in the warehouse.</summary>
    [Id(1)] public int OnHand { get; set; }
    /// <summary>Open reservations by <c>order/line</c>: units, then the ids of the commands that changed it.</summary>
    [Id(2)] public Dictionary<string, SnapshotReservation> Reservations { get; set; } = [];
    /// <summary>Remembered command ids: of reservations that have ended and of movements, which say so; oldest first each.</summary>
    [Id(3)] public List<string> Remembered { get; set; } = [];
    /// <summary>Orders whose units were not found since units last came in, oldest first.</summary>
    [Id(4)] public List<string> Failed { get; set; } = [];
    /// <summary>How many events the program knew that wrote it; 0 of one that did not say so yet.</summary>
    [Id(5)] public int KnownEvents { get; set; }
    /// <summary>Damaged units in the warehouse.</summary>
    [Id(6)] public int Damaged { get; set; }
    /// <summary>Units in the warehouse that have to be looked at.</summary>
    [Id(7)] public int Quarantine { get; set; }
    /// <summary>Units that were promised to lines which waited, by channel.</summary>
    [Id(8)] public Dictionary<string, int> Given { get; set; } = [];
}

/// <summary>An open reservation in a snapshot.</summary>
[GenerateSerializer, Alias("oms.SnapshotReservation")]
public sealed class SnapshotReservation
{
    /// <summary>Units.</summary>
    [Id(0)] public int Quantity { get; set; }
    /// <summary>Ids of the commands that changed it.</summary>
    [Id(1)] public List<string> Commands { get; set; } = [];
}

/// <summary>
/// Writes a stock's state now and then, so that its activation reads one snapshot and a short tail. The log is the
/// truth: a snapshot that cannot be written or read costs time, never data. One of a newer program is not read: there may be
/// more in it than this one understands, of events that it does not know.
/// </summary>
sealed partial class StockSnapshots(SnapshotStore store, GrainId grain, ILogger logger)
{
    /// <summary>Events between two snapshots, and how long a stream must be to have one.</summary>
    public const int Interval = 500;

    const string StateName = "stock-snapshot";

    readonly GrainState<StockSnapshot> _row = new() { State = new StockSnapshot() };
    volatile bool _isWriting;
    bool _isRead;

    /// <summary>Whether the one that was read is of a newer program.</summary>
    public bool IsNewer { get; private set; }

    /// <summary>The stock that was kept, or the empty one; its ids are remembered from now on as if they had just come.</summary>
    public async Task<Stock> Read(Stock empty, DateTimeOffset now)
    {
        try
        {
            await store.Storage.ReadStateAsync(StateName, grain, _row);
            _isRead = true;
            if (_row.State is not { Version: > 0 } snapshot) return empty;
            IsNewer = snapshot.KnownEvents > EventTypes.Count;
            return IsNewer ? empty : Of(snapshot, empty, now);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // What stands in the row is not worth waiting for.
            _row.State = new StockSnapshot();
            LogFailed(logger, e, grain, "read");
            return empty;
        }
    }

    /// <summary>Throws away what is kept, which is ahead of the log.</summary>
    public async Task Clear()
    {
        LogAhead(logger, grain);
        await store.Storage.ClearStateAsync(StateName, grain, _row);
        _row.State = new StockSnapshot();
    }

    static Stock Of(StockSnapshot snapshot, Stock empty, DateTimeOffset now) => empty with
    {
        Version = snapshot.Version,
        OnHand = snapshot.OnHand,
        Damaged = snapshot.Damaged,
        Quarantine = snapshot.Quarantine,
        Reserved = snapshot.Reservations.Values.Sum(r => r.Quantity),
        Reservations = Reservations.Of(snapshot.Reservations.Select(r => KeyValuePair.Create(
            ReadLine(r.Key), new Reservation(r.Value.Quantity, [.. r.Value.Commands])))),
        Counted = IdMemory.Of([.. snapshot.Remembered.Where(IsOfMovement)]),
        Remembered = IdMemory.Of([.. snapshot.Remembered.Where(id => !IsOfMovement(id))], now),
        Failed = IdMemory.Of(snapshot.Failed),
        Given = empty.Given.AddRange(snapshot.Given),
    };

    /// <summary>Writes a snapshot when the tail has become long. A large state is written less often, so that the cost
    /// of one event stays the same however many reservations are open.</summary>
    public void Offer(Stock stock)
    {
        if (_isWriting || stock.Version < Interval) return;
        var tail = stock.Version - (_row.State?.Version ?? 0);
        if (tail < Math.Max(Interval, stock.Reservations.Count)) return;
        _isWriting = true;
        // The next command changes what is in these, so they are copied here, which takes a millisecond for 100,000. The rest,
        // a tenth of a second, is not for the grain's turn.
        KeyValuePair<OrderLineKey, Reservation>[] open = [.. stock.Reservations];
        var snapshot = new StockSnapshot
        {
            Version = stock.Version,
            OnHand = stock.OnHand,
            Damaged = stock.Damaged,
            Quarantine = stock.Quarantine,
            Remembered = [.. stock.Remembered!.Order, .. stock.Counted!.Order],
            Failed = [.. stock.Failed.Order],
            Given = new(stock.Given),
            KnownEvents = EventTypes.Count,
        };
        _ = Task.Run(() => Write(snapshot, open));
    }

    async Task Write(StockSnapshot snapshot, KeyValuePair<OrderLineKey, Reservation>[] open)
    {
        try
        {
            if (!_isRead)
            {
                await store.Storage.ReadStateAsync(StateName, grain, _row);
                _isRead = true;
            }
            snapshot.Reservations = open.ToDictionary(
                r => string.Create(CultureInfo.InvariantCulture, $"{r.Key.OrderId}/{r.Key.LineId}"),
                r => new SnapshotReservation { Quantity = r.Value.Quantity, Commands = [.. r.Value.Commands] });
            _row.State = snapshot;
            await store.Storage.WriteStateAsync(StateName, grain, _row);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _isRead = false;
            LogFailed(logger, e, grain, "written");
        }
        finally { _isWriting = false; }
    }

    static bool IsOfMovement(string command) => command.StartsWith(Keys.Movement, StringComparison.Ordinal);

    static OrderLineKey ReadLine(string key)
    {
        var slash = key.LastIndexOf('/');
        return new OrderLineKey(key[..slash], int.Parse(key.AsSpan(slash + 1), CultureInfo.InvariantCulture));
    }

    [LoggerMessage(LogLevel.Warning, "The snapshot of {Grain} was ahead of the log and is thrown away.")]
    static partial void LogAhead(ILogger logger, GrainId grain);

    [LoggerMessage(LogLevel.Warning, "The snapshot of {Grain} could not be {Done}; the log is read instead.")]
    static partial void LogFailed(ILogger logger, Exception e, GrainId grain, string done);
}
