using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Laws;
using OrleansOms.Domain.Shared;
using OrleansOms.Postgres.Log;

namespace OrleansOms.Postgres.Laws;

/// <summary>Holds some rows of the lists against their streams (L12), beside a running program.</summary>
static class ListCheck
{
    /// <inheritdoc cref="IReadModel.Compare" />
    public static async Task<IReadOnlyList<Breach>?> Run(
        NpgsqlConnection connection, IReadOnlyCollection<StreamAudit> streams, Checkpoint heard)
    {
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        if (!(await Checkpoints.Load(connection, ReadModel.Follower)).Covers(heard)) return null;
        string[] orders = [.. streams.OfType<OrderAudit>().Select(s => s.Stream)];
        string[] shipments = [.. streams.OfType<ShipmentAudit>().Select(s => s.Stream)];
        (string Warehouse, string Sku)[] stocks = [.. streams.OfType<StockAudit>().Select(s => Keys.ReadStock(s.Stream))];
        var rows = new Dictionary<string, ListedRow>(StringComparer.Ordinal);
        await Read($"{Listed.Orders} where o.id = any($1)", orders);
        await Read($"{Listed.Shipments} where s.id = any($1)", shipments);
        await Read(
            $"{Listed.Stocks} join unnest($1, $2) as w (warehouse, sku) using (warehouse, sku)",
            stocks.Select(s => s.Warehouse).ToArray(), stocks.Select(s => s.Sku).ToArray());
        return [.. streams.SelectMany(s => Compare(s, rows.GetValueOrDefault(s.Stream)))];

        async Task Read(string sql, params string[][] keys)
        {
            if (keys[0].Length == 0) return;
            await using var found = Listed.Read(connection, sql, keys);
            while (await found.MoveNextAsync()) rows[found.Current.Id] = found.Current;
        }
    }

    static IEnumerable<Breach> Compare(StreamAudit stream, ListedRow? row)
    {
        if (Listed.Of(stream) is not { } folded) return [];
        if (row is null) return [LogLaws.ListsAreTheLog(stream.Stream, "its row", "missing", "there")!];
        // It has heard of more by now.
        if ((int)row.Values["version"]! > stream.Version) return [];
        return folded.Select(f => LogLaws.ListsAreTheLog(stream.Stream, f.Key, row.Values[f.Key], f.Value)).OfType<Breach>();
    }
}
