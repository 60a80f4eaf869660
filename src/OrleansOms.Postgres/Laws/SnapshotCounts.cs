using System.Text.Json;
using Npgsql;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Laws;

namespace OrleansOms.Postgres.Laws;

/// <summary>What the storage of grains keeps of stocks, for whoever holds it against their ledgers.</summary>
static class SnapshotCounts
{
    /// <summary>Counts by the key of the stock. Those of a newer program are left out: nobody here reads them.</summary>
    public static async Task<IReadOnlyDictionary<string, StockCounts>> Read(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "select extension, payload from oms.orleans_storage where type = 'stock-snapshot' and payload is not null", connection)
        {
            CommandTimeout = 0,
        };
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var counts = new Dictionary<string, StockCounts>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancel))
        {
            using var json = JsonDocument.Parse(reader.GetFieldValue<byte[]>(1));
            var snapshot = json.RootElement;
            if (snapshot.TryGetProperty("KnownEvents", out var known) && known.GetInt32() > EventTypes.Count) continue;
            // The serializer's own names begin with $.
            var reserved = snapshot.GetProperty("Reservations").EnumerateObject()
                .Where(r => r.Value.ValueKind == JsonValueKind.Object).Sum(r => r.Value.GetProperty("Quantity").GetInt32());
            counts[reader.GetString(0)] = new StockCounts(
                snapshot.GetProperty("OnHand").GetInt32(), reserved, snapshot.GetProperty("Version").GetInt32(), Units("Damaged"),
                Units("Quarantine"));

            // One of a time before conditions has none.
            int Units(string condition) => snapshot.TryGetProperty(condition, out var units) ? units.GetInt32() : 0;
        }
        return counts;
    }
}
