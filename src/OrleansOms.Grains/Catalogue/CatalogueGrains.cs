using OrleansOms.Contracts;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Contracts.Log;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Aggregates;

namespace OrleansOms.Grains.Catalogue;

/// <summary>One SKU's master data.</summary>
[GrainType("oms-product")]
public sealed class ProductGrain(IEventLog log, TimeProvider time, CatalogueIndex catalogue)
    : CatalogueGrain(log, time, catalogue), IProductGrain
{
    /// <inheritdoc />
    public async Task<ProductView> Put(ProductDetails details, Caller caller)
    {
        var sku = Key[Keys.Product.Length..];
        return new ProductView(sku, await Put(new ProductPut(sku, details), caller), details);
    }
}

/// <summary>One warehouse's master data.</summary>
[GrainType("oms-warehouse")]
public sealed class WarehouseGrain(IEventLog log, TimeProvider time, CatalogueIndex catalogue)
    : CatalogueGrain(log, time, catalogue), IWarehouseGrain
{
    /// <inheritdoc />
    public async Task<WarehouseView> Put(WarehouseDetails details, Caller caller)
    {
        var code = Key[Keys.Warehouse.Length..];
        return new WarehouseView(code, await Put(new WarehousePut(code, details), caller), details);
    }
}

/// <summary>What a thing of the catalogue is now.</summary>
/// <param name="Fact">The last one, which says all; null before the first.</param>
public sealed record CatalogueEntry(int Version, CatalogueEvent? Fact);

/// <summary>What the grains of the catalogue share: each fact takes the place of the one before.</summary>
public abstract class CatalogueGrain(IEventLog log, TimeProvider time, CatalogueIndex catalogue)
    : AggregateGrain<CatalogueEntry, CatalogueEvent>(log, time)
{
    /// <inheritdoc />
    protected override CatalogueEntry Empty => new(0, null);
    /// <inheritdoc />
    protected override int VersionOf(CatalogueEntry state) => state.Version;
    /// <inheritdoc />
    protected override CatalogueEntry Apply(
        CatalogueEntry state, CatalogueEvent @event, string commandId, DateTimeOffset at) =>
        new(state.Version + 1, @event);
    /// <summary>Makes a fact the last one; if it is that already nothing changes. Answers with the version.</summary>
    protected async Task<int> Put(CatalogueEvent fact, Caller caller)
    {
        if (State.Fact != fact || (await IsBehind() && State.Fact != fact)) await Store([fact], caller);
        return Durable.Version;
    }

    /// <inheritdoc />
    protected override void OnDurable(CatalogueEntry durable) => catalogue.Apply(durable.Fact!, durable.Version);
}
