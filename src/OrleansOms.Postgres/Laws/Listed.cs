using Npgsql;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;

namespace OrleansOms.Postgres.Laws;

/// <summary>A row of a list as it is stored: its key, and each value by its name.</summary>
sealed record ListedRow(string Id, IReadOnlyDictionary<string, object?> Values);

/// <summary>Rows of one list in the order of their keys, read side by side with the streams that they are made of.</summary>
sealed class ListedRows(IAsyncEnumerator<ListedRow> rows, CheckReport report) : IAsyncDisposable
{
    bool _isOpen = true, _hasRow;

    public ValueTask DisposeAsync() => rows.DisposeAsync();

    /// <summary>Holds the row of a stream against what the log says; null if the log has no such row at its position.</summary>
    public async Task Compare(string id, IReadOnlyDictionary<string, object?>? folded)
    {
        await UpTo(id);
        var isListed = _isOpen && rows.Current.Id == id;
        if (isListed) _hasRow = false;
        if (folded is null && !isListed) return;
        report.Rows++;
        if (folded is null || !isListed)
        {
            report.Add(LogLaws.ListsAreTheLog(id, "its row", isListed ? "there" : "missing", isListed ? "missing" : "there"));
            return;
        }
        foreach (var (name, value) in folded)
            report.Add(LogLaws.ListsAreTheLog(id, name, rows.Current.Values[name], value));
    }

    /// <summary>Rows that no stream was read for.</summary>
    public Task End() => UpTo(null);

    async Task UpTo(string? id)
    {
        while (_isOpen)
        {
            if (!_hasRow) _isOpen = _hasRow = await rows.MoveNextAsync();
            if (!_isOpen || (id is not null && StoredEvents.Compare(rows.Current.Id, id) >= 0)) return;
            report.Rows++;
            report.Add(LogLaws.ListsAreTheLog(rows.Current.Id, "its row", "there", "missing"));
            _hasRow = false;
        }
    }
}

/// <summary>What lists say of an aggregate, and where they say it.</summary>
static class Listed
{
    public const string Orders = """
        select o.id, o.version, o.status, o.payment_status, o.total, o.units, array_to_string(o.warehouses, ',') as warehouses,
          (select w.since from oms.waiting w where w.key = o.id and w.kind = 1) as waits,
          (select string_agg(concat_ws('/', l.line_id, l.sku, l.quantity, l.allocated, l.backordered, l.shipped, l.delivered,
            l.cancelled, l.returned), ' ' order by l.line_id) from oms.order_lines l where l.order_id = o.id) as lines
        from oms.orders o order by o.id
        """;

    public const string Shipments = """
        select s.id, s.version, s.status, s.warehouse,
          (select w.since from oms.waiting w where w.key = s.id and w.kind = 2) as waits
        from oms.shipments s order by s.id
        """;

    public const string Stocks = """
        select 'stk-' || warehouse || '/' || sku as id, version, on_hand, reserved from oms.stock
        order by ('stk-' || warehouse || '/' || sku) collate "C"
        """;

    public static IReadOnlyDictionary<string, object?>? Of(Order order)
    {
        if (!order.Exists) return null;
        var o = OrderSummary.Of(order);
        return new Dictionary<string, object?>
        {
            ["version"] = o.Version, ["status"] = Stored.Name(o.Status), ["payment_status"] = Stored.Name(o.PaymentStatus),
            ["waits"] = Moment(order.WaitsForPaymentUntil), ["total"] = o.Total, ["units"] = o.Units, ["warehouses"] = string.Join(',', o.Warehouses),
            ["lines"] = string.Join(' ', order.Lines.Select(l => string.Join('/',
                l.Placed.LineId, Stored.Clean(l.Placed.Sku), l.Placed.Quantity, l.Allocated, l.Backordered, l.Shipped,
                l.Delivered, l.Cancelled, l.Returned))),
        };
    }

    public static IReadOnlyDictionary<string, object?>? Of(Shipment shipment) => !shipment.Exists ? null
        : new Dictionary<string, object?>
        {
            ["version"] = shipment.Version, ["status"] = Stored.Name(shipment.Status),
            ["warehouse"] = shipment.Created!.Warehouse, ["waits"] = Moment(shipment.WaitsForCarrierSince),
        };

    public static IReadOnlyDictionary<string, object?> Of(StockCounts counts) => new Dictionary<string, object?>
    {
        ["version"] = counts.Version, ["on_hand"] = counts.OnHand, ["reserved"] = counts.Reserved,
    };

    /// <summary>As a column holds it: in whole microseconds.</summary>
    static DateTime? Moment(DateTimeOffset? at) =>
        at is { } a ? a.UtcDateTime.AddTicks(-(a.UtcTicks % TimeSpan.TicksPerMicrosecond)) : null;

    /// <summary>The rows of a query whose first column is the key.</summary>
    public static async IAsyncEnumerator<ListedRow> Read(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var values = new Dictionary<string, object?>(reader.FieldCount);
            for (var i = 1; i < reader.FieldCount; i++)
                values[reader.GetName(i)] = await reader.IsDBNullAsync(i) ? null : reader.GetValue(i);
            yield return new ListedRow(reader.GetString(0), values);
        }
    }
}
