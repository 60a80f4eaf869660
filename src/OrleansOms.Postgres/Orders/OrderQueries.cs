using Npgsql;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;

namespace OrleansOms.Postgres.Orders;

/// <summary>Lists and counts of orders, from the read model.</summary>
/// <remarks>
/// The planner guesses how many rows a page has to look at as if what is looked for were spread evenly over time. It is
/// not: one status has the oldest orders, one SKU was sold last year. So each shape of a list is built such that its
/// cost is bounded: few matches are collected and sorted, a status is a walk along its own index.
/// </remarks>
public sealed class OrderQueries(NpgsqlDataSource database)
{
    // What is everywhere is found in so many orders from where the page begins; it would be dear to collect.
    const int Glance = 4_000;

    // Up to here matches are collected and sorted; more than that are met soon enough on a walk in the list's order.
    const int MaxCollected = 10_000;

    // A text that begins more SKUs than this is found in the names and numbers, and in these SKUs.
    const int MaxSkus = 50;

    const string Columns = """
        o.id, o.number, o.version, o.status, o.payment_status, o.channel, o.external_id, o.placed_at, o.currency,
        o.total, o.customer_name, o.customer_email, o.country, o.lines, o.units, o.warehouses
        """;

    /// <summary>A page of the orders that the filter lets through; new orders do not move those of a later page.</summary>
    /// <exception cref="BadCursorException">The cursor was not made by this list in this order.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not 1 to 200.</exception>
    public async Task<Page<OrderSummary>> List(OrderFilter filter)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(filter.Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filter.Limit, Page<OrderSummary>.MaxLimit);
        var order = OrderSorting.Of(filter.Sort);
        var after = order.Read(filter.Cursor);
        filter = OrderSearch.Normalise(filter);
        if (!OrderSearch.CanMatch(filter)) return new Page<OrderSummary>([], null);
        var search = await Search(filter);
        var rows = search.IsNarrow
            ? await Glanced(filter, search, order, after) ?? await Collected(filter, search, order, after) : null;
        rows ??= await Walked(filter, search, order, after);
        return rows.Count <= filter.Limit
            ? new Page<OrderSummary>(rows, null)
            : new Page<OrderSummary>(rows[..filter.Limit], order.Write(rows[filter.Limit - 1]));
    }

    /// <summary>The orders with these ids, in any order; an id that there is not is left out.</summary>
    public Task<List<OrderSummary>> WithIds(string[] ids) => ReadModelSql.Read(
        database, $"select {Columns} from oms.orders o where o.id = any($1)", [ids], row => ReadSummary(row, 0));

    /// <summary>
    /// How many orders have each status; every status is there. The filter's own statuses, sort, limit and cursor are
    /// ignored. By channel and warehouse the answer is kept ready; for anything else every match is counted.
    /// </summary>
    public async Task<IReadOnlyDictionary<OrderStatus, long>> CountByStatus(OrderFilter? filter = null)
    {
        var counts = Enum.GetValues<OrderStatus>().ToDictionary(s => s, _ => 0L);
        filter = OrderSearch.Normalise(filter ?? new OrderFilter());
        if (!OrderSearch.CanMatch(filter)) return counts;
        foreach (var (status, n) in IsKept(filter) ? await Kept(filter) : await Counted(filter))
            counts[status] = n;
        return counts;
    }

    /// <summary>The id of the order with this number, or null.</summary>
    public async Task<string?> FindIdByNumber(string number)
    {
        if (!Text.IsPrintable(number, OrderSearch.MaxText)) return null;
        var ids = await ReadModelSql.Read(database, """
            select o.id from oms.order_search s join oms.orders o on o.id = s.order_id
            where s.number_key = $1 and o.number = $2
            order by o.placed_at limit 1
            """, [Stored.Key(number), number], row => row.GetString(0));
        return ids.Count == 0 ? null : ids[0];
    }

    async Task<OrderSearch> Search(OrderFilter filter) =>
        new(filter, filter.Q is { } q ? await SkusLike(q) : []);

    Task<List<string>> SkusLike(string q)
    {
        var key = Stored.Key(q);
        return ReadModelSql.Read(database,
            $"select sku from oms.products where sku_key like $1 order by sku_key limit {MaxSkus}",
            [OrderSearch.IsPrefix(key) ? Stored.Beginning(key) : Stored.Exactly(key)], row => row.GetString(0));
    }

    /// <summary>Collects every match and sorts; null if there are too many.</summary>
    async Task<List<OrderSummary>?> Collected(
        OrderFilter filter, OrderSearch search, OrderSorting order, OrderSorting.Place? after)
    {
        var p = new Parameters();
        List<string> where = [.. search.Where(p), .. search.Times(p, "s"), .. order.After(p, "s", "order_id", after)];
        var status = search.HasStatus
            ? $"join oms.orders x on x.id = s.order_id and x.status = any({p.Add(search.Statuses)})" : "";
        var sql = $"""
            with hits as materialized (
              select s.order_id, s.{order.Column} from oms.order_search s {status}
              {Where(where)} limit {MaxCollected + 1})
            select c.n, {Columns}
            from (select count(*) as n from hits) c
            left join lateral (
              select h.order_id, h.{order.Column} from hits h where c.n <= {MaxCollected}
              order by {order.By("h", "order_id")} limit {filter.Limit + 1}) page on true
            left join oms.orders o on o.id = page.order_id
            order by {order.By("page", "order_id")}
            """;
        var rows = await ReadModelSql.Read(database, sql, p.Values, row =>
            (Hits: row.GetInt64(0), Order: row.IsDBNull(1) ? null : ReadSummary(row, 1)));
        return rows[0].Hits > MaxCollected ? null : [.. rows.Where(r => r.Order is not null).Select(r => r.Order!)];
    }

    /// <summary>Looks at the next orders of the list; null if they do not fill the page.</summary>
    async Task<List<OrderSummary>?> Glanced(
        OrderFilter filter, OrderSearch search, OrderSorting order, OrderSorting.Place? after)
    {
        // Of several statuses, one may have more to give behind its glance that belongs before what others gave.
        if (search.Statuses.Length > 1 || (search.HasStatus && !order.IsByTime)) return null;
        var rows = await Walked(filter, search, order, after, Glance);
        return rows.Count > filter.Limit ? rows : null;
    }

    /// <summary>Goes through the orders in the list's order until the page is full.</summary>
    /// <param name="reach">At most over so many orders, of each status.</param>
    Task<List<OrderSummary>> Walked(
        OrderFilter filter, OrderSearch search, OrderSorting order, OrderSorting.Place? after, int? reach = null)
    {
        var p = new Parameters();
        var limit = filter.Limit + 1;
        // Along the index of each status if that has the list's order, else along the search's own.
        var isByStatus = search.HasStatus && order.IsByTime;
        var (table, alias, id) = isByStatus ? ("oms.orders", "x", "id") : ("oms.order_search", "s", "order_id");
        List<string> way = [.. search.Times(p, alias), .. order.After(p, alias, id, after)];
        if (isByStatus) way.Add("x.status = wanted.status");
        List<string> where = [.. search.Where(p)];
        var from = $"{table} {alias}";
        if (reach is { } most)
            from = $"(select * from {from} {Where(way)} order by {order.By(alias, id)} limit {most}) {alias}";
        else
            where.InsertRange(0, way);
        if (isByStatus && search.IsNarrow) from += " join oms.order_search s on s.order_id = x.id";
        if (search.HasStatus && !isByStatus)
            from += $" join oms.orders x on x.id = s.order_id and x.status = any({p.Add(search.Statuses)})";
        var page = $"""
            select {alias}.{id} as id, {alias}.{order.Column} from {from} {Where(where)}
            order by {order.By(alias, id)} limit {limit}
            """;
        if (isByStatus)
            page = $"""
                select one.id, one.{order.Column} from unnest({p.Add(search.Statuses)}) as wanted (status)
                cross join lateral ({page}) one
                order by {order.By("one", "id")} limit {limit}
                """;
        return ReadModelSql.Read(database, $"""
            select {Columns} from ({page}) page join oms.orders o on o.id = page.id order by {order.By("page", "id")}
            """, p.Values, row => ReadSummary(row, 0));
    }

    static string Where(List<string> conditions) =>
        conditions.Count == 0 ? "" : "where " + string.Join(" and ", conditions);

    static bool IsKept(OrderFilter filter) => filter is { Q: null, From: null, To: null, Sku: null };

    Task<List<(OrderStatus, long)>> Kept(OrderFilter filter) => ReadModelSql.Read(database, """
        select status, sum(orders)::bigint from oms.order_counts
        where warehouse = $1 and ($2::text is null or channel = $2) group by status
        """, [filter.Warehouse ?? "", filter.Channel], row => (Stored.Read<OrderStatus>(row.GetString(0)), row.GetInt64(1)));

    async Task<List<(OrderStatus, long)>> Counted(OrderFilter filter)
    {
        var search = await Search(filter);
        var p = new Parameters();
        List<string> where = [.. search.Where(p), .. search.Times(p, "s")];
        return await ReadModelSql.Read(database, $"""
            select x.status, count(*) from oms.order_search s join oms.orders x on x.id = s.order_id
            {Where(where)} group by x.status
            """, p.Values, row => (Stored.Read<OrderStatus>(row.GetString(0)), row.GetInt64(1)));
    }

    static OrderSummary ReadSummary(NpgsqlDataReader row, int at) => new(
        row.GetString(at), row.GetString(at + 1), row.GetInt32(at + 2), Stored.Read<OrderStatus>(row.GetString(at + 3)),
        Stored.Read<PaymentStatus>(row.GetString(at + 4)), row.GetString(at + 5), OrNull(row, at + 6),
        row.GetFieldValue<DateTimeOffset>(at + 7), row.GetString(at + 8), row.GetDecimal(at + 9), OrNull(row, at + 10),
        OrNull(row, at + 11), row.GetString(at + 12), row.GetInt32(at + 13), row.GetInt32(at + 14),
        row.GetFieldValue<string[]>(at + 15));

    static string? OrNull(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);
}
