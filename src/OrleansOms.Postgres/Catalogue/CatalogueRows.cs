using System.Text.Json;
using Npgsql;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Catalogue;
using static OrleansOms.Postgres.ReadModelSql;

namespace OrleansOms.Postgres.Catalogue;

/// <summary>Writes and reads products and warehouses: the last version of each is the whole truth.</summary>
static class CatalogueRows
{
    const string UpsertProducts = """
        insert into oms.products as p (sku, version, name, weight_grams, barcode, sku_key, search)
        select * from unnest($1, $2, $3, $4, $5, $6, $7)
        on conflict (sku) do update
        set version = excluded.version, name = excluded.name, weight_grams = excluded.weight_grams,
          barcode = excluded.barcode, search = excluded.search
        where excluded.version > p.version
        """;

    const string UpsertWarehouses = """
        insert into oms.warehouses as w (code, version, details)
        select code, version, details::json from unnest($1, $2, $3) as t (code, version, details)
        on conflict (code) do update set version = excluded.version, details = excluded.details
        where excluded.version > w.version
        """;

    public static void Write(NpgsqlBatch batch, IReadOnlyList<LogEvent> events)
    {
        List<LogEvent> last = [.. events.Where(e => e.Data is CatalogueEvent)
            .GroupBy(e => e.Stream, StringComparer.Ordinal).Select(g => g.Last())
            .OrderBy(e => e.Stream, StringComparer.Ordinal)];
        List<(ProductPut Put, int Version)> products =
            [.. last.Where(e => e.Data is ProductPut).Select(e => ((ProductPut)e.Data!, e.Version))];
        List<(WarehousePut Put, int Version)> warehouses =
            [.. last.Where(e => e.Data is WarehousePut).Select(e => ((WarehousePut)e.Data!, e.Version))];
        if (products.Count > 0) batch.BatchCommands.Add(Products(products));
        if (warehouses.Count > 0) batch.BatchCommands.Add(Warehouses(warehouses));
    }

    public static Task<List<ProductView>> ReadProducts(NpgsqlConnection connection) =>
        Read(connection, "select sku, version, name, weight_grams, barcode from oms.products", [], row =>
            new ProductView(row.GetString(0), row.GetInt32(1), new ProductDetails(
                row.GetString(2), row.IsDBNull(3) ? null : row.GetInt32(3), row.IsDBNull(4) ? null : row.GetString(4))));

    public static Task<List<WarehouseView>> ReadWarehouses(NpgsqlConnection connection) =>
        Read(connection, "select code, version, details from oms.warehouses", [], row => new WarehouseView(
            row.GetString(0), row.GetInt32(1),
            JsonSerializer.Deserialize(row.GetString(2), ReadModelJson.Default.WarehouseDetails)!));

    static NpgsqlBatchCommand Products(List<(ProductPut Put, int Version)> rows)
    {
        T[] Column<T>(Func<ProductPut, T> of) => [.. rows.Select(r => of(r.Put))];
        return Statement(UpsertProducts,
            Column(p => Stored.Clean(p.Sku)), rows.Select(r => r.Version).ToArray(),
            Column(p => Stored.Clean(p.Details.Name)), Column(p => p.Details.WeightGrams),
            Column(p => p.Details.Barcode is { } barcode ? Stored.Clean(barcode) : null),
            Column(p => Stored.Key(p.Sku)),
            Column(p => Stored.Clean($"{p.Sku}\n{p.Details.Name}").ToLowerInvariant()));
    }

    static NpgsqlBatchCommand Warehouses(List<(WarehousePut Put, int Version)> rows) => Statement(UpsertWarehouses,
        rows.Select(r => r.Put.Code).ToArray(), rows.Select(r => r.Version).ToArray(),
        rows.Select(r => JsonSerializer.Serialize(r.Put.Details, ReadModelJson.Default.WarehouseDetails)).ToArray());
}
