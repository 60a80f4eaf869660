using OrleansOms.Domain.Shared;
using Orleans;

namespace OrleansOms.Domain.Catalogue;

/// <summary>What is known of a SKU.</summary>
/// <param name="WeightGrams">Of one unit, 0 to 10,000,000; null if unknown.</param>
/// <param name="Barcode">What a scanner reads from it, up to 64 printable characters.</param>
[GenerateSerializer, Immutable, Alias("oms.ProductDetails")]
public sealed record ProductDetails(
    [property: Id(0)] string Name, [property: Id(1)] int? WeightGrams, [property: Id(2)] string? Barcode);

/// <summary>What is known of a warehouse.</summary>
/// <param name="Location">Where it stands; null means the place of its postcode or the centre of its country.</param>
/// <param name="IsActive">Whether new units may be sourced from it.</param>
[GenerateSerializer, Immutable, Alias("oms.WarehouseDetails")]
public sealed record WarehouseDetails(
    [property: Id(0)] string Name, [property: Id(1)] Address Address, [property: Id(2)] GeoPoint? Location,
    [property: Id(3)] bool IsActive);

/// <summary>A fact of the catalogue.</summary>
public abstract record CatalogueEvent : DomainEvent;

/// <summary>A product was created or changed to this.</summary>
public sealed record ProductPut(string Sku, ProductDetails Details) : CatalogueEvent;

/// <summary>A warehouse was created or changed to this.</summary>
public sealed record WarehousePut(string Code, WarehouseDetails Details) : CatalogueEvent;
