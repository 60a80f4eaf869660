using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Domain.Catalogue;

namespace OrleansOms.Grains.Catalogue;

/// <summary>
/// Every product and warehouse, in the memory of this process. Filled from the read model, then kept up by the log's
/// tail; what this process writes itself is in it as soon as it is stored.
/// </summary>
public sealed class CatalogueIndex
{
    readonly ConcurrentDictionary<string, ProductView> _products = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, string> _barcodes = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, WarehouseView> _warehouses = new(StringComparer.Ordinal);
    readonly Lock _ordering = new();
    volatile WarehouseView[] _inOrder = [];

    /// <summary>Number of products.</summary>
    public int Products => _products.Count;

    /// <summary>Every warehouse, active or not, by code.</summary>
    public IReadOnlyList<WarehouseView> Warehouses => _inOrder;

    /// <summary>Finds a product by its SKU; case matters.</summary>
    public bool TryGetProduct(string sku, [NotNullWhen(true)] out ProductView? product) =>
        _products.TryGetValue(sku, out product);

    /// <summary>Finds a warehouse by its code.</summary>
    public bool TryGetWarehouse(string code, [NotNullWhen(true)] out WarehouseView? warehouse) =>
        _warehouses.TryGetValue(code, out warehouse);

    /// <summary>The SKU that carries a barcode, or null. Of two with the same one, the later written.</summary>
    public string? FindByBarcode(string barcode) =>
        _barcodes.TryGetValue(barcode, out var sku) && TryGetProduct(sku, out var p) && p.Details.Barcode == barcode
            ? sku : null;

    /// <summary>Takes a product in, unless a newer version of it is known.</summary>
    public void Set(ProductView product)
    {
        var kept = _products.AddOrUpdate(
            product.Sku, product, (_, known) => known.Version >= product.Version ? known : product);
        if (ReferenceEquals(kept, product) && product.Details.Barcode is { } barcode) _barcodes[barcode] = product.Sku;
    }

    /// <summary>Takes a warehouse in, unless a newer version of it is known.</summary>
    public void Set(WarehouseView warehouse)
    {
        _warehouses.AddOrUpdate(
            warehouse.Code, warehouse, (_, known) => known.Version >= warehouse.Version ? known : warehouse);
        // Every order looks at all of them, and they hardly ever change.
        lock (_ordering) _inOrder = [.. _warehouses.Values.OrderBy(w => w.Code, StringComparer.Ordinal)];
    }

    internal void Apply(CatalogueEvent @event, int version)
    {
        switch (@event)
        {
            case ProductPut e: Set(new ProductView(e.Sku, version, e.Details)); break;
            case WarehousePut e: Set(new WarehouseView(e.Code, version, e.Details)); break;
        }
    }
}
