using OrleansOms.Domain.Laws;

namespace OrleansOms.Postgres.Laws;

/// <summary>A row of a list as it is stored: its key, and each value by its name.</summary>
sealed record ListedRow(string Id, IReadOnlyDictionary<string, object?> Values);

/// <summary>Rows of one list in the order of their keys, read side by side with the streams that they are made of.</summary>
sealed class ListedRows(IAsyncEnumerator<ListedRow> rows, CheckReport report) : IAsyncDisposable
{
    bool _isOpen = true, _hasRow;

    public ValueTask DisposeAsync() => rows.DisposeAsync();

    /// <summary>Holds the row of a stream against what the log says; null if the log has no such row at its position.</summary>
    public async Task Compare(string id, IReadOnlyDictionary<string, object?>? folded)
    {
        await UpTo(id);
        var isListed = _isOpen && rows.Current.Id == id;
        if (isListed) _hasRow = false;
        if (folded is null && !isListed) return;
        report.Rows++;
        if (folded is null || !isListed)
        {
            report.Add(LogLaws.ListsAreTheLog(id, "its row", isListed ? "there" : "missing", isListed ? "missing" : "there"));
            return;
        }
        foreach (var (name, value) in folded)
            report.Add(LogLaws.ListsAreTheLog(id, name, rows.Current.Values[name], value));
    }

    /// <summary>Rows that no stream was read for.</summary>
    public Task End() => UpTo(null);

    async Task UpTo(string? id)
    {
        while (_isOpen)
        {
            if (!_hasRow) _isOpen = _hasRow = await rows.MoveNextAsync();
            if (!_isOpen || (id is not null && StoredEvents.Compare(rows.Current.Id, id) >= 0)) return;
            report.Rows++;
            report.Add(LogLaws.ListsAreTheLog(rows.Current.Id, "its row", "there", "missing"));
            _hasRow = false;
        }
    }
}
