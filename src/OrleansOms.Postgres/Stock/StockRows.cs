using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Postgres.Stock;

/// <summary>
/// Adds what a batch did to stocks. Sums are enough for a row, so no reservations are folded here: a hot stock has more
/// of them than anyone wants in memory twice.
/// </summary>
static class StockRows
{
    public const string Columns = "warehouse, sku, on_hand, reserved, safety_stock, version, damaged, quarantine";

    const string Insert = """
        insert into oms.stock (warehouse, sku, on_hand, reserved, safety_stock, version, day, day_version, damaged, quarantine)
        select warehouse, sku, on_hand, reserved, 0, last, day, last, damaged, quarantine
        from unnest($1, $2, $3, $4, $5, $6, $7, $8) as t (warehouse, sku, on_hand, reserved, damaged, quarantine, last, day)
        """;

    const string Add = """
        update oms.stock s
        set on_hand = s.on_hand + t.on_hand, reserved = s.reserved + t.reserved, damaged = s.damaged + t.damaged,
          quarantine = s.quarantine + t.quarantine, version = t.last, day = greatest(s.day, t.day), day_version = t.last
        from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
          as t (warehouse, sku, on_hand, reserved, damaged, quarantine, last, day, first)
        where s.warehouse = t.warehouse and s.sku = t.sku and s.version = t.first - 1
        """;

    /// <summary>Adds the statements.</summary>
    /// <param name="days">Writes what stocks had when their days began.</param>
    /// <returns>
    /// Each with the rows that it must write: fewer mean that the batch does not follow what is stored. And the days that have
    /// begun in the batch.
    /// </returns>
    public static (IReadOnlyList<(NpgsqlBatchCommand Command, int Rows)> Written, IReadOnlyList<DayBegun> Days) Write(
        NpgsqlBatch batch, IReadOnlyList<LogEvent> events, StockDayRows days)
    {
        var sums = new SortedDictionary<string, Sum>(StringComparer.Ordinal);
        foreach (var e in events)
        {
            if (!e.Stream.StartsWith(Keys.Stock, StringComparison.Ordinal)) continue;
            if (!sums.TryGetValue(e.Stream, out var sum)) sums[e.Stream] = sum = new Sum(e.Stream, e.Version);
            sum.Add(e);
        }
        DayBegun[] begun = [.. sums.Values.SelectMany(s => s.Days)];
        days.Write(batch, begun);
        List<Sum> born = [.. sums.Values.Where(s => s.First == 1)], grown = [.. sums.Values.Where(s => s.First > 1)];
        var written = new List<(NpgsqlBatchCommand, int)>(2);
        if (born.Count > 0) written.Add((ReadModelSql.Statement(Insert, Columns(born)), born.Count));
        if (grown.Count > 0)
            written.Add((
                ReadModelSql.Statement(Add, [.. Columns(grown), grown.Select(s => s.First).ToArray()]), grown.Count));
        foreach (var (command, _) in written) batch.BatchCommands.Add(command);
        return (written, begun);

        static object[] Columns(List<Sum> sums)
        {
            T[] Column<T>(Func<Sum, T> of) => [.. sums.Select(of)];
            return
            [
                Column(s => s.Warehouse), Column(s => s.Sku), Column(s => s.Done.OnHand), Column(s => s.Done.Reserved),
                Column(s => s.Done.Damaged), Column(s => s.Done.Quarantine), Column(s => s.Last), Column(s => s.Days[^1].Day),
            ];
        }
    }

    public static Task<List<StockView>> ReadAll(NpgsqlConnection connection) =>
        ReadModelSql.Read(connection, $"select {Columns} from oms.stock", [], Read);

    public static StockView Read(NpgsqlDataReader row)
    {
        var (onHand, reserved, safety) = (row.GetInt32(2), row.GetInt32(3), row.GetInt32(4));
        return new StockView(
            row.GetString(0), row.GetString(1), onHand, reserved, safety, Math.Max(0, onHand - reserved - safety),
            row.GetInt32(5), row.GetInt32(6), row.GetInt32(7));
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
        public StockDelta Done { get; private set; }

        public List<DayBegun> Days { get; } = [];

        public void Add(LogEvent e)
        {
            var day = DateOnly.FromDateTime(e.At.UtcDateTime);
            if (Days is [] || Days[^1].Day < day) Days.Add(new(Warehouse, Sku, First, day, e.Version - 1, Done));
            (Done, Last) = (Done + StockDelta.Of((StockEvent)e.Known()), e.Version);
        }
    }
}
