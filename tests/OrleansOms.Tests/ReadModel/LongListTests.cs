using OrleansOms.Tests.Fixtures;
using OrleansOms.Contracts.Orders;
using OrleansOms.Domain.Orders;

namespace OrleansOms.Tests.ReadModel;

/// <summary>
/// Lists over more orders than a glance sees or a page collects. The rows are made here, and what a list must show is
/// what a plain query over all of them says.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class LongListTests : ReadModelTest
{
    // The older half is closed, the younger one is shipped or allocated. EVERY is everywhere, OLD in the first 12,000
    // (too many to collect), RARE here and there, SPLIT in closed orders and in a few shipped ones far apart.
    protected override Task Prepare() => Database.Execute("""
        create temp table made as
        select n, 'ord-' || lpad(n::text, 26, '0') as id, timestamptz '2026-01-01' + n / 3 * interval '1 minute' as at,
          case when n <= 15000 then 'closed' when n % 2 = 0 then 'shipped' else 'allocated' end as status,
          n * 7919 % 1000 as total,
          array['c:web', 's:EVERY'] || case when n <= 12000 then array['s:OLD'] end
            || case when n % 3000 = 7 then array['s:RARE'] end
            || case when n <= 15000 or n between 15001 and 15100 or n > 29990 then array['s:SPLIT'] end as terms
        from generate_series(1, 30000) n;
        insert into oms.orders
        select id, n::text, 'web', null, status, 'paid', 'GB', 'GBP', at, at, 'Jane Doe', null, total, 1, 1, '{}', 1
        from made;
        insert into oms.order_search select id, at, total, n::text, null, 'jane doe', terms from made;
        insert into oms.products select s, 1, s, null, null, lower(s), lower(s) from unnest(array['EVERY', 'RARE']) s;
        analyze oms.orders, oms.order_search;
        """);

    [Theory, InlineData(null), InlineData("EVERY"), InlineData("OLD"), InlineData("RARE"), InlineData("SPLIT")]
    public async Task However_a_page_is_found_it_shows_what_a_plain_query_says(string? sku)
    {
        OrderStatus[][] statuses =
        [
            [], [OrderStatus.Shipped], [OrderStatus.Closed], [OrderStatus.Shipped, OrderStatus.Closed],
            [OrderStatus.Allocated, OrderStatus.Shipped, OrderStatus.Closed], [OrderStatus.OnHold],
        ];
        foreach (var wanted in statuses)
            foreach (var sort in Enum.GetValues<OrderSort>())
                await AssertPages(new OrderFilter { Sku = sku, Statuses = wanted, Sort = sort });
    }

    [Theory, InlineData("jane doe"), InlineData("every"), InlineData("rar"), InlineData("29"), InlineData("150")]
    public async Task A_text_shows_what_a_plain_query_says(string q)
    {
        var match = q switch
        {
            "jane doe" or "every" => "true",
            "rar" => "s.terms @> array['s:RARE']",
            "29" => "o.number = '29'",
            _ => $"o.number like '{q}%'",
        };
        await AssertPages(new OrderFilter { Q = q }, match);
        await AssertPages(new OrderFilter { Q = q, Sort = OrderSort.Total }, match);
        await AssertPages(new OrderFilter { Q = q, Statuses = [OrderStatus.Shipped] }, match);
    }

    [Fact]
    public Task A_time_shows_what_a_plain_query_says() => AssertPages(
        new OrderFilter { Sku = "SPLIT", From = Day(2), To = Day(4), Sort = OrderSort.PlacedAt },
        "o.placed_at >= '2026-01-03Z' and o.placed_at < '2026-01-05Z'");

    async Task AssertPages(OrderFilter filter, string match = "true")
    {
        const int Pages = 4;
        filter = filter with { Limit = 40 };
        var (column, direction) = filter.Sort switch
        {
            OrderSort.PlacedAt => ("o.placed_at", "asc"),
            OrderSort.Total => ("o.total", "asc"),
            OrderSort.TotalDescending => ("o.total", "desc"),
            _ => ("o.placed_at", "desc"),
        };
        var statuses = string.Join(',', filter.Statuses.Select(s => $"'{s.ToString().ToLowerInvariant()}'"));
        var expected = await Database.Ask<string[]>($"""
            select coalesce(array_agg(id), '{"{}"}') from (
              select o.id from oms.orders o join oms.order_search s on s.order_id = o.id
              where {match} {(statuses == "" ? "" : $"and lower(o.status) in ({statuses})")}
                {(filter.Sku is null ? "" : $"and s.terms @> array['s:{filter.Sku}']")}
              order by {column} {direction}, o.id {direction} limit {Pages * filter.Limit}) x
            """);
        var found = new List<string>();
        for (var page = 0; page < Pages; page++)
        {
            var read = await Orders.List(filter);
            found.AddRange(read.Items.Select(o => o.Id));
            if (read.NextCursor is null) break;
            filter = filter with { Cursor = read.NextCursor };
        }
        Assert.Equal(expected, found);
    }

    static DateTimeOffset Day(int n) => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddDays(n);
}
