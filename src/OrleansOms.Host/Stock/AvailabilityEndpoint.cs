using OrleansOms.Contracts.Catalogue;
using OrleansOms.Domain.Shared;
using OrleansOms.Grains.Catalogue;
using OrleansOms.Grains.Stock;
using OrleansOms.Host.Catalogue;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Http;
using OrleansOms.Host.OpenApi;
using OrleansOms.Host.Orders;
using OrleansOms.Host.Security;

namespace OrleansOms.Host.Stock;

/// <summary>What can be promised now, and from how far away.</summary>
public static class AvailabilityEndpoint
{
    const int MaxSkus = 100;

    /// <summary>Maps <c>/api/v1/availability</c>.</summary>
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/v1/availability", Get)
        .Needs(Scopes.StockRead).WithTags("Stock").Describe(StockDescriptions.Availability);

    static async Task<IResult> Get(
        HttpContext http, CatalogueIndex catalogue, AvailabilityIndex availability, IPlaces places, KnownThings known)
    {
        var f = new Findings();
        string[] skus = [.. http.Request.Query["sku"].Select(s => s ?? "").Distinct(StringComparer.Ordinal)];
        if (skus.Length is 0 or > MaxSkus) f.Add("sku", $"Name 1 to {MaxSkus} SKUs.");
        else if (!skus.All(Text.IsSku)) f.Add("sku", "A SKU has 1 to 64 printable characters.");
        var country = http.Query("country", f, max: OrderValidation.MaxCity);
        var postalCode = http.Query("postalCode", f, max: OrderValidation.MaxPostalCode);
        f.Throw();
        if (country is not null) OrderValidation.RequireCountry(country);
        await known.RequireProducts(skus);

        var destination = country is null ? null : places.Find(country, postalCode);
        var caller = http.Caller();
        var warehouses = catalogue.Warehouses
            .Where(w => w.Details.IsActive && caller.MaySee(w.Code))
            .Select(w => (w.Code, Kilometres: Distance(w, destination, places)))
            .OrderBy(w => w.Kilometres ?? double.MaxValue).ThenBy(w => w.Code, StringComparer.Ordinal)
            .ToList();
        var items = skus.Select(sku =>
        {
            var held = warehouses.Select(w => new WarehouseAvailability(
                w.Code, availability.Find(w.Code, sku)?.Available ?? 0, w.Kilometres)).ToList();
            return new SkuAvailability(sku, held.Sum(h => (long)h.Available), held);
        });
        return Answers.Ok(new AvailabilityAnswer([.. items]), ApiJson.Default.AvailabilityAnswer);
    }

    static double? Distance(WarehouseView w, GeoPoint? destination, IPlaces places)
    {
        if (destination is not { } to) return null;
        var from = w.Details.Location ?? places.Find(w.Details.Address.Country, w.Details.Address.PostalCode);
        return from is { } at ? Math.Round(at.KilometresTo(to), 1) : null;
    }
}
