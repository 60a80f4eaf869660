using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Stock;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Stock;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Postgres.Stock;

/// <summary>
/// What stocks had in the past: from the nearest day before whose beginning is kept, through the entries of the log between.
/// Right whichever days are kept, since every kept balance names the entry that it follows.
/// </summary>
public sealed class StockHistory(IEventLog log, NpgsqlDataSource database)
{
    const int Page = 2_000;

    /// <summary>No two clocks of the cluster are further apart: entries of one moment may stand in either order.</summary>
    static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(1);

    /// <summary>What a stock had after an entry.</summary>
    /// <param name="stock">Key of the stock.</param>
    /// <param name="version">Number of the entry; 0 for what it had before the first.</param>
    /// <exception cref="LogUnavailableException">The database did not answer.</exception>
    public async Task<StockBalance> After(string stock, int version)
    {
        var start = await Kept(stock, "d.version <= $3", version);
        // Most often the newest entries are asked for, and the lists know what is there now, or was a moment ago.
        var now = await Listed(stock);
        if (now.Version > version && now.Version - version < Math.Min(version - start.Version, Page))
        {
            foreach (var entry in await log.ReadStream(stock, version, now.Version - version))
                now = now.With(version, -DoneBy(entry));
            return now;
        }
        if (now.Version <= version && now.Version > start.Version) start = now;
        await foreach (var (_, balance) in From(stock, start))
        {
            if (balance.Version > version) break;
            start = balance;
        }
        return start;
    }

    /// <summary>What a stock had at a moment: after the last entry that was recorded by then.</summary>
    /// <param name="stock">Key of the stock.</param>
    /// <param name="moment">UTC.</param>
    /// <exception cref="LogUnavailableException">The database did not answer.</exception>
    public async Task<StockBalance> AsOf(string stock, DateTimeOffset moment)
    {
        // Of a day before, whose entries have all been recorded by then.
        var then = await Kept(stock, "d.day < $3", DateOnly.FromDateTime(moment.UtcDateTime));
        await foreach (var (at, balance) in From(stock, then))
        {
            if (at > moment + ClockSkew) break;
            if (at <= moment) then = balance;
        }
        return then;
    }

    /// <summary>
    /// Days on which something happened, oldest first. What happened on one that is not kept counts with the one before it.
    /// </summary>
    /// <param name="stock">Key of the stock.</param>
    /// <param name="from">The first day that may be among them.</param>
    /// <param name="to">The last one.</param>
    /// <exception cref="LogUnavailableException">The database did not answer.</exception>
    public async Task<IReadOnlyList<StockDay>> Days(string stock, DateOnly from, DateOnly to)
    {
        var (warehouse, sku) = Keys.ReadStock(stock);
        return await ReadModelSql.Read(database, """
            select * from (
              select d.day, d.version, d.on_hand, d.reserved, d.damaged, d.quarantine,
                coalesce(lead(d.version) over days, s.version), coalesce(lead(d.on_hand) over days, s.on_hand),
                coalesce(lead(d.reserved) over days, s.reserved), coalesce(lead(d.damaged) over days, s.damaged),
                coalesce(lead(d.quarantine) over days, s.quarantine)
              from oms.stock_days d join oms.stock s using (warehouse, sku)
              where d.warehouse = $1 and d.sku = $2 and d.day >= $3 and d.damaged is not null
              window days as (order by d.day)) as all_later
            where day <= $4 order by day
            """, [warehouse, sku, from, to], row => new StockDay(
                row.GetFieldValue<DateOnly>(0), Read(row, 1), Read(row, 6)));
    }

    /// <summary>The last balance that is kept and for which something is so; that of the beginning if none is.</summary>
    async Task<StockBalance> Kept(string stock, string isSo, object value)
    {
        var (warehouse, sku) = Keys.ReadStock(stock);
        var kept = await ReadModelSql.Read(database, $"""
            select d.version, d.on_hand, d.reserved, d.damaged, d.quarantine from oms.stock_days d
            where d.warehouse = $1 and d.sku = $2 and d.damaged is not null and {isSo} order by d.day desc limit 1
            """, [warehouse, sku, value], row => Read(row, 0));
        return kept is [var one] ? one : default;
    }

    async Task<StockBalance> Listed(string stock)
    {
        var (warehouse, sku) = Keys.ReadStock(stock);
        var listed = await ReadModelSql.Read(
            database, "select version, on_hand, reserved, damaged, quarantine from oms.stock where warehouse = $1 and sku = $2",
            [warehouse, sku], row => Read(row, 0));
        return listed is [var one] ? one : default;
    }

    static StockBalance Read(NpgsqlDataReader row, int at) =>
        new(row.GetInt32(at), row.GetInt32(at + 1), row.GetInt32(at + 2), row.GetInt32(at + 3), row.GetInt32(at + 4));

    static StockDelta DoneBy(LogEvent entry) => StockDelta.Of((StockEvent)entry.Known());

    async IAsyncEnumerable<(DateTimeOffset At, StockBalance Balance)> From(string stock, StockBalance start)
    {
        for (var page = Page; page == Page;)
        {
            var entries = await log.ReadStream(stock, start.Version, Page);
            page = entries.Count;
            foreach (var entry in entries)
            {
                start = start.With(entry.Version, DoneBy(entry));
                yield return (entry.At, start);
            }
        }
    }
}
