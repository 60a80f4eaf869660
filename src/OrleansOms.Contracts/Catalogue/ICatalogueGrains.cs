using Orleans;
using OrleansOms.Domain.Catalogue;

namespace OrleansOms.Contracts.Catalogue;

/// <summary>A product as the API shows it.</summary>
[GenerateSerializer, Immutable, Alias("oms.ProductView")]
public sealed record ProductView(
    [property: Id(0)] string Sku, [property: Id(1)] int Version, [property: Id(2)] ProductDetails Details);

/// <summary>A warehouse as the API shows it.</summary>
[GenerateSerializer, Immutable, Alias("oms.WarehouseView")]
public sealed record WarehouseView(
    [property: Id(0)] string Code, [property: Id(1)] int Version, [property: Id(2)] WarehouseDetails Details);

/// <summary>One SKU's master data. Key: <c>prd-{sku}</c>. Owns the history of its details.</summary>
[Alias("oms.IProductGrain")]
public interface IProductGrain : IGrainWithStringKey
{
    /// <summary>Creates or changes it; the same details again change nothing.</summary>
    [Alias("Put")]
    Task<ProductView> Put(ProductDetails details, Caller caller);
}

/// <summary>One warehouse's master data. Key: <c>whs-{code}</c>. Owns the history of its details.</summary>
[Alias("oms.IWarehouseGrain")]
public interface IWarehouseGrain : IGrainWithStringKey
{
    /// <summary>Creates or changes it; the same details again change nothing.</summary>
    [Alias("Put")]
    Task<WarehouseView> Put(WarehouseDetails details, Caller caller);
}
