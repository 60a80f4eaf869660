using System.Globalization;
using OrleansOms.Domain.Laws;

namespace OrleansOms.Postgres.Laws;

/// <summary>
/// Holds what is kept of the beginnings of stocks' days against their ledgers, read side by side. A day that is not kept is
/// no fault: its history is only longer to read.
/// </summary>
/// <param name="rows">By the stock's key, then the version.</param>
sealed class StockDayCheck(IAsyncEnumerator<ListedRow> rows, CheckReport report) : IAsyncDisposable
{
    /// <summary>The rows that it reads.</summary>
    public const string Days = """
        select * from (
          select 'stk-' || d.warehouse || '/' || d.sku as id, d.version, d.on_hand, d.reserved, d.damaged, d.quarantine,
            d.day::text as day from oms.stock_days d where d.damaged is not null) r
        order by r.id collate "C", r.version
        """;

    bool _isOpen = true, _hasRow;
    string? _stream;
    DateOnly _day;

    /// <inheritdoc />
    public ValueTask DisposeAsync() => rows.DisposeAsync();

    /// <summary>Takes a stock before its next entry.</summary>
    /// <param name="at">When that is recorded, UTC.</param>
    public async ValueTask Next(StockAudit stock, DateTimeOffset at)
    {
        var isBegun = _stream == stock.Stream;
        var before = isBegun ? _day : DateOnly.MinValue;
        var day = DateOnly.FromDateTime(at.UtcDateTime);
        (_stream, _day) = (stock.Stream, day > before ? day : before);
        // Most entries have none: the next row is of a later entry, or of a stock that comes later.
        if (isBegun && _hasRow && (rows.Current.Id != stock.Stream || Version > stock.Version)) return;
        await Until(stock.Stream, stock.Version);
        if (!_isOpen || rows.Current.Id != stock.Stream || Version != stock.Version) return;
        _hasRow = false;
        report.Add(LogLaws.ListsAreTheLog(
            stock.Stream, $"the day that begins after entry {Version}", rows.Current.Values["day"],
            _day > before ? _day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) : null));
        Hold("on_hand", "on hand", stock.Stock.OnHand);
        Hold("reserved", "reserved", stock.Stock.Reserved);
        Hold("damaged", "damaged", stock.Stock.Damaged);
        Hold("quarantine", "in quarantine", stock.Stock.Quarantine);

        void Hold(string column, string word, int units) =>
            report.Add(LogLaws.ListsAreTheLog(stock.Stream, $"{word} after entry {Version}", rows.Current.Values[column], units));
    }

    /// <summary>Rows that no entry follows.</summary>
    public Task End() => Until(null, 0);

    int Version => (int)rows.Current.Values["version"]!;

    async Task Until(string? stream, int version)
    {
        while (_isOpen)
        {
            if (!_hasRow) _isOpen = _hasRow = await rows.MoveNextAsync();
            if (!_isOpen) return;
            var order = stream is null ? -1 : StoredEvents.Compare(rows.Current.Id, stream);
            if (order > 0 || (order == 0 && Version >= version)) return;
            report.Add(LogLaws.ListsAreTheLog(rows.Current.Id, $"the beginning of a day after entry {Version}", "there", "missing"));
            _hasRow = false;
        }
    }
}
