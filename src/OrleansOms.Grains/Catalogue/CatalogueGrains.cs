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
    : AggregateGrain<ProductView, CatalogueEvent>(log, time), IProductGrain
{
    /// <inheritdoc />
    protected override ProductView Empty => new(Key[Keys.Product.Length..], 0, new ProductDetails("", null, null));
    /// <inheritdoc />
    protected override int VersionOf(ProductView state) => state.Version;
    /// <inheritdoc />
    protected override ProductView Apply(ProductView state, CatalogueEvent @event, string commandId, DateTimeOffset at) =>
        state with { Version = state.Version + 1, Details = ((ProductPut)@event).Details };
    /// <inheritdoc />
    public override Task OnActivateAsync(CancellationToken cancellationToken) => Load();

    /// <inheritdoc />
    public async Task<ProductView> Put(ProductDetails details, Caller caller)
    {
        if (State.Version == 0 || State.Details != details)
            await Store([new ProductPut(State.Sku, details)], caller);
        return Durable;
    }

    /// <inheritdoc />
    protected override void OnDurable(ProductView durable) => catalogue.Set(durable);
}

/// <summary>One warehouse's master data.</summary>
[GrainType("oms-warehouse")]
public sealed class WarehouseGrain(IEventLog log, TimeProvider time, CatalogueIndex catalogue)
    : AggregateGrain<WarehouseView, CatalogueEvent>(log, time), IWarehouseGrain
{
    /// <inheritdoc />
    protected override WarehouseView Empty => new(
        Key[Keys.Warehouse.Length..], 0,
        new WarehouseDetails("", new Address("", "", null, "", null, null, ""), null, false));
    /// <inheritdoc />
    protected override int VersionOf(WarehouseView state) => state.Version;
    /// <inheritdoc />
    protected override WarehouseView Apply(
        WarehouseView state, CatalogueEvent @event, string commandId, DateTimeOffset at) =>
        state with { Version = state.Version + 1, Details = ((WarehousePut)@event).Details };
    /// <inheritdoc />
    public override Task OnActivateAsync(CancellationToken cancellationToken) => Load();

    /// <inheritdoc />
    public async Task<WarehouseView> Put(WarehouseDetails details, Caller caller)
    {
        if (State.Version == 0 || State.Details != details)
            await Store([new WarehousePut(State.Code, details)], caller);
        return Durable;
    }

    /// <inheritdoc />
    protected override void OnDurable(WarehouseView durable) => catalogue.Set(durable);
}
