using Npgsql;
using OrleansOms.Domain.Stock;

namespace OrleansOms.Postgres.Stock;

/// <summary>A stock before its first entry of a day, as far as a batch tells: what it did until then.</summary>
/// <param name="First">The batch's first entry of the stock.</param>
/// <param name="Version">The last entry before the day.</param>
/// <param name="Done">What the batch's entries before the day did.</param>
readonly record struct DayBegun(string Warehouse, string Sku, int First, DateOnly Day, int Version, StockDelta Done);

/// <summary>Writes what stocks had when their days began.</summary>
sealed class StockDayRows
{
    /// <summary>Days that are remembered as written; past this all are looked for again.</summary>
    const int Remembered = 200_000;

    // A day begins with the batch's first entry of a stock only if it is known that the one before was of an earlier day:
    // where an older build has written the lists it is not. Days only begin: one that is older than another of the same stock
    // comes of clocks that differ, and is none.
    const string Insert = """
        insert into oms.stock_days (warehouse, sku, day, version, on_hand, reserved, damaged, quarantine)
        select t.warehouse, t.sku, t.day, t.version, coalesce(s.on_hand, 0) + t.on_hand, coalesce(s.reserved, 0) + t.reserved,
          coalesce(s.damaged, 0) + t.damaged, coalesce(s.quarantine, 0) + t.quarantine
        from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
          as t (warehouse, sku, first, day, version, on_hand, reserved, damaged, quarantine)
        left join oms.stock s on s.warehouse = t.warehouse and s.sku = t.sku
        where coalesce(s.version, 0) = t.first - 1 and (s.day is null or s.day < t.day)
          and (t.version >= t.first or t.first = 1 or s.day_version = s.version)
        on conflict do nothing
        """;

    readonly HashSet<(string, string, DateOnly)> _written = [];

    /// <summary>Adds the statement, which must come before the stocks' own rows are changed.</summary>
    public void Write(NpgsqlBatch batch, IEnumerable<DayBegun> days)
    {
        List<DayBegun> begun = [.. days.Where(d => !_written.Contains((d.Warehouse, d.Sku, d.Day)))];
        if (begun.Count == 0) return;
        T[] Column<T>(Func<DayBegun, T> of) => [.. begun.Select(of)];
        batch.BatchCommands.Add(ReadModelSql.Statement(
            Insert, Column(d => d.Warehouse), Column(d => d.Sku), Column(d => d.First), Column(d => d.Day), Column(d => d.Version),
            Column(d => d.Done.OnHand), Column(d => d.Done.Reserved), Column(d => d.Done.Damaged), Column(d => d.Done.Quarantine)));
    }

    /// <summary>They are stored now, as far as they are known to be.</summary>
    public void Remember(IEnumerable<DayBegun> days)
    {
        foreach (var d in days)
        {
            if (_written.Count >= Remembered) _written.Clear();
            _written.Add((d.Warehouse, d.Sku, d.Day));
        }
    }

    /// <summary>Nothing is known to be stored.</summary>
    public void Forget() => _written.Clear();
}
