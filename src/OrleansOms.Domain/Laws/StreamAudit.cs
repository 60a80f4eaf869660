using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Domain.Laws;

/// <summary>Holds the laws that one stream can break by itself, event by event. Not for several threads.</summary>
/// <param name="stream">Key of the aggregate.</param>
/// <param name="remembered">How many of the last command ids are known again.</param>
public class StreamAudit(string stream, int remembered)
{
    readonly HashSet<string> _commands = new(StringComparer.Ordinal);
    readonly Queue<string> _oldest = [];
    string? _lastCommand;

    /// <summary>The audit of a stream, by the prefix of its key.</summary>
    public static StreamAudit Of(string stream, int remembered = int.MaxValue) => stream switch
    {
        _ when stream.StartsWith(Keys.Order, StringComparison.Ordinal) => new OrderAudit(stream, remembered),
        _ when stream.StartsWith(Keys.Stock, StringComparison.Ordinal) => new StockAudit(stream, remembered),
        _ when stream.StartsWith(Keys.Shipment, StringComparison.Ordinal) => new ShipmentAudit(stream, remembered),
        _ => new StreamAudit(stream, remembered),
    };

    /// <summary>Key of the aggregate.</summary>
    public string Stream => stream;

    /// <summary>Number of the last event heard.</summary>
    public int Version { get; protected set; }

    /// <summary>When the last event was stored, UTC.</summary>
    public DateTimeOffset MovedAt { get; private set; }

    /// <summary>
    /// Whether the state is that of the whole stream; false after an event of an unknown type, of a newer program, or one
    /// that cannot follow what is before it.
    /// </summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>Takes one more event and answers with what it breaks.</summary>
    /// <param name="data">Null if its type is not known.</param>
    public IReadOnlyList<Breach> Hear(int version, DomainEvent? data, string command, DateTimeOffset at)
    {
        List<Breach>? found = null;
        Add(LogLaws.NoGap(stream, Version, version));
        Add(LogLaws.OneEffect(stream, version, command, _lastCommand, _commands.Contains(command)));
        if (_commands.Add(command)) _oldest.Enqueue(command);
        while (_oldest.Count > remembered) _commands.Remove(_oldest.Dequeue());
        (_lastCommand, Version, MovedAt) = (command, version, at);
        if (data is null) IsWhole = false;
        if (IsWhole)
            try
            {
                foreach (var breach in Fold(data!, command, at)) Add(breach);
            }
            catch (Exception e)
            {
                // What a fold cannot take, in whatever way it fails, was never decided.
                IsWhole = false;
                Add(new Breach(Law.CountsAreTheirLedger, stream, $"event {version} cannot follow: {e.Message}"));
            }
        return found ?? (IReadOnlyList<Breach>)[];

        void Add(Breach? breach)
        {
            if (breach is not null) (found ??= []).Add(breach);
        }
    }

    /// <summary>Takes an event into the state and answers with what it breaks there.</summary>
    protected virtual IEnumerable<Breach?> Fold(DomainEvent data, string command, DateTimeOffset at) => [];
}

/// <summary>Laws of one order.</summary>
public sealed class OrderAudit(string stream, int remembered = int.MaxValue) : StreamAudit(stream, remembered)
{
    /// <summary>The order by now.</summary>
    public Order Order { get; private set; } = new(stream);

    /// <summary>Units of a line that it has allocated in a stock and that have not left.</summary>
    public int AllocatedIn(string stock, int lineId)
    {
        var (warehouse, sku) = Keys.ReadStock(stock);
        return Order.HeldIn(warehouse, sku, lineId);
    }

    /// <inheritdoc />
    protected override IEnumerable<Breach?> Fold(DomainEvent data, string command, DateTimeOffset at)
    {
        yield return Order.Exists ? OrderLaws.TimesOutUnpaid(Order, (OrderEvent)data) : null;
        Order = Order.Apply((OrderEvent)data);
        yield return OrderLaws.Units(Order);
        if (data is PaymentRecorded)
        {
            yield return OrderLaws.Money(Order);
            yield return OrderLaws.PaidOnce(Order);
        }
    }
}

/// <summary>Laws of one stock.</summary>
public sealed class StockAudit(string stream, int remembered = int.MaxValue) : StreamAudit(stream, remembered)
{
    /// <summary>The stock by now.</summary>
    public Stock.Stock Stock { get; private set; } = Empty(stream);

    /// <summary>Its entries by now.</summary>
    public StockLedger Ledger { get; private set; } = new();

    /// <summary>Goes on from a stock whose entries before are not read again.</summary>
    public static StockAudit From(string stream, Stock.Stock stock, int remembered) =>
        new(stream, remembered)
        {
            Stock = stock with { Remembered = null, Counted = null }, Ledger = StockLedger.From(stock), Version = stock.Version,
        };

    /// <inheritdoc />
    protected override IEnumerable<Breach?> Fold(DomainEvent data, string command, DateTimeOffset at)
    {
        var entry = (StockEvent)data;
        Ledger.Add(entry);
        yield return StockLaws.EndsOnce(Stream, entry, Ledger);
        Stock = Stock.Apply(entry, command, at);
        var counts = StockCounts.Of(Stock);
        yield return StockLaws.NoOversell(Stream, counts);
        yield return StockLaws.CountsAreTheirLedger(Stream, counts, Ledger);
    }

    static Stock.Stock Empty(string stream)
    {
        var (warehouse, sku) = Keys.ReadStock(stream);
        return new Stock.Stock(warehouse, sku) { Remembered = null, Counted = null };
    }
}

/// <summary>Laws of one shipment.</summary>
public sealed class ShipmentAudit(string stream, int remembered = int.MaxValue) : StreamAudit(stream, remembered)
{
    /// <summary>The shipment by now.</summary>
    public Shipment Shipment { get; private set; } = new(stream);

    /// <inheritdoc />
    protected override IEnumerable<Breach?> Fold(DomainEvent data, string command, DateTimeOffset at)
    {
        yield return OrderLaws.LeavesOnce(Shipment, (ShipmentEvent)data);
        Shipment = Shipment.Apply((ShipmentEvent)data, at);
    }
}
