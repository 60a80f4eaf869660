using Npgsql;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using static OrleansOms.Postgres.ReadModelSql;

namespace OrleansOms.Postgres.Orders;

/// <summary>Writes the rows of orders that a batch has changed.</summary>
static class OrderRows
{
    // What is new is inserted and what is known is updated, each in a statement of its own: the batch knows which is
    // which, and need not look for conflicts that cannot be.
    const string InsertOrders = """
        insert into oms.orders (id, number, channel, external_id, status, payment_status, country, currency, placed_at,
          promised_by, customer_name, customer_email, total, lines, units, warehouses, version)
        select id, number, channel, external_id, status, payment_status, country, currency, placed_at, promised_by,
          customer_name, customer_email, total, lines, units, string_to_array(warehouses, E'\n'), version
        from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
          as t (id, number, channel, external_id, status, payment_status, country, currency, placed_at, promised_by,
            customer_name, customer_email, total, lines, units, warehouses, version)
        """;

    const string UpdateOrders = """
        update oms.orders o
        set status = t.status, payment_status = t.payment_status, customer_name = t.customer_name,
          customer_email = t.customer_email, warehouses = string_to_array(t.warehouses, E'\n'), version = t.version
        from unnest($1, $2, $3, $4, $5, $6, $7)
          as t (id, status, payment_status, customer_name, customer_email, warehouses, version)
        where o.id = t.id
        """;

    const string InsertSearch = """
        insert into oms.order_search (order_id, placed_at, total, number_key, external_key, person, terms)
        select id, placed_at, total, number_key, external_key, person, string_to_array(terms, E'\n')
        from unnest($1, $2, $3, $4, $5, $6, $7)
          as t (id, placed_at, total, number_key, external_key, person, terms)
        """;

    const string UpdateSearch = """
        update oms.order_search s set person = t.person, terms = string_to_array(t.terms, E'\n')
        from unnest($1, $2, $3) as t (id, person, terms)
        where s.order_id = t.id
        """;

    const string InsertLines = """
        insert into oms.order_lines (order_id, line_id, sku, quantity, unit_price, discount, tax_rate, allocated,
          backordered, shipped, delivered, cancelled, returned)
        select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        """;

    const string UpdateLines = """
        update oms.order_lines l
        set allocated = t.allocated, backordered = t.backordered, shipped = t.shipped, delivered = t.delivered,
          cancelled = t.cancelled, returned = t.returned
        from unnest($1, $2, $3, $4, $5, $6, $7, $8)
          as t (order_id, line_id, allocated, backordered, shipped, delivered, cancelled, returned)
        where l.order_id = t.order_id and l.line_id = t.line_id
        """;

    const string AddCounts = """
        insert into oms.order_counts as c (channel, warehouse, status, orders)
        select * from unnest($1, $2, $3, $4)
        on conflict (channel, warehouse, status) do update set orders = c.orders + excluded.orders
        """;

    /// <summary>What the search keeps of a SKU.</summary>
    public static string OfSku(string sku) => $"s:{sku}";
    /// <summary>What the search keeps of a channel.</summary>
    public static string OfChannel(string channel) => $"c:{channel}";
    /// <summary>What the search keeps of a warehouse.</summary>
    public static string OfWarehouse(string code) => $"w:{code}";

    /// <summary>What a person's orders are found by, in lower case.</summary>
    public static string Person(OrderSummary order) =>
        Stored.Clean($"{order.CustomerName}\n{order.CustomerEmail}").ToLowerInvariant();

    /// <summary>What an order is found by as a whole, a line each.</summary>
    public static string Terms(OrderSummary order, OrderPlaced placed) => Stored.Clean(string.Join('\n',
        order.Warehouses.Select(OfWarehouse).Prepend(OfChannel(placed.Channel))
            .Concat(placed.Lines.Select(l => l.Sku).Distinct().Select(OfSku))));

    public static void Write(NpgsqlBatch batch, IReadOnlyList<Change<Order>> changes)
    {
        // A refused order is a stream without an order.
        List<Row> rows = [.. changes.Where(c => c.After.Exists).Select(c => new Row(c))];
        List<Row> born = [.. rows.Where(r => r.Before is null)], grown = [.. rows.Where(r => r.Before is not null)];
        Add(batch, born, Insert);
        Add(batch, grown, Update);
        Add(batch, born, InsertFound);
        Add(batch, [.. grown.Where(r => r.IsFoundOtherwise)], UpdateFound);
        Add(batch, [.. born.SelectMany(r => r.Change.After.Lines.Select(l => (r.Change.Id, l)))], InsertEach);
        Add(batch, [.. grown.SelectMany(ChangedLines)], UpdateEach);
        Add(batch, Moves(rows), Counts);
    }

    static void Add<T>(NpgsqlBatch batch, IReadOnlyList<T> rows, Func<IReadOnlyList<T>, NpgsqlBatchCommand> statement)
    {
        if (rows.Count > 0) batch.BatchCommands.Add(statement(rows));
    }

    static NpgsqlBatchCommand Insert(IReadOnlyList<Row> rows)
    {
        T[] Column<T>(Func<OrderSummary, T> of) => [.. rows.Select(r => of(r.Summary))];
        return Statement(InsertOrders,
            Column(o => o.Id), Column(o => Stored.Clean(o.Number)), Column(o => Stored.Clean(o.Channel)),
            Column(o => Clean(o.ExternalId)), Column(o => Stored.Name(o.Status)),
            Column(o => Stored.Name(o.PaymentStatus)), Column(o => o.Country), Column(o => o.Currency),
            Column(o => o.PlacedAt.ToUniversalTime()), rows.Select(r => r.Placed.PromisedBy.ToUniversalTime()).ToArray(),
            Column(o => Clean(o.CustomerName)), Column(o => Clean(o.CustomerEmail)), Column(o => o.Total),
            Column(o => o.Lines), Column(o => o.Units), Column(o => string.Join('\n', o.Warehouses)),
            Column(o => o.Version));
    }

    static NpgsqlBatchCommand Update(IReadOnlyList<Row> rows)
    {
        T[] Column<T>(Func<OrderSummary, T> of) => [.. rows.Select(r => of(r.Summary))];
        return Statement(UpdateOrders,
            Column(o => o.Id), Column(o => Stored.Name(o.Status)), Column(o => Stored.Name(o.PaymentStatus)),
            Column(o => Clean(o.CustomerName)), Column(o => Clean(o.CustomerEmail)),
            Column(o => string.Join('\n', o.Warehouses)), Column(o => o.Version));
    }

    static NpgsqlBatchCommand InsertFound(IReadOnlyList<Row> rows)
    {
        T[] Column<T>(Func<OrderSummary, T> of) => [.. rows.Select(r => of(r.Summary))];
        return Statement(InsertSearch,
            Column(o => o.Id), Column(o => o.PlacedAt.ToUniversalTime()), Column(o => o.Total),
            Column(o => Stored.Key(o.Number)), Column(o => o.ExternalId is { } id ? Stored.Key(id) : null),
            rows.Select(r => Person(r.Summary)).ToArray(), rows.Select(r => Terms(r.Summary, r.Placed)).ToArray());
    }

    static NpgsqlBatchCommand UpdateFound(IReadOnlyList<Row> rows) => Statement(UpdateSearch,
        rows.Select(r => r.Change.Id).ToArray(), rows.Select(r => Person(r.Summary)).ToArray(),
        rows.Select(r => Terms(r.Summary, r.Placed)).ToArray());

    static NpgsqlBatchCommand InsertEach(IReadOnlyList<(string Id, OrderLine Line)> lines)
    {
        T[] Column<T>(Func<OrderLine, T> of) => [.. lines.Select(l => of(l.Line))];
        return Statement(InsertLines,
            lines.Select(l => l.Id).ToArray(), Column(l => l.Placed.LineId), Column(l => Stored.Clean(l.Placed.Sku)),
            Column(l => l.Placed.Quantity), Column(l => l.Placed.UnitPrice), Column(l => l.Placed.Discount),
            Column(l => l.Placed.TaxRate), Column(l => l.Allocated), Column(l => l.Backordered), Column(l => l.Shipped),
            Column(l => l.Delivered), Column(l => l.Cancelled), Column(l => l.Returned));
    }

    static NpgsqlBatchCommand UpdateEach(IReadOnlyList<(string Id, OrderLine Line)> lines)
    {
        T[] Column<T>(Func<OrderLine, T> of) => [.. lines.Select(l => of(l.Line))];
        return Statement(UpdateLines,
            lines.Select(l => l.Id).ToArray(), Column(l => l.Placed.LineId), Column(l => l.Allocated),
            Column(l => l.Backordered), Column(l => l.Shipped), Column(l => l.Delivered), Column(l => l.Cancelled),
            Column(l => l.Returned));
    }

    static NpgsqlBatchCommand Counts(IReadOnlyList<KeyValuePair<Group, long>> moves) => Statement(AddCounts,
        moves.Select(m => m.Key.Channel).ToArray(), moves.Select(m => m.Key.Warehouse).ToArray(),
        moves.Select(m => m.Key.Status).ToArray(), moves.Select(m => m.Value).ToArray());

    // A line that no event of the batch has touched is the same object before and after.
    static IEnumerable<(string Id, OrderLine Line)> ChangedLines(Row row)
    {
        var (before, after) = (row.Change.Before.Lines, row.Change.After.Lines);
        for (var i = 0; i < after.Length; i++)
            if (!ReferenceEquals(before[i], after[i])) yield return (row.Change.Id, after[i]);
    }

    static List<KeyValuePair<Group, long>> Moves(List<Row> rows)
    {
        var moves = new Dictionary<Group, long>();
        foreach (var row in rows)
        {
            foreach (var group in Groups(row.Summary)) moves[group] = moves.GetValueOrDefault(group) + 1;
            if (row.Before is not { } before) continue;
            foreach (var group in Groups(before)) moves[group] = moves.GetValueOrDefault(group) - 1;
        }
        return [.. moves.Where(m => m.Value != 0)
            .OrderBy(m => (m.Key.Channel, m.Key.Warehouse, m.Key.Status))];
    }

    static IEnumerable<Group> Groups(OrderSummary order) => order.Warehouses.Prepend("")
        .Select(warehouse => new Group(Stored.Clean(order.Channel), warehouse, Stored.Name(order.Status)));

    static string? Clean(string? text) => text is null ? null : Stored.Clean(text);

    /// <summary>Orders that are counted together.</summary>
    readonly record struct Group(string Channel, string Warehouse, string Status);

    sealed class Row(Change<Order> change)
    {
        public Change<Order> Change => change;
        public OrderPlaced Placed => change.After.Placed!;
        public OrderSummary? Before { get; } = change.Before.Exists ? OrderSummary.Of(change.Before) : null;
        public OrderSummary Summary { get; } = OrderSummary.Of(change.After);

        /// <summary>Whether searches find it by other words than before: it is in other warehouses.</summary>
        public bool IsFoundOtherwise => !Before!.Warehouses.SequenceEqual(Summary.Warehouses);
    }
}
