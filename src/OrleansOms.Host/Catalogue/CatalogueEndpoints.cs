using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using OrleansOms.Contracts;
using OrleansOms.Contracts.Catalogue;
using OrleansOms.Domain.Catalogue;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Http;
using OrleansOms.Host.OpenApi;
using OrleansOms.Host.Orders;
using OrleansOms.Host.Security;

namespace OrleansOms.Host.Catalogue;

/// <summary>A warehouse's master data.</summary>
public sealed record WarehouseRequest(
    [property: Required] string? Name, [property: Required] AddressRequest? Address,
    [property: Description("Decimal degrees; with longitude or not at all. Absent: the place of its postcode.")]
    double? Latitude,
    double? Longitude,
    [property: Description("Whether new units may be sourced from it."), Required] bool? Active);

/// <summary>A warehouse as stored.</summary>
public sealed record WarehouseAnswer(
    string Code, int Version, string Name, Address Address, double? Latitude, double? Longitude, bool Active);

/// <summary>A product's master data.</summary>
public sealed record ProductRequest(
    [property: Required] string? Name,
    [property: Description("Of one unit, 0 to 10,000,000.")] int? WeightGrams,
    [property: Description("What a scanner reads from it.")] string? Barcode);

/// <summary>A product as stored.</summary>
public sealed record ProductAnswer(string Sku, int Version, string Name, int? WeightGrams, string? Barcode);

/// <summary>Creating and changing products and warehouses.</summary>
public static class CatalogueEndpoints
{
    /// <summary>Heaviest unit, in grams.</summary>
    public const int MaxWeightGrams = 10_000_000;

    const int MaxBarcode = 64;

    /// <summary>Maps <c>/api/v1/warehouses</c> and <c>/api/v1/products</c>.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        var catalogue = routes.MapGroup("/api/v1").WithTags("Catalogue");
        catalogue.MapPut("/warehouses/{code}", PutWarehouse)
            .Needs(Scopes.CatalogueWrite).Describe(CatalogueDescriptions.PutWarehouse);
        catalogue.MapPut("/products/{sku}", PutProduct)
            .Needs(Scopes.CatalogueWrite).Describe(CatalogueDescriptions.PutProduct);
    }

    static async Task<IResult> PutWarehouse(HttpContext http, IGrainFactory grains, CatalogueIndex catalogue)
    {
        var code = http.Segment(3);
        if (!Text.IsWarehouseCode(code))
            throw Findings.Of("code", "It must be 1 to 16 capitals, digits and dashes.");
        if (!http.Caller().MaySee(code)) throw new ProblemException(Problem.NotFound("The warehouse"));
        var (request, _) = await Body.Read(http, ApiJson.Default.WarehouseRequest);
        var details = Details(request);
        var isKnown = catalogue.TryGetWarehouse(code, out _);
        var view = await grains.GetGrain<IWarehouseGrain>(Keys.Warehouse + code).Put(details, CallerOf(http));
        // The grain may live in another process; whoever asks this one next must find what it has just answered.
        catalogue.Set(view);
        var d = view.Details;
        var answer = new WarehouseAnswer(
            view.Code, view.Version, d.Name, d.Address, d.Location?.Latitude, d.Location?.Longitude, d.IsActive);
        return isKnown || view.Version > 1
            ? Answers.Ok(answer, ApiJson.Default.WarehouseAnswer)
            : Answers.Created(answer, ApiJson.Default.WarehouseAnswer, $"/api/v1/warehouses/{code}");
    }

    static async Task<IResult> PutProduct(HttpContext http, IGrainFactory grains, CatalogueIndex catalogue)
    {
        var sku = http.Segment(3);
        if (!Text.IsSku(sku)) throw Findings.Of("sku", "It must be 1 to 64 printable characters without blanks at its ends.");
        var (request, _) = await Body.Read(http, ApiJson.Default.ProductRequest);
        var f = new Findings();
        f.Text("name", request.Name, OrderValidation.MaxName);
        if (request.WeightGrams is not null) f.Between("weightGrams", request.WeightGrams, 0, MaxWeightGrams);
        f.OptionalText("barcode", request.Barcode, MaxBarcode);
        f.Throw();
        var isKnown = catalogue.TryGetProduct(sku, out _);
        var view = await grains.GetGrain<IProductGrain>(Keys.Product + sku)
            .Put(new ProductDetails(request.Name!, request.WeightGrams, request.Barcode), CallerOf(http));
        catalogue.Set(view);
        var answer = new ProductAnswer(
            view.Sku, view.Version, view.Details.Name, view.Details.WeightGrams, view.Details.Barcode);
        return isKnown || view.Version > 1
            ? Answers.Ok(answer, ApiJson.Default.ProductAnswer)
            : Answers.Created(answer, ApiJson.Default.ProductAnswer, $"/api/v1/products/{Uri.EscapeDataString(sku)}");
    }

    static WarehouseDetails Details(WarehouseRequest r)
    {
        var f = new Findings();
        f.Text("name", r.Name, OrderValidation.MaxName);
        var address = OrderValidation.Address(f, "address", r.Address, usualName: r.Name);
        if (r.Active is null) f.Add("active", "It is required.");
        if (r.Latitude is null != r.Longitude is null)
            f.Add(r.Latitude is null ? "latitude" : "longitude", "Give both latitude and longitude, or neither.");
        GeoPoint? location = r is { Latitude: { } latitude, Longitude: { } longitude }
            ? new GeoPoint(latitude, longitude) : null;
        if (location is { IsValid: false }) f.Add("latitude", "Latitude is from -90 to 90, longitude from -180 to 180.");
        f.Throw();
        OrderValidation.RequireCountry(address.Country);
        return new WarehouseDetails(r.Name!, address, location, r.Active!.Value);
    }

    static Caller CallerOf(HttpContext http) => new($"cmd-{Guid.NewGuid():N}", http.Caller().Actor);
}
