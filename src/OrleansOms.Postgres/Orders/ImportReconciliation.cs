using Npgsql;
using NpgsqlTypes;

namespace OrleansOms.Postgres.Orders;

/// <summary>What the stored orders of an import come to in one country.</summary>
/// <param name="Country">ISO 3166-1 alpha-2.</param>
/// <param name="Value">Of the goods less discounts, in the currency asked for, unrounded.</param>
public sealed record StoredCountry(string Country, long Orders, long Lines, long Units, decimal Value);

/// <summary>The stored side of an import's reconciliation, told by the read model alone.</summary>
public static class ImportReconciliation
{
    /// <summary>
    /// One query, so that all figures belong to one moment. $1 the channel, $2 the currency, $3 the external ids.
    /// </summary>
    public const string Sql =
        """
        SELECT o.country,
               count(*)::bigint                      AS orders,
               coalesce(sum(l.lines), 0)::bigint     AS lines,
               coalesce(sum(l.units), 0)::bigint     AS units,
               coalesce(sum(l.value), 0)::numeric    AS value
          FROM oms.orders AS o
          LEFT JOIN LATERAL (
               SELECT count(*) AS lines, sum(quantity) AS units, sum(quantity * unit_price - discount) AS value
                 FROM oms.order_lines
                WHERE order_id = o.id) AS l ON true
         WHERE o.channel = $1 AND o.currency = $2 AND o.external_id = ANY ($3)
         GROUP BY o.country
         ORDER BY o.country COLLATE "C"
        """;

    /// <summary>What is stored of the orders with these external ids, by country in the order of the codes.</summary>
    /// <exception cref="NpgsqlException">The database cannot be reached, or has no read model.</exception>
    public static async Task<IReadOnlyList<StoredCountry>> Read(
        NpgsqlDataSource database, string channel, string currency, string[] externalIds,
        CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(Sql);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = channel });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = currency });
        command.Parameters.Add(new NpgsqlParameter<string[]>
        {
            TypedValue = externalIds, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
        });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var countries = new List<StoredCountry>();
        while (await reader.ReadAsync(cancellation))
            countries.Add(new StoredCountry(
                reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetDecimal(4)));
        return countries;
    }
}
