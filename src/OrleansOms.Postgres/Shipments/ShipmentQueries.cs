using System.Text.Json;
using Npgsql;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Postgres.Orders;

namespace OrleansOms.Postgres.Shipments;

/// <summary>A shipment that has left its warehouse.</summary>
/// <param name="View">All that is known of it, where that was asked for.</param>
public sealed record Departure(
    string Id, string OrderNumber, string? TrackingNumber, DateTimeOffset ShippedAt, ShipmentView? View);

/// <summary>What a warehouse has to do, as much of it as was asked for.</summary>
/// <param name="Shipments">Oldest first.</param>
/// <param name="Counts">
/// All of it by status, counted where <paramref name="Shipments"/> are not all: what is not among them may well be open. Null
/// where they are, and what is not among them is not open.
/// </param>
public sealed record OpenWork(IReadOnlyList<ShipmentView> Shipments, IReadOnlyDictionary<ShipmentStatus, long>? Counts)
{
    /// <summary>The statuses of what is still to be done.</summary>
    public static readonly IReadOnlyList<ShipmentStatus> Statuses =
        [ShipmentStatus.Released, ShipmentStatus.Picking, ShipmentStatus.Packed];

    /// <summary>How many shipments are open.</summary>
    public long Total => Math.Max(Shipments.Count, Counts?.Values.Sum() ?? 0);
}

/// <summary>Lists of shipments, from the read model.</summary>
public sealed class ShipmentQueries(NpgsqlDataSource database)
{
    const string ListName = "shipments";

    /// <summary>A page of the shipments that the filter lets through, oldest first.</summary>
    /// <exception cref="BadCursorException">The cursor was not made by this list.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The limit is not 1 to 200.</exception>
    public async Task<Page<ShipmentView>> List(ShipmentFilter filter)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(filter.Limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(filter.Limit, Page<ShipmentView>.MaxLimit);
        var after = Cursor.Read(ListName, filter.Cursor, Keys.IsShipmentId) is { } place
            ? (At: Cursor.ReadTime(place.Key), place.Id) : ((DateTimeOffset At, string Id)?)null;
        if (!CanMatch(filter)) return new Page<ShipmentView>([], null);
        var p = new Parameters();
        var rows = await ReadModelSql.Read(database, $"""
            select s.view, s.created_at from ({Source(filter, p, after)}) page join oms.shipments s on s.id = page.id
            order by page.created_at, page.id
            """, p.Values, row => (
                View: JsonSerializer.Deserialize(row.GetString(0), ReadModelJson.Default.ShipmentView)!,
                At: row.GetFieldValue<DateTimeOffset>(1)));
        List<ShipmentView> items = [.. rows.Take(filter.Limit).Select(r => r.View)];
        return new Page<ShipmentView>(items, rows.Count <= filter.Limit
            ? null
            : Cursor.Write(ListName, Cursor.OfTime(rows[filter.Limit - 1].At), items[^1].Id));
    }

    /// <summary>The shipments that the filter lets through, oldest first, a page at a time until there are so many.</summary>
    public async Task<List<ShipmentView>> All(ShipmentFilter filter, int max)
    {
        var all = new List<ShipmentView>();
        for (var page = filter with { Limit = Page<ShipmentView>.MaxLimit, Cursor = null }; ;)
        {
            var (items, next) = await List(page);
            all.AddRange(items);
            if (next is null || all.Count >= max) return all;
            page = page with { Cursor = next };
        }
    }

    /// <summary>
    /// What a warehouse has to do. Where that is more than asked for, what is begun comes before what is not, and of either
    /// the oldest.
    /// </summary>
    /// <param name="max">Most shipments.</param>
    public async Task<OpenWork> Open(string warehouse, int max)
    {
        // Nothing goes back to what is not begun, so what moves between the two reads is in both and never in neither.
        var waiting = await All(new ShipmentFilter { Warehouse = warehouse, Statuses = [ShipmentStatus.Released] }, max + 1);
        var begun = await All(
            new ShipmentFilter { Warehouse = warehouse, Statuses = [ShipmentStatus.Picking, ShipmentStatus.Packed] }, max + 1);
        List<ShipmentView> open = [.. begun.Concat(waiting).DistinctBy(s => s.Id)];
        var counts = open.Count > max ? await CountOpen(warehouse) : null;
        return new OpenWork(
            [.. open.Take(max).OrderBy(s => s.CreatedAt).ThenBy(s => s.Id, StringComparer.Ordinal)], counts);
    }

    /// <summary>How many shipments a warehouse has in each of the open statuses.</summary>
    public async Task<IReadOnlyDictionary<ShipmentStatus, long>> CountOpen(string warehouse)
    {
        var counts = OpenWork.Statuses.ToDictionary(s => s, _ => 0L);
        var p = new Parameters();
        foreach (var (status, n) in await ReadModelSql.Read(database, $"""
            select status, count(*) from oms.shipments
            where warehouse = {p.Add(warehouse)} and status = any({p.Add(counts.Keys.Select(s => Stored.Name(s)).ToArray())})
            group by status
            """, p.Values, row => (Stored.Read<ShipmentStatus>(row.GetString(0)), row.GetInt64(1))))
            counts[status] = n;
        return counts;
    }

    /// <summary>What has left a warehouse since a moment: how many, and the last ones, last first.</summary>
    /// <param name="named">How many of the last ones are told at all.</param>
    /// <param name="whole">How many of these come with all that is known of them.</param>
    public async Task<(long Total, List<Departure> Last)> Departures(string warehouse, DateTimeOffset since, int named, int whole)
    {
        var p = new Parameters();
        var rows = await ReadModelSql.Read(database, $"""
            select s.id, s.order_number, s.view ->> 'trackingNumber', s.shipped_at,
              case when s.place <= {p.Add(whole)} then s.view end, s.total
            from (
              select *, count(*) over () as total, row_number() over (order by shipped_at desc, id) as place
              from oms.shipments where shipped_at >= {p.Add(since.ToUniversalTime())} and warehouse = {p.Add(warehouse)}
              order by shipped_at desc, id limit {p.Add(named)}) s
            order by s.place
            """, p.Values, row => (row.GetInt64(5), new Departure(
                row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2),
                row.GetFieldValue<DateTimeOffset>(3),
                row.IsDBNull(4) ? null : JsonSerializer.Deserialize(row.GetString(4), ReadModelJson.Default.ShipmentView))));
        return (rows.Count == 0 ? 0 : rows[0].Item1, [.. rows.Select(r => r.Item2)]);
    }

    static bool CanMatch(ShipmentFilter filter) =>
        (filter.Warehouse is null || Text.IsWarehouseCode(filter.Warehouse))
        && (filter.OrderId is null || Keys.IsId(Keys.Order, filter.OrderId));

    // Work is a walk along (warehouse, status) by age. An order's shipments are a range of the key. Alarms are few and have
    // an index of their own.
    static string Source(ShipmentFilter filter, Parameters p, (DateTimeOffset At, string Id)? after)
    {
        var limit = $"limit {filter.Limit + 1}";
        var page = after is { } a ? $"(w.created_at, w.id) > ({p.Add(a.At)}, {p.Add(a.Id)})" : "true";
        string[] statuses = [.. filter.Statuses.Distinct().Select(s => Stored.Name(s))];
        if (filter is { OrderId: null, HasAlarm: false })
        {
            if (statuses.Length == 0) statuses = [.. Enum.GetValues<ShipmentStatus>().Select(s => Stored.Name(s))];
            var places = filter.Warehouse is { } code
                ? $"(select {p.Add(code)}::text)" : "(select code from oms.warehouses)";
            return $"""
                select one.id, one.created_at
                from {places} as place (code) cross join unnest({p.Add(statuses)}) as wanted (status)
                cross join lateral (
                  select w.id, w.created_at from oms.shipments w
                  where w.warehouse = place.code and w.status = wanted.status and {page}
                  order by w.created_at, w.id {limit}) one
                order by one.created_at, one.id {limit}
                """;
        }
        List<string> where = [];
        if (filter.OrderId is { } order)
        {
            var prefix = Keys.Shipment + order[Keys.Order.Length..];
            where.Add($"s.id > {p.Add(prefix + '-')} and s.id < {p.Add(prefix + '.')}"); // '.' follows '-'
        }
        if (filter.HasAlarm) where.Add("s.alarm_since is not null");
        if (filter.Warehouse is { } warehouse) where.Add($"s.warehouse = {p.Add(warehouse)}");
        if (statuses.Length > 0) where.Add($"s.status = any({p.Add(statuses)})");
        return $"""
            with w as materialized (select s.id, s.created_at from oms.shipments s where {string.Join(" and ", where)})
            select w.id, w.created_at from w where {page} order by w.created_at, w.id {limit}
            """;
    }
}
