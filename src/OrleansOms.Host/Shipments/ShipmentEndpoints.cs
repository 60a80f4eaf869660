using System.Collections.Frozen;
using OrleansOms.Contracts.Log;
using OrleansOms.Contracts.Shipments;
using OrleansOms.Domain.Orders;
using OrleansOms.Domain.Shared;
using OrleansOms.Domain.Shipments;
using OrleansOms.Host.Catalogue;
using OrleansOms.Host.Errors;
using OrleansOms.Host.Http;
using OrleansOms.Host.OpenApi;
using OrleansOms.Host.Orders;
using OrleansOms.Host.Security;
using OrleansOms.Postgres.Shipments;

namespace OrleansOms.Host.Shipments;

/// <summary>The warehouse's work: what is to be done, and what was.</summary>
public static class ShipmentEndpoints
{
    /// <summary>Letters of a carrier's name, or of its service's.</summary>
    public const int MaxCarrier = 50;
    /// <summary>Letters of a tracking number.</summary>
    public const int MaxTrackingNumber = 100;

    const int MaxPackages = 1000, MaxDescription = 500, MaxEventId = 200;

    static readonly FrozenDictionary<string, ShipmentStatus> Reported = WordsOf<ShipmentStatus>.Only(
        ShipmentStatus.InTransit, ShipmentStatus.Exception, ShipmentStatus.Delivered, ShipmentStatus.ReturnedToSender);

    /// <summary>Maps <c>/api/v1/shipments</c>.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        var shipments = routes.MapGroup("/api/v1/shipments").WithTags("Shipments");
        shipments.MapGet("", List).Needs(Scopes.ShipmentsRead).Describe(ShipmentDescriptions.List);
        shipments.MapPost("/{id}/pick", Pick).Needs(Scopes.ShipmentsWrite).Describe(ShipmentDescriptions.Pick);
        shipments.MapPost("/{id}/pack", Pack).Needs(Scopes.ShipmentsWrite).Describe(ShipmentDescriptions.Pack);
        shipments.MapPost("/{id}/ship", Ship).Needs(Scopes.ShipmentsWrite).Describe(ShipmentDescriptions.Ship);
        shipments.MapPost("/{id}/tracking", Track).Needs(Scopes.ShipmentsWrite).Describe(ShipmentDescriptions.Track);
    }

    static async Task<IResult> List(HttpContext http, ShipmentQueries queries)
    {
        var f = new Findings();
        var filter = new ShipmentFilter
        {
            Warehouse = http.VisibleWarehouse(f),
            Statuses = http.Words("status", WordsOf<ShipmentStatus>.All, f),
            OrderId = http.Query("order", f),
            Limit = http.Limit(f),
            Cursor = http.Query("cursor", f, max: 2000),
        };
        f.Throw();
        var page = await RequestParts.Page(() => queries.List(filter));
        return Answers.Ok(new ShipmentList(page.Items, page.NextCursor), ApiJson.Default.ShipmentList);
    }

    static async Task<IResult> Pick(HttpContext http, string id, IGrainFactory grains, IEventLog log)
    {
        var (r, hash) = await Body.Read(http, ApiJson.Default.PickRequest);
        var f = new Findings();
        var lines = Units(f, "lines", r.Lines, least: 0);
        f.Throw();
        return await Execute(http, id, new PickUnits(lines), hash, grains, log);
    }

    static async Task<IResult> Pack(HttpContext http, string id, IGrainFactory grains, IEventLog log)
    {
        var (r, hash) = await Body.Read(http, ApiJson.Default.PackRequest);
        var f = new Findings();
        var packages = new List<Package>();
        if (r.Packages is not { Count: > 0 and <= MaxPackages }) f.Add("packages", $"There must be 1 to {MaxPackages} packages.");
        else
            for (var i = 0; i < r.Packages.Count; i++)
            {
                var package = r.Packages[i];
                f.Between($"packages[{i}].weightGrams", package?.WeightGrams, 1, CatalogueEndpoints.MaxWeightGrams);
                packages.Add(new Package(
                    package?.WeightGrams ?? 0, Units(f, $"packages[{i}].lines", package?.Lines, least: 1)));
            }
        f.Throw();
        return await Execute(http, id, new PackShipment(packages), hash, grains, log);
    }

    static async Task<IResult> Ship(HttpContext http, string id, IGrainFactory grains, IEventLog log)
    {
        var (r, hash) = await Body.Read(http, ApiJson.Default.ShipRequest);
        var f = new Findings();
        f.Text("carrier", r.Carrier, MaxCarrier);
        f.Text("service", r.Service, MaxCarrier);
        f.OptionalText("trackingNumber", r.TrackingNumber, MaxTrackingNumber);
        f.Throw();
        return await Execute(http, id, new ShipShipment(r.Carrier!, r.Service!, r.TrackingNumber), hash, grains, log);
    }

    static async Task<IResult> Track(HttpContext http, string id, IGrainFactory grains, IEventLog log)
    {
        var (r, hash) = await Body.Read(http, ApiJson.Default.TrackingRequest);
        var f = new Findings();
        var status = f.Word("status", r.Status, Reported);
        f.Text("description", r.Description, MaxDescription);
        f.OptionalText("location", r.Location, OrderValidation.MaxName);
        f.Text("eventId", r.EventId, MaxEventId);
        var occurredAt = RequestParts.Moment(f, "occurredAt", r.OccurredAt);
        f.Throw();
        return await Execute(
            http, id, new RecordTracking(status, r.Description!, r.Location, occurredAt, r.EventId!), hash, grains, log);
    }

    static SkuUnits[] Units(Findings f, string member, IReadOnlyList<SkuUnitsRequest?>? lines, int least)
    {
        if (lines is not { Count: > 0 and <= OrderLimits.MaxLines })
        {
            f.Add(member, $"There must be 1 to {OrderLimits.MaxLines} lines.", lines is { Count: > 0 } ? "too_many_lines" : null);
            return [];
        }
        for (var i = 0; i < lines.Count; i++)
        {
            f.Sku($"{member}[{i}].sku", lines[i]?.Sku);
            f.Between($"{member}[{i}].quantity", lines[i]?.Quantity, least, OrderLimits.MaxQuantity);
        }
        return [.. lines.Select(l => new SkuUnits(l?.Sku ?? "", l?.Quantity ?? 0))];
    }

    static async Task<IResult> Execute(
        HttpContext http, string id, ShipmentCommand command, string hash, IGrainFactory grains, IEventLog log)
    {
        var key = http.IdempotencyKey(isRequired: false);
        var visible = http.Caller().Warehouses;
        if (!Keys.IsShipmentId(id)) throw NotThere();
        var grain = grains.GetGrain<IShipmentGrain>(id);
        if (visible is not null && (await grain.Get() is not { } view || !visible.Contains(view.Warehouse))) throw NotThere();
        return Answers.Of(
            await grain.Execute(command, await http.CallerOf(id, key, hash, log)), ApiJson.Default.ShipmentView);
    }

    static ProblemException NotThere() => new(Problem.NotFound("The shipment"));
}
