using OrleansOms.Connectors.Channels.OnlineRetail;
using OrleansOms.Tests.Fixtures;

namespace OrleansOms.Tests.Import;

/// <summary>
/// A shop's file read by PostgreSQL: its own CSV reader, and the rules said once more in SQL. What it says owes nothing
/// to the program.
/// </summary>
static class ShopRows
{
    /// <summary>The reason is in the words of the import's own list; null for an order line.</summary>
    const string Table = """
        create table shop_row (
          line bigint generated always as identity (start with 2),
          invoice text, sku text, description text, quantity text, at text, price text, customer text, country text,
          reason text generated always as (case
            when invoice ilike 'C%' then 'credit note'
            when invoice !~ '^[0-9]+$' then 'invoice number not all digits'
            when quantity::int <= 0 then 'quantity zero or below'
            when price::numeric <= 0 then 'price zero or below'
            when country in ('Unspecified', 'European Community', 'West Indies') then 'unknown country' end) stored)
        """;

    /// <summary>Reads a file in which each record is one line.</summary>
    public static async Task Read(TestDatabase database, string file)
    {
        await database.Execute(Table);
        await using var connection = await database.Source.OpenConnectionAsync();
        await using var copy = await connection.BeginTextImportAsync("""
            copy shop_row (invoice, sku, description, quantity, at, price, customer, country)
            from stdin (format csv, header true)
            """);
        await copy.WriteAsync(await File.ReadAllTextAsync(file));
    }

    /// <summary>One pass over the rows that are order lines, by country in the order of the codes.</summary>
    public static async Task<CountryTotal[]> Totals(TestDatabase database) =>
    [
        .. (await Figures(database, """
            select country, count(distinct invoice), count(*), sum(quantity::int), sum(quantity::int * price::numeric)
            from shop_row where reason is null group by country
            """))
            .Select(t => t with { Country = RetailCountries.CodeOf(t.Country)! })
            .OrderBy(t => t.Country, StringComparer.Ordinal),
    ];

    /// <summary>One query over the read model: everything that is stored, by country in the order of the codes.</summary>
    public static Task<CountryTotal[]> Stored(TestDatabase database) => Figures(database, """
        select o.country, count(distinct o.id), count(*), sum(l.quantity), sum(l.quantity * l.unit_price)
        from oms.orders o join oms.order_lines l on l.order_id = o.id group by o.country order by o.country
        """);

    /// <summary>The rows that are no order lines: line of the file and reason, in the order of the file.</summary>
    public static Task<string[]> LeftOut(TestDatabase database) => database.Ask<string[]>(
        "select coalesce(array_agg(line || ',' || reason order by line), '{}') from shop_row where reason is not null");

    /// <summary>How many rows the file has.</summary>
    public static Task<long> Count(TestDatabase database) => database.Ask<long>("select count(*) from shop_row");

    static async Task<CountryTotal[]> Figures(TestDatabase database, string sql)
    {
        await using var command = database.Source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var totals = new List<CountryTotal>();
        while (await reader.ReadAsync())
            totals.Add(new CountryTotal(
                reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetDecimal(4)));
        return [.. totals];
    }
}
