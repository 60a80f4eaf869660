using System.Globalization;
using System.Text.Json;
using Npgsql;
using OrleansOms.Contracts.Orders;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Postgres.Orders;

namespace OrleansOms.Postgres.Laws;

/// <summary>What lists say of an aggregate, where they say it, and what they must say by its events.</summary>
static class Listed
{
    public const string Orders = """
        select o.id, o.version, o.number, o.channel, o.external_id, o.status, o.payment_status, o.country, o.currency,
          o.placed_at, o.promised_by, o.customer_name, o.customer_email, o.total, o.lines as line_count, o.units,
          array_to_string(o.warehouses, E'\n') as warehouses,
          (select w.since from oms.waiting w where w.key = o.id and w.kind = 1) as waits,
          (select string_agg(concat_ws('/', l.line_id, l.sku, l.quantity, trim_scale(l.unit_price), trim_scale(l.discount),
            trim_scale(l.tax_rate), l.allocated, l.backordered, l.shipped, l.delivered, l.cancelled, l.returned), ' '
            order by l.line_id) from oms.order_lines l where l.order_id = o.id) as lines,
          s.placed_at as search_placed_at, s.total as search_total, s.number_key, s.external_key, s.person,
          array_to_string(s.terms, E'\n') as terms
        from oms.orders o left join oms.order_search s on s.order_id = o.id
        """;

    public const string Shipments = """
        select s.id, s.version, s.order_id, s.order_number, s.warehouse, s.status, s.created_at, s.shipped_at, s.updated_at,
          s.view, s.alarm_since,
          (select w.since from oms.waiting w where w.key = s.id and w.kind = 2) as waits
        from oms.shipments s
        """;

    public const string Stocks = """
        select 'stk-' || s.warehouse || '/' || s.sku as id, s.version, s.on_hand, s.reserved, s.damaged, s.quarantine from oms.stock s
        """;

    public const string Products = """
        select 'prd-' || sku as id, version, name, weight_grams, barcode, sku_key, search from oms.products
        """;

    public const string Warehouses = "select 'whs-' || code as id, version, details from oms.warehouses";

    /// <summary>Rows in the order in which streams are read.</summary>
    public static string InOrder(string list) => $"select * from ({list}) r order by r.id collate \"C\"";

    /// <summary>What the row of a stream must say, where the stream has one that is folded.</summary>
    public static IReadOnlyDictionary<string, object?>? Of(StreamAudit audit) => audit switch
    {
        { IsWhole: false } => null,
        OrderAudit o => Of(o.Order),
        ShipmentAudit s => Of(s.Shipment, s.MovedAt),
        StockAudit s => Of(StockCounts.Of(s.Stock)),
        _ => null,
    };

    /// <summary>What the row of a product or a warehouse must say after this event.</summary>
    public static IReadOnlyDictionary<string, object?>? Of(DomainEvent? last, int version) => last switch
    {
        ProductPut p => new Dictionary<string, object?>
        {
            ["version"] = version, ["name"] = Stored.Clean(p.Details.Name), ["weight_grams"] = p.Details.WeightGrams,
            ["barcode"] = Clean(p.Details.Barcode), ["sku_key"] = Stored.Key(p.Sku),
            ["search"] = Stored.Clean($"{p.Sku}\n{p.Details.Name}").ToLowerInvariant(),
        },
        WarehousePut w => new Dictionary<string, object?>
        {
            ["version"] = version,
            ["details"] = JsonSerializer.Serialize(w.Details, ReadModelJson.Default.WarehouseDetails),
        },
        _ => null,
    };

    static Dictionary<string, object?>? Of(Order order)
    {
        if (!order.Exists) return null;
        var (o, placed) = (OrderSummary.Of(order), order.Placed!);
        return new Dictionary<string, object?>
        {
            ["version"] = o.Version, ["number"] = Stored.Clean(o.Number), ["channel"] = Stored.Clean(o.Channel),
            ["external_id"] = Clean(o.ExternalId), ["status"] = Stored.Name(o.Status),
            ["payment_status"] = Stored.Name(o.PaymentStatus), ["country"] = o.Country, ["currency"] = o.Currency,
            ["placed_at"] = Moment(o.PlacedAt), ["promised_by"] = Moment(placed.PromisedBy),
            ["customer_name"] = Clean(o.CustomerName), ["customer_email"] = Clean(o.CustomerEmail), ["total"] = o.Total,
            ["line_count"] = o.Lines, ["units"] = o.Units, ["warehouses"] = string.Join('\n', o.Warehouses),
            ["waits"] = Moment(order.WaitsForPaymentUntil),
            ["lines"] = string.Join(' ', order.Lines.Select(l => string.Join('/',
                l.Placed.LineId, Stored.Clean(l.Placed.Sku), l.Placed.Quantity, Plain(l.Placed.UnitPrice),
                Plain(l.Placed.Discount), Plain(l.Placed.TaxRate), l.Allocated, l.Backordered, l.Shipped, l.Delivered,
                l.Cancelled, l.Returned))),
            ["search_placed_at"] = Moment(o.PlacedAt), ["search_total"] = o.Total, ["number_key"] = Stored.Key(o.Number),
            ["external_key"] = o.ExternalId is { } id ? Stored.Key(id) : null, ["person"] = OrderRows.Person(o),
            ["terms"] = OrderRows.Terms(o, placed),
        };
    }

    static Dictionary<string, object?>? Of(Shipment shipment, DateTimeOffset movedAt)
    {
        if (!shipment.Exists) return null;
        var view = ShipmentView.Of(shipment);
        return new Dictionary<string, object?>
        {
            ["version"] = view.Version, ["order_id"] = view.OrderId, ["order_number"] = Stored.Clean(view.OrderNumber),
            ["warehouse"] = view.Warehouse, ["status"] = Stored.Name(view.Status), ["created_at"] = Moment(view.CreatedAt),
            ["shipped_at"] = Moment(view.ShippedAt), ["updated_at"] = Moment(movedAt),
            ["view"] = JsonSerializer.Serialize(view, ReadModelJson.Default.ShipmentView),
            ["alarm_since"] = Moment(view.AlarmSince), ["waits"] = Moment(shipment.WaitsForCarrierSince),
        };
    }

    static Dictionary<string, object?> Of(StockCounts counts) => new()
    {
        ["version"] = counts.Version, ["on_hand"] = counts.OnHand, ["reserved"] = counts.Reserved,
        ["damaged"] = counts.Damaged, ["quarantine"] = counts.Quarantine,
    };

    static string? Clean(string? text) => text is null ? null : Stored.Clean(text);

    static string Plain(decimal number) => number.ToString("0.############################", CultureInfo.InvariantCulture);

    /// <summary>As a column holds it: in whole microseconds.</summary>
    static DateTime? Moment(DateTimeOffset? at) =>
        at is { } a ? a.UtcDateTime.AddTicks(-(a.UtcTicks % TimeSpan.TicksPerMicrosecond)) : null;

    /// <summary>The rows of a query whose first column is the key.</summary>
    public static async IAsyncEnumerator<ListedRow> Read(NpgsqlConnection connection, string sql, params object[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (var parameter in parameters) command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var values = new Dictionary<string, object?>(reader.FieldCount);
            for (var i = 1; i < reader.FieldCount; i++)
                values[reader.GetName(i)] = await reader.IsDBNullAsync(i) ? null : Value(reader.GetName(i), reader.GetValue(i));
            yield return new ListedRow(reader.GetString(0), values);
        }
    }

    /// <summary>Text that an earlier build has written says the same in its own shape: it is read as everybody reads it.</summary>
    static object Value(string name, object value) => name switch
    {
        "view" => JsonSerializer.Serialize(
            JsonSerializer.Deserialize((string)value, ReadModelJson.Default.ShipmentView)!, ReadModelJson.Default.ShipmentView),
        "details" => JsonSerializer.Serialize(
            JsonSerializer.Deserialize((string)value, ReadModelJson.Default.WarehouseDetails)!, ReadModelJson.Default.WarehouseDetails),
        _ => value,
    };
}
