using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using Ledger = OrleansOms.Domain.Stock.Stock;

namespace OrleansOms.Postgres.Stock;

/// <summary>
/// Adds what a batch did to stocks. Sums are enough for a row, so no reservations are folded here: a hot stock has more
/// of them than anyone wants in memory twice.
/// </summary>
static class StockRows
{
    public const string Columns = "warehouse, sku, on_hand, reserved, safety_stock, version";

    const string Add = """
        insert into oms.stock as s (warehouse, sku, on_hand, reserved, safety_stock, version)
        select i.warehouse, i.sku, i.on_hand, i.reserved, 0, i.last
        from unnest($1, $2, $3, $4, $5, $6) as i (warehouse, sku, on_hand, reserved, first, last)
        left join oms.stock known on known.warehouse = i.warehouse and known.sku = i.sku
        where coalesce(known.version, 0) = i.first - 1
        on conflict (warehouse, sku) do update
        set on_hand = s.on_hand + excluded.on_hand, reserved = s.reserved + excluded.reserved,
          version = excluded.version
        """;

    /// <summary>Adds the statement; null if the batch touches no stock.</summary>
    /// <returns>The statement and how many rows it must write: fewer mean that the batch does not follow.</returns>
    public static (NpgsqlBatchCommand Command, int Rows)? Write(NpgsqlBatch batch, IReadOnlyList<LogEvent> events)
    {
        var sums = new SortedDictionary<string, Sum>(StringComparer.Ordinal);
        foreach (var e in events)
        {
            if (!e.Stream.StartsWith(Keys.Stock, StringComparison.Ordinal)) continue;
            if (!sums.TryGetValue(e.Stream, out var sum)) sums[e.Stream] = sum = new Sum(e.Stream, e.Version);
            sum.Add(e);
        }
        if (sums.Count == 0) return null;
        T[] Column<T>(Func<Sum, T> of) => [.. sums.Values.Select(of)];
        var command = ReadModelSql.Statement(Add,
            Column(s => s.Warehouse), Column(s => s.Sku), Column(s => s.OnHand), Column(s => s.Reserved),
            Column(s => s.First), Column(s => s.Last));
        batch.BatchCommands.Add(command);
        return (command, sums.Count);
    }

    public static Task<List<StockView>> ReadAll(NpgsqlConnection connection) =>
        ReadModelSql.Read(connection, $"select {Columns} from oms.stock", [], Read);

    public static StockView Read(NpgsqlDataReader row)
    {
        var (onHand, reserved, safety) = (row.GetInt32(2), row.GetInt32(3), row.GetInt32(4));
        return new StockView(
            row.GetString(0), row.GetString(1), onHand, reserved, safety, Math.Max(0, onHand - reserved - safety),
            row.GetInt32(5));
    }

    /// <summary>What a batch did to one stock.</summary>
    sealed class Sum
    {
        public Sum(string stream, int first)
        {
            (Warehouse, Sku) = Keys.ReadStock(stream);
            First = first;
        }

        public string Warehouse { get; }
        public string Sku { get; }
        public int First { get; }
        public int Last { get; private set; }
        public int OnHand { get; private set; }
        public int Reserved { get; private set; }

        public void Add(LogEvent e)
        {
            var (onHand, reserved) = e.Data switch
            {
                StockReceived r => (r.Quantity, 0),
                StockAdjusted a => (a.Delta, 0),
                StockReserved r => (0, Ledger.Sum(r.Lines)),
                ReservationReleased r => (0, -Ledger.Sum(r.Lines)),
                StockShipped s => (-Ledger.Sum(s.Lines), -Ledger.Sum(s.Lines)),
                StockNotFound n => (-Ledger.Sum(n.Lines), -Ledger.Sum(n.Lines)),
                _ => (0, 0), // of a newer program
            };
            (OnHand, Reserved, Last) = (OnHand + onHand, Reserved + reserved, e.Version);
        }
    }
}
